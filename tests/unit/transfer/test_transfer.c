#include <criterion/criterion.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/rowhash.h"
#include "transfer/internal.h"
#include "transfer/passfile.h"
#include "transfer/sqltext.h"

/* ---- cutting SQL ---- */

static int statements(const char *sql)
{
        int n = 0;
        for (size_t len; (len = sqltext_next(sql, NULL)) > 0; sql += len)
                n++;
        return n;
}

Test(sqltext, cuts_only_at_semicolons_that_end_something)
{
        cr_assert_eq(statements("a; b;"), 2);
        cr_assert_eq(statements("select ';', \";\", $$;$$, $x$ $$;$$ $x$; -- ;\n /* ; /* ; */ ; */ b"), 2);
        cr_assert_eq(statements("select E'\\';', 'it''s;'; x"), 2);
        cr_assert_eq(statements("create rule r as on delete to v do (delete from a; delete from b);"), 1);
        cr_assert_eq(statements("create function f() returns int begin atomic select 1; select case when "
                                "true then 2 end; end; grant x;"), 2);
        cr_assert_eq(statements("select $1; select a$b$c;"), 2);
        cr_assert_eq(statements("  -- only a comment; really\n"), 0);
}

static void strips(int major, const char *sql, const char *want)
{
        AUTO_BUF out = buf_init(10000);
        bool any = sqltext_strip(sql, major, &out);
        cr_assert_str_eq(buf_str(&out), want);
        cr_assert_eq(any, strcmp(sql, want) != 0);
}

Test(sqltext, strips_pg_attver_and_keeps_the_other_options)
{
        strips(17, "CREATE TABLE t (a int);\nALTER TABLE ONLY t ALTER COLUMN a SET (pg_attver='3');\n",
               "CREATE TABLE t (a int);\n\n");
        strips(17, "ALTER TABLE ONLY t ALTER COLUMN a SET (n_distinct=5, pg_attver=3, x='a,b');",
               "ALTER TABLE ONLY t ALTER COLUMN a SET (n_distinct=5, x='a,b');");
        strips(17, "ALTER TABLE ONLY \"SET (pg_attver=1)\" ALTER COLUMN a SET (n_distinct=5);",
               "ALTER TABLE ONLY \"SET (pg_attver=1)\" ALTER COLUMN a SET (n_distinct=5);");
        strips(17, "CREATE TABLE t (a text DEFAULT '\nALTER TABLE ONLY t ALTER COLUMN a SET (pg_attver=3);');",
               "CREATE TABLE t (a text DEFAULT '\nALTER TABLE ONLY t ALTER COLUMN a SET (pg_attver=3);');");
}

Test(sqltext, strips_settings_the_target_does_not_know)
{
        strips(15, "SET transaction_timeout = 0;\nSET lock_timeout = 0;\n", "\nSET lock_timeout = 0;\n");
        strips(17, "SET transaction_timeout = 0;\n", "SET transaction_timeout = 0;\n");
        strips(15, "\\restrict abc\nselect 1;\n\\unrestrict abc\n", "\nselect 1;\n\n");
}

Test(sqltext, psql_lines_go_and_everything_else_stays)
{
        AUTO_BUF out = buf_init(10000);
        sqltext_strip_psql("--\n-- x\n--\n\n\\restrict K\n\nSET a = 1;\nselect '\n\\restrict in a text';\n"
                           "\\unrestrict K\n", &out);
        cr_assert_str_eq(buf_str(&out), "--\n-- x\n--\n\n\n\nSET a = 1;\nselect '\n\\restrict in a text';\n\n");
}

/* ---- a table of contents, as pg_dump writes it ---- */

static void put_int(Buf *b, int v)
{
        unsigned u = v < 0 ? (unsigned)-v : (unsigned)v;
        buf_addc(b, v < 0);
        for (int i = 0; i < 4; i++)
                buf_addc(b, (char)(u >> (8 * i)));
}

