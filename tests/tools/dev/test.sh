#!/bin/bash
# ./dev test [SUITE... | --changed [REVISION]]: prepare, build, run, count.
#
# The last line is `N passed, N failed, N skipped`, alone on its line; the exit
# status is 1 when anything failed. What a machine cannot do (no root, no engine)
# is skipped by name and counted, never silently left out.
#
# Everything runs on the gcc build; unit tests once more on clang's with ASan and
# UBSan (sanitize.sh). With suites named, only those, and on the gcc build only; with --changed those
# tests that what is not committed (or changed since REVISION) can reach (changed.py).
. "$(dirname "$0")/common.sh"

packages_install $BUILD_PACKAGES $TEST_PACKAGES $LAB_PACKAGES

# Bootstrapping waits for the network, compiling does not: both at once.
mkdir -p "$BUILD"
lab_log=$(mktemp)
lab_pid=
if [ "$(id -u)" = 0 ]; then
        lab/lab.sh up >"$lab_log" 2>&1 &
        lab_pid=$!
else
        note "not root: no lab, tests that need servers are skipped"
fi
trap '[ -z "$lab_pid" ] || kill "$lab_pid" 2>/dev/null || true; rm -f "$lab_log"' EXIT

build_rc=0
build || build_rc=$?
if [ -n "$lab_pid" ]; then
        wait "$lab_pid" || note "the lab is not whole: tests that need the missing part are skipped"
        lab_pid=
        cat "$lab_log" >&2
fi
[ $build_rc = 0 ] || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
eval "$(lab/lab.sh env)"
[ -z "${PGSHERPA_LAB_MAJORS:-}" ] || lab/servers.sh clean || note "leftovers of killed tests stay on the servers"
[ -z "${PGSHERPA_LAB_DOCKER:-}" ] || lab/engine.sh clean || note "leftovers of killed tests stay in the engine"

leftovers_remove

select=(--no-suite soak)
if [ "${1:-}" = --changed ]; then
        mapfile -t changed < <(tests/tools/dev/changed.py "$BUILD" "${2:-HEAD}")
        [ ${#changed[@]} -gt 0 ] || { echo "0 passed, 0 failed, 0 skipped"; exit 0; }
        select+=("${changed[@]}")
else
        for suite; do select+=(--suite "$suite"); done
fi

rc=0
rm -f "$BUILD/meson-logs/testlog.json"
meson test -C "$BUILD" --no-rebuild --print-errorlogs --num-processes "$(nproc)" "${select[@]}" >&2 || rc=$?
logs=("$BUILD/meson-logs/testlog.json")

if [ $# = 0 ]; then
        tests/tools/dev/sanitize.sh asan unit >&2 || rc=$?
        logs+=("asan=build-asan/meson-logs/sanitizers.json")
        [ ! -e build-asan/meson-logs/testlog-sanitized.json ] ||
                logs+=("asan=build-asan/meson-logs/testlog-sanitized.json")
fi
rc2=0
python3 tests/tools/dev/count.py "$rc" "${logs[@]}" || rc2=$?
exit $rc2
