"""sql_files.py: every file of SQL in src/, as psql runs it by hand, on every major of the lab.

What is seen at a prompt is what pgsherpa asks: the same file, with the same \\if. A file that names
something a major does not have fails there; that a broken one is found is tried first.
"""
import glob
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
MAJORS = os.environ.get("PGSHERPA_LAB_MAJORS", "").split()
MACROS = os.path.join(ROOT, "src/sql/majors.psql")


def psql(major, paths):
    """None, or what it said of the first that is wrong: file, line, why."""
    with open(os.environ["PGSHERPA_LAB_PASSWORD_FILE"], encoding="ascii") as f:
        env = dict(os.environ, PGPASSWORD=f.readline().strip(), PGPORT=os.environ[f"PGSHERPA_LAB_{major}_PORT"],
                   PGHOST=os.environ["PGSHERPA_LAB_HOST"], PGUSER=os.environ["PGSHERPA_LAB_USER"], PGDATABASE="postgres")
    r = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *(a for p in [MACROS, *paths] for a in ("-f", p))], env=env, text=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    return None if r.returncode == 0 else r.stderr.strip()


def planted():
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as f:
        f.write("select 1\n\\if :since_18\n, conenforced\n\\endif\nfrom pg_constraint where conparentid = 0\n"
                "\\if :since_14\n\\else\nand there_is_no_such_column\n\\endif\n;\n")
        f.flush()
        for major in MAJORS:
            found = psql(major, [f.name])
            assert bool(found) == (int(major) < 14), f"{major}: {found}"


def main():
    if not MAJORS:
        print("skipped: no servers (./dev lab up)")
        sys.exit(77)
    planted()
    files = sorted(glob.glob(os.path.join(ROOT, "src/**/*.sql"), recursive=True))
    wrong = [f"{major}: {why}" for major in MAJORS if (why := psql(major, files))]
    print(f"{len(files)} files on {len(MAJORS)} majors")
    assert len(files) > 30, files
    assert not wrong, "\n".join(wrong)


main()
