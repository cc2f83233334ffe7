#!/bin/bash
# ./dev bench ui: the wizard's first frame, its traffic while a copy runs, and how soon a key
# is answered meanwhile. Needs two majors of the lab; no Docker.
exec python3 "$(dirname "$0")/ui.py" "$@"
