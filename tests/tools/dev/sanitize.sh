#!/bin/bash
# sanitize.sh: the unit tests once more, built by clang with ASan and UBSan.
#
# Criterion calls a test passed although LeakSanitizer complained about it (the
# report comes when the worker has already said its verdict). So reports go to
# files, and a file is a failure. And because a net that never caught anything
# may be no net, a planted leak must be reported first.
#
# Writes build-asan/meson-logs/testlog.json, and its own verdicts, in meson's
# format, into build-asan/meson-logs/sanitizers.json.
. "$(dirname "$0")/common.sh"

BUILD=build-asan
REPORTS=$PWD/$BUILD/reports
VERDICTS=$BUILD/meson-logs/sanitizers.json

export ASAN_OPTIONS=detect_leaks=1:log_path=$REPORTS/report
export UBSAN_OPTIONS=print_stacktrace=1:log_path=$REPORTS/report

verdict() { printf '{"name": "%s", "result": "%s", "returncode": 0}\n' "$1" "$2" >>"$VERDICTS"; }

[ -f "$BUILD/build.ninja" ] || CC=clang meson setup "$BUILD" --buildtype=debug \
        -Db_sanitize=address,undefined -Db_lundef=false >&2
rm -rf "$REPORTS"
mkdir -p "$REPORTS" "$BUILD/meson-logs"
rm -f "$BUILD/meson-logs/testlog.json"
: >"$VERDICTS"
if ninja -C "$BUILD" >"$BUILD/clang.log" 2>&1; then
        verdict 'clang compiles everything at -Werror' OK
else
        verdict 'clang compiles everything at -Werror' FAIL
        grep -A12 -E 'FAILED|error:' "$BUILD/clang.log" | cut -c1-300 | head -40 >&2
        exit 1
fi

# shellcheck disable=SC2046
clang -g -fsanitize=address,undefined -o "$BUILD/canary" tests/tools/dev/canary.c \
        $(pkg-config --cflags --libs criterion)
"$BUILD/canary" >/dev/null 2>&1 || true
if grep -qs 'LeakSanitizer: detected memory leaks' "$REPORTS"/* &&
        grep -qs 'runtime error: signed integer overflow' "$REPORTS"/*; then
        verdict 'a planted leak and a planted overflow are reported' OK
else
        verdict 'a planted leak and a planted overflow are reported' FAIL
        note "the sanitizers do not see what was planted for them"
fi
rm -f "$REPORTS"/*

rc=0
meson test -C "$BUILD" --no-rebuild --print-errorlogs --timeout-multiplier 3 --num-processes "$(nproc)" \
        --suite unit "$@" >&2 || rc=$?
# The engine tests look for leaks in a forked child, whose main thread LeakSanitizer still knows
# by the parent's number: it remarks so, and errs towards finding too much. That remark alone is
# no report; a leak stands in lines of its own.
for report in "$REPORTS"/*; do
        [ ! -f "$report" ] || grep -qv 'was not suspended. False leaks are possible' "$report" || rm "$report"
done
if [ -z "$(ls "$REPORTS")" ]; then
        verdict 'no leak, no overflow, no use after free in the unit tests' OK
else
        verdict 'no leak, no overflow, no use after free in the unit tests' FAIL
        note "sanitizer reports, the first lines of each ($REPORTS):"
        head -n 25 "$REPORTS"/* >&2
        rc=1
fi
exit $rc
