"""What a server's configuration would do to the new one is seen while the old one still runs.

A compose file with a mounted configuration; each planted trouble ends the run before its downtime, by
name, and the old server has answered all the time. With all lists empty, a person is asked first.
"""
import os
import subprocess

import journey
from journey import closed
from lab import Project, need_docker, need_majors, sh

FROM, TO = 15, 17


def mount(p, text, *, library=False):
    """The service reads /etc/x/postgresql.conf from now on."""
    conf = os.path.join(p.dir, "conf")
    os.makedirs(conf, exist_ok=True)
    with open(os.path.join(conf, "postgresql.conf"), "w", encoding="utf-8") as f:
        f.write("listen_addresses = '*'\nfsync = off\n" + text)
    if library:
        so = sh("docker", "run", "--rm", "--entrypoint", "sh", f"postgres:{FROM}", "-c",
                'echo "$(pg_config --pkglibdir 2>/dev/null || dirname $(find / -name auto_explain.so | head -1))'
                '/auto_explain.so"').strip()
        data = subprocess.run(["docker", "run", "--rm", "--entrypoint", "cat", f"postgres:{FROM}", so], check=True,
                              stdout=subprocess.PIPE).stdout
        with open(os.path.join(conf, "old.so"), "wb") as f:
            f.write(data)
    path = os.path.join(p.dir, "compose.yaml")
    with open(path, encoding="utf-8") as f:
        file = f.read()
    if "/etc/x" not in file:
        data_line = next(x for x in file.splitlines() if ":/var/lib/postgresql" in x)
        file = file.replace(data_line, data_line + "\n" + data_line[:data_line.index("-")] + "- ./conf:/etc/x:ro")
        indent = " " * (len(file.split("\n  db:\n", 1)[1]) - len(file.split("\n  db:\n", 1)[1].lstrip()))
        file = file.replace("\n  db:\n", f"\n  db:\n{indent}command: [postgres, -c, config_file=/etc/x/postgresql.conf]\n", 1)
        with open(path, "w", encoding="utf-8") as f:
            f.write(file)
    p.compose("up", "-d", "--wait", "--force-recreate", "db")


def share_the_socket(p):
    """As people do whose applications talk to the socket; the server writes into that mount."""
    path = os.path.join(p.dir, "compose.yaml")
    with open(path, encoding="utf-8") as f:
        file = f.read()
    line = next(x for x in file.splitlines() if ":/etc/x:ro" in x)
    os.makedirs(os.path.join(p.dir, "socket"), exist_ok=True)
    os.chmod(os.path.join(p.dir, "socket"), 0o1777)
    with open(path, "w", encoding="utf-8") as f:
        f.write(file.replace(line, line + "\n" + line[:line.index("-")] + "- ./socket:/var/run/postgresql"))
    p.compose("up", "-d", "--wait", "--force-recreate", "db")


def until_failure(p, **more):
    """Runs by yes until a step fails; the events, and the failed step."""
    run = journey.start(p, TO, stop_order="", start_order="[]", volume=f"{p.name}_{len(p.runs())}", **more)

    def policy(gate):
        return {"answer": "a"} if gate["kind"] in ("error", "ask") else journey.yes_to_all(gate)

    _, op = journey.carry(run, policy)
    failed = [e for e in op.events if e["ev"] in ("step.failed", "check") and
              (e["ev"] == "step.failed" or e["verdict"] == "fail")]
    assert failed, "nothing failed"
    assert not [e for e in op.events if e["ev"] == "downtime.begin"], "found out in the downtime"
    assert p.sql("select 1") == "1", "the old server does not answer"
    assert not sh("docker", "ps", "-aq", "--filter", f"name={os.path.basename(run)}-.*-try").strip()
    with open(os.path.join(run, "output", failed[-1]["step"] + ".log"), encoding="utf-8") as f:
        return failed[-1]["step"], f.read()


def a_removed_setting(p):
    mount(p, "old_snapshot_threshold = 10min\n")
    step, log = until_failure(p)
    assert step == "server", step
    assert "/etc/x/postgresql.conf:3" in log and "old_snapshot_threshold = 10min" in log, log
    print("a removed setting is named with its file and line", flush=True)


def a_library_of_the_old_major(p):
    mount(p, "shared_preload_libraries = '/etc/x/old.so'\n", library=True)
    step, log = until_failure(p)
    assert step == "try", f"{step}: {log}"
    assert "old.so" in log, log
    print("the new image was started with the mounted files, and said why it does not", flush=True)


def a_database_left_out(p):
    """Left out only by a typed word, which names it; its size stands beside it. On the way, a socket's
    directory in a volume that the server writes to keeps nobody from going on."""
    mount(p, "")
    share_the_socket(p)
    p.sql('create database "sonarr-log"', db="postgres")
    run = journey.start(p, TO, databases="makapix", stop_order="", start_order="[]", volume=f"{p.name}_left")
    with journey.Operator(run, lambda g: None if g.get("step") == "begin" else journey.yes_to_all(g), 240) as op:
        gate = op.follow(lambda e: closed(e) or e["ev"] == "gate.open" and e.get("step") == "left_out")
        assert gate["kind"] == "word" and gate["text"] == "leave out sonarr-log", gate
        assert "sonarr-log (" in str(gate["lines"]) and "MB)" in str(gate["lines"]), gate["lines"]
        assert not op.answer(gate, "y", "yes")["ok"], "another word was taken"
        assert op.answer(gate, "y", gate["text"])["ok"]
        gate = op.follow(lambda e: closed(e) or e["ev"] == "gate.open" and e.get("step") == "begin")
        assert gate["kind"] == "yes", gate
        assert [e for e in op.events if e["ev"] == "step.done" and e["step"] == "try"], "the image was not tried"
        done = [e["step"] for e in op.events if e["ev"] == "step.done"]
        assert not [s for s in done if s.startswith(("stop_", "fence"))], done
        assert op.command(cmd="rollback", to="")["ok"]
        assert op.follow(closed)["status"] == "undone"
    print("what is left out is typed, and with empty lists somebody is asked first", flush=True)


def main():
    need_docker()
    need_majors(FROM, TO)
    with Project(FROM, "--up=db") as p:
        a_removed_setting(p)
        a_library_of_the_old_major(p)
        a_database_left_out(p)


main()
