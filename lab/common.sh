# shellcheck shell=bash disable=SC2034
# common.sh: words that every script of the lab uses. Sourced, never run.
#
# Everything the lab owns lives below one directory, $PGSHERPA_LAB:
#
#       roots/N       a Debian with PostgreSQL N in it, and its stamp (roots.sh); N-extensions
#       bin/N         client programs of major N that run from the host
#       servers/N     the standing server of major N: data, sock, log
#       docker        data of the Docker engine, when we had to start one
#       registry      the images again, for real pulls
#       locks         one writer at a time; locks/ports: whose a port is
#       lab.password  the superuser's password, 0600
#
# Removing that directory after `./dev lab down` removes the lab.

set -euo pipefail

LAB_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PGSHERPA_LAB=$(realpath -m "${PGSHERPA_LAB:-/var/cache/pgsherpa-lab}")
PGSHERPA_LAB_MIRROR=${PGSHERPA_LAB_MIRROR:-http://deb.debian.org/debian}

ALL_MAJORS="12 13 14 15 16 17 18 19"
LAB_REGISTRY=127.0.0.1:54500            # our mirror of Docker Hub, see engine.sh
LAB_PASSWORD_FILE=$PGSHERPA_LAB/lab.password

say() { printf 'lab: %s\n' "$*" >&2; }
die() { printf 'lab: %s\n' "$*" >&2; exit 1; }

# Which Debian suite carries which major; those that none carries any more come as npm packages.
suite_of() {
        case $1 in
        12 | 14 | 16) echo npm ;;
        13) echo bullseye ;;
        15) echo bookworm ;;
        17) echo trixie ;;
        18) echo sid ;;
        19) echo experimental ;;
        *) die "PostgreSQL $1 is not in the lab; there are: $ALL_MAJORS" ;;
        esac
}

# The roots that a root is made from. A package from npm is a server alone: it stands in trixie with
# the clients of 17, and with the pg_controldata of 15, which reads the control files of 12 to 16.
bases_of() {
        case $1 in *-extensions) echo "${1%-*}"; return ;; esac
        case $(suite_of "$1") in
        npm) echo 15 17 ;;
        experimental) echo 18 ;;
        esac
}

root_of() { echo "$PGSHERPA_LAB/roots/$1"; }
port_of() { echo $((54000 + $1)); }

need_root() {
        [ "$(id -u)" = 0 ] || die "$1 needs root: bootstrapping, mounting and starting an engine do"
}

# Does the process of a pid file live, and is it still that program?
# usage: runs PIDFILE COMMAND
runs() { [ -s "$1" ] && [ "$(cat "/proc/$(cat "$1")/comm" 2>/dev/null)" = "$2" ]; }

# Is the server of this data directory up? A postmaster works in its data directory,
# so a pid file that outlived a reboot, its number given to somebody else, fools nobody.
data_is_served() {
        local pid
        pid=$(head -1 "$1/postmaster.pid" 2>/dev/null) || return 1
        [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd" 2>/dev/null)" = "$1" ]
}

ENGINE_PID=$PGSHERPA_LAB/dockerd.pid
REGISTRY_PID=$PGSHERPA_LAB/registry.pid

# One writer at a time: two test runs may want the same root or image at once.
# usage: with_lock NAME command...
with_lock() {
        local name=$1
        shift
        mkdir -p "$PGSHERPA_LAB/locks"
        (
                flock 9
                "$@" 9>&-
        ) 9>"$PGSHERPA_LAB/locks/$name"
}

# Ports that a project or cluster has for its life: a file locks/ports/N each, with its directory
# inside. A container that is stopped for a while, or a server between stop and start, would
# otherwise lose its port to the next who looks for a free one.
PORT_CLAIMS=$PGSHERPA_LAB/locks/ports

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Claims whose directory is gone belong to a killed test.
ports_forget_stale() {
        local claim
        for claim in "$PORT_CLAIMS"/*; do
                [ ! -f "$claim" ] || [ -e "$(<"$claim")" ] || rm -f "$claim"
        done
}

ports_claim_locked() {
        local owner=$1 count=$2 from=$3 span=$4 port tries found=()
        mkdir -p "$PORT_CLAIMS"
        ports_forget_stale
        for tries in $(seq 500); do
                [ ${#found[@]} -lt "$count" ] || break
                port=$((from + RANDOM % span))
                [ ! -e "$PORT_CLAIMS/$port" ] && port_is_free "$port" || continue
                echo "$owner" >"$PORT_CLAIMS/$port"
                found+=("$port")
        done
        [ ${#found[@]} -eq "$count" ] ||
                die "no free port between $from and $((from + span - 1)) after $tries tries"
        echo "${found[@]}"
}

# usage: ports_claim DIR COUNT FROM SPAN; prints them. DIR exists, and is whose they are.
ports_claim() { with_lock ports-lock ports_claim_locked "$@"; }

# usage: ports_release DIR
ports_release() {
        local claim
        for claim in "$PORT_CLAIMS"/*; do
                [ ! -f "$claim" ] || [ "$(<"$claim")" != "$1" ] || rm -f "$claim"
        done
}

# The lab's own directory: root's, but the postgres user must get through it.
lab_dir_make() {
        mkdir -p "$PGSHERPA_LAB"/{roots,servers,bin,locks,log}
        chmod 0755 "$PGSHERPA_LAB" "$PGSHERPA_LAB"/{roots,servers,bin}
        if [ ! -s "$LAB_PASSWORD_FILE" ]; then
                (umask 077 && head -c 18 /dev/urandom | base64 | tr '+/' 'xy' >"$LAB_PASSWORD_FILE")
        fi
}