static void put_str(Buf *b, const char *s)
{
        put_int(b, s ? (int)strlen(s) : -1);
        if (s)
                buf_adds(b, s);
}

static void put_entry(Buf *b, int minor, const char *class, const char *name, int section,
                      const char *sql)
{
        put_int(b, 7);
        put_int(b, 0);
        put_str(b, "1259");
        put_str(b, "16384");
        put_str(b, name);
        put_str(b, class);
        put_int(b, section);
        put_str(b, sql);
        put_str(b, "DROP X;");
        put_str(b, "");
        put_str(b, "public");
        put_str(b, NULL);
        put_str(b, "heap");
        if (minor >= 16)
                put_int(b, 'r');
        put_str(b, "app");
        put_str(b, "false");
        put_str(b, "12");
        put_str(b, NULL);
        buf_addc(b, 3);
        for (int i = 0; i < 8; i++)
                buf_addc(b, 0);
}

static Buf archive(int minor)
{
        Buf b = buf_init(100000);
        buf_adds(&b, "PGDMP");
        const char head[] = { 1, (char)minor, 0, 4, 8, 1 };
        buf_add(&b, head, sizeof head);
        if (minor >= 15)
                buf_addc(&b, 1);
        else
                put_int(&b, -1);
        for (int i = 0; i < 7; i++)
                put_int(&b, i);
        put_str(&b, "app");
        put_str(&b, "13.23");
        put_str(&b, "17.6");
        put_int(&b, 4);
        put_entry(&b, minor, "TABLE", "orders", 2, "CREATE TABLE public.orders ();\n");
        put_entry(&b, minor, "ACL", "TABLE orders", 1, "GRANT ALL ON TABLE public.orders TO app;\n");
        put_entry(&b, minor, "MATERIALIZED VIEW DATA", "mv", 4, "REFRESH MATERIALIZED VIEW public.mv;\n");
        put_entry(&b, minor, "COMMENT", "DATABASE app", 1, "COMMENT ON DATABASE app IS 'x';\n");
        return b;
}

Test(toc, reads_what_12_to_18_write)
{
        for (int minor = 14; minor <= 16; minor++) {
                Err err = { 0 };
                AUTO_ARENA a = arena_new();
                AUTO_BUF b = archive(minor);
                Toc toc;
                cr_assert(toc_read(b.data, b.len, a, &toc, &err), "%s", err.message);
                cr_assert_eq(toc.n, 4);
                cr_assert_str_eq(toc.server_version, "13.23");
                cr_assert_str_eq(toc_object(a, &toc.entries[0]), "TABLE public.orders");
                cr_assert_str_eq(toc_object(a, &toc.entries[1]), "GRANT ALL ON TABLE public.orders TO app;");
                cr_assert_eq(toc.entries[1].section, TOC_PRE_DATA, "a grant stands where its table does");
                cr_assert_eq(toc.entries[1].pass, TOC_PASS_ACL);
                cr_assert_eq(toc.entries[2].pass, TOC_PASS_POST_ACL);
                cr_assert_not(toc_is_schema(&toc.entries[3]), "the database's own comment is not ours");
        }
}

Test(toc, refuses_what_it_cannot_know)
{
        Err err = { 0 };
        AUTO_ARENA a = arena_new();
        AUTO_BUF b = archive(17);
        Toc toc;
        cr_assert_not(toc_read(b.data, b.len, a, &toc, &err));
        cr_assert(strstr(err.message, "1.17"));
        err_clear(&err);
        cr_assert_not(toc_read("hello, world", 12, a, &toc, &err));
        err_clear(&err);
}

Test(toc, every_cut_is_an_error_and_none_a_crash)
{
        AUTO_BUF b = archive(16);
        for (size_t n = 0; n < b.len; n++) {
                AUTO_ERR err = { 0 };
                AUTO_ARENA a = arena_new();
                AUTO_FREE char *copy = xmalloc(n + 1);
                memcpy(copy, b.data, n);
                Toc toc;
                bool ok = toc_read(copy, n, a, &toc, &err);
                /* The last bytes are an offset nobody needs. */
                cr_assert(!ok || n + 9 >= b.len, "cut to %zu passed", n);
        }
}

