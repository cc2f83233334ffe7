#!/bin/bash
# lab.sh: the whole lab up and down; what `./dev lab` runs. See lab/README.md.
#
#       ./dev lab up [13 17 ...]        servers, engine, images (of all majors, or these)
#       ./dev lab down                  stops what up started; caches stay
#       ./dev lab env                   shell variables for tests: eval "$(./dev lab env)"
#       ./dev lab status                what is there and what runs
. "$(dirname "$0")/common.sh"

lab_up() {
        need_root "the lab"
        local extensions=
        if [ $# = 0 ]; then
                set -- $ALL_MAJORS
                extensions="17-extensions 18-extensions"
        fi
        # shellcheck disable=SC2086
        "$LAB_HOME/roots.sh" "$@" $extensions
        "$LAB_HOME/servers.sh" up "$@"
        # A machine that cannot run containers still gets its servers.
        if "$LAB_HOME/engine.sh" up; then
                "$LAB_HOME/images.sh" "$@"
        else
                say "no Docker engine: what needs one will be skipped"
        fi
        say "up: PostgreSQL $*"
}

lab_status() {
        local major env
        env=$("$LAB_HOME/servers.sh" env)
        for major in $ALL_MAJORS; do
                printf 'PostgreSQL %s: %s, %s\n' "$major" \
                        "$(sed -n 2p "$(root_of "$major")/.lab-stamp" 2>/dev/null || echo 'not bootstrapped')" \
                        "$(grep -q "LAB_${major}_PORT" <<<"$env" &&
                                echo "runs on port $(port_of "$major")" || echo stopped)"
        done
        "$LAB_HOME/engine.sh" status 2>/dev/null && echo "Docker engine with Compose v2: answers" ||
                echo "Docker engine with Compose v2: none"
}

verb=${1:-}
[ $# -gt 0 ] && shift
case $verb in
up) lab_up "$@" ;;
down)
        "$LAB_HOME/servers.sh" down
        "$LAB_HOME/engine.sh" down
        ;;
env) "$LAB_HOME/servers.sh" env ;;
status) lab_status ;;
*) sed -n '4,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
