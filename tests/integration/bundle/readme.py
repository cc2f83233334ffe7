"""readme.py: the README inside a bundle, followed to the letter by somebody who has only sh, tar,
zstd, psql and what every Unix has; on a server of its own, because it makes roles."""
import os
import re
import subprocess
import tempfile

from kit import HOST, PASSWORD_FILE, ROOT, SOURCE, USER, backup, compare, need, password, run, source

TOOLS = ("sh", "tar", "zstd", "cat", "find", "mkdir", "dirname")
CLUSTER = os.path.join(ROOT, "lab/cluster.sh")


def psql_program():
    """The newest real one: /usr/bin/psql of Debian is a Perl script that looks for others."""
    for major in range(18, 11, -1):
        path = f"/usr/lib/postgresql/{major}/bin/psql"
        if os.path.exists(path):
            return path
    raise AssertionError("no psql on this host")


def bare_path(where):
    os.mkdir(where)
    for tool in TOOLS:
        found = next(p for p in (f"/usr/bin/{tool}", f"/bin/{tool}") if os.path.exists(p))
        os.symlink(found, os.path.join(where, tool))
    os.symlink(psql_program(), os.path.join(where, "psql"))
    return where


def commands(readme, path):
    """Indented lines of the numbered steps; what follows the steps is for other days."""
    steps = readme[readme.index("\n1. "):readme.index("\nOne table alone")]
    found = re.findall(r"^ {5,}(\S.*)$", steps, re.M)
    assert len(found) >= 5, found
    return [c.replace("THIS_FILE.pgs.tar", path) for c in found]


def follow(path, port, tmp):
    readme = subprocess.run(["tar", "-xOf", path, "README.txt"], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    script = "\n".join(commands(readme, path))
    env = {"PATH": bare_path(os.path.join(tmp, "bin")), "HOME": tmp, "PGHOST": HOST, "PGPORT": port,
           "PGUSER": USER, "PGPASSWORD": password(), "LANG": "C.UTF-8"}
    work = os.path.join(tmp, "work")
    os.mkdir(work)
    r = subprocess.run(["/bin/sh", "-c", script], cwd=work, env=env, text=True, check=False,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    harmless = [line for line in r.stdout.splitlines() if "ERROR" in line and "already exists" not in line]
    assert r.returncode == 0 and not harmless, f"{script}\n{r.stdout}"
    return work, env


def one_table(work, env, port):
    """The line of restore.sh for one table, alone, into an emptied one."""
    subprocess.run(["psql", "-X", "-q", "-d", SOURCE, "-c", "truncate audit.wide"], env=env, check=True)
    db = next(d for d in os.listdir(f"{work}/restore") if d.startswith("bundle"))
    with open(f"{work}/restore/{db}/restore.sh", encoding="utf-8") as f:
        line = next(x for x in f if "wide" in x and x.startswith("cat "))
    script = 'run() { psql -X -q -v ON_ERROR_STOP=1 "$@"; }\nexport PGCLIENTENCODING=UTF8\n' + line
    subprocess.run(["/bin/sh", "-c", script], cwd=f"{work}/restore/{db}", check=True,
                   env=dict(env, PGDATABASE=SOURCE))


def hidden_command(work, env):
    """What a hostile server hid for psql is not carried out: a second frame is as good as a first."""
    db = next(d for d in os.listdir(f"{work}/restore") if d.startswith("bundle"))
    with open(f"{work}/restore/{db}/pre-data.sql.zst", "ab") as f:
        f.write(subprocess.run(["zstd", "-c"], input=b"\n\\! touch hacked\n", check=True, stdout=subprocess.PIPE).stdout)
    subprocess.run(["psql", "-X", "-q", "-d", "postgres", "-c", "create database hidden template template0"],
                   env=env, check=True)
    r = subprocess.run(["/bin/sh", f"{db}/restore.sh", "hidden"], cwd=f"{work}/restore", env=env, text=True, check=False,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert r.returncode != 0 and "restricted" in r.stdout, (r.returncode, r.stdout)
    assert not os.path.exists(f"{work}/restore/{db}/hacked")
    subprocess.run(["psql", "-X", "-q", "-d", "postgres", "-c", "drop database hidden"], env=env, check=True)


def nothing_to_back_up(port, root):
    """--all where every database is a template: refused, in words."""
    env = {**os.environ, "PGHOST": HOST, "PGPORT": port, "PGUSER": USER, "PGPASSWORD": password()}
    subprocess.run([psql_program(), "-X", "-q", "-d", "postgres", "-c", "update pg_database set datistemplate = true"],
                   env=env, check=True)
    _, err = run("backup", "create", "--from", f"host={HOST},port={port},user={USER}", "--from-password-file",
                 PASSWORD_FILE, "--all", "--root", root, code=3)
    assert "no database that accepts connections" in err, err


need(13, 17)
with tempfile.TemporaryDirectory(prefix=f"pgsherpa-test-{os.getpid()}-") as there:
    server = f"{there}/server"
    os.chmod(there, 0o755)
    to = subprocess.run([CLUSTER, "start", "17", server, "auto", "--user", USER, "--password-file",
                         PASSWORD_FILE], check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
    try:
        for major in (17, 13):
            with source(major) as root, tempfile.TemporaryDirectory(prefix=f"pgsherpa-test-{os.getpid()}-") as tmp:
                at_work, environment = follow(backup(root, "--dump", major=major), to, tmp)
                compare(major, SOURCE, to, SOURCE)
                one_table(at_work, environment, to)
                compare(major, SOURCE, to, SOURCE)
                hidden_command(at_work, environment)
                subprocess.run(["psql", "-X", "-q", "-d", "postgres", "-c",
                                f'drop database "{SOURCE}"'], env=environment, check=True)
                print(f"a bundle of {major}, restored by its README with {', '.join(TOOLS)} and psql: equal")
            with source(major) as root, tempfile.TemporaryDirectory(prefix=f"pgsherpa-test-{os.getpid()}-") as tmp:
                _, environment = follow(backup(root, "--table", "app.orders", "--table", "app.log_1", major=major), to,
                                        tmp)
                n = subprocess.run(["psql", "-XAtq", "-d", SOURCE, "-c", "select (select count(*) from app.orders), "
                                    "(select count(*) from app.log_1) > 0"], env=environment, check=True, text=True,
                                   stdout=subprocess.PIPE).stdout
                assert n.strip() == "20000|t", n
                subprocess.run(["psql", "-X", "-q", "-d", "postgres", "-c",
                                f'drop database "{SOURCE}"'], env=environment, check=True)
                print(f"a bundle of two tables of {major}, restored by its README")
        nothing_to_back_up(to, there)
    finally:
        subprocess.run([CLUSTER, "destroy", server], check=True, stdout=subprocess.DEVNULL)
