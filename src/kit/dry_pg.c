/* dry_pg.c: what a server lets us see long before we work on it. */

#include "base/buf.h"
#include "base/fmt.h"
#include "base/text.h"
#include "kit/data_steps.h"
#include "kit/dry.h"
#include "kit/pg_steps.h"
#include "pg/clients.h"
#include "pg/database.h"
#include "pg/fence.h"
#include "place/place.h"

static const char *dry_pg_server_of(StepCtx *ctx, const Target *t)
{
        if (t->name)
                return t->name;
        AUTO_FREE char *words = jx_words(place_via(t));
        return arena_strdup(step_arena(ctx), words);
}

void dry_will_on(StepCtx *ctx, const Target *t, const char *what, const char *name, Will will)
{
        if (t)
                step_will(ctx, what,
                          arena_printf(step_arena(ctx), "%s/%s", dry_pg_server_of(ctx, t), name),
                          will);
}

Will dry_will_be_on(StepCtx *ctx, const Target *t, const char *what, const char *name)
{
        if (!t)
                return WILL_STAY;
        return step_will_be(ctx, what,
                            arena_printf(step_arena(ctx), "%s/%s", dry_pg_server_of(ctx, t), name));
}

/* ---- is it there? ---- */

static Seen dry_pg_unseen(StepCtx *ctx, const Target *t, const char *why)
{
        step_unseen(ctx, "%s: %s", dry_pg_server_of(ctx, t), why);
        return SEEN_LATER;
}

/* By an earlier step of this run there will be another server, or none. */
static Seen by_then(StepCtx *ctx, const Target *t)
{
        PlaceNames at = place_names(t);
        Will will = at.container ? step_will_be(ctx, "container", at.container) : WILL_STAY;
        if (at.container && step_will_be(ctx, "runs", at.container) == WILL_GO)
                will = WILL_GO;
        if (at.stack)
                will = step_will_be(ctx, "server",
                                    arena_printf(step_arena(ctx), "%s/%s", at.stack, at.service));
        if (will == WILL_COME)
                return dry_pg_unseen(ctx, t, "an earlier step starts this server");
        if (will != WILL_GO)
                return SEEN_HERE;
        step_problem(ctx, "an earlier step stops the server %s", dry_pg_server_of(ctx, t));
        return SEEN_NOT;
}

static Seen dry_pg_refused(StepCtx *ctx, const Target *t, const char *database, const Err *why)
{
        const char *own = jx_str(t->spec, "database", "");
        if (str_eq(why->sqlstate, "3D000") &&
            dry_will_be_on(ctx, t, "database", database && *database ? database : own) == WILL_COME)
                return dry_pg_unseen(ctx, t, "an earlier step makes this database");
        if (step_will_be(ctx, "anything", "anywhere") == WILL_COME)
                return dry_pg_unseen(ctx, t, why->message);
        step_problem(ctx, "%s%s%s", why->message, why->hint ? "; " : "",
                     why->hint ? why->hint : "");
        return SEEN_NOT;
}

Seen dry_pg(StepCtx *ctx, const Target *t, const char *database, Pg **ret)
{
        AUTO_ERR why = { 0 };
        if (!t) {
                step_problem(ctx, "this step needs `on:` with a postgres target");
                return SEEN_NOT;
        }
        Seen seen = by_then(ctx, t);
        if (seen != SEEN_HERE)
                return seen;
        TargetNow now = step_target_now(ctx, t, &why);
        if (now == TARGET_LATER)
                return dry_pg_unseen(ctx, t, why.message);
        if (now == TARGET_AWAY)
                return dry_pg_refused(ctx, t, database, &why);
        AUTO_JSON name = jx_text(database ? database : "");
        if (json_is_string(name) && strstr(json_string_value(name), "\xe2\x80\xb9"))
                return dry_pg_unseen(ctx, t, "which database is known later");
        if (!kit_pg_open(ctx, t, database, ret, &why))
                return dry_pg_refused(ctx, t, database, &why);
        return SEEN_HERE;
}

