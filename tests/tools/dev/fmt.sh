#!/bin/bash
# ./dev fmt: clang-format over every C file of the tree. With --check nothing is
# written, and files that would change are named.
. "$(dirname "$0")/common.sh"
command -v clang-format >/dev/null || packages_install clang-format
mode=-i
[ "${1:-}" != --check ] || mode="--dry-run --Werror"
# shellcheck disable=SC2086
git ls-files -z '*.c' '*.h' | xargs -0 -r clang-format $mode
