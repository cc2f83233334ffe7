"""hints.py: whatever a hint, a page or a runbook tells people to type is there: verb, sub-verb, options. And what `help` names, the manual page does.

Commands are found where they are written, between backquotes or at the start of a line of an example."""
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BINARY = os.path.join(os.environ["PGSHERPA_BUILD"], "src/app/pgsherpa")
PLACES = ("src", "ui", "wizard-steps", "runbooks", "docs", "man", "README.md", "CHANGELOG.md")
TYPED = re.compile(r"`pgsherpa ([^`]+)`|^(?:\s*\$ | {4,}|\t+)pgsherpa ([a-z].*)$|\bwith: pgsherpa ([a-z][^\"\\]*)", re.M)


def sherpa(*argv):
    return subprocess.run([BINARY, *argv], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout


VERBS = set(re.findall(r"^  ([a-z]+) +\S", sherpa("--help"), re.M)) | {"help"}


def usage(words):
    """What `help` says of it, or why it is none."""
    if words[0] not in VERBS:
        return None
    text = sherpa("help", words[0])
    inner = set(re.findall(rf"^ *pgsherpa {words[0]} ([a-z]+)", text, re.M))
    if words[0] in ("backup", "ctl", "journal") and inner and len(words) > 1 and re.fullmatch("[a-z]+", words[1]):
        if words[1] not in inner and not re.search(rf"\b{words[1]}\b", text):
            return None
    return text


def files():
    for place in PLACES:
        path = os.path.join(ROOT, place)
        if os.path.isfile(path):
            yield path
        for base, _, names in os.walk(path):
            yield from (os.path.join(base, n) for n in sorted(names) if n.endswith((".c", ".h", ".md", ".yaml", ".in", ".1", ".5")))


seen, wrong = 0, []
for path in files():
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for m in TYPED.finditer(text):
        typed = next(g for g in m.groups() if g)
        words = typed.replace('"', " ").replace("\\n", " ").split()
        if not words or words[0] in ("VERB", "__engine") or not re.match("[a-z]", words[0]):
            continue
        seen += 1
        told = usage(words)
        lacking = [o for o in re.findall(r"--[a-z][a-z-]*", typed) if told and o not in told and o != "--help"]
        if told is None or lacking:
            line = text.count("\n", 0, m.start()) + 1
            wrong.append(f"{os.path.relpath(path, ROOT)}:{line}: `pgsherpa {typed}`" + (f": no {lacking}" if lacking else ": no such verb"))
assert seen > 60, f"only {seen} commands were found: they are written otherwise now"
assert not wrong, "\n".join(wrong)
with open(os.path.join(os.environ["PGSHERPA_BUILD"], "man/pgsherpa.1"), encoding="utf-8") as f:
    page = f.read().replace("\\-", "-")
unsaid = [f"{verb} {o}" for verb in sorted(VERBS - {"help"}) for o in sorted(set(re.findall(r"--[a-z][a-z-]*", sherpa("help", verb)))) if o not in page]
assert not unsaid, f"not in pgsherpa(1): {unsaid}"
print(f"{seen} commands")
