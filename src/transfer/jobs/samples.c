#include "transfer/jobs/samples.h"

#include "base/buf.h"
#include "pg/catalog.h"

#define ROWS "100"
#define MOST (8 << 20) /* bytes of them; a table with wider ones is tried with fewer */

static bool samples_tables(Pg *from, PgRes **ret, Err *err)
{
        return pg_ask(
                from,
                "select format('%I.%I', n.nspname, c.relname), (select "
                "string_agg(quote_ident(a.attname), "
                "', ' order by a.attnum) from pg_attribute a where a.attrelid = c.oid and a.attnum "
                "> 0 and not "
                "a.attisdropped and a.attgenerated = ''), pg_describe_object('pg_class'::regclass, "
                "c.oid, 0) from "
                "pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' "
                "and "
                "c.relpersistence <> 't' and c.oid >= 16384 and " CAT_NOT_EXT(
                        "pg_class",
                        "c.oid") " and exists "
                                 "(select from pg_constraint k join pg_depend d on d.classid = "
                                 "'pg_constraint'::regclass and d.objid = k.oid where k.conrelid = "
                                 "c.oid and "
                                 "k.contype = 'c' and k.convalidated and d.refclassid in "
                                 "('pg_proc'::regclass, 'pg_operator'::regclass) and d.refobjid >= "
                                 "16384) "
                                 "order by 1",
                ret, err);
}

/* In whole rows, as many as there is room for. */
static bool samples_take(Pg *from, const PgRes *r, int row, Buf *rows, Err *err)
{
        AUTO_SQL q = { 0 };
        char *line;
        size_t n;
        sql_add(&q, "copy (select ");
        sql_rendered(&q, pg_cell(r, row, 1));
        sql_add(&q, " from only ");
        sql_rendered(&q, pg_cell(r, row, 0));
        sql_add(&q, " limit " ROWS ") to stdout");
        if (!pg_copy_out_begin(from, &q, err))
                return false;
        for (;;) {
                if (!pg_copy_read(from, &line, &n, err))
                        return false;
                if (!line)
                        return true;
                if (rows->len + n < MOST)
                        buf_add(rows, line, n);
                pg_copy_free(line);
        }
}

static bool give(Pg *to, const PgRes *r, int row, const Buf *rows, Err *err)
{
        AUTO_SQL q = { 0 };
        int64_t taken;
        sql_add(&q, "copy ");
        sql_rendered(&q, pg_cell(r, row, 0));
        sql_add(&q, " (");
        sql_rendered(&q, pg_cell(r, row, 1));
        sql_add(&q, ") from stdin");
        return pg_copy_in_begin(to, &q, err) && pg_copy_write(to, buf_str(rows), rows->len, err) &&
               pg_copy_in_end(to, NULL, &taken, err);
}

static void samples_tell(json_t *found, const PgRes *r, int row, const Err *why)
{
        json_t *j = json_object();
        AUTO_FREE char *what =
                xasprintf("its rows are not taken while other tables are empty: %s", why->message);
        jx_set_str(j, "object", pg_cell(r, row, 2));
        jx_set_str(j, "what", what);
        jx_set_str(j, "verdict", "refused");
        jx_set_str(j, "how",
                   "a CHECK that reads other tables depends on the order of loading: drop it and "
                   "add it NOT "
                   "VALID (a copy keeps that), or make it a trigger or a foreign key");
        json_array_append_new(found, j);
}

static bool samples_one(Pg *from, Pg *to, const PgRes *r, int row, json_t *found, Err *err)
{
        AUTO_BUF rows = buf_init(MOST + 1);
        AUTO_ERR why = { 0 };
        if (!pg_cell(r, row, 1))
                return true;
        if (!samples_take(from, r, row, &rows, err))
                return false;
        if (!rows.len)
                return true;
        if (!pg_do(to, "savepoint one", err))
                return false;
        if (!give(to, r, row, &rows, &why)) {
                if (why.kind != ERR_SERVER || str_eq(why.sqlstate, "57014")) {
                        err_move(err, &why);
                        return false;
                }
                if (str_starts(why.sqlstate, "23514"))
                        samples_tell(found, r, row, &why);
        }
        return pg_do(to, "rollback to savepoint one", err);
}

static bool try_all(Pg *from, Pg *to, json_t *found, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!samples_tables(from, &r, err))
                return false;
        for (int i = 0; i < pg_rows(r); i++)
                if (!samples_one(from, to, r, i, found, err))
                        return err_wrap(err, "trying rows of %s", pg_cell(r, i, 0));
        return true;
}

bool samples_try(Pg *from, Pg *to, json_t *found, Err *err)
{
        AUTO_ERR later = { 0 };
        AUTO_ERR denied = { 0 };
        if (!pg_do(from, "begin transaction read only", err) ||
            !pg_do(to, "begin; set local search_path = ''", err))
                return false;
        bool ok = !pg_do(to, "set local session_replication_role = replica", &denied) ||
                  try_all(from, to, found, err);
        ok = pg_do(to, "rollback", ok ? err : &later) && ok;
        return pg_do(from, "rollback", ok ? err : &later) && ok;
}
