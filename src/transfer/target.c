/* target.c: the database that is being made. */
#include "transfer/internal.h"

#include <ctype.h>

#include "base/limits.h"
#include "base/text.h"
#include "transfer/sqltext.h"

#define INDEX_MEMORY "256MB"            /* more made no index faster, less makes workers worthless */

/* ---- quoting without a connection ---- */

static char *quoted(const char *text, char quote)
{
        char *out = xmalloc(strlen(text) * 2 + 3), *p = out;
        *p++ = quote;
        for (; *text; text++) {
                if (*text == quote)
                        *p++ = quote;
                *p++ = *text;
        }
        *p++ = quote;
        *p = '\0';
        return out;
}

static bool quote_ident(void *conn, const char *text, char **ret, Err *err)
{
        *ret = quoted(text, '"');
        return true;
}

static bool quote_value(void *conn, const char *text, char **ret, Err *err)
{
        *ret = quoted(text, '\'');
        return true;
}

char *plain_sql(const Sql *q)
{
        static const SqlQuoter plain = { .ident = quote_ident, .value = quote_value };
        AUTO_ERR err = { 0 };
        char *text = NULL;
        if (!sql_for_server(q, &plain, &text, &err))
                abort();                /* this quoter cannot fail */
        return text;
}

/* ---- making it ---- */

static bool exec_add(Pg *pg, void (*build)(Sql *, const void *), const void *arg, Err *err)
{
        AUTO_SQL q = { 0 };
        build(&q, arg);
        return pg_exec(pg, &q, err);
}

typedef struct Marked {
        const char *name, *marker;
} Marked;

static void comment_sql(Sql *q, const void *arg)
{
        const Marked *m = arg;
        sql_add(q, "comment on database ");
        sql_ident(q, m->name);
        sql_add(q, " is ");
        sql_value(q, m->marker);
}

static void oid_sql(Sql *q, const char *name)
{
        sql_add(q, "select oid from pg_database where datname = ");
        sql_value(q, name);
}

static bool hint_for_create(const json_t *props, Err *err)
{
        if (str_eq(err->sqlstate, "42809") || str_eq(err->sqlstate, "22023"))
                err_hint(err, "the source's locale is %s / %s; does this server have it?",
                         jx_str(props, "collate", "?"), jx_str(props, "ctype", "?"));
        else if (str_eq(err->sqlstate, "42704"))
                err_hint(err, "the owner %s must exist on the target: copy the roles first",
                         jx_str(props, "owner", "?"));
        return false;
}

bool target_create(Transfer *t, const PgParams *p, const json_t *props, const char *into,
                   const char *marker, bool (*created)(void *, int64_t, Err *), Err *err)
{
        Pg *pg = NULL;
        AUTO_SQL q = { 0 };
        AUTO_SQL which = { 0 };
        AUTO_FREE char *oid = NULL;
        if (!transfer_connect(t, p, NULL, &pg, err))
                return err_wrap(err, "connecting to the target");
        props_create_sql(props, into, pg_major(pg), &q);
        oid_sql(&which, into);
        Marked m = { into, marker };
        bool ok = pg_exec(pg, &q, err) || hint_for_create(props, err);
        ok = ok && (!marker || exec_add(pg, comment_sql, &m, err)) &&
             pg_query_value(pg, &which, &oid, err) &&
             (!created || created(t->hooks.arg, atoll(oid), err));
        transfer_disconnect(t, &pg);
        return ok ? true : err_wrap(err, "making the database %s", into);
}

bool target_open(Transfer *t, const PgParams *p, const char *database, bool sql_ascii, Pg **ret,
                 Err *err)
{
        AUTO_SQL q = { 0 };
        PgParams mine = *p;
        mine.statement_timeout_ms = 0;
        mine.lock_timeout_ms = 0;
        if (sql_ascii)
                mine.client_encoding = "SQL_ASCII";
        if (!transfer_connect(t, &mine, database, ret, err))
                return false;
        /* As pg_restore sets them. Pinned output settings stay, they do no harm to input. */
        sql_add(&q, "set search_path = ''; set check_function_bodies = false; set xmloption = content; "
                    "set transform_null_equals = off; set default_transaction_read_only = off; "
                    "set client_min_messages = warning; set synchronous_commit = off; "
                    "select pg_catalog.set_config('maintenance_work_mem', '" INDEX_MEMORY "', false) "
                    "where pg_catalog.pg_size_bytes(pg_catalog.current_setting("
                    "'maintenance_work_mem')) < pg_catalog.pg_size_bytes('" INDEX_MEMORY "')");
        if (pg_exec(*ret, &q, err))
                return true;
        transfer_disconnect(t, ret);
        return false;
}

/* ---- entries of the schema ---- */

/* How ALTER .. OWNER TO calls the object: most by class and name, functions and their like
 * need their arguments, which stand in the DROP statement. */
