/* words.c: the way back for people who do not have pgsherpa: tar, zstd and psql. */
#include "bundle/internal.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/text.h"

/* Of \restrict: what was dumped before it was made cannot know it. */
#define KEY_BYTES 12
#define KEY_HEX   (2 * KEY_BYTES + 1)

/* For a POSIX shell: '...' with every quote spelled '\''. */
static void shell_quote(Buf *b, const char *text)
{
        buf_addc(b, '\'');
        for (const char *c = text; *c; c++) {
                if (*c == '\'')
                        buf_adds(b, "'\\''");
                else
                        buf_addc(b, *c);
        }
        buf_addc(b, '\'');
}

static void sql_quote(Buf *b, const char *name)
{
        buf_addc(b, '"');
        for (const char *c = name; *c; c++) {
                if (*c == '"')
                        buf_addc(b, '"');
                buf_addc(b, *c);
        }
        buf_addc(b, '"');
}

static char *done(Buf *b)
{
        char *text = buf_take(b, NULL);
        return text ? text : xstrdup("");
}

/* What was chosen of a database, as it was asked for. */
static void only_words(Buf *b, const json_t *db)
{
        const json_t *only = jx_get(db, "only");
        static const char *const kinds[][2] = { { "schemas", "schema" }, { "tables", "table" } };
        size_t i;
        json_t *j;
        if (!only)
                return;
        buf_adds(b, "   Of this database the bundle has a part only:\n");
        for (size_t k = 0; k < LEN(kinds); k++)
                json_array_foreach(jx_get(only, kinds[k][0]), i, j) {
                        AUTO_FREE char *name =
                                text_clean_str(json_string_value(j) ? json_string_value(j) : "");
                        buf_printf(b, "   - %s %s\n", kinds[k][1], name);
                }
        buf_addc(b, '\n');
}

char *bundle_readme(const json_t *manifest)
{
        AUTO_BUF b = buf_init(LIMIT_MANIFEST);
        char key[KEY_HEX];
        random_hex(KEY_BYTES, key);
        const json_t *server = jx_get(manifest, "server");
        size_t i;
        json_t *db;
        buf_printf(&b,
                   "A backup of PostgreSQL %s, written by pgsherpa %s on %s.\n"
                   "You do not need pgsherpa to use it: tar, zstd and psql are enough.\n\n"
                   "1. Unpack it into an empty directory, and go there:\n\n"
                   "     mkdir restore && tar -xf THIS_FILE.pgs.tar -C restore && cd restore\n\n"
                   "2. Is it whole? Each frame has a checksum; nothing may be printed:\n\n"
                   "     find . -name '*.zst' -exec zstd -tq {} +\n\n",
                   jx_str(server, "version", "?"), jx_str(manifest, "tool", "?"),
                   jx_str(manifest, "created", "?"));
        buf_adds(&b, "3. Roles and their passwords (globals.sql.zst, when it is there). \"already "
                     "exists\"\n"
                     "   is harmless:\n\n");
        buf_printf(&b, "     KEY=%s\n", key);
        buf_adds(&b,
                 "     { printf '\\\\restrict %s\\n' $KEY; zstd -dc globals.sql.zst; printf "
                 "'\\\\unrestrict %s\\n' $KEY; } |\n"
                 "             psql -X -d postgres\n\n"
                 "   (\\restrict keeps psql from commands to itself that a hostile server may have "
                 "hidden in what\n"
                 "   it told pg_dump, CVE-2025-8714. A psql from before August 2025 calls it "
                 "invalid and goes on\n"
                 "   without: take a newer one if you do not trust the server this came from.)\n\n"
                 "4. Each database: make it empty, then fill it. The commands are in "
                 "<db>/restore.sh,\n"
                 "   one a line, to be read, run whole (as here) or typed by hand:\n\n");
        json_array_foreach(jx_get(manifest, "databases"), i, db) {
                only_words(&b, db);
                buf_adds(&b, "     psql -X -d postgres -c ");
                shell_quote(&b, jx_str(db, "create", ""));
                buf_printf(&b, "\n     sh %s/restore.sh ", jx_str(db, "dir", ""));
                shell_quote(&b, jx_str(db, "name", ""));
                buf_adds(&b, "\n\n");
        }
        buf_adds(&b,
                 "   psql connects as usual: set PGHOST, PGPORT and PGUSER (a superuser) before.\n"
                 "\n"
                 "One table alone: its line in <db>/restore.sh. Its directory below <db>/data/ "
                 "holds one COPY\n"
                 "stream in parts, text (.copy.zst) or binary (.bin.zst, readable by any "
                 "PostgreSQL):\n\n"
                 "     cat DB/data/SCHEMA.TABLE/*.copy.zst | zstd -dc |\n"
                 "             psql -X -d DB -c 'COPY SCHEMA.TABLE FROM STDIN'\n"
                 "     cat DB/data/SCHEMA.TABLE/*.bin.zst | zstd -dc |\n"
                 "             PGCLIENTENCODING=UTF8 psql -X -d DB -c 'COPY SCHEMA.TABLE FROM "
                 "STDIN BINARY'\n\n"
                 "<db>/<db>.dump, when it is there, is what pg_dump -Fc of the old server itself "
                 "wrote:\n\n"
                 "     cat DB/DB.dump* | pg_restore -d EMPTY_DATABASE\n\n"
                 "manifest.json names every member with its size and SHA-256, as stored and as "
                 "content.\n");
        return done(&b);
}

