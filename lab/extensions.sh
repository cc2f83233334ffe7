# shellcheck shell=bash
# extensions.sh: roots/17-extensions and roots/18-extensions: the root of that major, and in it what
# Debian has of extensions that keep data. Sourced by roots.sh.
#
# Beside the plain roots, not in them: standing servers, images and their time stay as they were. A
# test asks for one with `lab/cluster.sh start 17 DIR auto --extensions` and says itself what is to be
# preloaded. No hard links here: maintainer scripts run inside.

EXTENSION_MAJORS="17 18"

# Bump when the list below changes.
EXTENSIONS_RECIPE=2
EXTENSION_PACKAGES="age cron partman pgvector postgis-3 timescaledb"

# usage: root_with_extensions MAJOR DIR; sets version, and notice when somebody should know
root_with_extensions() {
        local major=$1 dir=$2 package packages=
        cp -a "$(root_of "$major")" "$dir" || return 1
        rm -f "$dir/.lab-stamp"
        lists_fetch "$dir" || return 1
        for package in $EXTENSION_PACKAGES; do
                packages="$packages postgresql-$major-$package"
        done
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive chroot "$dir" apt-get -q -y --no-install-recommends install \
                $packages "postgresql-$major-postgis-3-scripts" || return 1
        # Debian's alternatives point through /etc, and in-root covers /usr alone.
        # shellcheck disable=SC2016
        chroot "$dir" sh -ec 'find /usr/share/postgresql /usr/lib/postgresql -type l | while read -r link; do
                case $(readlink "$link") in /etc/*) ln -sf "$(readlink -f "$link")" "$link" ;; esac
        done' || return 1
        rm -rf "$dir"/var/cache/apt/archives/*.deb "$dir"/var/lib/apt/lists/* \
                "$dir"/usr/share/doc/* "$dir"/usr/share/man/*
        # shellcheck disable=SC2086
        version=$(chroot "$dir" dpkg-query -W -f '${Package} ${Version}\n' $packages)
}
