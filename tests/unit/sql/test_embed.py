"""test_embed.py EMBED: files of SQL that are wrong are told with their line, and nothing is written."""
import os
import subprocess
import sys
import tempfile

WRONG = {
    "select 1;\nselect 2;\n": "2: more than one statement",
    "select 1\n": "1: a statement ends with ;",
    "select 1\n\\if :since_14\n, 2;\n": "3: \\if without its \\endif",
    "select 1;\n\\endif\n": "2: \\endif without its \\if",
    "\\else\nselect 1;\n": "1: \\else without its \\if",
    "select 1\n\\if :since_14\n\\else\n\\else\n\\endif\n;\n": "4: \\else without its \\if",
    "\\if :server_version > 14\nselect 1;\n\\endif\n": "1: only \\if :since_MAJOR is known",
    "\\set x 1\nselect :x;\n": "1: a command of psql's that is not known here",
}


def embed(text):
    with tempfile.TemporaryDirectory() as d:
        path, out = os.path.join(d, "a_b.sql"), os.path.join(d, "out.c")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        r = subprocess.run([sys.executable, sys.argv[1], "list", out, path], text=True, stderr=subprocess.PIPE, check=False)
        return r.stderr.replace(path + ":", "").strip(), open(out, encoding="utf-8").read() if os.path.exists(out) else None


for text, why in WRONG.items():
    said, out = embed(text)
    assert said == why and out is None, (text, said, out)
said, out = embed("-- a\nselect '\"' -- stays\n\\if :since_14\n  , 2\n\\if :since_16\n, 3\n\\else\n, 4\n\\endif\n\\endif\n;\n")
assert not said, said
for part in ('{ "a b", parts_0 }', '{ 0, 0,\n          "select \'\\"\' -- stays\\n" }', '{ 14, 0,\n          "  , 2\\n" }',
             '{ 16, 0,\n          ", 3\\n" }', '{ 14, 16,\n          ", 4\\n" }'):
    assert part in out, (part, out)
