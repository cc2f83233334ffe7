#include <criterion/criterion.h>

#include "base/buf.h"
#include "dumps/sqlmeaning.h"
#include "dumps/sqlread.h"

/* A file, given in pieces of any size: where a piece ends must not matter. */
typedef struct Pieces {
        const char *p, *end;
        size_t size;
} Pieces;

static bool more(void *arg, void *bytes, size_t n, size_t *ret_n, Err *err)
{
        Pieces *f = arg;
        *ret_n = MIN(MIN(n, f->size), (size_t)(f->end - f->p));
        memcpy(bytes, f->p, *ret_n);
        f->p += *ret_n;
        return true;
}

static bool keep(void *arg, const void *bytes, size_t n, Err *err)
{
        return buf_add(arg, bytes, n);
}

/* Everything that was read, one item a line: "3 S text", C a psql line, N a note, R rows. */
static char *story(const char *text, size_t len, Err *err)
{
        Pieces f = { text, text + len, 1 << 20 };
        AUTO_BUF out = buf_init(1 << 24);
        AUTO_SQLREAD r = sqlread_new(more, &f);
        SqlReadItem i = { 0 };
        while (sqlread_next(r, &i, err)) {
                if (i.kind == SQLREAD_END)
                        return buf_take(&out, NULL);
                buf_printf(&out, "%lld %c %s%s%s\n", (long long)i.line, "SCN"[i.kind], i.text,
                           i.object ? " <" : "", i.object ? i.object : "");
                AUTO_SQLMEANING m = { 0 };
                if (i.kind == SQLREAD_STATEMENT)
                        sqlmeaning_of(&i, &m);
                AUTO_BUF rows = buf_init(1 << 24);
                int64_t n = 0;
                if (m.reach == SQL_COPY_IN && !sqlread_rows(r, keep, &rows, &n, err))
                        return NULL;
                if (m.reach == SQL_COPY_IN)
                        buf_printf(&out, "%lld R %s", (long long)n, buf_str(&rows));
        }
        return NULL;
}

static void tells(const char *text, const char *expected)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *s = story(text, strlen(text), &err);
        cr_assert_str_eq(s ? s : err.message, expected);
}

static void stops(const char *text, const char *words)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *s = story(text, strlen(text), &err);
        cr_assert_null(s, "%s: read as: %s", text, s);
        cr_assert(strstr(err.message, words), "`%s` is not in: %s", words, err.message);
}

Test(sqlread, cuts_where_psql_cuts)
{
        tells("select 1; select 2\n;", "1 S select 1;\n1 S select 2\n;\n");
        tells("a 'x;''y' \"q;\"\"\" /* ; /* ; */ ; */ -- ;\n;b;",
              "1 S a 'x;''y' \"q;\"\"\" /* ; /* ; */ ; */ -- ;\n;\n2 S b;\n");
        tells("a $$;$x$;$$ $x$;$$;$x$ $1;b;", "1 S a $$;$x$;$$ $x$;$$;$x$ $1;\n1 S b;\n");
        tells("a E'\\';' ;b 'x\\';", "1 S a E'\\';' ;\n1 S b 'x\\';\n");
        tells("create rule r as on insert to v do (a; b);c;",
              "1 S create rule r as on insert to v do (a; b);\n1 S c;\n");
        tells("create or replace function f() begin atomic select case when 1 then 2 end; x; end; "
              "begin; end;",
              "1 S create or replace function f() begin atomic select case when 1 then 2 end; x; "
              "end;\n"
              "1 S begin;\n1 S end;\n");
}

Test(sqlread, strings_are_read_as_the_file_sets_them)
{
        tells("SET standard_conforming_strings = off;\na 'x\\';' ;\n\\connect b\na 'x\\';",
              "1 S SET standard_conforming_strings = off;\n2 S a 'x\\';' ;\n3 C \\connect b\n4 S a "
              "'x\\';\n");
}

