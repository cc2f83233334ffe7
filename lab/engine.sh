#!/bin/bash
# engine.sh: a Docker engine with Compose v2, ours only when there was none.
#
#       lab/engine.sh up        uses the engine that answers, else starts one
#       lab/engine.sh down      stops the engine, if up started it
#       lab/engine.sh status    exit 0 when an engine with Compose v2 answers
#       lab/engine.sh clean     remove what killed tests left: their names hold their pid
#
# Our engine keeps its data below the lab's directory and listens on the usual
# socket, so that compose files and the docker command run as anywhere. Bookworm
# has Compose 1.29 only; the plugin of trixie's docker-compose needs no newer
# glibc than bookworm's and is taken from there, signatures checked.
#
# Beside our engine runs a small registry that the engine takes for a mirror of
# Docker Hub. images.sh pushes into it, so `docker pull postgres:17` is a real
# pull even where no registry can be reached, and an image that a test removed
# comes back by itself.
. "$(dirname "$0")/common.sh"

PLUGIN_DIR=/usr/local/lib/docker/cli-plugins

engine_answers() { timeout 10 docker info >/dev/null 2>&1; }
compose_is_v2() { docker compose version --short 2>/dev/null | grep -q '^v\?[2-9]'; }

registry_start() {
        runs "$REGISTRY_PID" docker-registry && return
        command -v docker-registry >/dev/null || return 0
        mkdir -p "$PGSHERPA_LAB/registry"
        cat >"$PGSHERPA_LAB/registry.yml" <<-EOC
	version: 0.1
	log: {level: error, accesslog: {disabled: true}}
	storage: {filesystem: {rootdirectory: $PGSHERPA_LAB/registry}, delete: {enabled: true}}
	http: {addr: $LAB_REGISTRY}
	EOC
        OTEL_TRACES_EXPORTER=none setsid docker-registry serve "$PGSHERPA_LAB/registry.yml" \
                </dev/null >"$PGSHERPA_LAB/log/registry.log" 2>&1 \
                3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
        echo $! >"$REGISTRY_PID"
}

engine_start() {
        if engine_answers; then
                ! runs "$ENGINE_PID" dockerd || registry_start
                return
        fi
        need_root "starting a Docker engine"
        command -v dockerd >/dev/null || die "no Docker engine answers and dockerd is not installed"
        say "no Docker engine answers; starting one"
        registry_start
        # dockerd refuses to start over the pid file of one that was killed.
        runs "$ENGINE_PID" dockerd || rm -f "$ENGINE_PID"
        mkdir -p "$PGSHERPA_LAB/docker"
        setsid dockerd --data-root "$PGSHERPA_LAB/docker" --pidfile "$ENGINE_PID" \
                --registry-mirror "http://$LAB_REGISTRY" --log-level warn </dev/null >"$PGSHERPA_LAB/log/dockerd.log" 2>&1 \
                3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
        local _
        for _ in $(seq 120); do
                engine_answers && return
                kill -0 $! 2>/dev/null || break
                sleep 0.25
        done
        tail -15 "$PGSHERPA_LAB/log/dockerd.log" >&2
        die "dockerd does not come up; see $PGSHERPA_LAB/log/dockerd.log"
}

# An apt of its own (lists, sources, cache) that knows one suite and never
# touches the machine's.
compose_install() {
        compose_is_v2 && return
        need_root "installing Compose v2"
        local apt=$PGSHERPA_LAB/apt options deb
        say "installing the Compose v2 plugin from Debian trixie"
        rm -rf "$apt"
        mkdir -p "$apt"/{lists/partial,cache/archives/partial,out,etc}
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
                "$PGSHERPA_LAB_MIRROR trixie main" >"$apt/etc/sources.list"
        options=(-o "Dir::Etc::sourcelist=$apt/etc/sources.list" -o Dir::Etc::sourceparts=-
                -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache"
                -o Dir::State::status=/dev/null -o APT::Sandbox::User=root)
        apt-get -qq "${options[@]}" update
        (cd "$apt/out" && apt-get -qq "${options[@]}" download docker-compose)
        deb=$(echo "$apt"/out/docker-compose_*.deb)
        dpkg-deb -x "$deb" "$apt/out/tree"
        mkdir -p "$PLUGIN_DIR"
        install -m 0755 "$(find "$apt/out/tree" -name docker-compose -type f -size +1M | head -1)" \
                "$PLUGIN_DIR/docker-compose"
        rm -rf "$apt"
        compose_is_v2 || die "the Compose plugin is in $PLUGIN_DIR but 'docker compose' does not work"
}

# A test calls its project e2e<pid> or labtest-<pid>; when that process is gone,
# nobody will come back for it.
clean() {
        engine_answers || return 0
        local name pid
        { docker ps -a --format '{{.Label "com.docker.compose.project"}} {{.Label "pgsherpa.project"}} {{.Names}}'
        docker volume ls -q
        docker network ls --format '{{.Name}}'; } | tr ' ' '\n' |
                { grep -oE '^(e2e|labtest-)[0-9]+' || true; } | sort -u | while read -r name; do
                pid=${name##*[!0-9]}
                if [ -d "/proc/$pid" ]; then continue; fi
                say "removing what the killed test $name left behind"
                {
                        docker ps -aq --filter "label=com.docker.compose.project=$name"
                        docker ps -aq --filter "label=pgsherpa.project=$name"
                        docker ps -aq --filter "name=^$name"
                } | sort -u | xargs -r docker rm -f -v >/dev/null || true
                docker volume ls -q | grep -E "^$name(_|\$)" | xargs -r docker volume rm >/dev/null || true
                docker network ls --format '{{.Name}}' | grep "^${name}_" | xargs -r docker network rm >/dev/null || true
        done
}

# usage: stop PIDFILE COMMAND
stop() {
        runs "$1" "$2" || return 0
        local pid _
        pid=$(cat "$1")
        say "stopping the lab's $2"
        kill "$pid"
        for _ in $(seq 240); do
                kill -0 "$pid" 2>/dev/null || { rm -f "$1"; return 0; }
                sleep 0.25
        done
        die "$2 ($pid) does not stop"
}

case ${1:-} in
up)
        lab_dir_make
        with_lock engine engine_start
        with_lock compose compose_install
        ;;
down)
        stop "$ENGINE_PID" dockerd
        stop "$REGISTRY_PID" docker-registry
        ;;
clean) clean ;;
status) engine_answers && compose_is_v2 ;;
*) die "usage: engine.sh up|down|status|clean" ;;
esac
