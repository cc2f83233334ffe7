#include "pg/database.h"

#include "pg/facts.h"

static void option(Sql *q, const char *word, const char *value)
{
        if (!value || !*value)
                return;
        sql_add_literal_(q, word);
        sql_value(q, value);
}

void pg_database_create_sql(const DatabaseSpec *d, int major, Sql *q)
{
        sql_add(q, "create database ");
        sql_ident(q, d->name);
        sql_add(q, " template ");
        sql_ident(q, d->template_db && *d->template_db ? d->template_db : "template0");
        if (d->owner && *d->owner) {
                sql_add(q, " owner ");
                sql_ident(q, d->owner);
        }
        option(q, " encoding ", d->encoding);
        option(q, " lc_collate ", d->collate);
        option(q, " lc_ctype ", d->ctype);
        if (major >= 15) {
                option(q, " locale_provider ", d->provider);
                if (str_eq(d->provider, "builtin"))
                        option(q, " builtin_locale ", d->icu_locale);
                else
                        option(q, " icu_locale ", d->icu_locale);
        }
        if (d->connlimit >= 0) {
                sql_add(q, " connection limit ");
                sql_int(q, d->connlimit);
        }
}

bool pg_database_create(Pg *pg, const DatabaseSpec *d, Err *err)
{
        AUTO_SQL q = { 0 };
        pg_database_create_sql(d, pg_major(pg), &q);
        return pg_exec(pg, &q, err) || err_wrap(err, "creating database %s", d->name);
}

bool pg_database_dress(Pg *pg, const DatabaseSpec *d, Err *err)
{
        AUTO_SQL limit = { 0 };
        sql_add(&limit, "alter database ");
        sql_ident(&limit, d->name);
        sql_add(&limit, " connection limit ");
        sql_int(&limit, d->connlimit);
        if (!pg_exec(pg, &limit, err))
                return err_wrap(err, "limiting the connections of database %s", d->name);
        if (d->revoke_public_connect) {
                AUTO_SQL q = { 0 };
                sql_add(&q, "revoke connect, temporary on database ");
                sql_ident(&q, d->name);
                sql_add(&q, " from public");
                if (!pg_exec(pg, &q, err))
                        return err_wrap(err, "closing database %s to others", d->name);
        }
        if (d->comment && *d->comment) {
                AUTO_SQL q = { 0 };
                sql_add(&q, "comment on database ");
                sql_ident(&q, d->name);
                sql_add(&q, " is ");
                sql_value(&q, d->comment);
                if (!pg_exec(pg, &q, err))
                        return err_wrap(err, "commenting database %s", d->name);
        }
        return true;
}

bool pg_database_describe(Pg *pg, const char *name, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_JSON d = NULL;
        *ret = NULL;
        sql_add(&q, "select json_build_object('name', datname, 'oid', oid::text, 'owner', "
                    "pg_get_userbyid(datdba), 'encoding', pg_encoding_to_char(encoding), "
                    "'collate', datcollate, 'ctype', datctype, 'allow_conn', datallowconn, "
                    "'limit', datconnlimit, 'size', pg_database_size(oid), 'comment', "
                    "shobj_description(oid, 'pg_database'), 'connections', (select count(*) from "
                    "pg_stat_activity a where a.datid = d.oid and a.pid <> pg_backend_pid())) from "
                    "pg_database d where datname = ");
        sql_value(&q, name);
        if (!pg_json_value(pg, &q, &d, err))
                return err_wrap(err, "looking at database %s", name);
        if (json_is_object(d)) {
                *ret = d;
                d = NULL;
        }
        return true;
}

/* What an init script's extension brought is no user's data. Tables that pg_dump reads all the same
 * may hold some: jobs of pg_cron, a user's own projections of PostGIS. */
