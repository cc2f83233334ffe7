#!/bin/bash
# format.sh: the C files are as ./dev fmt writes them. First what is not must be told from what is.
set -euo pipefail
cd "$1"
command -v clang-format-14 >/dev/null || { echo "no clang-format-14 here: not asked" >&2; exit 77; }
planted=$(mktemp --suffix .c)
trap 'rm -f "$planted"' EXIT
printf 'int  main( void ) { return 0; }\n' >"$planted"
if clang-format-14 --style=file:.clang-format --dry-run -Werror "$planted" 2>/dev/null; then
        echo "a planted line that is laid out wrongly was not found" >&2
        exit 1
fi
git ls-files -z -co --exclude-standard '*.c' '*.h' | xargs -0 clang-format-14 --dry-run -Werror
