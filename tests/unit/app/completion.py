"""completion.py: what bash completes is what `pgsherpa help` says, in both directions."""
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BINARY = os.path.join(os.environ["PGSHERPA_BUILD"], "src/app/pgsherpa")
SCRIPT = os.path.join(ROOT, "completions/pgsherpa.bash")


def sherpa(*argv):
    return subprocess.run([BINARY, *argv], text=True, stdout=subprocess.PIPE, check=True).stdout


def complete(*words):
    """What TAB offers after these words, the last of them begun."""
    out = subprocess.run(
        ["bash", "--norc", "-c",
         'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pgsherpa "$1"; '
         'printf "%s\\n" "${COMPREPLY[@]}"', "bash", SCRIPT, BINARY, *words],
        text=True, stdout=subprocess.PIPE, check=True, cwd="/").stdout
    return set(out.split())


verbs = set(re.findall(r"^  ([a-z]+) +\S", sherpa("--help"), re.M)) - {"pgsherpa"}
assert len(verbs) > 10, verbs
assert complete("") == verbs | {"help"}, complete("") ^ (verbs | {"help"})
for verb in sorted(verbs):
    usage = sherpa("help", verb).split("usage:", 1)[1]
    assert max(map(len, usage.splitlines())) <= 80, f"{verb}: too wide for a terminal:\n{usage}"
    options = set(re.findall(r"--[a-z-]+", usage))
    offered = complete(verb, "-")
    assert offered == options, f"{verb}: completion and usage differ in {offered ^ options}"
assert sherpa("backup", "list", "--help") == sherpa("help", "backup", "list")
assert "backup create" not in sherpa("backup", "list", "--help")
assert complete("b") == {"backup"}
assert complete("ctl", "p1", "") == {"status", "pause", "continue", "answer", "tick", "untick", "jobs", "tail", "abort"}
assert "host=" in complete("copy", "--from", "")
kinds = {line.split()[0] for line in sherpa("explain").splitlines()}
assert "pg.copy" in kinds and complete("explain", "") == kinds