Seen dry_pg_param(StepCtx *ctx, const char *param, const char *database, Pg **ret)
{
        AUTO_ERR why = { 0 };
        const Target *t = step_param_target(ctx, param, &why);
        if (t)
                return dry_pg(ctx, t, database, ret);
        step_problem(ctx, "%s", why.message);
        return SEEN_NOT;
}

Seen dry_pg_on(StepCtx *ctx, Pg **ret)
{
        return dry_pg(ctx, step_target(ctx), step_str(ctx, "database"), ret);
}

/* ---- rights ---- */

static bool dry_pg_truth(Pg *pg, const Sql *q, bool *ret, Err *err)
{
        AUTO_FREE char *v = NULL;
        if (!pg_query_value(pg, q, &v, err))
                return false;
        *ret = v && str_eq(v, "t");
        return true;
}

bool dry_superuser(Pg *pg, bool *ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select rolsuper from pg_roles where rolname = current_user");
        return dry_pg_truth(pg, &q, ret, err);
}

bool dry_no_standby(StepCtx *ctx, Pg *pg, Err *err)
{
        AUTO_SQL q = { 0 };
        bool is_standby = false;
        sql_add(&q, "select pg_is_in_recovery()");
        if (!dry_pg_truth(pg, &q, &is_standby, err))
                return false;
        if (is_standby)
                step_problem(ctx, "the server is a standby: nothing can be written there");
        return true;
}

bool dry_writable(StepCtx *ctx, Pg *pg, Err *err)
{
        AUTO_SQL q = { 0 };
        bool is_closed = false;
        sql_add(&q, "select current_setting('default_transaction_read_only') = 'on'");
        if (!dry_no_standby(ctx, pg, err) || !dry_pg_truth(pg, &q, &is_closed, err))
                return false;
        if (is_closed)
                step_problem(ctx,
                             "default_transaction_read_only is on for this role in database %s",
                             pg_database(pg));
        return true;
}

bool dry_may_create_database(StepCtx *ctx, Pg *pg, const char *why, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select rolname, rolsuper or rolcreatedb from pg_roles where rolname = "
                    "current_user");
        if (!dry_writable(ctx, pg, err) || !pg_query(pg, &q, &r, err))
                return false;
        if (pg_rows(r) && !pg_cell_bool(r, 0, 1))
                step_problem(ctx, "role %s may not create databases, %s (ALTER ROLE .. CREATEDB)",
                             pg_cell(r, 0, 0), why);
        return true;
}

/* As pg_dump reads: tables, sequences, materialized views' definitions need nothing; of an
 * extension only what it calls configuration. */
static bool dry_pg_unreadable(Pg *pg, PgRes **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q,
                "select format('%I.%I', n.nspname, c.relname), case when not "
                "has_schema_privilege(n.oid, 'USAGE') then 'its schema is closed to role' when not "
                "has_table_privilege(c.oid, 'SELECT') then 'it may not be read by role' else 'row "
                "security hides rows from role' end, current_user from pg_class c join "
                "pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'S') and "
                "c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> "
                "'information_schema' and not exists (select from pg_depend d join pg_extension e "
                "on e.oid = d.refobjid where d.classid = 'pg_class'::regclass and d.objid = c.oid "
                "and d.refclassid = 'pg_extension'::regclass and d.deptype = 'e' and not "
                "coalesce(c.oid = any (e.extconfig), false)) and (not has_schema_privilege(n.oid, "
                "'USAGE') or not has_table_privilege(c.oid, 'SELECT') or "
                "row_security_active(c.oid)) order by 1");
        return pg_query(pg, &q, ret, err);
}

#define NAMED 5 /* tables said by name; the rest is counted */

