/* target_database.c: the database that is being made. */
#include "transfer/make/target_database.h"

#include <time.h>

#include "base/limits.h"
#include "base/text.h"
#include "transfer/make/entries.h"
#include "transfer/make/prepared.h"
#include "transfer/make/prepared_kept.h"
#include "transfer/read/props.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

#define TRIES        3       /* while somebody looks into the prepared one; each waits 5 s */
#define INDEX_MEMORY "256MB" /* more made no index faster, less makes workers worthless */

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

/* A template must have nobody connected: health checks are, for a moment. */
static bool like_prepared(Transfer *t, Pg *pg, const char *into, Err *err)
{
        AUTO_SQL q = { 0 };
        prepared_create_sql(t->prepared, into, &q);
        for (int attempt = 1;; attempt++) {
                err_clear(err);
                if (pg_exec(pg, &q, err))
                        return true;
                if (!str_eq(err->sqlstate, "55006") || attempt == TRIES || transfer_stopped(t, err))
                        break;
                nanosleep(&(struct timespec){ .tv_nsec = 500000000 }, NULL);
        }
        if (str_eq(err->sqlstate, "55006"))
                err_hint(err, "somebody is connected to the empty database that was prepared; stop "
                              "that client and run it again");
        else if (str_eq(err->sqlstate, "42501"))
                err_hint(err, "the empty database was prepared: taking over what it is needs its "
                              "owner's rights, or a superuser's");
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
        bool ok = t->prepared ? like_prepared(t, pg, into, err)
                              : pg_exec(pg, &q, err) || hint_for_create(props, err);
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
        sql_add(&q,
                "set search_path = ''; set check_function_bodies = false; set xmloption = content; "
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

/* ---- its schema ---- */

static void made(void *arg, size_t done, const TocEntry *next)
{
        AUTO_FREE char *name = xasprintf("%s %s", next->class, next->name);
        AUTO_FREE char *clean = text_clean_str(name);
        progress_set(arg, (int64_t)done, (int)done, &(ProgressRow){ .name = clean });
}

bool target_pre_data(Transfer *t, Pg *pg, const Toc *toc, Err *err)
{
        Entries CLEANUP(entries_done) s;
        entries_begin(&s, t, pg);
        const TocEntry **list = arena_new_array(s.a, const TocEntry *, toc->n + 1);
        size_t n = 0;
        for (size_t i = 0; i < toc->n; i++) {
                const TocEntry *e = &toc->entries[i];
                if (e->pass == TOC_PASS_MAIN && e->section == TOC_PRE_DATA && toc_is_schema(e))
                        list[n++] = e;
        }
        progress_stage(t, "schema", "objects", (int64_t)n, (int)n);
        return entries_run(&s, list, n, made, t, err);
}

int64_t toc_count(const Toc *toc)
{
        int64_t n = 0;
        for (size_t i = 0; i < toc->n; i++)
                n += toc_is_schema(&toc->entries[i]);
        return n;
}

/* ---- the database itself, when everything is in it ---- */

typedef struct Properties {
        Transfer *t;
        Pg *pg;
} Properties;

static bool one_property(void *arg, const char *what, const Sql *q, Err *err)
{
        Properties *p = arg;
        return pg_exec(p->pg, q, err) || transfer_tolerates(p->t, what, err);
}

static bool drop_lacking(Transfer *t, const PgParams *p, const json_t *props, const char *database,
                         Err *err)
{
        Properties w = { .t = t };
        if (!json_array_size(jx_get(props, "lacks")))
                return true;
        if (!transfer_connect(t, p, database, &w.pg, err))
                return false;
        bool ok = props_lacking(props, one_property, &w, err);
        transfer_disconnect(t, &w.pg);
        return ok;
}

/* A template cannot be dropped, compared and given its name as others can; a tablespace is a
 * directory of one machine. Both are said, and left to a person. */
static void say_what_stays(Transfer *t, const json_t *props)
{
        const char *tablespace = jx_str(props, "tablespace", NULL);
        if (jx_bool(props, "template", false))
                transfer_say(t, "the source is a template database, the copy is not: ALTER "
                                "DATABASE .. IS_TEMPLATE true makes it one");
        if (tablespace)
                transfer_say(t,
                             "the source is in tablespace %s, the copy in the target's default: "
                             "ALTER DATABASE .. SET TABLESPACE moves it",
                             tablespace);
}

/* What --check said before; in the report as what a restore lives without. */
static void say_what_changed(Transfer *t, const json_t *left_out)
{
        size_t i;
        json_t *j;
        json_array_foreach(left_out, i, j) {
                const char *object = jx_str(j, "object", ""), *how = jx_str(j, "how", "");
                transfer_say(t, "%s: %s", object, how);
                pthread_mutex_lock(&t->asking);
                json_array_append_new(t->tolerated,
                                      json_pack("{s:s, s:s, s:s, s:s, s:s}", "object", object,
                                                "sqlstate", "", "message", how, "class",
                                                "unknown-setting", "reason",
                                                "a setting that this major does not "
                                                "have, or has under another name"));
                pthread_mutex_unlock(&t->asking);
        }
}

bool target_settings_try(Transfer *t, const PgParams *p, const json_t *props, const char *database,
                         Err *err)
{
        Properties w = { .t = t };
        AUTO_JSON said = json_array();
        if (!transfer_connect(t, p, NULL, &w.pg, err))
                return false;
        AUTO_JSON here = props_on(props, pg_major(w.pg), said);
        bool ok = props_settings(here, database, one_property, &w, err);
        transfer_disconnect(t, &w.pg);
        return ok;
}

static bool schemas_again(Transfer *t, const PgParams *p, const char *database, Err *err)
{
        Pg *in = NULL;
        if (!t->prepared)
                return true;
        if (!transfer_connect(t, p, database, &in, err))
                return false;
        bool ok = prepared_schemas(in, t->prepared, t->kept, err);
        transfer_disconnect(t, &in);
        return ok;
}

bool target_properties(Transfer *t, const PgParams *p, const json_t *of_source,
                       const char *database, Err *err)
{
        Properties w = { .t = t };
        AUTO_JSON props = t->prepared ? prepared_over(t->prepared, of_source, t->kept)
                                      : json_incref((json_t *)of_source);
        if (!schemas_again(t, p, database, err))
                return false;
        if (!drop_lacking(t, p, props, database, err) || !transfer_connect(t, p, NULL, &w.pg, err))
                return false;
        AUTO_JSON left_out = json_array();
        AUTO_JSON here = props_on(props, pg_major(w.pg), left_out);
        say_what_changed(t, left_out);
        bool ok = props_each(here, database, one_property, &w, err);
        if (ok)
                say_what_stays(t, props);
        if (ok)
                kept_say(t, t->kept);
        transfer_disconnect(t, &w.pg);
        return ok ? true : err_wrap(err, "settings of the database");
}

bool target_checkpoint(Transfer *t, const PgParams *p, Err *err)
{
        Pg *pg = NULL;
        PgParams mine = *p;
        mine.statement_timeout_ms = 0;
        progress_words(t, "writing everything to disk");
        if (!transfer_connect(t, &mine, NULL, &pg, err))
                return false;
        bool ok = pg_do(pg, "checkpoint", err);
        transfer_disconnect(t, &pg);
        if (ok || !str_eq(err->sqlstate, "42501"))
                return ok;
        err_clear(err); /* only superusers, and pg_checkpoint since 15 */
        return true;
}