Test(sqlread, rows_end_at_the_mark_and_nowhere_else)
{
        tells("COPY t FROM stdin;\n1\\.\n\\\\.\n\\.x\n\\.\nselect 1;",
              "1 S COPY t FROM stdin;\n3 R 1\\.\n\\\\.\n\\.x\n6 S select 1;\n");
        tells("COPY t FROM stdin;\r\n1\r\n\\.\r\nb;", "1 S COPY t FROM stdin;\n1 R 1\r\n4 S b;\n");
        tells("COPY t FROM stdin;\n\\.", "1 S COPY t FROM stdin;\n0 R ");
        stops("COPY t FROM stdin;\n1\n2\n",
              "ends at line 4, within the rows of a COPY, which begin at line 2");
        stops("COPY t FROM stdin; select 1;\n1\n\\.\n", "something follows COPY's semicolon");
}

Test(sqlread, objects_are_called_what_pg_dump_calls_them)
{
        tells("--\n-- Name: t; Type: TABLE; Schema: public; Owner: o\n--\n\na;\n"
              "-- Data for Name: a; Type: X; Type: TABLE DATA; Schema: s; Owner: o\nb;\n"
              "-- Name: x; Type: SCHEMA; Schema: -; Owner: -\nc;",
              "5 S a; <TABLE public.t\n7 S b; <TABLE DATA s.a; Type: X\n9 S c; <SCHEMA x\n");
}

Test(sqlread, what_is_no_sql_is_an_error_with_its_line)
{
        stops("a;\nb \\! id\n;", "line 2: a psql command in the middle");
        stops("a;\nb", "in the middle of a statement, which begins at line 2");
        stops("a;\n\nb 'x", "in the middle of a string or comment, which begins at line 3");
        stops("a $x$ $y$;", "in the middle of a string");
        AUTO_ERR err = { 0 };
        AUTO_FREE char *s = story("a\0b;", 4, &err);
        cr_assert(!s && strstr(err.message, "a zero byte"), "%s", err.message);
}

/* Pieces of 1, 2, 3 .. bytes and a window that has to move: the same story. */
Test(sqlread, where_a_piece_ends_does_not_matter)
{
        AUTO_BUF text = buf_init(1 << 24);
        AUTO_ERR err = { 0 };
        for (int i = 0; i < 3000; i++)
                buf_printf(&text,
                           "-- Name: t%d; Type: TABLE; Schema: p; Owner: o\n"
                           "insert into t values ('%0300d'';', $a$\n;$a$);\n"
                           "COPY t FROM stdin;\n%d\\.\n\\\\.\n\\.\n",
                           i, i, i);
        AUTO_FREE char *whole = story(text.data, text.len, &err);
        cr_assert_not_null(whole);
        for (size_t size = 1; size < 9; size++) {
                Pieces f = { text.data, text.data + text.len, size };
                AUTO_SQLREAD r = sqlread_new(more, &f);
                SqlReadItem i = { 0 };
                int64_t rows = 0, all = 0, statements = 0;
                while (sqlread_next(r, &i, &err) && i.kind != SQLREAD_END) {
                        statements++;
                        if (str_starts(i.text, "COPY")) {
                                cr_assert(sqlread_rows(r, NULL, NULL, &rows, &err), "%s",
                                          err.message);
                                all += rows;
                        }
                }
                cr_assert(err.kind == ERR_NONE && statements == 6000 && all == 6000,
                          "%zu: %s, %lld, %lld", size, err.message, (long long)statements,
                          (long long)all);
        }
}

static SqlMeaning means(const char *text)
{
        SqlReadItem i = { .text = text, .len = strlen(text) };
        SqlMeaning m;
        sqlmeaning_of(&i, &m);
        return m;
}

