#!/bin/bash
# images.sh: postgres:12 to postgres:19 and pgsherpa-lab/app:1, without a registry.
#
#       lab/images.sh 13 17         makes what is missing or out of date
#
# Each is the root of that major, imported as one layer, and on top of it what
# docker/Dockerfile adds. 12, 14 and 16 are 17's layer with their own server in the
# place of its server, as in their roots (npm.sh). A label holds the hash of everything that went in;
# when it is the one we would make, there is nothing to do.
. "$(dirname "$0")/common.sh"
export DOCKER_BUILDKIT=0        # bookworm's engine has no buildx

hash_of() { cat "$@" | sha256sum | cut -c1-32; }
image_hash() { docker image inspect -f '{{index .Config.Labels "org.pgsherpa.lab.hash"}}' "$1" 2>/dev/null || true; }

# 17's layer, and in one more what the roots of 12, 14 and 16 have below usr/{lib,share}/postgresql.
layer_of_npm() {
        local major=$1 hash context log
        hash=$(hash_of "$(root_of "$major")/.lab-stamp" "$(root_of 17)/.lab-stamp")
        [ "$(image_hash "pgsherpa-lab/root:$major")" != "$hash" ] || return 0
        with_lock layer-17 layer_import 17
        context=$(mktemp -d)
        log=$PGSHERPA_LAB/log/layer-$major.log
        tar -C "$(root_of "$major")" -cf "$context/postgresql.tar" ./usr/lib/postgresql ./usr/share/postgresql
        printf 'FROM pgsherpa-lab/root:17\nRUN rm -rf /usr/lib/postgresql /usr/share/postgresql\nADD postgresql.tar /\nLABEL org.pgsherpa.lab.hash=%s\n' \
                "$hash" >"$context/Dockerfile"
        docker build -q -t "pgsherpa-lab/root:$major" "$context" >"$log" 2>&1 || {
                cat "$log" >&2
                rm -rf "$context"
                die "building the layer of PostgreSQL $major failed"
        }
        rm -rf "$context"
}

layer_make() {
        case $(suite_of "$1") in
        npm) layer_of_npm "$1" ;;
        *) with_lock "layer-$1" layer_import "$1" ;;
        esac
}

layer_import() {
        local major=$1 root hash
        root=$(root_of "$major")
        hash=$(hash_of "$root/.lab-stamp")
        [ "$(image_hash "pgsherpa-lab/root:$major")" != "$hash" ] || return 0
        say "importing the root of PostgreSQL $major into the engine"
        tar -C "$root" --one-file-system --exclude='./usr/share/i18n' --exclude='./var/cache/*' \
                --exclude='./var/lib/apt/lists/*' --exclude='./usr/share/doc/*' \
                --exclude='./usr/share/man/*' --exclude='./usr/lib/postgresql/*/lib/bitcode' \
                --exclude='./usr/share/locale/*' --exclude='./proc/*' --exclude='./sys/*' \
                --exclude='./dev/*' --exclude='./usr/sbin/policy-rc.d' -c . |
                docker import --change "LABEL org.pgsherpa.lab.hash=$hash" - \
                        "pgsherpa-lab/root:$major" >/dev/null
}

# The context is a directory of its own with one file: nothing else is sent.
# usage: image_build TAG HASH DOCKERFILE FILE build-args...
image_build() {
        local tag=$1 hash=$2 dockerfile=$3 file=$4 context log
        shift 4
        context=$(mktemp -d)
        log=$PGSHERPA_LAB/log/image-${tag//[:\/]/-}.log
        install -m 0755 "$file" "$context/"
        install -m 0644 "$dockerfile" "$context/Dockerfile"
        if ! docker build -q -t "$tag" --build-arg "HASH=$hash" "$@" "$context" >"$log" 2>&1; then
                cat "$log" >&2
                rm -rf "$context"
                die "building the image $tag failed"
        fi
        rm -rf "$context"
}

postgres_image() {
        local major=$1 version hash base data=/var/lib/postgresql/data volume=/var/lib/postgresql/data
        version=$(sed -n 2p "$(root_of "$major")/.lab-stamp")
        [ "$major" -lt 18 ] || { data=/var/lib/postgresql/$major/docker; volume=/var/lib/postgresql; }
        [ "$(suite_of "$major")" != npm ] || base=$(root_of 17)/.lab-stamp
        hash=$(hash_of ${base:+"$base"} "$(root_of "$major")/.lab-stamp" "$LAB_HOME"/docker/*)
        # A test may have removed it, as a clean-up step does: then it is pulled again.
        if [ -z "$(image_hash "postgres:$major")" ] && runs "$REGISTRY_PID" docker-registry; then
                docker pull -q "postgres:$major" >/dev/null 2>&1 || true
        fi
        if [ "$(image_hash "postgres:$major")" != "$hash" ]; then
                layer_make "$major"
                say "building the image postgres:$major"
                image_build "postgres:$major" "$hash" "$LAB_HOME/docker/Dockerfile" \
                        "$LAB_HOME/docker/entrypoint.sh" --build-arg "MAJOR=$major" \
                        --build-arg "VERSION=$version" --build-arg "DATA=$data" \
                        --build-arg "VOLUME_AT=$volume"
        fi
        docker tag "postgres:$major" "postgres:$major-bookworm"
        version=${version%%-*}
        docker tag "postgres:$major" "postgres:${version//\~/}"
}

app_image() {
        local hash
        hash=$(hash_of "$(root_of 15)/.lab-stamp" "$LAB_HOME"/app/*)
        [ "$(image_hash pgsherpa-lab/app:1)" != "$hash" ] || return 0
        layer_make 15
        say "building the image pgsherpa-lab/app:1"
        image_build pgsherpa-lab/app:1 "$hash" "$LAB_HOME/app/Dockerfile" "$LAB_HOME/app/app.pl"
}

# Into the registry of our own engine, if that runs (a mark holds what was pushed).
# usage: image_push NAME:TAG REPOSITORY
image_push() {
        local id mark=$PGSHERPA_LAB/registry/.pushed-${1//[:\/]/-} remote=$LAB_REGISTRY/$2:${1##*:}
        runs "$REGISTRY_PID" docker-registry || return 0
        id=$(docker image inspect -f '{{.Id}}' "$1")
        [ "$(cat "$mark" 2>/dev/null)" != "$id" ] || return 0
        say "pushing $1 into the lab's registry"
        docker tag "$1" "$remote"
        docker push -q "$remote" >/dev/null || die "pushing $1 into the lab's registry failed"
        docker image rm "$remote" >/dev/null
        echo "$id" >"$mark"
}

lab_dir_make
for major in "$@"; do
        with_lock "image-$major" postgres_image "$major"
        with_lock "image-$major" image_push "postgres:$major" library/postgres
done
if [ -d "$(root_of 15)" ]; then
        with_lock image-app app_image
        with_lock image-app image_push pgsherpa-lab/app:1 pgsherpa-lab/app
fi
