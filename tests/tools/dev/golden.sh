#!/bin/bash
# ./dev golden [SUITE...]: tests that compare with golden files write them anew
# instead (PGSHERPA_GOLDEN=update, UPDATE_GOLDEN=1). The diff is the review: read it.
. "$(dirname "$0")/common.sh"
packages_install $BUILD_PACKAGES $TEST_PACKAGES
build
eval "$(lab/lab.sh env)"
select=(--no-suite soak --no-suite e2e)
for suite; do select+=(--suite "$suite"); done
PGSHERPA_GOLDEN=update UPDATE_GOLDEN=1 meson test -C "$BUILD" --no-rebuild "${select[@]}" || true
git --no-pager diff --stat -- '*golden*'
