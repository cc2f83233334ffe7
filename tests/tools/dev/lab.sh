#!/bin/bash
# ./dev lab WORD...: the lab of lab/README.md; `up` installs what it needs first.
. "$(dirname "$0")/common.sh"

[ "${1:-}" != up ] || packages_install $LAB_PACKAGES
exec lab/lab.sh "$@"
