#!/bin/bash
# roots.sh: a small Debian for each major of PostgreSQL, made once and kept.
#
#       lab/roots.sh 13 17          makes what is missing, two at a time
#
# A root is built beside its place and moved there when it is whole, with a
# stamp inside naming what it was built from. So a bootstrap that was cut off
# (no network, ctrl-C, power) leaves only a *.partial that the next run removes.
#
# Signatures are checked: the archive keyring of an up-to-date bookworm holds
# the keys of all four suites (bullseye to sid), and a suite that it does not
# know is an error, not a warning.
. "$(dirname "$0")/common.sh"

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# Bump when the list of packages or the clean-up below changes.
RECIPE=2

packages_of() {
        # locales: for the en_US.utf8 that the official images are made with.
        echo "postgresql-$1,ca-certificates,curl,locales,procps"
}

root_is_whole() {
        [ "$(cat "$(root_of "$1")/.lab-stamp" 2>/dev/null | head -1)" = "recipe $RECIPE $1" ] &&
                [ -x "$(root_of "$1")/usr/lib/postgresql/$1/bin/postgres" ]
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

root_make() {
        local major=$1 suite dir partial log
        root_is_whole "$major" && return 0
        suite=$(suite_of "$major")
        dir=$(root_of "$major")
        partial=$dir.partial
        log=$PGSHERPA_LAB/log/root-$major.log
        say "bootstrapping PostgreSQL $major from Debian $suite (about a minute)"
        rm -rf --one-file-system "$dir"
        if ! debootstrap_into "$major" "$suite" "$partial" >"$log" 2>&1; then
                tail -15 "$log" >&2
                rm -rf --one-file-system "$partial"
                die "debootstrap of $suite failed; the whole story is in $log"
        fi
        root_update "$major" "$suite" "$partial" >>"$log" 2>&1 || {
                tail -15 "$log" >&2
                rm -rf --one-file-system "$partial"
                die "the security update of $suite failed; the whole story is in $log"
        }
        chroot "$partial" localedef -i en_US -c -f UTF-8 en_US.UTF-8
        rm -rf "$partial"/var/cache/apt/archives/*.deb "$partial"/var/lib/apt/lists/* \
                "$partial"/usr/share/doc/* "$partial"/usr/share/man/* "$partial"/debootstrap
        {
                echo "recipe $RECIPE $major"
                chroot "$partial" dpkg-query -W -f '${Version}\n' "postgresql-$major"
        } >"$partial/.lab-stamp"
        sync -f "$partial"
        mv -T "$partial" "$dir"
        say "PostgreSQL $(sed -n 2p "$dir/.lab-stamp") is bootstrapped"
}

roots_make() {
        local major
        need_root "debootstrap"
        lab_dir_make
        for major in "$@"; do
                suite_of "$major" >/dev/null
                while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || true; done
                with_lock "root-$major" root_make "$major" &
        done
        wait
        # What counts is what is there: `wait -n` has no verdict on a job that was quicker than it.
        for major in "$@"; do
                root_is_whole "$major" || die "there is no root of PostgreSQL $major"
        done
}

roots_make "$@"
