#!/usr/bin/env python3
"""count.py RC [LABEL=]TESTLOG...: one line out of meson's logs: N passed, N failed, N skipped.

A Criterion program (TAP, or its synthesis line) counts as many tests as it ran;
any other test counts as one. A program that meson calls failed although none of
its tests did (a leak report, a crash at exit) counts as one failure: nothing that
went wrong may be averaged away. RC is meson's own exit status, and a failing one
with no failed test in the log is a failure too, as is a log without any test.
"""
import json
import re
import sys

TAP = re.compile(r"^(ok|not ok)\b[ \d]*(?:- )?(.*?)\s*(?:\([\d.]+s\))?\s*(#\s*SKIP\b.*)?$", re.M | re.I)
PLAN = re.compile(r"^1\.\.(\d+)", re.M)
SYNTHESIS = re.compile(r"Synthesis: Tested: (\d+) \| Passing: (\d+) \| Failing: (\d+) \| Crashing: (\d+)")
SKIPPED = re.compile(r"^\[SKIP\] (\S+?):? ", re.M)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SKIP_STATUS = 77


def count_tap(name, text):
    """(passed, [failed], [skipped]) of a TAP program; tests that never reported have failed."""
    passed, failed, skipped = 0, [], []
    for verdict, test, skip in TAP.findall(text):
        if skip:
            skipped.append(f"{name}: {test}")
        elif verdict == "ok":
            passed += 1
        else:
            failed.append(f"{name}: {test}")
    planned = PLAN.search(text)
    missing = int(planned.group(1)) - passed - len(failed) - len(skipped) if planned else 0
    failed += [f"{name}: a planned test never reported"] * max(0, missing)
    return passed, failed, skipped


def count_synthesis(name, text, synthesis):
    passing, failing, crashing = (int(synthesis.group(n)) for n in (2, 3, 4))
    failed = [f"{name} ({failing} failing, {crashing} crashing)"] * (failing + crashing)
    return passing, failed, [f"{name}: {test}" for test in SKIPPED.findall(text)]


def count(entry, label):
    """(passed, [failed], [skipped]) of one program."""
    name, result = label + entry["name"], entry["result"]
    if result == "SKIP" or entry.get("returncode") == SKIP_STATUS:
        return 0, [], [name]
    if result == "EXPECTEDFAIL":        # a canary: what it says of itself is not what is asked
        return 1, [], []
    text = COLOUR.sub("", (entry.get("stdout") or "") + "\n" + (entry.get("stderr") or ""))
    synthesis = SYNTHESIS.search(text)
    if PLAN.search(text):
        passed, failed, skipped = count_tap(name, text)
    elif synthesis:
        passed, failed, skipped = count_synthesis(name, text, synthesis)
    else:
        return (1, [], []) if result == "OK" else (0, [f"{name} ({result})"], [])
    if result != "OK" and not failed:
        failed = [f"{name} ({result}, though each of its tests passed)"]
    return passed, failed, skipped


def main():
    meson_rc = int(sys.argv[1])
    passed, failed, skipped = 0, [], []
    for argument in sys.argv[2:]:
        label, _, path = argument.rpartition("=")
        try:
            with open(path, encoding="utf-8", errors="replace") as log:
                entries = [json.loads(line) for line in log if line.strip()]
        except OSError as error:
            failed.append(f"no log of the tests: {error}")
            continue
        if not entries:
            failed.append(f"{path}: no test was run")
        for entry in entries:
            p, f, s = count(entry, f"{label}: " if label else "")
            passed, failed, skipped = passed + p, failed + f, skipped + s
    if meson_rc and not failed:
        failed.append(f"meson test ended with {meson_rc} and no failed test in its log")
    for title, names in (("skipped", skipped), ("failed", failed)):
        for name in dict.fromkeys(names):
            print(f"{title}: {name}")
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    sys.exit(1 if failed else 0)


main()
