#!/bin/bash
# ./dev bench NAME [ARGUMENT...]: runs bench/NAME.sh on an optimised build and
# the lab; its last lines are `name: figure`.
. "$(dirname "$0")/common.sh"
name=${1:-}
[ -n "$name" ] && [ -f "bench/$name.sh" ] || {
        echo "usage: ./dev bench NAME; there are:" $(find bench -name '*.sh' -printf '%f ' 2>/dev/null | sed 's/\.sh//g') >&2
        exit 2
}
shift
packages_install $BUILD_PACKAGES $TEST_PACKAGES $LAB_PACKAGES
export BUILD=build-bench
[ -f "$BUILD/build.ninja" ] || meson setup "$BUILD" --buildtype=release >&2
build
[ "$(id -u)" != 0 ] || [ -n "${PGSHERPA_BENCH_NO_LAB:-}" ] || lab/lab.sh up
eval "$(lab/lab.sh env)"
exec bash "bench/$name.sh" "$@"
