#!/bin/bash
# project.sh: somebody's compose project, from tests/e2e/fixtures, up and healthy.
#
#       lab/project.sh create DIR MAJOR [PROJECT]   lays it down, starts it, fills it
#               --md5           api_worker gets an md5 verifier (13 and 15 only)
#               --tag=T         the image is postgres:T (of the same major), a tag of your own
#               --writes        the worker writes a row a second
#               --up=db         only the database, and nothing in it; --up=none: only the files
#       lab/project.sh status DIR                   one line a service
#       lab/project.sh destroy DIR                  containers, networks, volumes, files
#
# Each project has ports of its own for its life (WEB_PORT and API_PORT in DIR/.env) and
# the passwords DB_PASSWORD and API_PASSWORD, planted so that tests can look for
# where they must not be. The directory's mark, .lab-project, names the compose
# project; destroy touches nothing without it.
. "$(dirname "$0")/common.sh"

FIXTURE=$LAB_HOME/../tests/e2e/fixtures/makapix

usage() { sed -n '4,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }

secret_make() { head -c 15 /dev/urandom | base64 | tr '+/' 'xy'; }

compose() { (cd "$dir" && docker compose "$@"); }

# In a container, by its socket, as the superuser; passwords by environment.
fill() {
        local encryption=$1 files=(10-roles-types 20-app 30-billing-audit 40-odd 50-data)
        [ "$major" -lt 15 ] || files+=(60-since-15)
        files=("${files[@]/%/.sql}")
        (cd "$FIXTURE/sql" && cat "${files[@]}") |
                API_PASSWORD=$(sed -n 's/^API_PASSWORD=//p' "$dir/.env") PASSWORD_ENCRYPTION=$encryption \
                        compose exec -T -e API_PASSWORD -e PASSWORD_ENCRYPTION -e PGOPTIONS=--client-min-messages=error db \
                        psql -X -q -1 -v ON_ERROR_STOP=1 -U owner -d makapix >/dev/null || die "${files[*]} do not load"
}

create() {
        [ $# -ge 2 ] || usage
        dir=$(realpath -m "$1") major=$2
        shift 2
        local tag= project=lab$$ claimed ports encryption=scram-sha-256 writes=0 up=all data=/var/lib/postgresql/data
        [ "$major" -lt 18 ] || data=/var/lib/postgresql
        case ${1:-} in '' | --*) ;; *) project=$1; shift ;; esac
        for option; do
                case $option in
                --md5) encryption=md5 ;;
                --writes) writes=1 ;;
                --up=none | --up=db) up=${option#--up=} ;;
                --tag=*) tag=${option#--tag=} ;;
                *) usage ;;
                esac
        done
        [ ! -e "$dir/compose.yaml" ] || die "there is a compose project in $dir already"
        "$LAB_HOME/engine.sh" status || die "no Docker engine with Compose v2 answers: run './dev lab up'"
        mkdir -p "$dir"
        echo "$project" >"$dir/.lab-project"
        # Below the range that the kernel hands out by itself.
        claimed=$(ports_claim "$dir" 2 20000 10000)
        read -r -a ports <<<"$claimed"
        sed "s/@MAJOR@/${tag:-$major}/; s|@DATA@|$data|" "$FIXTURE/compose.yaml.in" >"$dir/compose.yaml"
        (umask 077 && sed -e "s/@PROJECT@/$project/" -e "s/@DB_PASSWORD@/pl4nted-$(secret_make)/" \
                -e "s/@API_PASSWORD@/pl4nted-$(secret_make)/" -e "s/@WEB_PORT@/${ports[0]}/" \
                -e "s/@API_PORT@/${ports[1]}/" -e "s/^WORKER_WRITES=.*/WORKER_WRITES=$writes/" \
                "$FIXTURE/env.in" >"$dir/.env")
        [ "$up" != none ] || return 0
        compose up -d --wait --quiet-pull db >/dev/null 2>"$dir/.lab-up.log" || { cat "$dir/.lab-up.log" >&2; die "the database of $project does not come up"; }
        if [ "$up" = db ]; then
                rm -f "$dir/.lab-up.log"
                return
        fi
        fill "$encryption"
        compose up -d --wait >/dev/null 2>"$dir/.lab-up.log" || { cat "$dir/.lab-up.log" >&2; die "the services of $project are not healthy"; }
        rm -f "$dir/.lab-up.log"
        say "project $project: PostgreSQL $major, web on 127.0.0.1:${ports[0]}, in $dir"
}

# By label and exact project, also what an upgrade added to it (a new volume).
destroy() {
        [ $# = 1 ] || usage
        local project kind ids
        dir=$(realpath -m "$1")
        [ -f "$dir/.lab-project" ] || die "$dir holds no project made by the lab"
        project=$(cat "$dir/.lab-project")
        ids=$(docker ps -aq --filter "label=com.docker.compose.project=$project")
        # shellcheck disable=SC2086
        [ -z "$ids" ] || docker rm -f -v $ids >/dev/null
        for kind in volume network; do
                ids=$(docker $kind ls -q --filter "label=com.docker.compose.project=$project")
                # shellcheck disable=SC2086
                [ -z "$ids" ] || docker $kind rm $ids >/dev/null
        done
        ids=$(docker volume ls -q | grep "^${project}_" || true)
        # shellcheck disable=SC2086
        [ -z "$ids" ] || docker volume rm $ids >/dev/null
        ports_release "$dir"
        rm -rf --one-file-system "$dir"
}

status() {
        [ $# = 1 ] || usage
        dir=$(realpath -m "$1")
        compose ps -a --format '{{.Service}} {{.State}} {{.Health}}'
}

verb=${1:-}
[ $# -gt 0 ] && shift
case $verb in
create) create "$@" ;;
destroy) destroy "$@" ;;
status) status "$@" ;;
*) usage ;;
esac
