#!/bin/bash
# ./dev bench copy: our copy against pg_dump and pg_restore, alternating in one run.
exec python3 "$(dirname "$0")/copy.py" "$@"
