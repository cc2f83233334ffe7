"""control.py: an operator made of code: talks to a run's control socket and answers its gates.

    with Operator(run_dir, policy) as op:
        op.follow(until=lambda ev: ev["ev"] == "run.close")

`policy(gate)` gets a gate.open event and returns {"answer": .., "text": ..}, or None to leave it
open. What happened is in op.events, read from the journal like every other viewer does.
"""
import json
import os
import select
import socket
import struct
import time


class Gone(Exception):
    """The engine is not there (any more)."""


def yes_to_all(gate):
    """What a determined operator answers; typed gates get exactly what they ask for."""
    kind = gate["kind"]
    if kind == "word" or gate.get("text"):
        return {"answer": "y", "text": gate["text"]}
    if kind == "decision":
        keys = [c["key"] for c in gate.get("choices") or []]
        free = keys == ["y"]
        return {"answer": "y", "text": "answered by a test"} if free else {"answer": keys[0]}
    if kind in ("error", "unknown", "after", "secret"):
        return None
    return {"answer": "y"}


class Operator:
    def __init__(self, run_dir, policy=yes_to_all, timeout=600):
        self.dir, self.policy, self.timeout = run_dir, policy, timeout
        self.events, self.offset, self.rest = [], 0, b""
        self.sock, self.answered, self.inbox = None, set(), b""

    def __enter__(self):
        self.connect()
        return self

    def __exit__(self, *exc):
        if self.sock:
            self.sock.close()
        return False

    def connect(self):
        end = time.monotonic() + 10
        here = os.open(self.dir, os.O_RDONLY | os.O_DIRECTORY)
        try:
            while True:
                s = socket.socket(socket.AF_UNIX)
                try:
                    s.connect(f"/proc/self/fd/{here}/control.sock")
                    break
                except OSError as e:
                    s.close()
                    if time.monotonic() > end:
                        raise Gone(f"no engine on {self.dir}: {e}") from e
                    time.sleep(0.02)
        finally:
            os.close(here)
        self.sock = s
        self.command(cmd="hello", by="test", tty="test", watch=False)

    def command(self, **message):
        """One command and its answer; notifications in between are dropped."""
        data = json.dumps(message).encode()
        try:
            self.sock.sendall(struct.pack(">I", len(data)) + data)
            while True:
                reply = json.loads(self._exactly(struct.unpack(">I", self._exactly(4))[0]))
                if "ok" in reply:
                    return reply
        except OSError as e:
            raise Gone(str(e)) from e

    def _exactly(self, n):
        while len(self.inbox) < n:
            part = self.sock.recv(65536)
            if not part:
                raise Gone("the engine closed the connection")
            self.inbox += part
        out, self.inbox = self.inbox[:n], self.inbox[n:]
        return out

    def engine_is_there(self):
        """Drops what the engine told meanwhile (the journal says the same); False when it left."""
        try:
            while select.select([self.sock], [], [], 0)[0]:
                part = self.sock.recv(65536)
                if not part:
                    return False
                self.inbox += part
        except OSError:
            return False
        while len(self.inbox) >= 4:
            size = 4 + struct.unpack(">I", self.inbox[:4])[0]
            if len(self.inbox) < size:
                break
            self.inbox = self.inbox[size:]
        return True

    def read(self):
        """New events of the journal since the last call."""
        path = os.path.join(self.dir, "journal.jsonl")
        try:
            with open(path, "rb") as f:
                f.seek(self.offset)
                data = f.read()
        except FileNotFoundError:
            return []
        self.offset += len(data)
        lines = (self.rest + data).split(b"\n")
        self.rest = lines.pop()
        new = [json.loads(line) for line in lines if line]
        self.events += new
        return new

    def open_gate(self):
        gates = {}
        for e in self.events:
            if e["ev"] == "gate.open":
                gates[e["gate"]] = e
            elif e["ev"] == "gate.answer":
                gates.pop(e["gate"], None)
            elif e["ev"] == "run.resume":
                gates.clear()
        return list(gates.values())[-1] if gates else None

    def is_open_still(self, gate, timeout=20):
        """A gate of the time before a crash is seen as open until run.resume is read."""
        end = time.monotonic() + timeout
        while self.open_gate() == gate and time.monotonic() < end:
            time.sleep(0.1)
            self.read()
        return self.open_gate() == gate

    def answer(self, gate, answer, text=None):
        if gate["kind"] == "manual":
            for i, _ in enumerate(gate.get("lines") or []):
                r = self.command(cmd="tick", step=gate.get("step"), item=i, ticked=True)
                if not r["ok"]:
                    return r
        message = {"cmd": "answer", "gate": gate["gate"], "seq": gate["seq"], "answer": answer}
        if text is not None:
            message["text"] = text
        return self.command(**message)

    def status(self):
        return self.command(cmd="status")

    def wait(self, until):
        """The first event `until` is true of; answers nothing."""
        end = time.monotonic() + self.timeout
        seen = 0
        while time.monotonic() < end:
            self.read()
            while seen < len(self.events):
                seen += 1
                if until(self.events[seen - 1]):
                    return self.events[seen - 1]
            time.sleep(0.02)
        raise AssertionError(f"nothing within {self.timeout} s; last: {self.events[-3:]}")

    def follow(self, until):
        """Answers gates by policy until `until(event)` is true; returns that event. As long as something
        happens a busy machine may take its time: the test's own limit ends a run that goes in circles."""
        end = time.monotonic() + self.timeout
        seen = 0
        while time.monotonic() < end:
            there = self.engine_is_there()      # before reading: its last words shall be heard
            self.read()
            while seen < len(self.events):
                end = time.monotonic() + self.timeout
                seen += 1
                if until(self.events[seen - 1]):
                    return self.events[seen - 1]
            if not there:
                raise Gone(f"the engine left; last: {self.events[-1:]}")
            gate = self.open_gate()
            if gate and gate["seq"] not in self.answered:
                self.answered.add(gate["seq"])
                reply = self.policy(gate)
                if reply:
                    r = self.answer(gate, **reply)
                    if not r["ok"] and self.is_open_still(gate):
                        raise AssertionError(f"gate {gate['title']!r} refused {reply}: {r}")
                elif gate["kind"] in ("error", "unknown"):
                    raise AssertionError(f"the run asks: {gate['title']}: {gate.get('lines')}")
            time.sleep(0.02)
        raise AssertionError(f"nothing within {self.timeout} s; last: {self.events[-3:]}")
