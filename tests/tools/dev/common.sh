# shellcheck shell=bash disable=SC2034
# common.sh: what the words of ./dev share. Sourced, from the top of the tree.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

BUILD=${BUILD:-build}

note() { printf 'dev: %s\n' "$*" >&2; }
fail() { printf 'dev: %s\n' "$*" >&2; exit 1; }

BUILD_PACKAGES="meson ninja-build pkg-config gcc ccache libc6-dev git ca-certificates python3
        libncurses-dev libpq-dev libyaml-dev libarchive-dev libzstd-dev zlib1g-dev libcurl4-openssl-dev
        libjansson-dev libssl-dev"
TEST_PACKAGES="clang libclang-rt-14-dev clang-format-14 libcriterion-dev libvterm-dev tmux valgrind zstd mandoc
        openssh-server openssh-client jq procps curl postgresql-client"
LAB_PACKAGES="debootstrap debian-archive-keyring docker.io docker-registry iptables util-linux binutils
        ca-certificates xz-utils"

# Installs what is missing, with one `apt-get update`; nothing missing, no apt.
# Services that a package would start stay off: the lab starts its own.
packages_install() {
        local missing=() package policy=
        for package; do
                dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q 'install ok installed' ||
                        missing+=("$package")
        done
        [ ${#missing[@]} -gt 0 ] || return 0
        if [ "$(id -u)" != 0 ]; then
                note "not root, so these stay missing: ${missing[*]}"
                return 0
        fi
        note "installing ${missing[*]}"
        local log rc=0
        log=$(mktemp)
        apt_install "${missing[@]}" >"$log" 2>&1 || rc=$?
        [ $rc = 0 ] || tail -20 "$log" >&2
        rm -f "$log"
        [ $rc = 0 ] || fail "apt could not install what is needed"
}

# In a subshell, so that its trap takes the policy away again whatever happens.
apt_install() (
        policy=/usr/sbin/policy-rc.d
        if [ ! -e $policy ]; then
                trap 'rm -f $policy' EXIT
                printf '#!/bin/sh\nexit 101\n' >$policy
                chmod 0755 $policy
        fi
        export DEBIAN_FRONTEND=noninteractive
        apt-get -q -o DPkg::Lock::Timeout=600 update
        apt-get -q -y -o DPkg::Lock::Timeout=600 --no-install-recommends install "$@"
)

# What killed tests left: the names hold their pids. A filesystem still mounted there is not entered.
leftovers_remove() {
        local dir pid
        for dir in /tmp/pgsherpa-test-* /var/tmp/pgsherpa-test-* /dev/shm/pgsherpa-test-*; do
                pid=${dir#*/pgsherpa-test-}
                pid=${pid%%-*}
                [ -e "$dir" ] && [ ! -d "/proc/$pid" ] || continue
                note "removing what the killed test $pid left in $dir"
                rm -rf --one-file-system "$dir" || true
        done
}

# What was compiled before, in this checkout or another one, is looked up. NOHASHDIR: the price is that a
# debugger may be told the directory of whoever compiled it first.
export CCACHE_NOHASHDIR=1
compiler() { command -v ccache >/dev/null && echo "ccache $1" || echo "$1"; }

build() {
        [ -f "$BUILD/build.ninja" ] || CC=$(compiler "${CC:-gcc}") meson setup "$BUILD" >&2
        ninja -C "$BUILD" >&2
}