bool dry_readable(StepCtx *ctx, Pg *pg, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        AUTO_SQL q = { 0 };
        AUTO_FREE char *objects = NULL;
        if (!dry_pg_unreadable(pg, &r, err))
                return err_wrap(err, "asking which tables may be read");
        for (int i = 0; i < MIN(pg_rows(r), NAMED); i++)
                step_problem(ctx, "%s in database %s: %s %s", pg_cell(r, i, 0), pg_database(pg),
                             pg_cell(r, i, 1), pg_cell(r, i, 2));
        if (pg_rows(r) > NAMED)
                step_problem(ctx, "and %d more in database %s", pg_rows(r) - NAMED,
                             pg_database(pg));
        /* They are read where they are, in pg_largeobject. */
        sql_add(&q, "select count(*) from pg_largeobject_metadata where not "
                    "has_table_privilege('pg_catalog.pg_largeobject', 'SELECT')");
        if (!pg_query_value(pg, &q, &objects, err))
                return false;
        if (objects && !str_eq(objects, "0"))
                step_problem(ctx,
                             "%s of database %s, and this role may not read them (pg_largeobject "
                             "is a superuser's)",
                             THINGS(atoll(objects), "large object"), pg_database(pg));
        return true;
}

/* Of the server, of this role, of the database; our own are gone by then. */
static bool free_connections(Pg *pg, PgRes **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q,
                "with mine as (select * from pg_roles where rolname = current_user), others as "
                "(select * from pg_stat_activity where coalesce(application_name, '') !~ "
                "'^pgsherpa/' and pid <> pg_backend_pid()) select 'max_connections', "
                "current_setting('max_connections')::int, current_setting('max_connections')::int "
                "- case when rolsuper then 0 else "
                "current_setting('superuser_reserved_connections')::int end - (select count(*) "
                "from others where coalesce(backend_type, 'client backend') = 'client backend') "
                "from mine union all select 'CONNECTION LIMIT of role ' || rolname, rolconnlimit, "
                "rolconnlimit - (select count(*) from others where usename = current_user) from "
                "mine where rolconnlimit >= 0 and not rolsuper union all select 'CONNECTION LIMIT "
                "of database ' || datname, datconnlimit, datconnlimit - (select count(*) from "
                "others o where o.datname = d.datname) from pg_database d, mine where d.datname = "
                "current_database() and datconnlimit >= 0 and not rolsuper");
        return pg_query(pg, &q, ret, err);
}

bool dry_connections(StepCtx *ctx, Pg *pg, int want, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!free_connections(pg, &r, err))
                return err_wrap(err, "asking how many connections are free");
        for (int i = 0; i < pg_rows(r); i++)
                if (pg_cell_int(r, i, 2) < want)
                        step_problem(ctx, "%s is %s: %lld are free now, and at least %d are needed",
                                     pg_cell(r, i, 0), pg_cell(r, i, 1),
                                     (long long)MAX(pg_cell_int(r, i, 2), 0), want);
        return true;
}

/* ---- databases ---- */

static bool belongs_to_server(const char *name)
{
        return str_eq(name, "template0") || str_eq(name, "template1") || str_eq(name, "postgres");
}

bool dry_owns_database(StepCtx *ctx, Pg *pg, const char *name, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        bool ours = false;
        *ret = NULL;
        if (belongs_to_server(name)) {
                step_problem(ctx, "database %s belongs to the server and stays", name);
                return true;
        }
        if (dry_will_be_on(ctx, step_target(ctx), "database", name) == WILL_COME) {
                step_unseen(ctx, "database %s is made by an earlier step", name);
                return true;
        }
        if (!pg_database_describe(pg, name, ret, err) || !*ret)
                return err->kind == ERR_NONE;
        sql_add(&q, "select pg_has_role(datdba, 'USAGE') from pg_database where datname = ");
        sql_value(&q, name);
        if (!dry_pg_truth(pg, &q, &ours, err))
                return false;
        if (!ours)
                step_problem(ctx, "database %s belongs to %s, and this role is no member of it",
                             name, jx_str(*ret, "owner", "?"));
        return dry_writable(ctx, pg, err);
}

