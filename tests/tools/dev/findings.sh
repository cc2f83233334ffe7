#!/bin/bash
# findings.sh [NAME..]: runs what real software was found to do (findings/), each against packages it fetches
# itself. One that says otherwise now fails by its name: the world has changed, or the finding was wrong.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/../../../findings"

passed=0 failed=()
[ $# -gt 0 ] || set -- *.sh
for name in "$@"; do
        name=$(basename "$name" .sh)
        printf '== %s\n' "$name"
        if timeout 600 bash "./$name.sh"; then
                passed=$((passed + 1))
        else
                failed+=("$name")
        fi
done
for name in "${failed[@]}"; do printf 'not as it was found: %s\n' "$name" >&2; done
echo "$passed held, ${#failed[@]} did not"
[ ${#failed[@]} = 0 ]
