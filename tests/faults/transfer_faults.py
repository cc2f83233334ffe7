"""transfer_faults.py [--moments N] [--seed S] [--verb V] [--only FAULT]: the worst moment, many times.

For copy, restore and backup: the connection cut, either server crashed, the target's disk full, a
backend terminated, a statement cancelled, the verb interrupted; each at N moments drawn by a seeded
dice over the time the verb takes undisturbed. After each:

    the verb said what happened, to what, and what to do; its exit status is not 0 (unless it did
    the whole work and compare agrees); no database has the real name; nothing of ours is connected;
    no temporary database, or one that the message names; the source is as it was, by its hash;
    the same verb, run again, succeeds, and compare finds both sides equal.

Every broken promise is printed with the seed, and the test goes on: the list at the end is whole."""
import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import transfer_world as world                                  # noqa: E402
from transfer_world import DB, MOVED, World, kit                # noqa: E402

PATIENCE = 90                   # seconds after the fault; a verb that still runs then hangs
SOON = 10                       # for who was asked to stop; a second is the aim, on a quiet machine
CANCELLED = 130


class Verb:
    """One command line. Through the wires when a fault is to come, straight when not."""

    def __init__(self, w, name):
        self.w, self.name = w, name

    def at(self, which, straight, db=None):
        server, wire = {"from": (self.w.source, 0), "to": (self.w.target, 1)}[which]
        port = server.port if straight else self.w.wires[wire].port
        pair = f"host=127.0.0.1,port={port},user=postgres" + (f",db={db}" if db else "")
        return [f"--{which}", pair, f"--{which}-password-file", server.password]

    def argv(self, straight):
        if self.name == "copy":
            return ["copy", *self.at("from", straight, DB), *self.at("to", straight, MOVED), "--no-proof"]
        if self.name == "restore":
            return ["restore", self.w.bundle, *self.at("to", straight, MOVED)]
        return ["backup", "create", *self.at("from", straight, DB), "--root", self.w.backups]

    def start(self, straight=False):
        return subprocess.Popen([kit.SHERPA, *self.argv(straight)], stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

    def must(self, straight=True):
        """Undisturbed; returns its seconds."""
        begun = time.monotonic()
        p = self.start(straight)
        out, err = p.communicate(timeout=300)
        if p.returncode:
            raise AssertionError(f"{self.name} undisturbed: exit {p.returncode}\n{out}{err}")
        self.out = out
        return time.monotonic() - begun

    def proof(self):
        """Is what the verb made the same as the source?"""
        if self.name == "backup":
            path = next(line for line in self.out.splitlines() if line.endswith(".pgs.tar"))
            argv = ["backup", "verify", path]
        else:
            argv = ["compare", *self.at("from", True, DB), *self.at("to", True, MOVED), "--quiet"]
        r = subprocess.run([kit.SHERPA, *argv], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           stdin=subprocess.DEVNULL, check=False)
        return None if r.returncode == 0 else f"exit {r.returncode}: {r.stdout[-400:]}{r.stderr[-400:]}"


# ---- faults: each is called at its moment, with the running process; returns False if there was
# nothing to strike; undo() of the same name brings the world back when the verb has ended ----

def cut(wire):
    def strike(w, p, dice):
        w.wires[wire].cut()
        if dice.random() < 0.5:         # a router that restarts; the other half stays dark
            w.wires[wire].mend()
        return True
    return strike


def crash(side):
    def strike(w, p, dice):
        server = getattr(w, side)
        server.stop("immediate")
        if dice.random() < 0.5:
            w.up_soon(server)
        return True
    return strike


def signal_backend(side, function, which="true"):
    def strike(w, p, dice):
        server = getattr(w, side)
        while p.poll() is None:
            pids = server.psql("postgres", "select pid from pg_stat_activity where backend_type = 'client backend' "
                                           f"and pid <> pg_backend_pid() and {which} order by pid").split()
            if pids and server.psql("postgres", f"select {function}({dice.choice(pids)})") == "t":
                return True
            time.sleep(0.01)
        return False
    return strike


def full(w, p, dice):
    w.fill_disk()
    return True


def interrupt(w, p, dice):
    p.send_signal(signal.SIGINT)
    return True


FAULTS = {
    "source_cut": ("copy backup", cut(0)),
    "target_cut": ("copy restore", cut(1)),
    "source_crash": ("copy backup", crash("source")),
    "target_crash": ("copy restore", crash("target")),
    "target_disk_full": ("copy restore", full),
    "source_backend_terminated": ("copy backup", signal_backend("source", "pg_terminate_backend")),
    "target_backend_terminated": ("copy restore", signal_backend("target", "pg_terminate_backend")),
    "source_backend_cancelled": ("copy backup", signal_backend("source", "pg_cancel_backend", "state = 'active'")),
    "target_backend_cancelled": ("copy restore", signal_backend("target", "pg_cancel_backend", "state = 'active'")),
    "interrupted": ("copy restore backup", interrupt),
}


def message_is_clear(fault, code, err):
    """What, where, next. Cancelled by the operator himself: he knows what to do next."""
    if fault == "interrupted" and code == -signal.SIGINT:
        return None                     # before there was anything to take back
    said = "\n".join(line for line in err.splitlines() if line.startswith("pgsherpa: "))
    if not said:
        return "there is no line `pgsherpa: ...` on stderr"
    if fault == "interrupted":
        return None if code == CANCELLED else f"exit {code}, not {CANCELLED}"
    if not re.search(rf"{DB}|source|target|server|127\.0\.0\.1|bundle", said):
        return f"it does not say where: {said}"
    if "hint: " not in err:
        return f"it does not say what next: {said}"
    return None


def gone(seconds, look):
    """The last answer of look() that was not empty; empty when it became so in time."""
    end = time.monotonic() + seconds
    while (left := look()) and time.monotonic() < end:
        time.sleep(0.1)
    return left


def moment(w, verb, fault, strike, fraction, seconds, dice):
    """One fault. Returns (did it strike, word, [broken promises])."""
    broken, begun = [], time.monotonic()
    p = verb.start()
    pipe = []
    reader = threading.Thread(target=lambda: pipe.extend(p.communicate()), daemon=True)
    reader.start()
    time.sleep(fraction * seconds)
    struck = p.poll() is None and strike(w, p, dice)
    hit = time.monotonic()
    reader.join(PATIENCE)
    if reader.is_alive():
        broken.append(f"still running {PATIENCE} s after the fault")
        p.kill()
        reader.join()
    answered = time.monotonic() - hit
    out, err = pipe
    verb.out = out
    restore_world(w)
    code = p.returncode
    if not struck and code:
        broken.append(f"failed by itself, exit {code}: {err[-300:]}")
    if code < 0 and not broken and not (fault == "interrupted" and code == -signal.SIGINT):
        broken.append(f"died by signal {-code}")
    if fault == "interrupted" and struck and answered > SOON:
        broken.append(f"needed {answered:.1f} s to stop")
    broken += promises(w, verb, fault, struck, code, err)
    word = ("too late" if not struck else "survived" if code == 0 else f"exit {code}") + \
        f" after {hit - begun:.2f} s, answered in {answered:.2f} s"
    return struck, word, [b + ("\n" + indent(err) if code else "") for b in broken]


def indent(text):
    return "".join(f"        {line}\n" for line in text.splitlines()[-12:])


def restore_world(w):
    for wire in w.wires:
        wire.mend()
    w.free_disk()
    w.everything_up()


def promises(w, verb, fault, struck, code, err):
    broken = []
    for side in ("source", "target"):
        if left := gone(10, lambda s=side: w.ours(getattr(w, s))):
            broken.append(f"connected to the {side} 10 s later: {left}")
    if code == 0:
        if why := verb.proof():
            broken.append(f"exit 0, but: {why}")
    else:
        if struck and (why := message_is_clear(fault, code, err)):
            broken.append(why)
        if w.has_moved():
            broken.append("a database has the real name although the verb failed")
        for name in w.temporary(w.target):
            if name not in err:
                broken.append(f"{name} is left behind and not named")
        left = [f for f in os.listdir(w.backups) if verb.name == "backup" and not f.startswith(".")]
        if left:
            broken.append(f"left in the backup directory: {left}")
    if w.hash() != w.source_hash:
        broken.append("THE SOURCE CHANGED")
    w.clean()
    try:
        verb.must()
        if why := verb.proof():
            broken.append(f"run again, and not equal: {why}")
    except (AssertionError, subprocess.TimeoutExpired) as e:
        broken.append(f"run again: {e}")
    w.clean()
    return broken


def campaign(w, args):
    failures, done = [], 0
    for verb_name in ("copy", "restore", "backup"):
        if args.verb and verb_name not in args.verb:
            continue
        verb = Verb(w, verb_name)
        verb.must(straight=False)
        w.clean()
        seconds = verb.must(straight=False)
        w.clean()
        print(f"{verb_name}: {seconds:.2f} s undisturbed", flush=True)
        for fault, (verbs, strike) in FAULTS.items():
            if verb_name not in verbs.split() or (args.only and fault not in args.only):
                continue
            for n in range(args.moments):
                dice = random.Random(f"{args.seed} {verb_name} {fault} {n}")
                # One moment in each N-th part of the time: chance, but not all of it at the start.
                fraction = (n + dice.random()) / args.moments * 0.97
                struck = False
                while not struck:       # the verb was faster this time: no fault, so earlier, once more
                    struck, word, broken = moment(w, verb, fault, strike, fraction, seconds, dice)
                    print(f"{'not ok' if broken else 'ok'} {verb_name} {fault} {n} at {fraction:.3f}: {word}", flush=True)
                    for b in broken:
                        print(f"    {b}", flush=True)
                    failures += [f"{verb_name} {fault} {n}: {b.splitlines()[0]}" for b in broken]
                    fraction *= 0.9
                done += 1
    print(f"{done} faults struck, {len(failures)} broken promises (seed {args.seed})")
    for f in failures:
        print(f"    {f}")
    return 1 if failures or not done else 0


def skip_unless_possible():
    for major in (13, 17):
        if os.geteuid() != 0 or not os.path.exists(os.path.join(kit.LAB, "roots", str(major), ".lab-stamp")):
            print("skipped: needs root and the lab's PostgreSQL 13 and 17 (./dev lab up)")
            sys.exit(77)
    if not os.environ.get("PGSHERPA_FAULTS_ALONE"):
        os.execvpe("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv],
                   {**os.environ, "PGSHERPA_FAULTS_ALONE": "1"})


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--moments", type=int, default=2)
    p.add_argument("--seed", default="2026")
    p.add_argument("--verb", action="append", choices=["copy", "restore", "backup"])
    p.add_argument("--only", action="append", choices=list(FAULTS))
    args = p.parse_args()
    skip_unless_possible()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    signal.signal(signal.SIGINT, signal.default_int_handler)    # a shell's `&` has it ignored, and so would the verb
    with World() as w:
        verb = Verb(w, "backup")
        verb.must()
        made = next(line for line in verb.out.splitlines() if line.endswith(".pgs.tar"))
        w.bundle = os.path.join(w.base, "faults.pgs.tar")
        shutil.move(made, w.bundle)
        return campaign(w, args)


if __name__ == "__main__":
    sys.exit(main())