bool dry_nobody_in(StepCtx *ctx, Pg *pg, const char *name, Err *err)
{
        AUTO_JSON only = json_pack("[s]", name);
        AUTO_JSON others = NULL;
        if (dry_will_be_on(ctx, step_target(ctx), "clients", "") == WILL_GO)
                return true;
        if (!pg_fence_others(pg, only, &others, err))
                return false;
        const json_t *first = json_array_get(others, 0);
        bool stops = step_will_be(ctx, "services", "any") == WILL_GO ||
                     step_will_be(ctx, "anything", "anywhere") == WILL_COME;
        if (first && stops)
                step_unseen(ctx, "%s connected to database %s now; an earlier step may end that",
                            THINGS(json_array_size(others), "client"), name);
        else if (first)
                step_problem(ctx,
                             "%s connected to database %s now (%s from %s), and no earlier step "
                             "ends that",
                             THINGS(json_array_size(others), "client"), name,
                             jx_str(first, "user", "?"), jx_str(first, "address", "this machine"));
        return true;
}

void dry_pg_name(StepCtx *ctx, const char *what, const char *name)
{
        AUTO_FREE char *clean = text_clean_str(name);
        if (!*name)
                step_problem(ctx, "%s: there is no name", what);
        else if (strlen(name) > 63)
                step_problem(ctx, "%s `%s` is longer than the 63 bytes PostgreSQL keeps", what,
                             clean);
}

/* A collation is made for the encoding of the database one is in. */
static bool same_encoding(Pg *pg, const char *encoding, bool *ret, Err *err)
{
        AUTO_SQL q = { 0 };
        *ret = true;
        if (!encoding || !*encoding)
                return true;
        sql_add(&q, "select pg_char_to_encoding(");
        sql_value(&q, encoding);
        sql_add(&q, ") = pg_char_to_encoding(current_setting('server_encoding'))");
        return dry_pg_truth(pg, &q, ret, err);
}

bool dry_locale(StepCtx *ctx, Pg *pg, char provider, const char *locale, const char *encoding,
                Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_ERR why = { 0 }, ignored = { 0 };
        AUTO_FREE char *clean = text_clean_str(locale);
        bool same = true;
        if (str_eq(locale, "C") || str_eq(locale, "POSIX"))
                return true;
        if (!same_encoding(pg, encoding, &same, err))
                return false;
        if (!same) {
                step_unseen(ctx,
                            "whether the server has locale %s for %s is known when the database is "
                            "made",
                            clean, encoding);
                return true;
        }
        sql_add(&q, "create collation pg_temp.pgsherpa_dry (locale = ");
        sql_value(&q, locale);
        sql_add_literal_(&q, provider == 'i'   ? ", provider = icu)"
                             : provider == 'b' ? ", provider = builtin)"
                                               : ")");
        if (!pg_do(pg, "begin", err))
                return false;
        bool ok = pg_exec(pg, &q, &why);
        (void)!pg_do(pg, "rollback", &ignored);
        /* A right that is missing for the look is none that is missing for the work. */
        if (!ok && !str_eq(why.sqlstate, "42501") && !str_starts(why.sqlstate, "25"))
                step_problem(ctx, "the server has no locale `%s`: %s", clean, why.message);
        return true;
}

bool dry_client(StepCtx *ctx, int major, const Target *image_of, Err *err)
{
        AUTO_PGCLIENT client = { 0 };
        AUTO_ERR why = { 0 };
        if (!pg_clients_from(major, image_of ? kit_target_image(ctx, image_of) : NULL, &client,
                             &why))
                step_problem(ctx, "%s%s%s", why.message, why.hint ? "; " : "",
                             why.hint ? why.hint : "");
        return true;
}

bool dry_table_bytes(Pg *pg, int64_t *ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select coalesce(sum(pg_table_size(c.oid)), 0)::bigint from pg_class c where "
                    "c.relkind in ('r', 'm') and c.oid >= 16384");
        if (!pg_query(pg, &q, &r, err))
                return false;
        *ret = pg_cell_int(r, 0, 0);
        return true;
}
