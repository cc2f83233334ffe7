#include "pg/extension.h"

#include "pg/facts.h"

/* Facts: docs.timescale.com, "Logical backup"; timescaledb_pre_restore() stops its workers in the
 * database and keeps its planner, triggers and event triggers out of the way. README of pg_cron:
 * "pg_cron may only be installed to one database in a cluster", cron.database_name says to which.
 */
#define CRON_TOLD                                                                                  \
        "select * from (select format('pg_cron: %s jobs run here from now on; where the old "      \
        "server goes on, they run there, "                                                         \
        "too', count(*)) as told from cron.job where active having count(*) > 0 union all select " \
        "format('pg_cron: %s jobs "                                                                \
        "connect to port %s, and this server listens on %s: update cron.job set nodeport', "       \
        "count(*), min(nodeport), "                                                                \
        "current_setting('port')) from cron.job where nodeport <> current_setting('port')::int "   \
        "having count(*) > 0) x"

static const PgExtension known[] = {
        { "timescaledb", .before = "timescaledb_pre_restore", .after = "timescaledb_post_restore",
          .between = PG_BETWEEN, .schema = "_timescaledb_catalog", .same_version = true,
          .writes_own = true },
        { "pg_cron", .home = "cron.database_name", .schema = "cron", .told = CRON_TOLD },
};

const PgExtension *pg_extension_find(const char *name)
{
        for (size_t i = 0; i < LEN(known); i++)
                if (str_eq(known[i].name, name))
                        return &known[i];
        return NULL;
}

/* ---- what waits ---- */

bool pg_later_begin(Pg *in, Err *err)
{
        return pg_do(in,
                     "create schema if not exists " PG_LATER
                     "; create table if not exists " PG_LATER
                     ".statements (n serial primary key, first bool not null, kind text not null, "
                     "object text "
                     "not null, sql text not null)",
                     err) ||
               err_wrap(err, "making a place for what must wait for the database's name");
}

bool pg_later_statement(Pg *in, bool first, const char *kind, const char *object, const char *sql,
                        Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "insert into " PG_LATER ".statements (first, kind, object, sql) values (");
        sql_add_literal_(&q, first ? "true, " : "false, ");
        sql_value(&q, kind);
        sql_add(&q, ", ");
        sql_value(&q, object);
        sql_add(&q, ", ");
        sql_value(&q, sql);
        sql_add(&q, ")");
        return pg_exec(in, &q, err);
}

bool pg_later_table(Pg *in, const char *schema, const char *name, const char *const *columns,
                    size_t n, char **ret_name, Err *err)
{
        AUTO_SQL q = { 0 };
        char *mine = xasprintf("%s.%s", schema, name);
        sql_add(&q, "create table ");
        sql_qname(&q, PG_LATER, mine);
        sql_add(&q, " (");
        for (size_t i = 0; i < n; i++) {
                if (i)
                        sql_add(&q, ", ");
                sql_ident(&q, columns[i]);
                sql_add(&q, " text");
        }
        sql_add(&q, ")");
        if (pg_exec(in, &q, err)) {
                *ret_name = mine;
                return true;
        }
        free(mine);
        return false;
}

static bool is_there(Pg *in, bool *ret, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_ask(in,
                    "select 1 from pg_namespace n join pg_class c on c.relnamespace = n.oid where "
                    "n.nspname "
                    "= '" PG_LATER "' and c.relname = 'statements'",
                    &r, err))
                return false;
        *ret = pg_rows(r) > 0;
        return true;
}

bool pg_later_waits(Pg *in, bool contents, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        bool there = false;
        *ret = NULL;
        if (!is_there(in, &there, err))
                return false;
        if (!there)
                return true;
        sql_add(&q,
                "select coalesce(json_agg(json_strip_nulls(json_build_object('kind', w.kind, "
                "'object', w.object, "
                "'what', w.what))), '[]') from (select kind, object, null as what from " PG_LATER
                ".statements");
        if (contents)
                sql_add(&q, " union all select 'table', " PG_LATER_NAME(
                                    "c") ", 'content' from pg_class c join "
                                         "pg_namespace n on n.oid = c.relnamespace where n.nspname "
                                         "= '" PG_LATER "' and "
                                         "c.relkind = 'r' and c.relname like '%.%'");
        sql_add(&q, ") w");
        return pg_json_value(in, &q, ret, err);
}

/* ---- doing it ---- */

static bool statements(Pg *in, bool first, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select sql, object from " PG_LATER ".statements where first = ");
        sql_add_literal_(&q, first ? "true" : "false");
        sql_add(&q, " order by n");
        if (!pg_query(in, &q, &r, err))
                return false;
        for (int i = 0; i < pg_rows(r); i++)
                if (!pg_exec_dumped(in, pg_cell(r, i, 0), err))
                        return err_wrap(err, "%s", pg_cell(r, i, 1));
        return true;
}

/* Text becomes a value by the type's own input, as COPY does it. Afterwards both must be the same
 * rows. */