/* ---- the rest ---- */

Test(hash, order_does_not_matter_and_content_does)
{
        cr_assert_eq(row_hash("a\n", 2) + row_hash("b\n", 2), row_hash("b\n", 2) + row_hash("a\n", 2));
        char text[100];
        memset(text, 'x', sizeof text);
        uint64_t h = row_hash(text, sizeof text);
        for (size_t i = 0; i < sizeof text; i++) {
                text[i] = 'y';
                cr_assert_neq(row_hash(text, sizeof text), h, "byte %zu does not count", i);
                text[i] = 'x';
        }
        for (size_t n = 1; n < sizeof text; n++)
                cr_assert_neq(row_hash(text, n), row_hash(text, n - 1));
}

Test(passfile, is_read_by_a_child_and_is_gone_afterwards)
{
        Err err = { 0 };
        char word[] = "p:w\\d";
        AUTO_SECRET s = secret_take("test", word, 5);
        const PgClientWhere wheres[] = { PG_CLIENT_DIR, PG_CLIENT_IMAGE };
        for (size_t i = 0; i < LEN(wheres); i++) {
                AUTO_FREE char *path = NULL;
                {
                        AUTO_PASSFILE p = { .fd = -1 };
                        cr_assert(passfile_make(s, wheres[i], &p, &err));
                        path = xstrdup(p.path);
                        struct stat st;
                        cr_assert_eq(stat(path, &st), 0);
                        cr_assert(S_ISREG(st.st_mode));
                        cr_assert_eq(st.st_mode & 0777, 0600);
                        AUTO_FREE char *text = NULL;
                        size_t n;
                        cr_assert(io_read_file(path, 100, &text, &n, &err), "%s", err.message);
                        cr_assert_str_eq(text, "*:*:*:*:p\\:w\\\\d\n");
                }
                cr_assert_not(io_exists(path));
        }
}

static bool collect(void *arg, const char *what, const Sql *q, Err *err)
{
        AUTO_FREE char *text = plain_sql(q);
        buf_printf(arg, "%s;\n", text);
        return true;
}

Test(props, are_said_again_for_psql_without_naming_the_database)
{
        Err err = { 0 };
        const char text[] =
                "{\"owner\":\"o'w\\\"n\",\"own_acl\":true,\"acl\":[{\"grantee\":null,\"privilege\":\"CONNECT\","
                "\"grantable\":false}],\"connlimit\":7,\"comment\":\"it's\",\"settings\":[{\"role\":null,"
                "\"set\":\"search_path=\\\"$user\\\", public\"},{\"role\":\"r\",\"set\":\"a.b=c=d\"}]}";
        AUTO_JSON props = jx_parse(text, sizeof text - 1, &err);
        AUTO_BUF b = buf_init(10000);
        cr_assert(props_each(props, NULL, collect, &b, &err));
        cr_assert_str_eq(buf_str(&b),
                "REVOKE ALL ON DATABASE :\"DBNAME\" FROM PUBLIC, \"o'w\"\"n\";\n"
                "GRANT CONNECT ON DATABASE :\"DBNAME\" TO PUBLIC;\n"
                "BEGIN; SELECT pg_catalog.set_config('search_path', '\"$user\", public', true); "
                "ALTER DATABASE :\"DBNAME\" SET \"search_path\" FROM CURRENT; COMMIT;\n"
                "ALTER ROLE \"r\" IN DATABASE :\"DBNAME\" SET \"a\".\"b\" TO 'c=d';\n"
                "ALTER DATABASE :\"DBNAME\" CONNECTION LIMIT 7;\n"
                "COMMENT ON DATABASE :\"DBNAME\" IS 'it''s';\n");
}
