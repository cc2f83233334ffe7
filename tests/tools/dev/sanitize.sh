#!/bin/bash
# sanitize.sh asan|tsan [SUITE...]: the tests once more, built by clang with sanitizers: ASan with
# UBSan, or TSan. Without suites: unit and integration. Same last line as ./dev test.
#
# Each test runs in tests/tools/sanitized.sh, where a report is a failure, also one of a process that
# the test only started. And because a net that never caught anything may be no net, the suite
# `sanitizer` plants a leak, an overflow, a race, and wants each to fail. In build-tsan it also has
# what many threads do at once: tests/integration/transfer/threads.py.
#
# Writes meson-logs/testlog-sanitized.json in its build directory, and its own verdict, in meson's
# format, into sanitizers.json beside it.
. "$(dirname "$0")/common.sh"

kind=${1:?asan or tsan}
shift
[ $# -gt 0 ] || set -- unit integration
case $kind in
asan) sanitizers=address,undefined ;;
tsan) sanitizers=thread ;;
*) fail "no such sanitizer: $kind" ;;
esac
BUILD=build-$kind
LOGS=$BUILD/meson-logs

if [ "$*" != unit ]; then
        packages_install $BUILD_PACKAGES $TEST_PACKAGES $LAB_PACKAGES
        [ "$(id -u)" != 0 ] || lab/lab.sh up >&2
        eval "$(lab/lab.sh env)"
fi
[ -f "$BUILD/build.ninja" ] || CC=$(compiler clang) meson setup "$BUILD" --buildtype=debug \
        -Db_sanitize=$sanitizers -Db_lundef=false >&2
mkdir -p "$LOGS"
rm -f "$LOGS"/testlog-sanitized.* "$LOGS/sanitizers.json"
compiled=OK
ninja -C "$BUILD" >"$BUILD/clang.log" 2>&1 || compiled=FAIL
printf '{"name": "clang compiles everything at -Werror", "result": "%s", "returncode": 0}\n' $compiled \
        >"$LOGS/sanitizers.json"
[ $compiled = OK ] || {
        grep -A12 -E 'FAILED|error:' "$BUILD/clang.log" | cut -c1-300 | head -40 >&2
        exec python3 tests/tools/dev/count.py 1 "$LOGS/sanitizers.json"
}

select=(--suite sanitizer)
for suite; do select+=(--suite "$suite"); done
rc=0
meson test -C "$BUILD" --no-rebuild --setup sanitized --print-errorlogs --num-processes "$(nproc)" \
        "${select[@]}" >&2 || rc=$?
exec python3 tests/tools/dev/count.py "$rc" "$kind=$LOGS/sanitizers.json" "$kind=$LOGS/testlog-sanitized.json"
