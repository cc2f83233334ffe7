#!/bin/bash
# ./dev bench NAME [ARGUMENT...]: runs bench/NAME.py on an optimised build; its last lines are
# `name: figure`, and beside a figure whether what is wanted of it holds. `--help` has the rest.
. "$(dirname "$0")/common.sh"
benches() { grep -l '^    sys.exit(main())' bench/*.py | sed 's|bench/||; s|\.py||' | tr '\n' ' '; }
name=${1:-}
[ -n "$name" ] && [[ " $(benches)" == *" $name "* ]] || fail "usage: ./dev bench NAME [ARGUMENT...]; there are: $(benches)"
shift
packages_install $BUILD_PACKAGES $TEST_PACKAGES $LAB_PACKAGES
export BUILD=build-bench PYTHONDONTWRITEBYTECODE=1
[ -f "$BUILD/build.ninja" ] || meson setup "$BUILD" --buildtype=release -Dtests=false >&2
build
# The screen is measured on the lab's standing servers; everything else starts its own.
if [ "$name" = ui ]; then
        [ -n "${PGSHERPA_BENCH_NO_LAB:-}" ] || lab/lab.sh up
else
        lab/roots.sh 13 17
        for major in 13 17; do
                [ -d "${PGSHERPA_LAB:-/var/cache/pgsherpa-lab}/bin/$major" ] || lab/servers.sh programs $major
        done
fi
eval "$(lab/lab.sh env)"
exec python3 "bench/$name.py" "$@"
