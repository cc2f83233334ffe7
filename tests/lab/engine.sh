#!/bin/bash
# The images keep the official contract, and case A's project stands on them.
. "$(dirname "$0")/tap.sh"

[ "${PGSHERPA_LAB_DOCKER:-}" = 1 ] || skip_all "no Docker engine with Compose v2 (./dev lab up as root starts one)"

name=labtest-$$
clean() {
        docker rm -f -v "$name" "$name-18" "$name-14" "$name-19" >/dev/null 2>&1
        docker volume rm "$name" >/dev/null 2>&1
        [ ! -f "$work/p/.lab-project" ] || lab/project.sh destroy "$work/p"
        rm -rf "$work"
}
trap clean EXIT

wait_ready() {
        local _
        for _ in $(seq 100); do
                docker exec "$1" pg_isready -q -h 127.0.0.1 -U owner && return
                sleep 0.1
        done
        docker logs "$1" 2>&1 | tail -20
        return 1
}
sql() { docker exec -e PGPASSWORD=s3cret "$1" psql -XAtq -h 127.0.0.1 -U owner -d shop -c "$2"; }

ok "an empty password is refused" bash -c 'docker run --rm postgres:17 2>&1 | grep -q "superuser password is not specified"'

mkdir "$work/init"
echo "create table planted (n int); insert into planted values (42);" >"$work/init/1-table.sql"
echo "insert into planted values (43);" | gzip >"$work/init/2-more.sql.gz"
echo 'psql -q -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "insert into planted values (44)"' >"$work/init/3-script.sh"
chmod -R a+rX "$work/init"
chmod 0711 "$work"
echo s3cret >"$work/password"
chmod 0644 "$work/password"
docker run -d --name "$name" -e POSTGRES_USER=owner -e POSTGRES_PASSWORD_FILE=/run/pw -e POSTGRES_DB=shop \
        -v "$work/password:/run/pw:ro" -v "$work/init:/docker-entrypoint-initdb.d:ro" \
        -v "$name:/var/lib/postgresql/data" postgres:13 >/dev/null
ok "13 comes up" wait_ready "$name"
is "its init files ran, in order, into POSTGRES_DB" "$(sql "$name" 'select string_agg(n::text, chr(44)) from planted')" 42,43,44
is "its locale is the official one" "$(sql "$name" 'show lc_collate')" en_US.utf8
is "its data belongs to uid 999" "$(docker exec "$name" stat -c %u:%g:%a /var/lib/postgresql/data)" 999:999:700
is "13's pg_hba.conf wants md5" "$(docker exec "$name" tail -1 /var/lib/postgresql/data/pg_hba.conf)" "host all all all md5"
over_the_bridge() { docker exec -e PGPASSWORD="$1" "$name" sh -c 'psql -XAtqw -h "$(hostname -i)" -U owner -d shop -c "select 1"'; }
is "from another address the right password logs in" "$(over_the_bridge s3cret)" 1
is "and a wrong one does not" "$(over_the_bridge wrong 2>&1 | grep -o 'password authentication failed')" "password authentication failed"
docker stop -t 30 "$name" >/dev/null
is "docker stop shuts it down cleanly" \
        "$(docker run --rm -v "$name:/d:ro" --entrypoint pg_controldata postgres:13 -D /d | sed -n 's/^Database cluster state: *//p')" "shut down"

ok "17 on 13's volume refuses to start" bash -c 'docker run --rm -v "$1:/var/lib/postgresql/data" postgres:17 2>&1 | grep -q "database files are incompatible"' - "$name"
ok "18 refuses the old mount point" bash -c 'docker run --rm -e POSTGRES_PASSWORD=x -v "$1:/var/lib/postgresql/data" postgres:18 2>&1 | grep -q "in 18+, these Docker images"' - "$name"
docker run -d --name "$name-18" -e POSTGRES_USER=owner -e POSTGRES_PASSWORD=s3cret -e POSTGRES_DB=shop postgres:18 >/dev/null
ok "18 comes up on its own layout" wait_ready "$name-18"
is "18 keeps its data in its major's directory" "$(sql "$name-18" 'show data_directory')" /var/lib/postgresql/18/docker
is "18 stores scram verifiers" "$(sql "$name-18" 'show password_encryption')" scram-sha-256

# A server that came without clients, and the newest.
for major in 14 19; do
        docker run -d --name "$name-$major" -e POSTGRES_USER=owner -e POSTGRES_PASSWORD=s3cret -e POSTGRES_DB=shop "postgres:$major" >/dev/null
        ok "$major comes up" wait_ready "$name-$major"
        is "$major is $major" "$(sql "$name-$major" 'show server_version_num' | cut -c1-2)" "$major"
        data=$(sql "$name-$major" 'show data_directory')
        docker stop -t 30 "$name-$major" >/dev/null
        is "pg_controldata reads its files, in $data" \
                "$(docker run --rm --volumes-from "$name-$major:ro" --entrypoint pg_controldata "postgres:$major" -D "$data" 2>&1 |
                        grep -c '^Database cluster state: *shut down$\|WARNING')" 1
done
is "19 keeps its data where 18 does" "$data" /var/lib/postgresql/19/docker

if [ -s "$PGSHERPA_LAB/registry.pid" ]; then
        ok "pulling postgres:17 is a real pull" docker pull -q postgres:17
fi

ok "case A's project comes up healthy on 15" lab/project.sh create "$work/p" 15 "$name"
is "all four services are healthy" "$(lab/project.sh status "$work/p" | sort | tr '\n' ';')" \
        "api running healthy;db running healthy;web running healthy;worker running healthy;"
in_db() { (cd "$work/p" && docker compose exec -T db psql -XAtq -U owner -d makapix -c "$1"); }
is "it has 38 tables" "$(in_db "select count(*) from pg_class c join pg_namespace n on n.oid = relnamespace
        where relkind in ('r', 'p') and nspname !~ '^(pg_|information_schema)'")" 38
is "18 users and 37 posts" "$(in_db 'select (select count(*) from app.users), (select count(*) from app.posts)')" "18|37"
port=$(sed -n 's/^WEB_PORT=//p' "$work/p/.env")
is "the site says so over HTTP" "$(curl -s "http://127.0.0.1:$port/")" "web: users 18, posts 37, revision 3f9c1a7be204"
is "its health is 200" "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/health")" 200
(cd "$work/p" && docker compose stop db >/dev/null 2>&1)
is "and 503 without its database" "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/health")" 503
ok "destroy leaves nothing behind" bash -c 'lab/project.sh destroy "$1/p" && [ -z "$(docker ps -aq --filter "label=com.docker.compose.project=$2")$(docker volume ls -q | grep "^$2_")" ]' - "$work" "$name"
done_testing
