#!/bin/bash
# ./dev fmt [--check]: clang-format over every C file of ours. With --check nothing is written: what
# would change is shown, and the exit status is 1. CI asks the same (tests/house/format.sh).
#
# Everybody formats with the version Debian 12 has (14): another one has other ideas.
. "$(dirname "$0")/common.sh"
command -v clang-format-14 >/dev/null || packages_install clang-format-14
case ${1:-} in
"") how=(-i) ;;
--check) how=(--dry-run -Werror) ;;
*) note "./dev fmt [--check]" && exit 2 ;;
esac
git ls-files -z -co --exclude-standard '*.c' '*.h' | xargs -0 clang-format-14 "${how[@]}"
