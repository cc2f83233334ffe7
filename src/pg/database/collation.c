/* collation.c: do the indexes still agree with how this machine sorts? */
#include "base/buf.h"
#include "pg/analyze.h"
#include "pg/facts.h"

/* The version the database was made with, and what the library says today (15 and later). */
static bool database_versions(Pg *pg, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        if (pg_major(pg) >= 15)
                sql_add(&q,
                        "select json_build_object('locale', datcollate, 'recorded', "
                        "datcollversion, 'actual', pg_database_collation_actual_version(oid), "
                        "'drifted', datcollversion is not null and datcollversion is distinct "
                        "from pg_database_collation_actual_version(oid)) from pg_database where "
                        "datname = current_database()");
        else
                sql_add(&q, "select json_build_object('locale', datcollate, 'recorded', null, "
                            "'actual', null, 'drifted', null) from pg_database where datname = "
                            "current_database()");
        return pg_json_value(pg, &q, ret, err);
}

static bool drifted_collations(Pg *pg, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q,
                "select json_build_object('collation', c.oid::regcollation::text, 'recorded', "
                "c.collversion, 'actual', pg_collation_actual_version(c.oid)) from pg_collation c "
                "where c.collversion is distinct from pg_collation_actual_version(c.oid) and "
                "exists (select from pg_depend d where d.refclassid = 'pg_collation'::regclass "
                "and d.refobjid = c.oid)");
        return pg_json_rows(pg, &q, ret, err);
}

/* Indexes on text whose order comes from the operating system. */
bool pg_collation_indexes(Pg *pg, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select json_build_object('schema', x.nspname, 'name', x.relname) from (select "
                    "distinct n.nspname, c.relname from pg_index i join pg_class c on c.oid = "
                    "i.indexrelid join pg_namespace n on n.oid = c.relnamespace, "
                    "unnest(i.indcollation) k(coll) join pg_collation l on l.oid = k.coll where "
                    "i.indexrelid >= 16384 and n.nspname !~ '^pg_' and (l.collprovider = 'c' and "
                    "l.collname not in ('C', 'POSIX', 'ucs_basic') or l.collprovider = 'i' or "
                    "l.collprovider = 'd' and not (select datcollate in ('C', 'POSIX') from "
                    "pg_database where datname = current_database()))) x order by x.nspname, "
                    "x.relname");
        return pg_json_rows(pg, &q, ret, err);
}

/* REFRESH only silences the warning: it comes after REINDEX, never before (W-COLL). */
static void advise(json_t *report, json_t *advice)
{
        const json_t *db = jx_get(report, "database");
        size_t others = json_array_size(jx_get(report, "collations"));
        size_t indexes = json_array_size(jx_get(report, "indexes"));
        AUTO_BUF line = buf_init(1024);
        if (!jx_bool(db, "drifted", false) && !others) {
                buf_printf(&line,
                           "nothing to do: indexes were built with the collations this "
                           "server has (%zu depend on them)",
                           indexes);
                jx_append_str(advice, buf_str(&line));
                return;
        }
        buf_printf(&line,
                   "the operating system sorts text differently now: rebuild %zu indexes "
                   "with REINDEX before anything else",
                   indexes);
        jx_append_str(advice, buf_str(&line));
        if (jx_bool(db, "drifted", false))
                jx_append_str(advice, "then ALTER DATABASE .. REFRESH COLLATION VERSION");
        if (others)
                jx_append_str(advice, "then ALTER COLLATION .. REFRESH VERSION for those listed");
}

bool pg_collation_advice(Pg *pg, json_t **ret, Err *err)
{
        AUTO_JSON report = json_object();
        json_t *part = NULL;
        if (!database_versions(pg, &part, err))
                return err_wrap(err, "asking for collation versions");
        jx_set(report, "database", part);
        if (!drifted_collations(pg, &part, err))
                return err_wrap(err, "asking for collation versions");
        jx_set(report, "collations", part);
        if (!pg_collation_indexes(pg, &part, err))
                return err_wrap(err, "listing indexes on text");
        jx_set(report, "indexes", part);
        json_t *advice = json_array();
        jx_set(report, "advice", advice);
        advise(report, advice);
        *ret = report;
        report = NULL;
        return true;
}

bool pg_reindex(Pg *pg, const char *schema, const char *index, bool concurrently, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add_literal_(&q, concurrently ? "reindex index concurrently " : "reindex index ");
        sql_qname(&q, schema, index);
        return pg_exec(pg, &q, err) || err_wrap(err, "rebuilding index %s.%s", schema, index);
}

static bool refresh_one(Pg *pg, const Sql *q, json_t *said, Err *err)
{
        AUTO_FREE char *text = sql_for_humans(q);
        jx_append_str(said, text);
        return pg_exec(pg, q, err) || err_wrap(err, "%s", text);
}

bool pg_collation_refresh(Pg *pg, json_t **ret, Err *err)
{
        AUTO_JSON advice = NULL;
        AUTO_JSON said = json_array();
        size_t i;
        json_t *c;
        if (!pg_collation_advice(pg, &advice, err))
                return false;
        json_array_foreach(jx_get(advice, "collations"), i, c) {
                AUTO_SQL q = { 0 };
                sql_add(&q, "alter collation ");
                sql_rendered(&q, jx_str(c, "collation", "")); /* a ::regcollation */
                sql_add(&q, " refresh version");
                if (!refresh_one(pg, &q, said, err))
                        return false;
        }
        if (jx_bool(jx_get(advice, "database"), "drifted", false)) {
                AUTO_SQL q = { 0 };
                sql_add(&q, "alter database ");
                sql_ident(&q, pg_database(pg));
                sql_add(&q, " refresh collation version");
                if (!refresh_one(pg, &q, said, err))
                        return false;
        }
        *ret = said;
        said = NULL;
        return true;
}
