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
    "place": "base sql proc pg host runbook engine",
    "kit": "base sql proc pg host bundle dumps transfer archive place engine",
    "wizard-steps": "base sql proc pg host bundle dumps transfer archive place kit engine",
    "ui": "base yaml runbook journal",
    "app": "base proc sql yaml archive runbook journal bundle dumps pg host pool transfer engine place kit wizard-steps ui",
}
# Of the engine a step, and what steps share, see their own door only; a place knows what a target is.
STEP_DOORS = {"engine/step.h", "engine/step_ctx.h"}
DOORS = {"wizard-steps": STEP_DOORS, "kit": STEP_DOORS,
         "place": {"engine/target.h", "runbook/param.h", "runbook/place_spec.h"}}

# The floors of a room, ground first. A file uses its own floor and those below it, and the headers at
# the door (beside the folders), which know no floor; a .c there may see every one. Other rooms see the
# door only.
FLOORS = {
    "app": ["cli", "show", "launch", "data", "verbs"],
    "runbook": ["expr", "load", "check"],
    "journal": ["view"],
    "pg": ["connection", "catalog", "compare", "roles", "database", "server"],
    "host": ["compose"],
    "engine": ["record", "desk", "world", "step", "drive"],
    "transfer": ["state", "choose", "read", "make", "foreign", "jobs"],
}

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


def floor_of(path):
    """(room, floor or None for its root), of a path below src/ or as an #include writes it."""
    parts = path.removeprefix("src/").split("/")
    return parts[0], parts[1] if len(parts) > 2 else None


def bad_floor(path, ours):
    """Why a file may not see that floor of its room, or of another one; or None."""
    room, floor = floor_of(ours)
    if room not in FLOORS or not floor:
        return None
    if floor not in FLOORS[room]:
        return f'{path}: "{ours}": {room} has no floor {floor}: name it in FLOORS'
    from_room, from_floor = floor_of(path)
    if from_room != room:
        return f'{path}: "{ours}": the floors of {room} are its own; its door is at its root'
    if from_floor is None and path.endswith(".h"):
        return f'{path}: "{ours}": the door of {room} knows no floor'
    if from_floor and FLOORS[room].index(floor) > FLOORS[room].index(from_floor):
        return f'{path}: "{ours}": {from_floor} is below {floor}'
    return None


def check_floors():
    """A folder of a room with floors is one of them."""
    return [f"{path}: {room} has no floor {floor}: name it in FLOORS" for path in files()
            if (room := floor_of(path)[0]) in FLOORS and (floor := floor_of(path)[1]) and floor not in FLOORS[room]]


def bad_include(path, ours, theirs):
    """Why this #include is wrong, or None."""
    room = room_of(path)
    if theirs:
        for pattern, allowed in LIBRARIES:
            if re.fullmatch(pattern, theirs) and room not in allowed and path not in allowed:
                return f"{path}: <{theirs}> belongs to {', '.join(sorted(allowed))}"
        return None
    if ".." in ours.split("/"):
        return f'{path}: "{ours}": written from src/ on, so that it can be read who uses whom'
    if why := bad_floor(path, ours):
        return why
    target = ours.split("/")[0] if "/" in ours else room
    if target in (room, "widgets", "screens") or target not in ROOMS:
        return None
    if target not in ROOMS[room].split():
        return f'{path}: "{ours}": {room} may not use {target}'
    if target in ("engine", "runbook") and ours not in DOORS.get(room, {ours}):
        return f'{path}: "{ours}": {room} sees {" and ".join(sorted(DOORS[room]))} only'
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


# ---- the engine knows no kind by its name, and has one writer for each event ----

