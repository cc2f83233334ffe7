#!/usr/bin/env python3
"""run.py COMPILER SOURCE: every *.c here is a mistake and must be refused; its correction must not.

The first line of a file says what the compiler has to complain about, as a regular
expression:         /* wants: format '%s' expects|incompatible type
The mistake stands between #ifdef WRONG and #else, the correction after it, so that a
file cannot be refused for a reason of its own. -c and not -fsyntax-only: gcc
diagnoses an unused result only when it really compiles.
"""
import glob
import os
import re
import shlex
import subprocess
import sys

compiler, source = sys.argv[1:3]
here = os.path.dirname(os.path.abspath(__file__))
flags = shlex.split("-c -o /dev/null -std=gnu17 -O1 -Wall -Wextra -Wpedantic -Wformat=2 -Werror"
                    " -Wno-unused-parameter -D_GNU_SOURCE") + [f"-I{source}/src", f"-I{source}"]
flags += shlex.split(subprocess.run(["pkg-config", "--cflags", "jansson"], stdout=subprocess.PIPE,
                                    text=True, check=True).stdout)


def compile_it(path, *more):
    r = subprocess.run([compiler, *flags, *more, path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    return r.returncode == 0, r.stdout


n, failed = 0, 0


def verdict(good, sentence, why):
    global n, failed
    n, failed = n + 1, failed + (not good)
    print(f"{'ok' if good else 'not ok'} {n} - {sentence}")
    if not good:
        print("\n".join("# " + line for line in why.splitlines()[:12]))


paths = sorted(glob.glob(os.path.join(here, "*.c")))
for path in paths:
    with open(path, encoding="utf-8") as f:
        wants = re.match(r"/\* wants: (.*?)(?: \*/)?\n", f.readline())
    name = os.path.basename(path)[:-2].replace("_", " ")
    good, said = compile_it(path)
    verdict(good, f"{name}: the right way compiles", said)
    good, said = compile_it(path, "-DWRONG")
    verdict(not good and wants and re.search(wants.group(1), said), f"{name}: the wrong way does not",
            "it compiles" if good else said)
print(f"1..{n}")
sys.exit(1 if failed or not paths else 0)