Test(sqlmeaning, knows_what_a_statement_reaches)
{
        static const struct {
                const char *sql;
                SqlReach reach;
                const char *name;
        } all[] = {
                { "SELECT pg_catalog.set_config('search_path', '', false);", SQL_SESSION, NULL },
                { "SELECT pg_catalog.setval('s', 1);", SQL_SEQUENCE, NULL },
                { "COPY \"a.b\".\"c d\" (x, \"from\") FROM stdin;", SQL_COPY_IN,
                  "\"a.b\".\"c d\"" },
                { "COPY t FROM/**/PROGRAM 'id';", SQL_FORBIDDEN, "t" },
                { "COPY t FROM '/etc/passwd';", SQL_FORBIDDEN, "t" },
                { "copy (select 1) to stdout;", SQL_FORBIDDEN, NULL },
                { "/* x */ alter -- y\n system set a = 1;", SQL_FORBIDDEN, NULL },
                { "CREATE DATABASE \"a \"\"b\" WITH ENCODING = 'UTF8';", SQL_CREATE_DATABASE,
                  "a \"b" },
                { "DROP DATABASE IF EXISTS App;", SQL_DROP_DATABASE, "app" },
                { "ALTER DATABASE app OWNER TO x;", SQL_OF_DATABASE, "app" },
                { "GRANT CONNECT,TEMPORARY ON DATABASE app TO x;", SQL_OF_DATABASE, "app" },
                { "COMMENT ON DATABASE app IS 'x';", SQL_OF_DATABASE, "app" },
                { "ALTER ROLE r IN DATABASE app SET work_mem = 1;", SQL_OF_DATABASE, "app" },
                { "ALTER ROLE r WITH SUPERUSER;", SQL_OF_CLUSTER, "r" },
                { "GRANT a TO b;", SQL_OF_CLUSTER, NULL },
                { "GRANT SELECT(\"to\"), UPDATE(a) ON TABLE t TO b;", SQL_GRANT, NULL },
                { "GRANT SET ON PARAMETER work_mem TO b;", SQL_OF_CLUSTER, NULL },
                { "CREATE USER MAPPING FOR x SERVER s;", SQL_ORDINARY, NULL },
                { "CREATE USER x;", SQL_OF_CLUSTER, "x" },
                { "ALTER TABLE t OWNER TO x;", SQL_OWNER, NULL },
                { "ALTER TABLE IF EXISTS ONLY t DROP CONSTRAINT IF EXISTS c;", SQL_REMOVES, NULL },
                { "DROP TABLE t;", SQL_REMOVES, NULL },
                { "INSERT INTO s.t VALUES ('FROM');", SQL_INSERT, "s.t" },
                { "SELECT pg_catalog.lowrite(0, '\\x00');", SQL_LARGE_OBJECT, NULL },
                { "CREATE TABLE \"database\" (a int);", SQL_ORDINARY, NULL },
        };
        for (size_t i = 0; i < LEN(all); i++) {
                AUTO_SQLMEANING m = means(all[i].sql);
                cr_assert_eq(m.reach, all[i].reach, "%s: %d", all[i].sql, (int)m.reach);
                cr_assert(!all[i].name ? !m.name : str_eq(m.name, all[i].name), "%s: %s",
                          all[i].sql, m.name);
        }
}

Test(sqlmeaning, reads_what_a_database_was_made_with)
{
        const char *text = "CREATE DATABASE a WITH TEMPLATE = template0 ENCODING = 'UTF8' "
                           "LOCALE_PROVIDER = icu LOCALE = 'en_US.utf8' LC_CTYPE = 'C' ICU_LOCALE "
                           "= 'en-US';";
        SqlReadItem i = { .text = text, .len = strlen(text) };
        AUTO_JSON p = sqlmeaning_properties(&i);
        AUTO_FREE char *s = jx_dump_sorted(p);
        cr_assert_str_eq(s, "{\"collate\":\"en_US.utf8\",\"ctype\":\"C\",\"encoding\":\"UTF8\","
                            "\"locale\":\"en-US\",\"provider\":\"i\"}");
}

Test(sqlmeaning, reads_connect_in_all_its_forms)
{
        static const char *const all[][2] = {
                { "\\connect app", "app" },
                { "\\connect \"A\"\"b\"", "A\"b" },
                { "\\connect -reuse-previous=on \"dbname='a \\\\'' \\'b'\"", "a \\" },
                { "\\connect -reuse-previous=on \"dbname='a\\'b\\\\c\"\"d e'\"", "a'b\\c\"d e" },
        };
        for (size_t i = 0; i < LEN(all); i++) {
                AUTO_FREE char *s = sqlmeaning_connect(all[i][0]);
                cr_assert_str_eq(s, all[i][1]);
        }
        cr_assert_null(sqlmeaning_connect("\\connectx"));
        cr_assert_null(sqlmeaning_connect("\\! id"));
}