def without_comments(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


@functools.lru_cache
def kinds():
    return set(re.findall(r'^\s*\.name = "([a-z_]+(?:\.[a-z_]+)*)",\n\s*\.summary', "\n".join(
        read(p) for p in files() if p.startswith("wizard-steps/")), re.M))


def bad_kind_names(path, text):
    if not path.startswith("src/engine/"):
        return []
    names = kinds() - {"note", "wait", "gate", "shell", "exec"}         # words that mean other things, too
    return [f'{path}: knows "{name}" by its name: what it wants to know is a trait of StepKind'
            for name in re.findall(r'"([a-z_.]+)"', without_comments(text)) if name in names]


def bad_writers(texts):
    """Each event is appended in one place: record/write*.c, and step_say.c for what steps say."""
    wrong, seen = [], {}
    for path, text in texts:
        if not path.startswith("src/engine/") or path.endswith("/record/state.c"):
            continue
        for event in re.findall(r"(?<!case )\bEV_(?!NONE\b)[A-Z_]+", without_comments(text)):
            name = path.removeprefix("src/engine/")
            if not re.fullmatch(r"record/write\w*\.c|step_say\.c", name):
                wrong.append(f"{path}: writes {event}: there is a record_*() for it")
            if event in seen:
                wrong.append(f"{path}: writes {event}, and so does {seen[event]}")
            seen[event] = path
    return wrong


def check_engine():
    texts = [(path, read(path)) for path in files() if path.startswith("src/engine/")]
    assert len(kinds()) > 40, f"only {len(kinds())} kinds were found in wizard-steps"
    return [why for path, text in texts for why in bad_kind_names(path, text)] + bad_writers(texts)


# ---- what steps share ----

def bad_kit_names(path, text):
    """A function that src/kit shows says so in its name; dry_ are the looks of kit/dry.h."""
    if not re.fullmatch(r"src/kit/\w+\.h", path):
        return []
    shown = re.findall(r"^(?:[A-Za-z_][\w ]*?[ *]+)([a-z_]\w*)\(", without_comments(text), re.M)
    return [f"{path}: {name}(): what kinds share is called kit_something" for name in shown
            if not name.startswith(("kit_", "dry_"))]


def bad_step_file(path, text):
    """wizard-steps/ holds kinds, one a file."""
    if not path.startswith("wizard-steps/"):
        return None
    name = re.escape(os.path.basename(path)[:-2])
    if path.endswith(".c") and re.search(rf"^const StepKind step_{name} = {{", text, re.M):
        return None
    return f"{path}: no step kind of that name; what kinds share lives in src/kit/"


def bad_place_words(path, text):
    """Where a server lives is asked of src/place; runbook loads and checks the words."""
    if path.startswith(("src/place/", "src/runbook/")):
        return None
    return f'{path}: reads "via": ask place/place.h' if '"via"' in without_comments(text) else None


def check_places():
    return [why for path in files() if (why := bad_place_words(path, read(path)))]


# ---- short files, short lists, names that a backtrace can be read by ----

ORDERLY = ("src/place/", "src/kit/", "wizard-steps/")
MOST_LINES, MOST_SOURCES, MOST_PARAMETERS = 500, 20, 7
FUNCTION = re.compile(r"^(static )?[A-Za-z_][\w ]*?[ *]+(\w+)\(([^;{}]*)\)\n{", re.M)


def bad_orders(texts):
    """texts: (path, text) of the tree; names of statics and the order of a file only of the orderly rooms."""
    wrong, statics, folders = [], {}, {}
    for path, text in texts:
        if text.count("\n") > MOST_LINES:
            wrong.append(f"{path}: more than {MOST_LINES} lines")
        if not path.endswith(".c"):
            continue
        folders.setdefault(os.path.dirname(path), []).append(path)
        code = without_comments(text)
        for found in FUNCTION.finditer(code):
            static, name, parameters = found.groups()
            if re.sub(r"\([^()]*\)", "", parameters).count(",") >= MOST_PARAMETERS:   # not those of a callback
                wrong.append(f"{path}: {name}() takes more than {MOST_PARAMETERS} parameters")
            if not path.startswith(ORDERLY):
                continue
            if static and name in statics:
                wrong.append(f"{path}: {name}() is in {statics[name]}, too: begin it with the file's name")
            if static:
                statics.setdefault(name, path)
                if "_" not in name:
                    wrong.append(f"{path}: {name}(): a static function begins with its file's name")
            if path.startswith("wizard-steps/") and "const StepKind step_" in code[found.end():]:
                wrong.append(f"{path}: {name}() stands before the kind itself")
    wrong += [f"{folder}: {len(paths)} sources; the limit is {MOST_SOURCES}" for folder, paths in folders.items()
              if len(paths) > MOST_SOURCES and folder.startswith("src/")]
    return wrong


def check_order():
    return bad_orders([(path, read(path)) for path in files()])


def check_kit():
    texts = [(path, read(path)) for path in files()]
    return [why for path, text in texts for why in bad_kit_names(path, text)] + \
        [why for path, text in texts if (why := bad_step_file(path, text))]


def too_wide(path, text):
    return [f"{path}:{n}: {len(line.expandtabs(8))} columns; the limit is 100" for n, line in
            enumerate(text.splitlines(), 1) if len(line.expandtabs(8)) > 100]


def check_widths():
    """Of what clang-format cannot break, too: a long word in a string, a drawing in a comment."""
    return [why for path in files() for why in too_wide(path, read(path))]


MAP = re.compile(r"`([\w./-]+\.(?:c|h|py|md|sql|yaml))(?::\w+\(\))?`")


def bad_map(text, there):
    """Files that the map names and that are not there; KIND stands for any word."""
    return [f"src/README.md: there is no {name}" for name in sorted(set(MAP.findall(text)))
            if "KIND" not in name and not any(path.endswith("/" + name) for path in there)]


def check_map():
    there = subprocess.run(["find", ".", "-name", ".git", "-prune", "-o", "-name", "build*", "-prune", "-o", "-type", "f",
                            "-print"], cwd=SOURCE, stdout=subprocess.PIPE, text=True, check=True).stdout.split("\n")
    return bad_map(read("src/README.md"), there)


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
             bad_include("wizard-steps/x.c", "engine/engine.h", ""), bad_include("src/kit/x.c", "engine/engine.h", ""),
             bad_include("src/kit/x.h", "wizard-steps/x.h", ""), bad_include("src/place/x.c", "kit/docker.h", ""),
             bad_include("src/place/x.c", "engine/step_ctx.h", ""),
             bad_include("src/place/x.c", "runbook/load.h", ""), bad_include("src/host/x.c", "place/place.h", ""),
             bad_include("src/transfer/x.c", "kit/docker.h", ""), bad_include("ui/canvas.c", "", "curses.h"),
             bad_include("src/base/x.c", "sql/sql.h", ""), bad_symbol("src/host/x.c", "PQexec"),
             bad_symbol("ui/canvas.c", "wrefresh"), bad_symbol("src/pg/x.c", "fork"), bad_symbol("src/base/x.c", "strcpy"),
             bad_symbol("tests/unit/pg/x.c", "sprintf"), bad_include("src/dumps/x.c", "pg/conn.h", ""),
             bad_include("src/pool/x.c", "pg/conn.h", ""),
             bad_include("src/transfer/read/x.c", "transfer/make/target_database.h", ""),
             bad_include("src/transfer/transfer.h", "transfer/state/transfer_state.h", ""),
             bad_include("src/transfer/jobs/x.c", "transfer/attic/x.h", ""),
             bad_map("`pg/x.c:f()` and `y.h`", ["./src/pg/x.c"]), too_wide("src/base/x.c", "/* " + 98 * "x"), too_wide("src/base/x.c", "\t" + 93 * "x"),
             bad_include("src/app/x.c", "transfer/read/part.h", ""),
             bad_include("src/engine/record/x.c", "engine/desk/desk.h", ""),
             bad_include("src/engine/step/x.h", "engine/drive/drive.h", ""),
             bad_include("src/engine/desk/x.c", "engine/attic/attic.h", ""),
             bad_include("src/engine/desk/x.c", "../drive/drive.h", ""),
             bad_include("src/app/x.c", "engine/record/record.h", ""),
             bad_include("src/app/cli/x.c", "app/verbs/backup.h", ""),
             bad_kind_names("src/engine/drive/x.c", 'if (str_eq(kind, "pg.fence"))'),
             bad_kind_names("src/engine/step/x.c", 'if (str_eq(kind, "manual"))'),
             bad_orders([("src/kit/x.c", "\n" * 501)]),
             bad_orders([("src/kit/x.c", "int kit_x(int a, int b, int c, int d, int e, int f, int g, int h)\n{\n}\n")]),
             bad_orders([("src/kit/x.c", "static int x_a(void)\n{\n}\n"), ("src/kit/y.c", "static int x_a(void)\n{\n}\n")]),
             bad_orders([("wizard-steps/x.c", "static int tell(void)\n{\n}\n")]),
             bad_orders([("wizard-steps/x.c", "static int x_a(void)\n{\n}\nconst StepKind step_x = {\n")]),
             bad_orders([(f"src/kit/{n}.c", "") for n in range(21)]),
             bad_place_words("src/kit/x.c", 'jx_get(t->spec, "via")'),
             bad_kit_names("src/kit/x.h", "bool command_run(StepCtx *ctx);\n"),
             bad_step_file("wizard-steps/x.h", ""), bad_step_file("wizard-steps/x.c", "const StepKind step_y = {\n"),
             bad_writers([("src/engine/desk/x.c", "append(e, EV_NOTE, f)")]),
             bad_writers([("src/engine/record/write.c", "append(e, EV_NOTE, f); append(e, EV_NOTE, f)")])]
    right = [bad_map("`pg/x.c:f()`, `pg/KIND.sql`", ["./src/pg/x.c"]), too_wide("src/base/x.c", "/* ä " + 93 * "─" + "*/"), bad_include("src/transfer/make/x.c", "transfer/read/part.h", ""),
             bad_include("src/transfer/make/x.c", "transfer/make/target_database.h", ""),
             bad_include("src/app/x.c", "transfer/transfer.h", ""), bad_include("src/pg/x.c", "", "libpq-fe.h"), bad_include("wizard-steps/x.c", "engine/step.h", ""),
             bad_include("wizard-steps/x.c", "kit/docker.h", ""), bad_include("src/kit/x.c", "place/place.h", ""),
             bad_include("src/app/x.c", "place/place.h", ""), bad_include("src/place/x.c", "engine/target.h", ""),
             bad_include("ui/term_curses.c", "", "curses.h"), bad_include("src/app/x.c", "ui/ui.h", ""),
             bad_symbol("src/pg/x.c", "PQexec"), bad_symbol("src/proc/x.c", "fork"), bad_symbol("src/base/x.c", "snprintf"),
             bad_symbol("tests/unit/pg/x.c", "fork"), bad_symbol("tests/unit/pg/x.c", "PQexec"),
             bad_include("src/engine/desk/x.c", "engine/record/record.h", ""),
             bad_include("src/engine/record/x.c", "engine/step_ctx.h", ""),
             bad_include("src/engine/engine.c", "engine/drive/drive.h", ""),
             bad_kind_names("src/engine/step.h", '/* "pg.fence", say */'),
             bad_kind_names("src/app/x.c", 'if (str_eq(kind, "pg.fence"))'),
             *bad_orders([("wizard-steps/x.c", "static int x_a(void);\nconst StepKind step_x = {\n};\nstatic int x_a(void)\n{\n}\n")]),
             bad_place_words("src/place/x.c", 'jx_get(t->spec, "via")'), bad_place_words("src/kit/x.c", '/* "via" */'),
             bad_kit_names("src/kit/x.h", "bool kit_x(StepCtx *ctx);\nSeen dry_x(void);\n"),
             bad_step_file("wizard-steps/x.c", "const StepKind step_x = {\n"),
             bad_writers([("src/engine/record/write.c", "append(e, EV_NOTE, f); append(e, EV_FACT, f)"),
                          ("src/engine/record/state.c", "case EV_NOTE:")])]
    return [f"made-up violation {n} was not found" for n, why in enumerate(wrong) if not why] + \
        [f"found a violation where there is none: {why}" for why in right if why]


def main():
    checks = [("the rules find what is wrong and nothing else", check_the_rules),
              ("each room includes only what it may", check_includes),
              ("each file of a room with floors stands on one", check_floors),
              ("the engine knows no kind by its name, and one function writes each event", check_engine),
              ("wizard-steps holds kinds only, and what they share is called kit_something", check_kit),
              ("only src/place reads where a server lives", check_places),
              ("short files, few in a folder, few parameters; named functions, the kind first", check_order),
              
              ("no line is wider than 100 columns", check_widths),
              ("what the map names is there", check_map),
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
