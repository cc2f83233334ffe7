#!/bin/bash
# The last line of ./dev test: nothing that went wrong may be averaged away.
. "$(dirname "$0")/tap.sh"

# usage: last RC 'JSON LINES' -> the last line of count.py, and its exit status
last() {
        printf '%s\n' "$2" >"$work/log.json"
        python3 tests/tools/dev/count.py "$1" "$work/log.json" >"$work/answer"
        local rc=$?
        echo "$(tail -1 "$work/answer") ($rc)"
}

is "a plain test counts as one" \
        "$(last 0 '{"name":"a","result":"OK","returncode":0,"stdout":""}')" "1 passed, 0 failed, 0 skipped (0)"
is "a TAP program counts its tests" \
        "$(last 1 '{"name":"a","result":"FAIL","returncode":1,"stdout":"1..3\nok - a::b (0.00s)\nnot ok - a::c\nok 3 - d # SKIP no lab\n"}')" \
        "1 passed, 1 failed, 1 skipped (1)"
is "a test that died before it reported has failed" \
        "$(last 1 '{"name":"a","result":"ERROR","returncode":-11,"stdout":"1..2\nok - a::b\n"}')" "1 passed, 1 failed, 0 skipped (1)"
is "a program that failed though its tests passed is a failure" \
        "$(last 1 '{"name":"a","result":"ERROR","returncode":23,"stdout":"1..1\nok - a::b\n"}')" "1 passed, 1 failed, 0 skipped (1)"
is "Criterion's synthesis is counted" \
        "$(last 1 '{"name":"a","result":"FAIL","returncode":1,"stdout":"","stderr":"[====] Synthesis: Tested: 5 | Passing: 3 | Failing: 1 | Crashing: 1 "}')" \
        "3 passed, 2 failed, 0 skipped (1)"
is "exit status 77 is a skip, by name" \
        "$(last 0 '{"name":"needs-docker","result":"SKIP","returncode":77,"stdout":""}')" "0 passed, 0 failed, 1 skipped (0)"
is "and the name is told" "$(head -1 "$work/answer")" "skipped: needs-docker"
is "a timeout is a failure" \
        "$(last 1 '{"name":"a","result":"TIMEOUT","returncode":-15,"stdout":""}')" "0 passed, 1 failed, 0 skipped (1)"
is "meson failing without a failed test is a failure" \
        "$(last 2 '{"name":"a","result":"OK","returncode":0,"stdout":""}')" "1 passed, 1 failed, 0 skipped (1)"
is "a log without tests is a failure" "$(last 0 '')" "0 passed, 1 failed, 0 skipped (1)"
done_testing
