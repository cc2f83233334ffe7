#include "transfer/make/entries.h"

#include <ctype.h>

#include "base/limits.h"
#include "base/text.h"
#include "dumps/sqltext.h"
#include "transfer/make/entry_owner.h"
#include "transfer/make/later.h"
#include "transfer/state/quoted_sql.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

#define BATCH       100 /* entries: a lock each, or some; 64 a connection are there */
#define BATCH_BYTES (256 * 1024)

void entries_begin(Entries *s, Transfer *t, Pg *pg)
{
        *s = (Entries){ .t = t, .pg = pg, .a = arena_new() };
}

void entries_done(Entries *s)
{
        arena_free(s->a);
        *s = (Entries){ 0 };
}

/* ---- which ---- */

static bool is_one_of(const char *class, const char *const *list, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (str_eq(class, list[i]))
                        return true;
        return false;
}

static bool entries_belongs(const TocEntry *e, EntriesOf which)
{
        static const char *const moving[] = { "MATERIALIZED VIEW DATA", "SUBSCRIPTION" };
        static const char *const textless[] = { "COMMENT", "SECURITY LABEL", "USER MAPPING" };
        return toc_is_schema(e) && !is_one_of(e->class, moving, LEN(moving)) &&
               (which == ENTRIES_ALL || !is_one_of(e->class, textless, LEN(textless)));
}

const TocEntry **entries_of_schema(Arena *a, const Toc *toc, EntriesOf which, size_t *ret_n)
{
        static const struct {
                TocSection section;
                TocPass pass;
        } order[] = { { TOC_PRE_DATA, TOC_PASS_MAIN },
                      { TOC_POST_DATA, TOC_PASS_MAIN },
                      { TOC_NONE, TOC_PASS_ACL },
                      { TOC_NONE, TOC_PASS_POST_ACL } };
        const TocEntry **list = arena_new_array(a, const TocEntry *, toc->n + 1);
        size_t n = 0, passes = which == ENTRIES_ALL ? LEN(order) : 2;
        for (size_t k = 0; k < passes; k++)
                for (size_t i = 0; i < toc->n; i++) {
                        const TocEntry *e = &toc->entries[i];
                        if (entries_belongs(e, which) && e->pass == order[k].pass &&
                            (e->pass != TOC_PASS_MAIN || e->section == order[k].section))
                                list[n++] = e;
                }
        *ret_n = n;
        return list;
}

/* ---- one ---- */

/* A tablespace is a directory of one machine: what lived in it goes to the default one, said
 * once. */
static bool no_such_tablespace(Entries *s, const char *name, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "set default_tablespace = ''");
        if (!str_eq(err->sqlstate, "22023") && !str_eq(err->sqlstate, "42704"))
                return false;
        transfer_say(s->t,
                     "tablespace %s is not on the target: what is in it goes to the default one",
                     name);
        err_clear(err);
        return pg_exec(s->pg, &q, err);
}

static bool needs_tablespace(const Entries *s, const TocEntry *e)
{
        return e->tablespace && !str_eq(e->tablespace, s->tablespace);
}

static bool needs_method(const Entries *s, const TocEntry *e)
{
        return e->access_method && *e->access_method && e->relkind != 'p' &&
               !str_eq(e->access_method, s->access_method);
}

static void tablespace_sql(Entries *s, const TocEntry *e, Sql *q)
{
        sql_add(q, "set default_tablespace = ");
        sql_value(q, e->tablespace);
        s->tablespace = e->tablespace;
}

static void access_method_sql(Entries *s, const TocEntry *e, Sql *q)
{
        sql_add(q, "set default_table_access_method = ");
        sql_value(q, e->access_method);
        s->access_method = e->access_method;
}

/* default_tablespace and default_table_access_method, only when they change. */
static bool where_sql(Entries *s, const TocEntry *e, Sql *q)
{
        bool place = needs_tablespace(s, e), method = needs_method(s, e);
        if (place)
                tablespace_sql(s, e, q);
        if (place && method)
                sql_add(q, "; ");
        if (method)
                access_method_sql(s, e, q);
        return place || method;
}

static bool where_it_lives(Entries *s, const TocEntry *e, Err *err)
{
        AUTO_SQL place = { 0 };
        AUTO_SQL method = { 0 };
        if (needs_tablespace(s, e)) {
                tablespace_sql(s, e, &place);
                if (!pg_exec(s->pg, &place, err) && !no_such_tablespace(s, e->tablespace, err)) {
                        s->tablespace = NULL;
                        return false;
                }
        }
        if (!needs_method(s, e))
                return true;
        access_method_sql(s, e, &method);
        if (pg_exec(s->pg, &method, err))
                return true;
        s->access_method = NULL;
        return false;
}

/* In the caller's transaction what fails must not take with it what stands: a savepoint each. */
static bool attempt(Entries *s, Err *err)
{
        return !s->inside || pg_do(s->pg, "savepoint attempt", err);
}