static bool owner_sql(const TocEntry *e, Sql *q)
{
        static const char *const by_name[] = {
                "COLLATION", "CONVERSION", "DOMAIN", "FOREIGN TABLE", "MATERIALIZED VIEW", "SEQUENCE",
                "STATISTICS", "TABLE", "TEXT SEARCH DICTIONARY", "TEXT SEARCH CONFIGURATION", "TYPE",
                "VIEW", "PROCEDURAL LANGUAGE", "SCHEMA", "EVENT TRIGGER", "FOREIGN DATA WRAPPER",
                "SERVER", "PUBLICATION", "SUBSCRIPTION" };
        static const char *const by_drop[] = { "AGGREGATE", "FUNCTION", "OPERATOR", "OPERATOR CLASS",
                                               "OPERATOR FAMILY", "PROCEDURE" };
        if (!e->owner || !*e->owner || !*e->drop)
                return false;
        bool found = false;
        for (size_t i = 0; i < LEN(by_name) && !found; i++) {
                if (!str_eq(e->class, by_name[i]))
                        continue;
                found = true;
                sql_add(q, "ALTER ");
                sql_rendered(q, by_name[i]);
                sql_add(q, " ");
                if (e->schema)
                        sql_qname(q, e->schema, e->name);
                else
                        sql_ident(q, e->name);
        }
        for (size_t i = 0; i < LEN(by_drop) && !found; i++) {
                if (!str_eq(e->class, by_drop[i]) || !str_starts(e->drop, "DROP "))
                        continue;
                found = true;
                size_t n = strlen(e->drop);
                while (n > 5 && (e->drop[n - 1] == ';' || isspace((unsigned char)e->drop[n - 1])))
                        n--;
                AUTO_FREE char *what = xstrndup(e->drop + 5, n - 5);
                sql_add(q, "ALTER ");
                sql_rendered(q, what);  /* pg_dump's own words */
        }
        if (found) {
                sql_add(q, " OWNER TO ");
                sql_ident(q, e->owner);
        }
        return found;
}

typedef struct Entries {
        Transfer   *t;
        Pg         *pg;
        Arena      *a;
        const char *tablespace, *access_method; /* what the session has now */
} Entries;

/* A tablespace is a directory of one machine: what lived in it goes to the default one, said
 * once. */
static bool no_such_tablespace(Entries *s, const char *name, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "set default_tablespace = ''");
        if (!str_eq(err->sqlstate, "22023") && !str_eq(err->sqlstate, "42704"))
                return false;
        transfer_say(s->t, "tablespace %s is not on the target: what is in it goes to the default one",
                     name);
        err_clear(err);
        return pg_exec(s->pg, &q, err);
}

/* default_tablespace and default_table_access_method, only when they change. */
static bool where_it_lives(Entries *s, const TocEntry *e, Err *err)
{
        AUTO_SQL q = { 0 };
        if (e->tablespace && !str_eq(e->tablespace, s->tablespace)) {
                sql_add(&q, "set default_tablespace = ");
                sql_value(&q, e->tablespace);
                if (!pg_exec(s->pg, &q, err) && !no_such_tablespace(s, e->tablespace, err))
                        return false;
                s->tablespace = e->tablespace;
        }
        if (e->access_method && *e->access_method && e->relkind != 'p' &&
            !str_eq(e->access_method, s->access_method)) {
                AUTO_SQL am = { 0 };
                sql_add(&am, "set default_table_access_method = ");
                sql_value(&am, e->access_method);
                if (!pg_exec(s->pg, &am, err))
                        return false;
                s->access_method = e->access_method;
        }
        return true;
}

/* A grant's entry is many statements: one that names a missing role must not take the others
 * with it, so each is its own transaction and its own error. */
static bool grants(Entries *s, const char *sql, Err *err)
{
        for (const char *p = sql;;) {
                const char *start;
                size_t n = sqltext_next(p, &start);
                if (n == 0)
                        return true;
                AUTO_FREE char *one = xstrndup(start, (size_t)(p + n - start));
                AUTO_FREE char *object = text_clean(one, MIN(strlen(one), 200));
                if (!pg_exec_dumped(s->pg, one, err) && !transfer_tolerates(s->t, object, err))
                        return false;
                p += n;
        }
}

/* 1.16 keeps a partitioned table's access method apart: it has no storage of its own. */
static bool after(Entries *s, const TocEntry *e, const char *object, Err *err)
{
        AUTO_SQL am = { 0 };
        AUTO_SQL owner = { 0 };
        if (e->relkind == 'p' && e->access_method && *e->access_method) {
                sql_add(&am, "ALTER TABLE ");
                sql_qname(&am, e->schema ? e->schema : "public", e->name);
                sql_add(&am, " SET ACCESS METHOD ");
                sql_ident(&am, e->access_method);
                if (!pg_exec(s->pg, &am, err) && !transfer_tolerates(s->t, object, err))
                        return false;
        }
        if (!owner_sql(e, &owner) || pg_exec(s->pg, &owner, err))
                return true;
        AUTO_FREE char *what = xasprintf("OWNER of %s", object);
        return transfer_tolerates(s->t, what, err);
}

