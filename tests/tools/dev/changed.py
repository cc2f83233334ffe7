#!/usr/bin/env python3
"""changed.py BUILD [REVISION]: names of the tests that what changed since REVISION (HEAD) can reach.

A test is chosen when its program is linked with a changed file (or with one that includes it), or when
its script or what lies beside that changed; with a file that programs read (a runbook, a golden), all of the
suites unit and screens are. Of those that drive the whole program only the latter are:
nearly every change reaches all of them. How many they were is said on stderr.
"""
import json
import os
import subprocess
import sys

BUILD, SINCE = sys.argv[1], (sys.argv[2:] or ["HEAD"])[0]


def lines(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


def changed():
    return {os.path.realpath(f) for f in lines("git", "diff", "--name-only", "--relative", SINCE) +
            lines("git", "ls-files", "-o", "--exclude-standard")}


def including(files):
    """The objects that were compiled from or with one of these files, as ninja knows them."""
    found, object_ = set(), None
    for line in lines("ninja", "-C", BUILD, "-t", "deps"):
        if line and not line.startswith(" "):
            object_ = line.split(":")[0]
        elif line.strip() and os.path.realpath(os.path.join(BUILD, line.strip())) in files:
            found.add(os.path.realpath(os.path.join(BUILD, object_)))
    return found


def inputs(program):
    return {os.path.realpath(os.path.join(BUILD, f))
            for f in lines("ninja", "-C", BUILD, "-t", "inputs", os.path.relpath(program, BUILD)) if not f.startswith("ninja:")}


def main():
    files = changed()
    reached = files | including(files)
    chosen, whole = [], 0
    data = [f for f in files if not f.endswith((".c", ".h", ".py", ".sh", ".md", "meson.build"))]
    for test in json.loads("".join(lines("meson", "introspect", BUILD, "--tests"))):
        if any(s.endswith(":soak") for s in test["suite"]):
            continue
        program, *argv = test["cmd"]
        own = [os.path.realpath(a) for a in argv if os.path.isfile(a)]
        beside = {os.path.dirname(f) for f in own if "/tests/" in f}
        if any(os.path.dirname(f) in beside for f in files):
            chosen.append(test["name"])
        elif program.startswith(os.path.realpath(BUILD)) and inputs(program) & reached:
            chosen.append(test["name"])
        elif data and any(s.split(":")[-1] in ("unit", "screens") for s in test["suite"]):
            chosen.append(test["name"])
        elif own and test["depends"]:
            whole += 1
        elif own:
            chosen.append(test["name"])             # of the house: looks at everything
    print("\n".join(chosen))
    print(f"{len(files)} files changed; {len(chosen)} tests. {whole} more drive the whole program: ./dev test e2e integration",
          file=sys.stderr)


main()