/* `ok`: how it went since attempt(). True: go on. */
static bool settle(Entries *s, const char *object, bool ok, Err *err)
{
        if (ok)
                return !s->inside || pg_do(s->pg, "release savepoint attempt", err);
        if (!transfer_tolerates(s->t, object, err))
                return false;
        if (!s->inside)
                return true;
        s->tablespace = s->access_method = NULL; /* settings went back, too */
        return pg_do(s->pg, "rollback to savepoint attempt", err);
}

/* A grant's entry is many statements: one that names a missing role must not take the others
 * with it, so each is its own transaction and its own error. */
static bool entries_grants(Entries *s, const char *sql, Err *err)
{
        for (const char *p = sql;;) {
                const char *start;
                size_t n = sqltext_next(p, &start);
                if (n == 0)
                        return true;
                AUTO_FREE char *one = xstrndup(start, (size_t)(p + n - start));
                AUTO_FREE char *object = text_clean(one, MIN(strlen(one), 200));
                if (!settle(s, object, attempt(s, err) && pg_exec_dumped(s->pg, one, err), err))
                        return false;
                p += n;
        }
}

/* 1.16 keeps a partitioned table's access method apart: it has no storage of its own. */
static bool method_sql(const TocEntry *e, Sql *q)
{
        if (e->relkind != 'p' || !e->access_method || !*e->access_method)
                return false;
        sql_add(q, "ALTER TABLE ");
        sql_qname(q, e->schema ? e->schema : "public", e->name);
        sql_add(q, " SET ACCESS METHOD ");
        sql_ident(q, e->access_method);
        return true;
}

static bool entries_after(Entries *s, const TocEntry *e, const char *object, Err *err)
{
        AUTO_SQL am = { 0 };
        AUTO_SQL owner = { 0 };
        if (method_sql(e, &am) &&
            !settle(s, object, attempt(s, err) && pg_exec(s->pg, &am, err), err))
                return false;
        if (!entry_owner_sql(e, &owner))
                return true;
        AUTO_FREE char *what = xasprintf("OWNER of %s", object);
        return settle(s, what, attempt(s, err) && pg_exec(s->pg, &owner, err), err);
}

/* A refresh reads what the view's owner may read: with row_security off it would fail where the
 * owner of a table is under its policies himself. */
static bool policies(Entries *s, const TocEntry *e, bool on, Err *err)
{
        if (!str_eq(e->class, "MATERIALIZED VIEW DATA"))
                return true;
        return on ? pg_do(s->pg, "set row_security = on", err)
                  : pg_do(s->pg, "set row_security = off", err);
}

#define LITTLE                                                                                     \
        "set local maintenance_work_mem = '32MB'; set local max_parallel_maintenance_workers = 0"

/* What the second try needs around it: a transaction of its own, or within the caller's, which
 * the failure has broken, its savepoint. *ret_had: what such a transaction had, for again_end(). */
static bool again_begin(Entries *s, const TocEntry *e, PgRes **ret_had, Err *err)
{
        if (!s->inside)
                return pg_do(s->pg, "begin; " LITTLE, err);
        s->tablespace = s->access_method = NULL; /* settings went back, too */
        return pg_do(s->pg, "rollback to savepoint attempt", err) &&
               pg_ask(s->pg,
                      "select current_setting('maintenance_work_mem'), "
                      "current_setting('max_parallel_maintenance_workers')",
                      ret_had, err) &&
               pg_do(s->pg, LITTLE, err) && where_it_lives(s, e, err) && policies(s, e, true, err);
}

/* SET LOCAL lasts to the end of the caller's transaction, so it is said again. */
static bool again_end(Entries *s, const PgRes *had, Err *err)
{
        AUTO_SQL q = { 0 };
        if (!s->inside)
                return pg_do(s->pg, "commit", err);
        sql_add(&q, "set local maintenance_work_mem = ");
        sql_value(&q, pg_cell(had, 0, 0));
        sql_add(&q, "; set local max_parallel_maintenance_workers = ");
        sql_value(&q, pg_cell(had, 0, 1));
        return pg_exec(s->pg, &q, err);
}

/* A parallel build keeps its memory in /dev/shm, which is 64 MB in a container: "could not
 * resize shared memory segment" (53100), so once more by one process, with little memory. When
 * that fails, too, the first reason stays the reason. */
static bool try_text(Entries *s, const TocEntry *e, const char *sql, Err *err)
{
        AUTO_ERR second = { 0 };
        AUTO_ERR ignored = { 0 };
        AUTO_PGRES PgRes *had = NULL;
        if (pg_exec_dumped(s->pg, sql, err))
                return true;
        if (!str_eq(err->sqlstate, "53100") && !str_eq(err->sqlstate, "53200"))
                return false;
        transfer_say(s->t, "once more with less memory: %s", err->message);
        if (again_begin(s, e, &had, &second) && pg_exec_dumped(s->pg, sql, &second) &&
            again_end(s, had, &second)) {
                err_clear(err);
                return true;
        }
        if (!s->inside)
                (void)!pg_do(s->pg, "rollback", &ignored);
        if (second.kind != ERR_SERVER) { /* cut, or cancelled: that is what happened now */
                err_clear(err);
                err_move(err, &second);
                return false;
        }
        char *both = xasprintf("%s; once more by one process and with 32 MB: %s", err->message,
                               second.message);
        free(err->message);
        err->message = both;
        return false;
}

