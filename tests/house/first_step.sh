#!/bin/bash
# Follows docs/first-step.md to the letter in a copy of the tree: extracts the file, adds the
# word, builds, asks `explain`, lints a runbook that uses it, plans it.
set -euo pipefail
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -C "$source" --exclude='./build*' --exclude=./.git -cf - . | tar -C "$work" -xf -
cd "$work"
awk '/^```c$/ {on = 1; next} /^```$/ {on = 0} on' docs/first-step.md >wizard-steps/file_touch.c
test -s wizard-steps/file_touch.c
sed -i "s/^step_kinds = \[/step_kinds = [\n  'file_touch',/" wizard-steps/meson.build
# The files of the tree were compiled before, the page's were not.
export CCACHE_NOHASHDIR=1
if command -v ccache >/dev/null; then export CC='ccache gcc'; fi
meson setup build -Dtests=false >setup.log 2>&1 || { tail setup.log; exit 1; }
ninja -C build src/app/pgsherpa >build.log 2>&1 || { grep -E 'error|FAILED' build.log; exit 1; }
build/src/app/pgsherpa explain file.touch | grep -q 'file to make'
cat >touch.yaml <<'YAML'
api: pgsherpa/v1
runbook: touch
title: Touch a file
version: 1
phases:
  - id: go
    title: Go
    steps:
      - id: mark
        title: Leave a mark
        do: file.touch
        with: {path: /tmp/marker}
        timeout: 1m
YAML
build/src/app/pgsherpa lint ./touch.yaml
grep -q 'bool file_touch_dry(' wizard-steps/file_touch.c   # a kind that writes can be tried
build/src/app/pgsherpa plan ./touch.yaml | grep -F 'touch /tmp/marker'
echo "the page works"
