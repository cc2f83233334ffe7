#!/bin/bash
# threads.sh: real copies, backups and restores by many threads, built by clang with TSan.
#
# Criterion's own processes do not start under TSan, so it is the program itself that runs, on the
# lab's servers (./dev lab up): a database with keys, partitions, views and large objects is copied
# with a worker a core, kept in a bundle and restored from it, and a copy is stopped in its middle. A
# race is a report in build-tsan/reports, and a report is a failure. A planted race must be
# reported first: a net that never caught anything may be no net.
. "$(dirname "$0")/common.sh"

BUILD=build-tsan
REPORTS=$PWD/$BUILD/reports
NAME=test_$$_threads
export TSAN_OPTIONS=log_path=$REPORTS/report

[ -f "$BUILD/build.ninja" ] || CC=clang meson setup "$BUILD" --buildtype=debug \
        -Db_sanitize=thread -Db_lundef=false >&2
ninja -C "$BUILD" src/app/pgsherpa >"$BUILD/clang.log" 2>&1 || {
        grep -A12 -E 'FAILED|error:' "$BUILD/clang.log" | head -40 >&2
        exit 1
}
rm -rf "$REPORTS"
mkdir -p "$REPORTS"

clang -g -fsanitize=thread -o "$BUILD/race" tests/tools/dev/race.c
"$BUILD/race" || true
grep -qs 'WARNING: ThreadSanitizer: data race' "$REPORTS"/* || {
        note "TSan does not see the race that was planted for it"
        exit 1
}
rm -f "$REPORTS"/*

eval "$(./dev lab env)"
PGPASSWORD=$(head -n 1 "$PGSHERPA_LAB_PASSWORD_FILE")
export PGPASSWORD PGHOST=$PGSHERPA_LAB_HOST PGUSER=$PGSHERPA_LAB_USER PGOPTIONS=--client-min-messages=error
OLD=$PGSHERPA_LAB_13_PORT NEW=$PGSHERPA_LAB_17_PORT WORK=$(mktemp -d)

tidy() {
        rm -rf "$WORK"
        psql -qXp "$OLD" -d postgres -c "drop database if exists \"$NAME\" with (force)" || true
        for suffix in copy restored stopped; do
                psql -qXp "$NEW" -d postgres -c "drop database if exists \"${NAME}_$suffix\" with (force)" || true
        done
}
trap tidy EXIT

psql -qXp "$OLD" -d postgres -c "create database \"$NAME\""
psql -qXp "$OLD" -d "$NAME" -v ON_ERROR_STOP=1 -f tests/tools/dev/threads.sql >&2

at() { printf 'host=%s,port=%s,user=%s,db=%s' "$PGHOST" "$1" "$PGUSER" "$2"; }
sherpa() { "$BUILD/src/app/pgsherpa" "$@"; }
from=(--from "$(at "$OLD" "$NAME")" --from-password-file "$PGSHERPA_LAB_PASSWORD_FILE")
to() { printf '%s\n' --to "$(at "$NEW" "${NAME}_$1")" --to-password-file "$PGSHERPA_LAB_PASSWORD_FILE"; }

rc=0
# What TSan found makes the exit status 66; everything else is a plain failure.
try() {
        local what=$1
        shift
        "$@" >"$WORK/out" 2>&1 || { note "$what: exit $?"; tail -n 5 "$WORK/out" >&2; rc=1; }
}
mapfile -t copy < <(to copy)
mapfile -t restored < <(to restored)
mapfile -t stopped < <(to stopped)
try copy sherpa copy "${from[@]}" "${copy[@]}"
try backup sherpa backup create "${from[@]}" --root "$WORK" --name threads --no-globals
try restore sherpa restore "$WORK"/threads_*.pgs.tar "${restored[@]}"

sherpa copy "${from[@]}" "${stopped[@]}" >"$WORK/out" 2>&1 &
running=$!
sleep 2
kill -INT "$running" 2>/dev/null || true
wait "$running" || true

if [ -n "$(ls "$REPORTS")" ]; then
        note "races, the first lines of each ($REPORTS):"
        head -n 30 "$REPORTS"/* >&2
        rc=1
fi
exit $rc
