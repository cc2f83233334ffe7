#!/bin/sh
# sanitized.sh COMMAND...: a sanitizer's report is a failure, whatever the command says.
#
# Criterion's verdict is out before LeakSanitizer looks, so its exit code does not know of leaks.
# Reports go to files here, and a file is a failure. Used by the meson setup "asan":
#
#       CC=clang meson setup build-asan -Db_sanitize=address,undefined -Db_lundef=false
#       meson test -C build-asan --setup asan
reports=$(mktemp -d) || exit 99
trap 'rm -rf "$reports"' EXIT
ASAN_OPTIONS=detect_leaks=1:log_path=$reports/report
UBSAN_OPTIONS=print_stacktrace=1:log_path=$reports/report
export ASAN_OPTIONS UBSAN_OPTIONS
"$@"
code=$?
# A forked child's remark about its parent's thread is no leak (see dev/sanitize.sh).
for report in "$reports"/*; do
        [ ! -f "$report" ] || grep -qv 'was not suspended. False leaks are possible' "$report" || rm "$report"
done
if [ -n "$(ls "$reports")" ]; then
        echo "sanitized.sh: $* passed, but the sanitizers reported:" >&2
        head -n 60 "$reports"/* >&2
        exit 1
fi
exit "$code"