/* A parallel build keeps its memory in /dev/shm, which is 64 MB in a container: "could not
 * resize shared memory segment" (53100), so once more by one process, with little memory. */
static bool try_entry(Entries *s, const char *sql, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_SQL back = { 0 };
        if (pg_exec_dumped(s->pg, sql, err))
                return true;
        if (!str_eq(err->sqlstate, "53100") && !str_eq(err->sqlstate, "53200"))
                return false;
        transfer_say(s->t, "once more with less memory: %s", err->message);
        err_clear(err);
        sql_add(&q, "set maintenance_work_mem = '32MB'; set max_parallel_maintenance_workers = 0");
        sql_add(&back, "set maintenance_work_mem = '" INDEX_MEMORY "'; "
                       "reset max_parallel_maintenance_workers");
        return pg_exec(s->pg, &q, err) && pg_exec_dumped(s->pg, sql, err) &&
               pg_exec(s->pg, &back, err);
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

static bool entry(Entries *s, const TocEntry *e, Err *err)
{
        const char *object = toc_object(s->a, e);
        AUTO_BUF stripped = buf_init(LIMIT_SQL);
        const char *sql = e->sql;
        if (sqltext_strip(e->sql, pg_major(s->pg), &stripped))
                sql = buf_str(&stripped);
        if (e->pass == TOC_PASS_ACL)
                return grants(s, sql, err);
        bool ok = where_it_lives(s, e, err) && policies(s, e, true, err) && try_entry(s, sql, err);
        if (!ok && !transfer_tolerates(s->t, object, err))
                return false;
        if (!policies(s, e, false, err))
                return false;
        return !ok || after(s, e, object, err);
}

static bool wanted(const TocEntry *e, TocSection section, TocPass pass)
{
        return e->pass == pass && toc_is_schema(e) && (pass != TOC_PASS_MAIN || e->section == section);
}

static int64_t weight(const EntriesMeter *m, const TocEntry *e)
{
        if (!m->indexes)
                return 1;
        AUTO_FREE char *key = xasprintf("%s.%s", e->schema ? e->schema : "", e->name);
        bool builds = str_eq(e->class, "INDEX") || str_eq(e->class, "CONSTRAINT");
        return builds ? jx_int(m->indexes, key, 0) : 0;
}

bool target_entries(Transfer *t, Pg *pg, const Toc *toc, TocSection section, TocPass pass,
                    EntriesMeter *m, Err *err)
{
        AUTO_ARENA a = arena_new();
        Entries s = { .t = t, .pg = pg, .a = a };
        for (size_t i = 0; i < toc->n; i++) {
                const TocEntry *e = &toc->entries[i];
                if (!wanted(e, section, pass))
                        continue;
                ArenaMark mark = arena_mark(a);
                AUTO_FREE char *name = xasprintf("%s %s", e->class, e->name);
                AUTO_FREE char *clean = text_clean_str(name);
                if (transfer_stopped(t, err))
                        return false;
                watch_name(m->watch, clean);
                progress_set(t, m->done, m->things, &(TransferRow){ .name = clean });
                if (!entry(&s, e, err))
                        return false;
                m->done += weight(m, e);
                m->things++;
                arena_reset(a, mark);
        }
        progress_set(t, m->done, m->things, NULL);
        return true;
}

int64_t toc_count(const Toc *toc)
{
        int64_t n = 0;
        for (size_t i = 0; i < toc->n; i++)
                n += toc_is_schema(&toc->entries[i]);
        return n;
}

int toc_count_of(const Toc *toc, TocSection section)
{
        int n = 0;
        for (size_t i = 0; i < toc->n; i++) {
                const TocEntry *e = &toc->entries[i];
                bool later = e->pass != TOC_PASS_MAIN || e->section == TOC_POST_DATA;
                n += toc_is_schema(e) && later == (section == TOC_POST_DATA);
        }
        return n;
}

/* ---- the database itself, when everything is in it ---- */

typedef struct Properties {
        Transfer *t;
        Pg       *pg;
} Properties;

static bool one_property(void *arg, const char *what, const Sql *q, Err *err)
{
        Properties *p = arg;
        return pg_exec(p->pg, q, err) || transfer_tolerates(p->t, what, err);
}

bool target_properties(Transfer *t, const PgParams *p, const json_t *props, const char *database,
                       Err *err)
{
        Properties w = { .t = t };
        if (!transfer_connect(t, p, NULL, &w.pg, err))
                return false;
        bool ok = props_each(props, database, one_property, &w, err);
        transfer_disconnect(t, &w.pg);
        return ok ? true : err_wrap(err, "settings of the database");
}
