#!/usr/bin/env python3
"""layering.py SOURCE [BUILD]: who may use whom, read off the #include lines and the symbols.

The table is house.md's; src/README.md shows it to people. Order of proof: what a file
includes (its room, and libraries), what its object file wants from libraries, and the
few functions that nobody or one room only may call. Before it judges the tree it judges
lines made up to be wrong: a rule that finds nothing in them finds nothing anywhere.
"""
import functools
import os
import re
import subprocess
import sys

SOURCE = sys.argv[1]
BUILD = sys.argv[2] if len(sys.argv) > 2 else None

ROOMS = {
    "base": "",
    "proc": "base",
    "sql": "base",
    "yaml": "base",
    "archive": "base",
    "runbook": "base sql yaml",
    "journal": "base sql",
    "bundle": "base sql archive",
    "dumps": "base archive",
    "pg": "base sql proc",
    "host": "base sql proc yaml archive",
    "pool": "base",
    "transfer": "base sql proc archive dumps pg bundle pool",
    "engine": "base sql runbook journal",
    "wizard-steps": "base sql proc pg host bundle dumps transfer archive engine",
    "ui": "base yaml runbook journal",
    "app": "base proc sql yaml archive runbook journal bundle dumps pg host pool transfer engine wizard-steps ui",
}
# The floors of a room, ground first. A file uses its own floor and those below it, and the headers
# at the door (beside the folders); other rooms see the door only.
FLOORS = {
    "transfer": "state choose read make foreign jobs",
}
# Of the engine a step sees its own door only.
STEP_DOORS = {"engine/step.h", "engine/step_ctx.h"}

# Header, or symbol pattern -> the rooms (or one file) that may.
LIBRARIES = [
    (r"libpq-fe\.h|libpq/.*", {"pg"}),
    (r"n?cursesw?\.h|ncurses.*|term\.h", {"ui/term_curses.c"}),
    (r"yaml\.h", {"yaml"}),
    (r"archive\.h|archive_entry\.h|zstd\.h|zlib\.h", {"archive"}),
    (r"curl/.*", {"host"}),
    (r"openssl/.*", {"base"}),
]
SYMBOLS = [
    (r"PQ[a-z]\w*", {"pg"}),
    (r"newterm|initscr|doupdate|wrefresh|wnoutrefresh|endwin|waddn?w?str|waddch|wgetch|wget_wch|stdscr",
     {"ui/term_curses.c"}),
    (r"yaml_(parser|event|emitter|document)_\w+", {"yaml"}),
    (r"archive_(read|write|entry)_\w+|ZSTD_\w+|(in|de)flate\w*", {"archive"}),
    (r"curl_\w+", {"host"}),
    (r"fork|vfork|execv[ep]*|posix_spawnp?", {"proc"}),
    # Fortified builds call __sprintf_chk().
    (r"(?:__)?(?:system|popen|sprintf|vsprintf|strcpy|strcat|gets|tmpnam|mktemp)(?:_chk)?", NOBODY := set()),
]

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.M)


def room_of(path):
    parts = path.split("/")
    if parts[0] == "src":
        return parts[1] if len(parts) > 2 else None
    return parts[0] if parts[0] in ROOMS else None


def bad_floor(path, ours):
    """Why this #include climbs a stair, or None."""
    room, _, rest = ours.partition("/")
    floors = FLOORS.get(room, "").split()
    floor = rest.split("/")[0] if "/" in rest else None         # None: the door
    if not floors or not floor:
        return None
    if floor not in floors:
        return f'{path}: "{ours}": {room} has no floor {floor}'
    if room_of(path) != room:
        return f'{path}: "{ours}": other rooms see the headers in {room}/ only'
    here = path.split("/")[2] if path.count("/") > 2 else None
    if here is None:
        return f'{path}: "{ours}": the door of {room} knows no floor'
    if here in floors and floors.index(floor) > floors.index(here):
        return f'{path}: "{ours}": {floor} is above {here}'
    return None


def check_floors():
    """Each file of a room with floors stands on one of them, or is a header at its door."""
    return [f"{path}: stands on no floor of {room}" for path in files()
            if (room := room_of(path)) in FLOORS
            and not (path.count("/") > 2 and path.split("/")[2] in FLOORS[room].split())
            and not (path.count("/") == 2 and path.endswith(".h"))]


def bad_include(path, ours, theirs):
    """Why this #include is wrong, or None."""
    room = room_of(path)
    if theirs:
        for pattern, allowed in LIBRARIES:
            if re.fullmatch(pattern, theirs) and room not in allowed and path not in allowed:
                return f"{path}: <{theirs}> belongs to {', '.join(sorted(allowed))}"
        return None
    if why := bad_floor(path, ours):
        return why
    target = ours.split("/")[0] if "/" in ours else room
    if target in (room, "widgets", "screens") or target not in ROOMS:
        return None
    if target not in ROOMS[room].split():
        return f'{path}: "{ours}": {room} may not use {target}'
    if room == "wizard-steps" and target == "engine" and ours not in STEP_DOORS:
        return f'{path}: "{ours}": a step sees {" and ".join(sorted(STEP_DOORS))} only'
    return None


def bad_symbol(path, symbol):
    """Tests may call what any room may; what nobody may, they may not either."""
    for pattern, allowed in SYMBOLS:
        if path.startswith("tests/") and allowed is not NOBODY:
            continue
        if re.fullmatch(pattern, symbol) and room_of(path) not in allowed and path not in allowed:
            who = ", ".join(sorted(allowed)) or "nobody"
            return f"{path}: calls {symbol}(); {who} may"
    return None


