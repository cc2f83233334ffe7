#!/bin/bash
# ./dev soak: the long tests, one at a time: the meson suite 'soak', where undo
# and kill are tried at every place and not at a sample; and, with no test named,
# unit and integration tests under ASan and TSan. Same last line as test.
. "$(dirname "$0")/common.sh"
packages_install $BUILD_PACKAGES $TEST_PACKAGES $LAB_PACKAGES
build
[ "$(id -u)" != 0 ] || lab/lab.sh up
eval "$(lab/lab.sh env)"
export PGSHERPA_SOAK=1
rc=0
meson test -C "$BUILD" --no-rebuild --print-errorlogs --num-processes 1 --timeout-multiplier 0 \
        --logbase soaklog --suite soak "$@" >&2 || rc=$?
logs=("$BUILD/meson-logs/soaklog.json")
if [ $# = 0 ]; then
        for kind in asan tsan; do
                tests/tools/dev/sanitize.sh $kind >&2 || rc=$?
                logs+=("$kind=build-$kind/meson-logs/sanitizers.json" "$kind=build-$kind/meson-logs/testlog-sanitized.json")
        done
fi
exec python3 tests/tools/dev/count.py "$rc" "${logs[@]}"