static void copy_line(Buf *b, const json_t *t)
{
        AUTO_BUF sql = buf_init(LIMIT_SQL);
        buf_adds(&sql, "COPY ");
        const json_t *root = jx_get(t, "via_root");
        sql_quote(&sql, jx_str(root ? root : t, "schema", ""));
        buf_addc(&sql, '.');
        sql_quote(&sql, jx_str(root ? root : t, "name", ""));
        const json_t *columns = jx_get(t, "columns");
        size_t i;
        json_t *c;
        json_array_foreach(columns, i, c) {
                buf_adds(&sql, i == 0 ? " (" : ", ");
                sql_quote(&sql, json_string_value(c));
        }
        if (json_array_size(columns) > 0)
                buf_addc(&sql, ')');
        bool binary = str_eq(jx_str(t, "format", "text"), "binary");
        if (binary)
                buf_adds(&sql, " FROM STDIN (FORMAT binary)");
        else
                buf_printf(&sql, " FROM STDIN (ENCODING '%s')", jx_str(t, "encoding", "UTF8"));
        buf_printf(b, "cat %s*.%s.zst | zstd -dc | run -c ", strchr(jx_str(t, "dir", ""), '/') + 1,
                   binary ? "bin" : "copy");
        shell_quote(b, buf_str(&sql));
        buf_addc(b, '\n');
}

char *bundle_restore_script(const json_t *db)
{
        AUTO_BUF b = buf_init(LIMIT_SQL);
        char key[KEY_HEX];
        random_hex(KEY_BYTES, key);
        buf_adds(&b,
                 "#!/bin/sh\n"
                 "# usage: sh restore.sh DATABASE      (an empty one; see ../README.txt)\n"
                 "set -eu\n"
                 "PGDATABASE=${1:?name of an empty database}\n"
                 "PGCLIENTENCODING=UTF8\n"
                 "PGOPTIONS='-c search_path= -c statement_timeout=0 -c row_security=off -c "
                 "client_min_messages=warning -c xmloption=content -c DateStyle=ISO -c "
                 "IntervalStyle=postgres -c lc_monetary=C'\n"
                 "export PGDATABASE PGCLIENTENCODING PGOPTIONS\n"
                 "cd \"$(dirname \"$0\")\"\n"
                 "run() { psql -X -q -v ON_ERROR_STOP=1 \"$@\" >/dev/null; }\n"
                 "# No line of the SQL may be a command to psql itself (CVE-2025-8714): psql since "
                 "August 2025.\n");
        buf_printf(&b,
                   "KEY=%s\n"
                   "guard=true\n"
                   "run -c \"\\\\restrict $KEY\" -c \"\\\\unrestrict $KEY\" 2>/dev/null || {\n"
                   "        guard=false\n"
                   "        echo 'this psql cannot be kept from commands hidden in SQL: read it, "
                   "or take a newer one' >&2\n"
                   "}\n",
                   key);
        buf_adds(&b,
                 "sql() {\n"
                 "        { ! $guard || printf '\\\\restrict %s\\n' $KEY\n"
                 "          cat\n"
                 "          ! $guard || printf '\\\\unrestrict %s\\n' $KEY\n"
                 "        } | run\n"
                 "}\n"
                 "# A damaged file must not become half a table: look before anything is loaded.\n"
                 "find . -name '*.zst' -exec zstd -tq {} +\n\n"
                 "zstd -dc pre-data.sql.zst | sql\n");
        size_t i;
        json_t *t;
        json_array_foreach(jx_get(db, "tables"), i, t)
                if (jx_int(t, "parts", 0) > 0)
                        copy_line(&b, t);
        if (jx_int(jx_get(db, "large_objects"), "count", 0) > 0)
                buf_printf(&b,
                           "cat large-objects/*.sql.zst | zstd -dc | run\n"
                           "{ echo 'create temp table pgsherpa_lo (loid oid, pageno int, data "
                           "bytea);'\n"
                           "  echo 'copy pgsherpa_lo from stdin;'\n"
                           "  for f in large-objects/*.copy.zst; do [ ! -e \"$f\" ] || zstd -dc "
                           "\"$f\"; done\n"
                           "  echo '\\.'\n"
                           "  echo \"select count(lo_put(loid, pageno::bigint *"
                           " %lld, data)) from pgsherpa_lo;\"\n"
                           "} | run\n",
                           (long long)jx_int(jx_get(db, "large_objects"), "block_size", 8192) / 4);
        buf_adds(&b, "zstd -dc sequences.sql.zst | sql\n"
                     "zstd -dc post-data.sql.zst | sql\n"
                     "zstd -dc database.sql.zst | sql\n"
                     "run -c 'analyze'\n");
        return done(&b);
}
