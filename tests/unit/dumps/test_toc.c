/* test_toc.c: a table of contents, as pg_dump writes it. */
#include <criterion/criterion.h>

#include "base/buf.h"
#include "dumps/toc.h"

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
        put_int(b, (int)strlen(sql)); /* its id: another one for each */
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
        put_entry(&b, minor, "ACL", "TABLE orders", 1,
                  "GRANT ALL ON TABLE public.orders TO app;\n");
        put_entry(&b, minor, "MATERIALIZED VIEW DATA", "mv", 4,
                  "REFRESH MATERIALIZED VIEW public.mv;\n");
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
                cr_assert_str_eq(toc_object(a, &toc.entries[1]),
                                 "GRANT ALL ON TABLE public.orders TO app;");
                cr_assert_eq(toc.entries[1].section, TOC_PRE_DATA,
                             "a grant stands where its table does");
                cr_assert_eq(toc.entries[1].pass, TOC_PASS_ACL);
                cr_assert_eq(toc.entries[2].pass, TOC_PASS_POST_ACL);
                cr_assert_not(toc_is_schema(&toc.entries[3]),
                              "the database's own comment is not ours");
        }
}

Test(toc, is_cut_to_the_entries_that_are_kept)
{
        for (int minor = 14; minor <= 16; minor++) {
                Err err = { 0 };
                AUTO_ARENA a = arena_new();
                AUTO_BUF b = archive(minor);
                AUTO_BUF out = buf_init(100000);
                AUTO_BUF all = buf_init(100000);
                Toc toc, again;
                cr_assert(toc_read(b.data, b.len, a, &toc, &err), "%s", err.message);
                cr_assert(toc_cut(b.data, b.len, &toc, &all, &err), "%s", err.message);
                cr_assert_eq(all.len, b.len, "nothing was left out");
                cr_assert_eq(memcmp(all.data, b.data, b.len), 0);
                Toc none = { .n = 0 };
                cr_assert(toc_cut(b.data, b.len, &none, &out, &err), "%s", err.message);
                cr_assert(toc_read(out.data, out.len, a, &again, &err), "%s", err.message);
                cr_assert_eq(again.n, 0);
                cr_assert_str_eq(again.server_version, "13.23");
                out.len = 0;
                toc.n = 1;
                toc.entries[0].sql = "CREATE TABLE public.orders (a int, b text);\n";
                cr_assert(toc_cut(b.data, b.len, &toc, &out, &err), "%s", err.message);
                cr_assert(toc_read(out.data, out.len, a, &again, &err), "%s", err.message);
                cr_assert_eq(again.n, 1);
                cr_assert_str_eq(again.entries[0].sql, toc.entries[0].sql);
                cr_assert_str_eq(again.entries[0].drop, "DROP X;");
        }
}

Test(toc, refuses_ids_that_no_dump_has)
{
        static const char first[] = { 0, 31, 0, 0, 0, 0, 0, 0, 0, 0 }; /* id, no data dumper */
        static const char odd[][5] = { { 1, 31, 0, 0, 0 },
                                       { 0, -1, -1, -1, 127 },
                                       { 0, 0, 0, 0, 1 } };
        for (size_t i = 0; i < LEN(odd); i++) {
                Err err = { 0 };
                AUTO_ARENA a = arena_new();
                AUTO_BUF b = archive(14);
                Toc toc;
                char *id = memmem(b.data, b.len, first, sizeof first);
                cr_assert(id);
                memcpy(id, odd[i], sizeof odd[i]);
                cr_assert_not(toc_read(b.data, b.len, a, &toc, &err), "%zu", i);
                err_clear(&err);
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
