#!/bin/bash
# entrypoint.sh: starts PostgreSQL in a container as the official image does.
#
# Real compose files must run unchanged on the lab's images, so this keeps the
# contract of docker-library/postgres (docker-entrypoint.sh, majors 13 to 18):
#
#   POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, POSTGRES_INITDB_ARGS,
#   POSTGRES_INITDB_WALDIR: each also as NAME_FILE, but not both at once
#   POSTGRES_HOST_AUTH_METHOD; without it, what password_encryption says
#   PGDATA; from 18 on /var/lib/postgresql/18/docker, refusing old layouts
#   /docker-entrypoint-initdb.d: *.sh, *.sql, *.sql.gz, *.sql.zst, in order, once,
#   against a temporary server that listens on its unix socket only
#
# Written for the lab, not copied: messages that tools grep for are kept.
set -Eeo pipefail

# Move NAME_FILE's content, or a default, into NAME.
file_env() {
        local name=$1 fallback=${2:-} file=$1_FILE
        if [ "${!name:-}" ] && [ "${!file:-}" ]; then
                echo "error: both $name and $file are set (but are exclusive)" >&2
                exit 1
        fi
        local value=$fallback
        if [ "${!name:-}" ]; then
                value=${!name}
        elif [ "${!file:-}" ]; then
                value=$(<"${!file}")
        fi
        export "$name=$value"
        unset "$file"
}

# Sourced by an init script's author? Then only the functions are wanted.
sourced() { [ "${#FUNCNAME[@]}" -ge 2 ] && [ "${FUNCNAME[0]}" = sourced ] && [ "${FUNCNAME[1]}" = source ]; }

make_directories() {
        mkdir -p "$PGDATA" /var/run/postgresql
        chmod 00700 "$PGDATA" || :
        chmod 03777 /var/run/postgresql || :
        if [ "$(id -u)" = 0 ]; then
                [ -z "$POSTGRES_INITDB_WALDIR" ] || {
                        mkdir -p "$POSTGRES_INITDB_WALDIR"
                        chown -R postgres "$POSTGRES_INITDB_WALDIR"
                }
                find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
                find /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
        fi
}

