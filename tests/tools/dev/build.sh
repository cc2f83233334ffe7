#!/bin/bash
# ./dev build: configure and compile into build/.
. "$(dirname "$0")/common.sh"
packages_install $BUILD_PACKAGES $TEST_PACKAGES
build
note "built: $BUILD/src/app/pgsherpa"
