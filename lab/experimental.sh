# shellcheck shell=bash
# experimental.sh: PostgreSQL 19 from Debian experimental, on a copy of sid's root. Sourced by roots.sh.
#
# Only the server, its clients and libpq come from there (a pin says so); everything else stays sid's.
# The signatures of both suites are checked, always. How old their lists may be is another matter:
# a mirror that stands still serves lists whose Valid-Until has passed, and apt then says "expired"
# and takes nothing. A lab may use them (what is older than today is the list, not the signature),
# but not silently; who wants none of that sets PGSHERPA_LAB_FRESH=1.

# Fetches the lists of DIR; when they are expired, `notice` says which, since when, and what to do.
lists_fetch() {
        local dir=$1 out rc=0
        out=$(LC_ALL=C chroot "$dir" apt-get -q update 2>&1) || rc=$?
        echo "$out"
        [ $rc != 0 ] || return 0
        if ! grep -q "^E: Release file for .* is expired" <<<"$out" ||
                grep '^E: ' <<<"$out" | grep -qv "is expired"; then
                return 1
        fi
        notice="expired: $(sed -n 's/^E: Release file for \(.*\) is expired (invalid since \(.*\))\..*/\1, for \2/p' <<<"$out" | paste -sd '; ')"
        if [ "${PGSHERPA_LAB_FRESH:-}" = 1 ]; then
                echo "$notice"
                echo "The mirror $PGSHERPA_LAB_MIRROR stands still. Name one that does not in PGSHERPA_LAB_MIRROR, set this" \
                        "machine's clock if it is wrong, or leave PGSHERPA_LAB_FRESH out: then the old lists are taken."
                return 1
        fi
        notice="$notice. The lists are taken all the same, their signatures are good; what is newer than they is not in the lab.
lab: Another mirror: PGSHERPA_LAB_MIRROR=http://...; to stop here instead: PGSHERPA_LAB_FRESH=1"
        LC_ALL=C chroot "$dir" apt-get -q -o Acquire::Check-Valid-Until=false update
}

# usage: root_from_experimental MAJOR DIR; sets version, and notice when somebody should know
root_from_experimental() {
        local major=$1 dir=$2
        cp -a "$(root_of 18)" "$dir" || return 1
        rm -f "$dir/.lab-stamp"
        echo "deb $PGSHERPA_LAB_MIRROR experimental main" >"$dir/etc/apt/sources.list.d/experimental.list"
        printf 'Package: postgresql-%s postgresql-client-%s libpq5\nPin: release a=experimental\nPin-Priority: 990\n' \
                "$major" "$major" >"$dir/etc/apt/preferences.d/experimental"
        lists_fetch "$dir" || return 1
        DEBIAN_FRONTEND=noninteractive chroot "$dir" sh -ec '
                apt-get -q -y --no-install-recommends install "postgresql-$1" "postgresql-client-$1" libpq5 \
                        postgresql-18- postgresql-client-18-' sh "$major" || return 1
        rm -rf "$dir"/var/cache/apt/archives/*.deb "$dir"/var/lib/apt/lists/* \
                "$dir"/usr/share/doc/* "$dir"/usr/share/man/*
        version=$(chroot "$dir" dpkg-query -W -f '${Version}\n' "postgresql-$major")
}