static const char *text_of(const Entries *s, const TocEntry *e, Buf *stripped)
{
        return sqltext_strip(e->sql, pg_major(s->pg), stripped) ? buf_str(stripped) : e->sql;
}

bool entries_statement(Entries *s, const TocEntry *e, const char *sql, bool *ret_made, Err *err)
{
        ArenaMark mark = arena_mark(s->a);
        *ret_made = attempt(s, err) && where_it_lives(s, e, err) && try_text(s, e, sql, err);
        bool ok = settle(s, toc_object(s->a, e), *ret_made, err);
        arena_reset(s->a, mark);
        return ok;
}

static bool entries_one(Entries *s, const TocEntry *e, Err *err)
{
        const char *object = toc_object(s->a, e);
        AUTO_BUF stripped = buf_init(LIMIT_SQL);
        const char *sql = text_of(s, e, &stripped);
        if (stripped.overflow)
                return err_set(err, ERR_USER, "%s: its SQL is larger than %d bytes", object,
                               LIMIT_SQL);
        if (e->pass == TOC_PASS_ACL)
                return entries_grants(s, sql, err);
        bool ok = attempt(s, err) && where_it_lives(s, e, err) && policies(s, e, true, err) &&
                  try_text(s, e, sql, err);
        if (!settle(s, object, ok, err))
                return false;
        if (!policies(s, e, false, err))
                return false;
        return !ok || entries_after(s, e, object, err);
}

/* ---- many at once ---- */

static void add_sql(Buf *b, const Sql *q)
{
        AUTO_FREE char *text = plain_sql(q);
        buf_adds(b, text);
        buf_adds(b, ";\n");
}

static void add_entry(Entries *s, const TocEntry *e, Buf *b)
{
        AUTO_SQL lives = { 0 };
        AUTO_SQL then = { 0 };
        AUTO_SQL owner = { 0 };
        AUTO_BUF stripped = buf_init(LIMIT_SQL);
        if (e->pass != TOC_PASS_ACL && where_sql(s, e, &lives))
                add_sql(b, &lives);
        buf_adds(b, text_of(s, e, &stripped));
        b->overflow |= stripped.overflow;
        buf_adds(b, "\n;\n"); /* a line of its own: the text may end in a comment */
        if (e->pass == TOC_PASS_ACL)
                return;
        if (method_sql(e, &then))
                add_sql(b, &then);
        if (entry_owner_sql(e, &owner))
                add_sql(b, &owner);
}

/* What an extension's script does is its own business: it gets a transaction of its own. */
static bool alone(const TocEntry *e)
{
        return str_eq(e->class, "EXTENSION") || str_eq(e->class, "SUBSCRIPTION") ||
               str_eq(e->class, "MATERIALIZED VIEW DATA");
}

static bool entries_range(Entries *s, const TocEntry *const *list, size_t n, Err *err)
{
        Entries before = *s;
        AUTO_BUF b = buf_init(LIMIT_SQL);
        if (transfer_stopped(s->t, err))
                return false;
        if (n == 1) {
                ArenaMark mark = arena_mark(s->a);
                bool ok = entries_one(s, list[0], err) &&
                          (s->inside || !str_eq(list[0]->class, "EXTENSION") ||
                           later_made(s->t, s->pg, list[0]->name, err));
                arena_reset(s->a, mark);
                return ok;
        }
        for (size_t i = 0; i < n; i++)
                add_entry(s, list[i], &b);
        if (!b.overflow && pg_exec_dumped(s->pg, buf_str(&b), err))
                return true;
        if (!b.overflow && err->kind != ERR_SERVER)
                return false;
        err_clear(err);
        s->tablespace = before.tablespace; /* settings go back with the transaction */
        s->access_method = before.access_method;
        return entries_range(s, list, n / 2, err) && entries_range(s, list + n / 2, n - n / 2, err);
}

bool entries_run(Entries *s, const TocEntry *const *list, size_t n,
                 void (*at)(void *arg, size_t done, const TocEntry *next), void *arg, Err *err)
{
        for (size_t i = 0; i < n;) {
                size_t many = 1, bytes = strlen(list[i]->sql);
                if (at)
                        at(arg, i, list[i]);
                while (!s->inside && !alone(list[i]) && i + many < n && many < BATCH &&
                       !alone(list[i + many]) &&
                       (bytes += strlen(list[i + many]->sql)) < BATCH_BYTES)
                        many++;
                if (!entries_range(s, list + i, many, err))
                        return false;
                i += many;
        }
        return true;
}
