/* direction_rows.c: values that an older major has no words for. The catalogs do not tell; the
 * tables that may hold them are read once. */
#include "pg/catalog.h"
#include "transfer/direction.h"

typedef struct Endless {
        int since;
        const char *type, *what, *how;
        bool precise; /* also where the type has a precision */
} Endless;

static const Endless endless[] = {
        { 14, "numeric", "infinite numeric in its rows",
          "13 has no such number: say it otherwise first", false },
        { 17, "interval", "infinite interval in its rows",
          "before 17 there is no such interval: say it otherwise first", true },
};

/* Columns that can hold one: of the type, a domain over it, an array of it, and so on; by table.
 * `bounded`: somewhere on the way down it has a precision. */
static bool columns(Pg *pg, const Endless *e, PgRes **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "with recursive holds(oid, many, bounded) as (select t.oid, false, false from "
                    "pg_type t where t.oid = ");
        sql_value(&q, e->type);
        sql_add(&q,
                "::regtype union select t.oid, h.many or t.typtype = 'b', h.bounded or t.typtypmod "
                ">= 0 "
                "from holds h join pg_type t on t.typbasetype = h.oid or (not h.many and "
                "t.typelem = h.oid and t.typtype = 'b' and t.typlen = -1 and t.typcategory = 'A')) "
                "select pg_describe_object('pg_class'::regclass, c.oid, 0), n.nspname, c.relname, "
                "a.attname, h.many, lead(c.oid) over (order by c.oid, a.attnum) "
                "is distinct from c.oid from pg_attribute a join pg_class c on c.oid = a.attrelid "
                "join pg_namespace n on n.oid = c.relnamespace join holds h on h.oid = a.atttypid "
                "where "
                "c.relkind in ('r', 'm') and (c.relkind = 'r' or c.relispopulated) and "
                "c.relpersistence <> 't' and c.oid >= 16384 and a.attnum > 0 and not "
                "a.attisdropped and " CAT_NOT_EXT("pg_class", "c.oid"));
        if (!e->precise)
                sql_add(&q, " and not h.bounded and a.atttypmod < 0");
        sql_add(&q, " order by c.oid, a.attnum");
        return pg_query(pg, &q, ret, err);
}

static void ask_column(Sql *q, const char *column, bool array, bool first)
{
        static const char *const values[] = { "infinity", "-infinity" };
        for (size_t i = 0; i < LEN(values); i++) {
                if (!first || i)
                        sql_add(q, " or ");
                sql_value(q, values[i]);
                if (array) {
                        sql_add(q, " = any (");
                        sql_ident(q, column);
                        sql_add(q, ")");
                } else {
                        sql_add(q, " = ");
                        sql_ident(q, column);
                }
        }
}

static void add(json_t *found, const Endless *e, const char *table)
{
        json_t *j = json_object();
        jx_set_str(j, "object", table);
        jx_set_str(j, "what", e->what);
        jx_set_int(j, "since", e->since);
        jx_set_str(j, "verdict", "refused");
        jx_set_str(j, "how", e->how);
        json_array_append_new(found, j);
}

static bool look(Pg *pg, const Endless *e, json_t *found, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!columns(pg, e, &r, err))
                return false;
        for (int i = 0; i < pg_rows(r); i++) {
                AUTO_SQL q = { 0 };
                AUTO_PGRES PgRes *answer = NULL;
                sql_add(&q, "select exists (select from only ");
                sql_qname(&q, pg_cell(r, i, 1), pg_cell(r, i, 2));
                sql_add(&q, " where ");
                for (bool first = true;; first = false, i++) {
                        ask_column(&q, pg_cell(r, i, 3), pg_cell_bool(r, i, 4), first);
                        if (pg_cell_bool(r, i, 5)) /* the table's last */
                                break;
                }
                sql_add(&q, ")");
                if (!pg_query(pg, &q, &answer, err))
                        return err_wrap(err, "reading %s", pg_cell(r, i, 0));
                if (pg_cell_bool(answer, 0, 0))
                        add(found, e, pg_cell(r, i, 0));
        }
        return true;
}

static bool look_for_all(Pg *source, int target_major, json_t *found, Err *err)
{
        for (size_t i = 0; i < LEN(endless); i++)
                if (target_major < endless[i].since && pg_major(source) >= endless[i].since &&
                    !look(source, &endless[i], found, err))
                        return err_wrap(err, "looking for: %s", endless[i].what);
        return true;
}

bool direction_rows(Pg *source, int target_major, json_t *found, Err *err)
{
        AUTO_ERR ignored = { 0 };
        if (!pg_begin_reading(source, NULL, err))
                return false;
        bool ok = look_for_all(source, target_major, found, err);
        return pg_do(source, "rollback", ok ? err : &ignored) && ok;
}