static bool has_config_rows(Pg *in, char **ret_what, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_ask(in,
                    "select n.nspname, c.relname, u.cond, 'rows in ' || c.oid::regclass::text "
                    "from pg_extension e, unnest(e.extconfig, e.extcondition) u(relid, cond) "
                    "join pg_class c on c.oid = u.relid join pg_namespace n on n.oid = "
                    "c.relnamespace where c.relkind in ('r', 'p') order by 1, 2",
                    &r, err))
                return false;
        for (int i = 0; i < pg_rows(r) && !*ret_what; i++) {
                AUTO_SQL q = { 0 };
                AUTO_PGRES PgRes *some = NULL;
                sql_add(&q, "select 1 from ");
                sql_qname(&q, pg_cell(r, i, 0), pg_cell(r, i, 1));
                sql_add(&q, " ");
                sql_rendered(&q, pg_cell(r, i, 2) ? pg_cell(r, i, 2) : "");
                sql_add(&q, " limit 1");
                if (!pg_query(in, &q, &some, err))
                        return false;
                if (pg_rows(some) > 0)
                        *ret_what = xstrdup(pg_cell(r, i, 3));
        }
        return true;
}

/* Extensions that an init script made are no user's; their members neither. */
static bool has_objects(Pg *in, char **ret_what, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_ask(in,
                    "select what from (select 'relation ' || c.oid::regclass::text as what, "
                    "'pg_class'::regclass as class, c.oid as oid from pg_class c join "
                    "pg_namespace n on n.oid = c.relnamespace where n.nspname !~ '^pg_' and "
                    "c.oid >= 16384 and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'c') "
                    "union all select 'function ' || p.oid::regprocedure::text, "
                    "'pg_proc'::regclass, p.oid from pg_proc p where p.oid >= 16384 union all "
                    "select 'type ' || t.oid::regtype::text, 'pg_type'::regclass, t.oid from "
                    "pg_type t where t.oid >= 16384 and t.typtype in ('d', 'e', 'r') "
                    "union all select 'large object ' || m.oid::text, "
                    "'pg_largeobject'::regclass, m.oid from pg_largeobject_metadata m) o where "
                    "not exists (select from pg_depend e where e.classid = o.class and e.objid "
                    "= o.oid and e.deptype = 'e') limit 1",
                    &r, err))
                return false;
        if (pg_rows(r) > 0)
                *ret_what = xstrdup(pg_cell(r, 0, 0));
        return true;
}

bool pg_database_is_empty(Pg *pg, const char *name, bool *ret, char **ret_what, Err *err)
{
        AUTO_PG Pg *in = NULL;
        AUTO_FREE char *what = NULL;
        if (!pg_reopen_beside(pg, name, &in, err) || !has_objects(in, &what, err) ||
            (!what && !has_config_rows(in, &what, err)))
                return err_wrap(err, "looking into database %s", name);
        *ret = what == NULL;
        if (ret_what) {
                *ret_what = what;
                what = NULL;
        }
        return true;
}

bool pg_database_rename(Pg *pg, const char *from, const char *to, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "alter database ");
        sql_ident(&q, from);
        sql_add(&q, " rename to ");
        sql_ident(&q, to);
        if (pg_exec(pg, &q, err))
                return true;
        if (str_eq(err->sqlstate, "55006") && !err->hint)
                err_hint(err, "somebody is connected to %s; stop that client first", from);
        return err_wrap(err, "renaming database %s to %s", from, to);
}

bool pg_database_drop(Pg *pg, const char *name, bool force, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "drop database ");
        sql_ident(&q, name);
        if (force && pg_major(pg) >= 13)
                sql_add(&q, " with (force)");
        return pg_exec(pg, &q, err) || err_wrap(err, "dropping database %s", name);
}

bool pg_database_drop_aside(Pg *pg, const char *aside, char **ret_what, Err *err)
{
        bool empty = false;
        *ret_what = NULL;
        return pg_database_is_empty(pg, aside, &empty, ret_what, err) &&
               (!empty || pg_database_drop(pg, aside, false, err));
}

bool pg_open_beside(PgOpener open, void *arg, const char *a, const char *b, Pg **ret, Err *err)
{
        static const char *const rooms[] = { "postgres", "template1" };
        for (size_t i = 0; i < LEN(rooms); i++) {
                if (str_eq(rooms[i], a) || str_eq(rooms[i], b))
                        continue;
                err_clear(err);
                if (open(arg, rooms[i], ret, err))
                        return true;
        }
        return err_wrap(err, "a database to stand in while another is renamed or dropped");
}