#define WAITING                                                                                    \
        "from (select c.oid, c.relname, split_part(c.relname, '.', 1) as s, substr(c.relname, "    \
        "strpos(c.relname, '.') + 1) as t, string_agg(quote_ident(a.attname), ', ' order by "      \
        "a.attnum) as names, "                                                                     \
        "string_agg(format('%I::%s', a.attname, format_type(r.atttypid, r.atttypmod)), ', ' "      \
        "order by a.attnum) "                                                                      \
        "as typed from pg_class c join pg_namespace n on n.oid = c.relnamespace join "             \
        "pg_attribute a on "                                                                       \
        "a.attrelid = c.oid and a.attnum > 0 left join pg_namespace rn on rn.nspname = "           \
        "split_part(c.relname, "                                                                   \
        "'.', 1) left join pg_class rc on rc.relnamespace = rn.oid and rc.relname = "              \
        "substr(c.relname, "                                                                       \
        "strpos(c.relname, '.') + 1) left join pg_attribute r on r.attrelid = rc.oid and "         \
        "r.attname = a.attname "                                                                   \
        "where n.nspname = '" PG_LATER                                                             \
        "' and c.relkind = 'r' and c.relname like '%.%' group by 1, 2) w order by oid"

static bool rows(Pg *in, json_t *said, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_ask(in,
                    "select s || '.' || t, format('insert into %I.%I (%s) select %s from " PG_LATER
                    ".%I', s, t, "
                    "names, typed, relname), format('select (select count(*) from " PG_LATER
                    ".%3$I), count(*) from "
                    "((select %4$s from %1$I.%2$I except all select %5$s from " PG_LATER
                    ".%3$I) union all (select "
                    "%5$s from " PG_LATER
                    ".%3$I except all select %4$s from %1$I.%2$I)) x', s, t, relname, names, "
                    "typed) " WAITING,
                    &r, err))
                return false;
        for (int i = 0; i < pg_rows(r); i++) {
                AUTO_PGRES PgRes *now = NULL;
                AUTO_SQL in_sql = { 0 };
                AUTO_SQL same = { 0 };
                sql_rendered(&in_sql, pg_cell(r, i, 1)); /* by format() of the server */
                sql_rendered(&same, pg_cell(r, i, 2));
                if (!pg_exec(in, &in_sql, err) || !pg_query(in, &same, &now, err))
                        return err_wrap(err, "the rows of %s", pg_cell(r, i, 0));
                if (pg_cell_int(now, 0, 1))
                        return err_set(err, ERR_SERVER, "%s rows of %s are not as they were sent",
                                       pg_cell(now, 0, 1), pg_cell(r, i, 0));
                AUTO_FREE char *line = xasprintf("%s has its %s rows, the same ones",
                                                 pg_cell(r, i, 0), pg_cell(now, 0, 0));
                jx_append_str(said, line);
        }
        return true;
}

static bool tell(Pg *in, json_t *said, Err *err)
{
        for (size_t i = 0; i < LEN(known); i++) {
                AUTO_SQL there = { 0 };
                AUTO_SQL q = { 0 };
                AUTO_PGRES PgRes *has = NULL;
                AUTO_PGRES PgRes *r = NULL;
                if (!known[i].told)
                        continue;
                sql_add(&there, "select 1 from pg_extension where extname = ");
                sql_value(&there, known[i].name);
                sql_rendered(&q, known[i].told);
                if (!pg_query(in, &there, &has, err) ||
                    (pg_rows(has) && !pg_query(in, &q, &r, err)))
                        return false;
                for (int k = 0; pg_rows(has) && k < pg_rows(r); k++)
                        jx_append_str(said, pg_cell(r, k, 0));
        }
        return true;
}

static bool waited(Pg *in, json_t *said, Err *err)
{
        AUTO_ERR ignored = { 0 };
        if (!pg_do(in, "begin", err))
                return false;
        if (pg_do(in,
                  "set local search_path = pg_catalog; set local check_function_bodies = off; set "
                  "local "
                  "client_min_messages = warning",
                  err) &&
            statements(in, true, err) && rows(in, said, err) && statements(in, false, err) &&
            tell(in, said, err) &&
            pg_do(in, "set local client_min_messages = warning; drop schema " PG_LATER " cascade",
                  err))
                return pg_do(in, "commit", err);
        (void)!pg_do(in, "rollback", &ignored);
        return false;
}

/* Is it between its two calls? The database says so. */
static bool after(Pg *in, const PgExtension *x, json_t *said, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_SQL call = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add(&q, "select n.nspname from pg_extension e join pg_namespace n on n.oid = "
                    "e.extnamespace where "
                    "e.extname = ");
        sql_value(&q, x->name);
        sql_add(&q, " and exists (select from pg_db_role_setting s join pg_database d on d.oid = "
                    "s.setdatabase, "
                    "unnest(s.setconfig) u(v) where d.datname = current_database() and s.setrole = "
                    "0 and "
                    "split_part(u.v, '=', 1) = ");
        sql_value(&q, x->between);
        sql_add(&q, ")");
        if (!pg_query(in, &q, &r, err))
                return false;
        if (pg_rows(r) == 0)
                return true;
        sql_add(&call, "select ");
        sql_qname(&call, pg_cell(r, 0, 0), x->after);
        sql_add(&call, "()");
        if (!pg_exec(in, &call, err))
                return false;
        AUTO_FREE char *line = xasprintf("extension %s: %s() was called", x->name, x->after);
        jx_append_str(said, line);
        return true;
}

bool pg_extension_finish(Pg *in, json_t *said, Err *err)
{
        bool there = false;
        if (!is_there(in, &there, err) || (there && !waited(in, said, err)))
                return err_wrap(err, "what waited for the database's name");
        for (size_t i = 0; i < LEN(known); i++)
                if (known[i].after && !after(in, &known[i], said, err))
                        return err_wrap(err, "%s() of extension %s", known[i].after, known[i].name);
        return true;
}

bool pg_extension_finish_in(const Pg *pg, const char *database, json_t *said, Err *err)
{
        AUTO_PG Pg *in = NULL;
        return pg_reopen(pg, database, &in, err) && pg_extension_finish(in, said, err);
}
