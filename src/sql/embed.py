#!/usr/bin/env python3
"""embed.py SYMBOL OUT.c FILE.sql..: queries that are files become `const SqlFile SYMBOL[]` (sqlfile.h).

A file is one statement, as psql runs it. What only some majors have stands between psql's own
\\if :since_14, \\else and \\endif, which may be nested. Lines of comment and the semicolon are left out.
"""
import os
import re
import sys

NEVER = 1000            # no major is that new
LITERAL = 3000          # compilers must only take 4095 bytes of one string


def fail(path, number, why):
    sys.exit(f"{path}:{number}: {why}")


def parts(path):
    """[(since, before, text)] in the order of the file."""
    found, ranges, number = [], [(0, NEVER, 0, False)], 0
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            since, before, asked, turned = ranges[-1]
            if line.startswith("\\if "):
                m = re.fullmatch(r"\\if :since_(\d+)\n", line) or fail(path, number, r"only \if :since_MAJOR is known")
                ranges.append((max(since, int(m[1])), before, int(m[1]), False))
            elif line == "\\else\n":
                if len(ranges) == 1 or turned:
                    fail(path, number, r"\else without its \if")
                outer = ranges[-2]
                ranges[-1] = (outer[0], min(outer[1], asked), asked, True)
            elif line == "\\endif\n":
                if len(ranges) == 1:
                    fail(path, number, r"\endif without its \if")
                ranges.pop()
            elif line.startswith("\\"):
                fail(path, number, "a command of psql's that is not known here")
            elif line.lstrip().startswith("--") or since >= before:
                continue
            elif found and found[-1][:2] == (since, before) and len(found[-1][2]) + len(line) < LITERAL:
                found[-1] = (since, before, found[-1][2] + line)
            else:
                found.append((since, before, line))
    if len(ranges) > 1:
        fail(path, number, r"\if without its \endif")
    if not found or not found[-1][2].rstrip().endswith(";"):
        fail(path, number, "a statement ends with ;")
    found[-1] = (*found[-1][:2], found[-1][2].rstrip()[:-1] + "\n")
    if any(";" in re.sub(r"'[^']*'", "", text) for _, _, text in found):
        fail(path, number, "more than one statement")
    return found


def literal(text):
    return "\n".join('          "' + line.replace("\\", "\\\\").replace('"', '\\"') + '\\n"'
                     for line in text.splitlines())


def main():
    symbol, out, *paths = sys.argv[1:]
    text = ['/* Made by embed.py. */', '#include "sql/sqlfile.h"', ""]
    for i, path in enumerate(paths):
        text.append(f"static const SqlPart parts_{i}[] = {{")
        for since, before, sql in parts(path):
            text.append(f"        {{ {since}, {0 if before == NEVER else before},\n{literal(sql)} }},")
        text += ["        { 0 },", "};", ""]
    text.append(f"const SqlFile {symbol}[] = {{")
    for i, path in enumerate(paths):
        name = os.path.basename(path)[:-len(".sql")].replace("_", " ")
        text.append(f'        {{ "{name}", parts_{i} }},')
    text += ["        { 0 },", "};", ""]
    with open(out, "w", encoding="utf-8") as f:
        f.write("\n".join(text))


main()
