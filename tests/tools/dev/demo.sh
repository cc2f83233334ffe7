#!/bin/bash
# ./dev demo: see it work without owning anything.
#
# Two throw-away servers, PostgreSQL 13 with a sample database of some fifty
# megabytes (case A's: several schemas, extensions, roles, an application's
# migration revision) and an empty 17, and the wizard on the journey
# local-upgrade between them. No Docker. Whatever ends it (the last key, ctrl-C,
# a closed terminal), servers, files and a still running engine are gone after.
#
#       PGSHERPA_DEMO_KEEP=1 ./dev demo         keeps them, and says where
. "$(dirname "$0")/common.sh"

[ "$(id -u)" = 0 ] || fail "the demo bootstraps two PostgreSQL servers and needs root"
[ -f lab/cluster.sh ] || fail "lab/cluster.sh is missing"

OLD=13 NEW=17 DATABASE=makapix
dir=$(mktemp -d /tmp/pgsherpa-demo.XXXXXX)
chmod 0711 "$dir"

# Whoever has our state directory in its environment is an engine or a client of this demo.
demo_processes() { grep -lsz "^PGSHERPA_STATE=$dir/state\$" /proc/[0-9]*/environ | cut -d/ -f3 | grep -vx $$ || true; }

clean_up() {
        trap '' INT TERM HUP
        set +e
        local pid pids
        if [ -n "${PGSHERPA_DEMO_KEEP:-}" ]; then
                note "kept: $dir (lab/cluster.sh destroy $dir/old; the same with new; rm -r $dir)"
                return
        fi
        note "cleaning up"
        pids=$(demo_processes)
        # shellcheck disable=SC2086
        [ -z "$pids" ] || kill $pids 2>/dev/null || true
        for _ in $(seq 20); do
                [ -n "$(demo_processes)" ] || break
                sleep 0.1
        done
        for pid in $(demo_processes); do kill -9 "$pid" 2>/dev/null || true; done
        lab/cluster.sh destroy "$dir/old" || true
        lab/cluster.sh destroy "$dir/new" || true
        rm -rf --one-file-system "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# The terminal is gone: whoever writes to it now gets an error instead of an echo.
trap 'exec </dev/null >/dev/null 2>&1; exit 129' HUP

packages_install $BUILD_PACKAGES debootstrap debian-archive-keyring util-linux
lab/roots.sh $OLD $NEW
lab/servers.sh programs $OLD $NEW
build

note "starting PostgreSQL $OLD with sample data, and an empty $NEW"
old_port=$(lab/cluster.sh start $OLD "$dir/old" auto --user owner)
new_port=$(lab/cluster.sh start $NEW "$dir/new" auto --user postgres)
eval "$(lab/lab.sh env)"

pgbin=PGSHERPA_PG_BIN_$OLD
load() {
        PGPASSWORD=$(<"$PGSHERPA_LAB_PASSWORD_FILE") PGOPTIONS=--client-min-messages=error \
                API_PASSWORD=demo PASSWORD_ENCRYPTION=scram-sha-256 \
                "${!pgbin}/psql" -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$old_port" -U owner "$@" >/dev/null
}
load -d postgres -c "create database $DATABASE"
for file in tests/e2e/fixtures/makapix/sql/[1-5]*.sql tests/e2e/fixtures/demo/bulk.sql; do
        load -d $DATABASE -1 -f "$PWD/$file"
done

export PGSHERPA_STATE=$dir/state PGSHERPA_RUNBOOKS=$PWD/runbooks
note "opening pgsherpa; '?' is help, 'q' leaves"
# Without a terminal nobody can press keys: the same journey in sentences, and what a person would
# answer is given beforehand. Nothing that deletes is on this journey.
plain=()
if ! [ -t 0 ] || ! [ -t 1 ]; then
        echo all >"$dir/answers"        # of the checklist at the end: which are done
        plain=(--plain --yes --answer "writers=none, this is a demo" --answers-from "$dir/answers")
fi
rc=0
"$BUILD/src/app/pgsherpa" run local-upgrade \
        --var from_host=127.0.0.1 --var from_port="$old_port" --var from_user=owner --var from_db=$DATABASE \
        --var to_host=127.0.0.1 --var to_port="$new_port" --var to_user=postgres --var backups="$dir/backups" \
        --secret from_password="file:$PGSHERPA_LAB_PASSWORD_FILE" \
        --secret to_password="file:$PGSHERPA_LAB_PASSWORD_FILE" "${plain[@]}" "$@" || rc=$?
exit $rc