# From 18 on the image keeps data in a directory named after its major. Data in
# the old places, or a mount at the old mount point, would silently be ignored
# and an empty server come up in its stead: refuse.
refuse_old_layouts() {
        local d old=()
        [ "$PG_MAJOR" -ge 18 ] && [ "$PGDATA" = "/var/lib/postgresql/$PG_MAJOR/docker" ] || return 0
        [ ! -s "$PGDATA/PG_VERSION" ] || return 0
        for d in /var/lib/postgresql /var/lib/postgresql/data /var/lib/postgresql/*/docker; do
                [ ! -s "$d/PG_VERSION" ] || old+=("$d")
        done
        if [ ${#old[@]} = 0 ] && mountpoint -q /var/lib/postgresql/data; then
                old+=('/var/lib/postgresql/data (unused mount/volume)')
        fi
        [ ${#old[@]} = 0 ] && return 0
        cat >&2 <<-EOE
	Error: in 18+, these Docker images are configured to store database data in a
	       format which is compatible with "pg_ctlcluster" (specifically, using
	       major-version-specific directory names).  This better reflects how
	       PostgreSQL itself works, and how upgrades are to be performed.

	       See also https://github.com/docker-library/postgres/pull/1259

	       Counter to that, there appears to be PostgreSQL data in:
	         ${old[*]}

	       The suggested container configuration for 18+ is to place a single mount
	       at /var/lib/postgresql which will then place PostgreSQL data in a
	       subdirectory.
	EOE
        exit 1
}

require_a_password() {
        case $PG_MAJOR in 13) [ ${#POSTGRES_PASSWORD} -lt 100 ] ||
                echo "warning: POSTGRES_PASSWORD is longer than 99 characters" >&2 ;; esac
        if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
                cat >&2 <<-'EOE'
	Error: Database is uninitialized and superuser password is not specified.
	       You must specify POSTGRES_PASSWORD to a non-empty value for the
	       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".

	       You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all
	       connections without a password. This is *not* recommended.
	EOE
                exit 1
        fi
}

# initdb wants its user to have a name. The official image lends one to any `user: "1000:1000"` with
# nss_wrapper; here the line stands in /etc/passwd for as long as the data directory is made.
name_lend() {
        getent passwd "$(id -u)" >/dev/null || [ ! -w /etc/passwd ] ||
                printf 'postgres-lent:x:%s:%s::%s:/bin/false\n' "$(id -u)" "$(id -g)" "$PGDATA" >>/etc/passwd
}

name_return() {
        local rest
        ! grep -q '^postgres-lent:' /etc/passwd || { rest=$(grep -v '^postgres-lent:' /etc/passwd); printf '%s\n' "$rest" >/etc/passwd; }
}

init_directory() {
        local wal=()
        [ -z "$POSTGRES_INITDB_WALDIR" ] || wal=(--waldir "$POSTGRES_INITDB_WALDIR")
        # shellcheck disable=SC2086
        eval 'initdb --no-sync --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") "${wal[@]}" '"$POSTGRES_INITDB_ARGS"' "$@"'
        name_return
}

write_hba() {
        local auth
        [ "${1:-}" != postgres ] || shift
        auth=$(postgres -C password_encryption "$@")
        : "${POSTGRES_HOST_AUTH_METHOD:=$auth}"
        {
                printf '\n'
                [ "$POSTGRES_HOST_AUTH_METHOD" != trust ] ||
                        printf '# warning trust is enabled for all connections\n'
                printf 'host all all all %s\n' "$POSTGRES_HOST_AUTH_METHOD"
        } >>"$PGDATA/pg_hba.conf"
}

temporary_server_start() {
        [ "${1:-}" != postgres ] || shift
        set -- "$@" -c listen_addresses='' -p "${PGPORT:-5432}"
        # A readiness notice of this server would mislead whoever listens for one.
        NOTIFY_SOCKET='' PGUSER="${PGUSER:-$POSTGRES_USER}" \
                pg_ctl -D "$PGDATA" -o "$(printf '%q ' "$@")" -w start
}

temporary_server_stop() { PGUSER="${PGUSER:-$POSTGRES_USER}" pg_ctl -D "$PGDATA" -m fast -w stop; }

docker_process_sql() {
        local run=(psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password --no-psqlrc)
        [ -z "$POSTGRES_DB" ] || run+=(--dbname "$POSTGRES_DB")
        PGHOST='' PGHOSTADDR='' "${run[@]}" "$@"
}

make_database() {
        local there
        there=$(POSTGRES_DB='' docker_process_sql --dbname postgres --set db="$POSTGRES_DB" --tuples-only \
                <<<"SELECT 1 FROM pg_database WHERE datname = :'db' ;")
        [ -n "$there" ] || POSTGRES_DB='' docker_process_sql --dbname postgres --set db="$POSTGRES_DB" \
                <<<'CREATE DATABASE :"db" ;'
}

run_init_files() {
        local f
        echo
        for f; do
                case $f in
                *.sh)
                        if [ -x "$f" ]; then
                                echo "$0: running $f"
                                "$f"
                        else
                                echo "$0: sourcing $f"
                                # shellcheck source=/dev/null
                                . "$f"
                        fi
                        ;;
                *.sql) echo "$0: running $f"; docker_process_sql -f "$f"; echo ;;
                *.sql.gz) echo "$0: running $f"; gunzip -c "$f" | docker_process_sql; echo ;;
                *.sql.xz) echo "$0: running $f"; xzcat "$f" | docker_process_sql; echo ;;
                *.sql.zst) echo "$0: running $f"; zstd -dc "$f" | docker_process_sql; echo ;;
                *) echo "$0: ignoring $f" ;;
                esac
                echo
        done
}

wants_help() {
        local arg
        for arg; do
                case $arg in
                -'?' | --help | --describe-config | -V | --version) return 0 ;;
                esac
        done
        return 1
}

main() {
        [ "${1:0:1}" != - ] || set -- postgres "$@"
        if [ "${1:-}" = postgres ] && ! wants_help "$@"; then
                file_env POSTGRES_PASSWORD
                file_env POSTGRES_USER postgres
                file_env POSTGRES_DB "$POSTGRES_USER"
                file_env POSTGRES_INITDB_ARGS
                file_env POSTGRES_INITDB_WALDIR
                : "${POSTGRES_HOST_AUTH_METHOD:=}"
                refuse_old_layouts
                make_directories
                if [ "$(id -u)" = 0 ]; then
                        exec setpriv --reuid=postgres --regid=postgres --init-groups \
                                "${BASH_SOURCE[0]}" "$@"
                fi
                if [ ! -s "$PGDATA/PG_VERSION" ]; then
                        require_a_password
                        ls /docker-entrypoint-initdb.d/ >/dev/null
                        name_lend
                        init_directory
                        write_hba "$@"
                        export PGPASSWORD="${PGPASSWORD:-$POSTGRES_PASSWORD}"
                        temporary_server_start "$@"
                        make_database
                        run_init_files /docker-entrypoint-initdb.d/*
                        temporary_server_stop
                        unset PGPASSWORD
                        printf '\nPostgreSQL init process complete; ready for start up.\n\n'
                else
                        printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
                fi
        fi
        exec "$@"
}

sourced || main "$@"