@functools.lru_cache
def files():
    listed = subprocess.run(["find", "src", "ui", "wizard-steps", "-name", "*.[ch]"], cwd=SOURCE,
                            stdout=subprocess.PIPE, text=True, check=True).stdout
    return sorted(listed.split())


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as f:
        return f.read()


def check_includes():
    return [why for path in files() if room_of(path) for ours, theirs in INCLUDE.findall(read(path))
            if (why := bad_include(path, ours, theirs))]


def objects():
    """Object file -> source path, of everything of ours that was built."""
    known = {p.replace("/", "_"): p for p in files()}
    found = {}
    for top, dirs, names in os.walk(BUILD):
        dirs[:] = [d for d in dirs if not d.startswith("meson-")]
        for name in names:
            if name.endswith(".c.o"):
                room = os.path.dirname(os.path.relpath(top, BUILD))             # src/pg, without libpg.a.p
                flat = f"{room}/{name[:-2]}"                                    # ui/screens_home.c may be
                found[os.path.join(top, name)] = known.get(flat.replace("/", "_"), flat)    # ui/screens/home.c
    return found


def check_symbols():
    wrong, found = [], objects()
    if not found:
        return [f"no object file below {BUILD}: nothing was checked"]
    for kind in ("src/", "ui/", "wizard-steps/", "tests/"):
        if not any(source.startswith(kind) for source in found.values()):
            wrong.append(f"no object file of {kind}: nothing was checked there")
    out = subprocess.run(["nm", "-A", "-u", *found], stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in out.splitlines():
        path, _, symbol = line.rpartition(" ")
        path = path[:path.index(":")]
        if why := bad_symbol(found[path], symbol.split("@")[0]):
            wrong.append(why)
    return wrong


def check_sizes():
    return [f"{path}: {n} lines; the limit is 800" for path in files() if (n := read(path).count("\n")) > 800]


def check_headers():
    wrong = []
    for path in files():
        if path.endswith(".h"):
            text = read(path)
            if not text.startswith("/*"):
                wrong.append(f"{path}: a header opens with prose: what it is, an example, its rules")
            if "#pragma once" not in text:
                wrong.append(f"{path}: no #pragma once")
    return wrong


def check_the_rules():
    """Lines made up to be wrong, and right ones beside them."""
    wrong = [bad_include("ui/x.c", "pg/conn.h", ""), bad_include("src/engine/x.c", "", "libpq-fe.h"),
             bad_include("src/engine/x.c", "ui/ui.h", ""), bad_include("wizard-steps/x.c", "journal/journal.h", ""),
             bad_include("wizard-steps/x.c", "engine/engine.h", ""), bad_include("ui/canvas.c", "", "curses.h"),
             bad_include("src/base/x.c", "sql/sql.h", ""), bad_symbol("src/host/x.c", "PQexec"),
             bad_symbol("ui/canvas.c", "wrefresh"), bad_symbol("src/pg/x.c", "fork"), bad_symbol("src/base/x.c", "strcpy"),
             bad_symbol("tests/unit/pg/x.c", "sprintf"), bad_include("src/dumps/x.c", "pg/conn.h", ""),
             bad_include("src/pool/x.c", "pg/conn.h", ""),
             bad_include("src/transfer/read/x.c", "transfer/make/target_database.h", ""),
             bad_include("src/transfer/transfer.h", "transfer/state/transfer_state.h", ""),
             bad_include("src/transfer/jobs/x.c", "transfer/attic/x.h", ""),
             bad_include("src/app/x.c", "transfer/read/part.h", "")]
    right = [bad_include("src/transfer/make/x.c", "transfer/read/part.h", ""),
             bad_include("src/transfer/make/x.c", "transfer/make/target_database.h", ""),
             bad_include("src/app/x.c", "transfer/transfer.h", ""), bad_include("src/pg/x.c", "", "libpq-fe.h"), bad_include("wizard-steps/x.c", "engine/step.h", ""),
             bad_include("ui/term_curses.c", "", "curses.h"), bad_include("src/app/x.c", "ui/ui.h", ""),
             bad_symbol("src/pg/x.c", "PQexec"), bad_symbol("src/proc/x.c", "fork"), bad_symbol("src/base/x.c", "snprintf"),
             bad_symbol("tests/unit/pg/x.c", "fork"), bad_symbol("tests/unit/pg/x.c", "PQexec")]
    return [f"made-up violation {n} was not found" for n, why in enumerate(wrong) if not why] + \
        [f"found a violation where there is none: {why}" for why in right if why]


def main():
    checks = [("the rules find what is wrong and nothing else", check_the_rules),
              ("each room includes only what it may", check_includes),
              ("each file of a room with floors stands on one", check_floors),
              ("no file is longer than 800 lines", check_sizes),
              ("each header opens with prose", check_headers)]
    if BUILD:
        checks.append(("each room calls only what it may", check_symbols))
    failed = 0
    print(f"1..{len(checks)}")
    for n, (sentence, check) in enumerate(checks, 1):
        wrong = check()
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {n} - {sentence}")
        for why in dict.fromkeys(wrong):
            print(f"# {why}")
    sys.exit(1 if failed else 0)


main()
