# shellcheck shell=bash
# tap.sh: a test in shell is a list of sentences, each with a command that is true.
#
#       skip_all 'no lab' unless...     says why nothing was tried, and ends
#       ok 'sentence' command...        passes if the command succeeds
#       is 'sentence' GOT WANTED
#       done_testing
set -uo pipefail
tests=0 bad=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip_all() { echo "1..0 # SKIP $*"; exit 0; }

ok() {
        local sentence=$1
        shift
        tests=$((tests + 1))
        if "$@" >"$work/out" 2>&1; then
                echo "ok $tests - $sentence"
        else
                bad=$((bad + 1))
                echo "not ok $tests - $sentence"
                sed 's/^/# /' "$work/out" | tail -20
        fi
}

is() {
        ok "$1" [ "$2" = "$3" ]
        [ "$2" = "$3" ] || printf '# got:    %s\n# wanted: %s\n' "${2//$'\n'/\\n}" "${3//$'\n'/\\n}"
}

done_testing() {
        echo "1..$tests"
        [ $bad = 0 ]
}
