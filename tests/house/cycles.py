#!/usr/bin/env python3
"""cycles.py SOURCE: no file needs another one that needs it.

A unit is X.c with X.h and with X_internal.h or X_impl.h, its private faces. Who includes a unit's header
needs the unit. The headers at the door of a room with floors (layering.py) are no unit with the .c beside
them: floors see the door, and that .c sees the floors. Circles that are admitted stand below with their
reason, and one that is gone fails, too: the list only becomes shorter.
"""
import os
import re
import subprocess
import sys

SOURCE = sys.argv[1]
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
DOORS = re.compile(r"src/(engine|transfer)/\w+\.h$")
ADMITTED = {
    "src/base/redact src/base/secret": "a secret knows the forms it is hidden in, which are kept as secrets are",
    "src/host/container src/host/container_server": "a container is asked for its server, whose place is a container",
    "src/journal/event_table src/journal/fields src/journal/journal src/journal/record src/journal/recover":
        "one format: what an event is, how it is written, how it is read again",
    "ui/canvas ui/glyphs": "cells and what they are drawn with",
    "ui/loop ui/plain ui/plain_ask ui/screen ui/screens/common ui/ui": "ui.h is the door and the loop behind it",
    "src/dumps/rewrite src/dumps/setclause src/dumps/sqltext src/dumps/token":
        "one pass over SQL, whose parts call each other",
}


def unit(path):
    if DOORS.match(path):
        return path
    return re.sub(r"_(internal|impl)$", "", path.rsplit(".", 1)[0])


def needs(texts):
    """{unit: units whose headers it includes}"""
    units = {path: unit(path) for path in texts}
    found = {u: set() for u in units.values()}
    for path, text in texts.items():
        for name in INCLUDE.findall(text):
            for base in ("src/", "", os.path.dirname(path) + "/"):
                target = units.get(os.path.normpath(base + name))
                if target and target != units[path]:
                    found[units[path]].add(target)
    return found


def reach(found, start):
    seen, todo = set(), [start]
    while todo:
        for other in found[todo.pop()] - seen:
            seen.add(other)
            todo.append(other)
    return seen


def circles(texts):
    found = needs(texts)
    reached = {u: reach(found, u) for u in found}
    return {" ".join(sorted({v for v in reached[u] if u in reached[v]})) for u in found if u in reached[u]}


def main():
    planted = {"src/a/x.c": '#include "a/y.h"', "src/a/x.h": "", "src/a/y.h": "", "src/a/y.c": '#include "a/z_internal.h"',
               "src/a/z_internal.h": '#include "a/x.h"', "src/a/w.c": '#include "a/x.h"'}
    assert circles(planted) == {"src/a/x src/a/y src/a/z"}, f"a planted circle was not found: {circles(planted)}"
    planted["src/a/z_internal.h"] = ""
    assert not circles(planted), "a circle where there is none"
    listed = subprocess.run(["find", "src", "ui", "wizard-steps", "-name", "*.[ch]"], cwd=SOURCE, stdout=subprocess.PIPE,
                            text=True, check=True).stdout.split()
    texts = {}
    for path in listed:
        with open(os.path.join(SOURCE, path), encoding="utf-8") as f:
            texts[path] = f.read()
    there = circles(texts)
    for circle in sorted(there ^ set(ADMITTED)):
        print(f"in a circle: {circle}" if circle in there else f"no circle any more, strike it: {circle}")
    sys.exit(bool(there ^ set(ADMITTED)))


main()
