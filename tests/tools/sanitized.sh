#!/bin/sh
# sanitized.sh COMMAND...: a sanitizer's report is a failure, whatever the command says.
#
# Criterion's verdict is out before LeakSanitizer looks, so its exit code does not know of leaks, and
# what a test starts and forgets is nobody's exit code. So reports go to files here, and a file is a
# failure. Used by the meson setup "sanitized" (tests/tools/dev/sanitize.sh).
reports=$(mktemp -d) || exit 99
trap 'rm -rf "$reports"' EXIT
ASAN_OPTIONS=detect_leaks=1:exitcode=0:log_path=$reports/report     # the report decides, see below
UBSAN_OPTIONS=print_stacktrace=1:log_path=$reports/report
TSAN_OPTIONS=log_path=$reports/report
PGSHERPA_SANITIZED=1            # for what a test knows of memory and seconds
export PGSHERPA_SANITIZED ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
"$@"
code=$?
# Criterion's runner keeps a block to its end. What a test leaks has a frame of the test, or of what it
# called, in its stack; a report in which there is nothing but libcriterion's is not ours.
criterions_own() {
        awk 'BEGIN { RS = "" }
             /runtime error: / || (/ERROR: / && !/ERROR: LeakSanitizer: /) { ours = 1 }
             / leak of / {
                     n = split($0, line, "\n")
                     for (i = 2; i <= n; i++)
                             if (line[i] !~ /#0 |libcriterion\.so/) ours = 1
                     leaks += n > 2
             }
             END { exit ours || !leaks }' "$1"
}
# The engine tests look for leaks in a forked child, whose main thread LeakSanitizer still knows
# by the parent's number: it remarks so, and errs towards finding too much. That remark alone is
# no report; a leak stands in lines of its own.
for report in "$reports"/*; do
        [ -f "$report" ] || continue
        grep -qv 'was not suspended. False leaks are possible' "$report" || rm "$report"
        [ ! -f "$report" ] || ! criterions_own "$report" || rm "$report"
done
if [ -n "$(ls "$reports")" ]; then
        echo "sanitized.sh: $* ended with $code, and the sanitizers reported:" >&2
        head -n 60 "$reports"/* >&2
        exit 1
fi
exit "$code"
