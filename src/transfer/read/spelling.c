#include "transfer/read/spelling.h"

#include "pg/type_inside.h"
#include <stdlib.h>

#include "transfer/choose/content.h"

#define EIGHT_DIGITS 19 /* the major since which pg_lsn has them */

/* A regular expression has no count that it could pad by: one zero at a time. */
#define ZERO  "pg_catalog.regexp_replace("
#define ADDED ", '/([0-9A-F]{1,7})(?![0-9A-F])', '/0\\1', 'g')"

static const char shorter[] = "pg_catalog.regexp_replace(",
                  shorter_end[] = "::pg_catalog.text, '/0*(?=[0-9A-F])', '/', 'g')";
static const char longer[] = ZERO ZERO ZERO ZERO ZERO ZERO ZERO;
static const char longer_end[] = "::pg_catalog.text" ADDED ADDED ADDED ADDED ADDED ADDED ADDED;

int spelling_major(const json_t *manifest)
{
        return (int)strtol(jx_str(jx_get(manifest, "server"), "version", "0"), NULL, 10);
}

static bool columns_with_lsn(Pg *pg, PgRes **ret, Err *err)
{
        return pg_ask(pg,
                      "with recursive inside(root, typ) as (select distinct a.atttypid, "
                      "a.atttypid from pg_attribute a where a.attrelid >= 16384 and a.attnum > "
                      "0 and not a.attisdropped union select i.root, x.typ from inside i join "
                      "pg_type t on t.oid = i.typ cross join " TYPE_INSIDE
                      " x) select a.attrelid, a.attname "
                      "from pg_attribute a join pg_class c on c.oid = a.attrelid where "
                      "c.relkind in ('r', 'p') and a.attrelid >= 16384 and a.attnum > 0 and "
                      "not a.attisdropped and a.atttypid in (select root from inside where typ "
                      "= 'pg_lsn'::regtype)",
                      ret, err) ||
               err_wrap(err, "looking for columns with a pg_lsn");
}

static void spelling_respell(Table *t, const char *column, bool to_eight, Arena *a)
{
        if (!t->before) {
                t->before = arena_new_array(a, const char *, t->n_columns + 1);
                t->after = arena_new_array(a, const char *, t->n_columns + 1);
        }
        for (size_t i = 0; i < t->n_columns; i++)
                if (str_eq(t->columns[i], column)) {
                        t->before[i] = to_eight ? longer : shorter;
                        t->after[i] = to_eight ? longer_end : shorter_end;
                }
}

bool spelling_of(Pg *pg, int written_by, Content *c, Arena *a, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        bool here = pg_major(pg) >= EIGHT_DIGITS, there = written_by >= EIGHT_DIGITS;
        if (!written_by || here == there)
                return true;
        if (!columns_with_lsn(pg, &r, err))
                return false;
        for (int row = 0; row < pg_rows(r); row++)
                for (size_t i = 0; i < c->n_tables; i++)
                        if (c->tables[i].oid == pg_cell_int(r, row, 0))
                                spelling_respell(&c->tables[i], pg_cell(r, row, 1), there, a);
        return true;
}
