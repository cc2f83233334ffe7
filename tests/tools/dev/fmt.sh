#!/bin/bash
# ./dev fmt: clang-format over the lines that differ from the last commit, and no others: tables and
# long queries are laid out by hand. With --check nothing is written, and what would change is shown.
. "$(dirname "$0")/common.sh"
command -v git-clang-format >/dev/null || packages_install clang-format
mode=
[ "${1:-}" != --check ] || mode=--diff
# shellcheck disable=SC2086
git clang-format $mode --extensions c,h HEAD
