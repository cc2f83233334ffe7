#!/bin/bash
# Follows docs/first-place.md to the letter in a copy of the tree: extracts the file, adds the word,
# builds, lints a runbook that uses it, and runs it: with a server of the lab where there is one.
set -euo pipefail
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -C "$source" --exclude='./build*' --exclude=./.git -cf - . | tar -C "$work" -xf -
cd "$work"
awk '/^```c$/ {on = 1; next} /^```$/ {on = 0} on' docs/first-place.md >src/place/noted.c
test -s src/place/noted.c
sed -i "s/^place_kinds = \[/place_kinds = [\n  'noted',/" src/place/meson.build
# The files of the tree were compiled before, the page's were not.
export CCACHE_NOHASHDIR=1
if command -v ccache >/dev/null; then export CC='ccache gcc'; fi
meson setup build -Dtests=false >setup.log 2>&1 || { tail setup.log; exit 1; }
ninja -C build src/app/pgsherpa >build.log 2>&1 || { grep -E 'error|FAILED' build.log; exit 1; }
pgsherpa=build/src/app/pgsherpa
export PGSHERPA_STATE=$work/state

runbook() { # the step's last line
        cat >noted.yaml <<YAML
api: pgsherpa/v1
runbook: noted
title: Ask a server whose address is in a file
version: 1
secrets:
  pg: {from: file, path: $work/password}
$(awk '/^```yaml$/ {on = 1; next} /^```$/ {on = 0} on' docs/first-place.md |
        sed "s,/run/app/db.address,$work/db.address,; s/user: app}/user: ${PGSHERPA_LAB_USER:-app}, password: secrets.pg}/")
phases:
  - id: go
    title: Go
    steps:
      - id: ready
        title: Ask it
        do: pg.ready
        on: db
        with: {within: 2s, database: postgres}
        timeout: 1m
        $1
YAML
}
fails_with() {
        if "$pgsherpa" run ./noted.yaml --plain --yes >run.log 2>&1 </dev/null; then
                cat run.log; echo "it ran, and should not have"; exit 1
        fi
        grep -F "$1" run.log || { cat run.log; exit 1; }
}
install -m 600 "${PGSHERPA_LAB_PASSWORD_FILE:-/dev/stdin}" password <<<nobody

runbook ''
"$pgsherpa" lint ./noted.yaml
"$pgsherpa" plan ./noted.yaml >plan.log
sed 's/{address_file: [^}]*}/{address_file: \/x, host: y}/' noted.yaml >two.yaml
if "$pgsherpa" lint ./two.yaml >lint.log 2>&1; then echo "two places at once were let through"; exit 1; fi
grep -F '`via` must name exactly one place' lint.log
grep -F 'address_file, ' lint.log                        # the hint knows the new word
fails_with "$work/db.address"                           # there is no such file
echo nothing >db.address
fails_with 'does not hold an address'
echo 127.0.0.1:1 >db.address
fails_with '127.0.0.1'                                  # the address it says is the one that is asked
if [ -n "${PGSHERPA_LAB_17_PORT:-}" ]; then
        echo "$PGSHERPA_LAB_HOST:$PGSHERPA_LAB_17_PORT" >db.address
        "$pgsherpa" run ./noted.yaml --plain --yes >run.log 2>&1 </dev/null || { cat run.log; exit 1; }
        grep -F ' 17' run.log
        echo 192.0.2.1:5432 >db.address         # nobody is there: a step that is done is not tried
        runbook 'done_if: [{noted_as: 192.0.2.1, on: db}]'
        "$pgsherpa" run ./noted.yaml --plain --yes >run.log 2>&1 </dev/null || { cat run.log; exit 1; }
fi
echo "the page works"
