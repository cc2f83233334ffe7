/* leftovers.c: what a load that was killed has left on a server. A load that lives is connected: to
 * its database, or under its name (load.c). Only told all the same: a cut wire ends no load. */
#include "app/data/load.h"
#include "base/buf.h"

char *load_leftovers(Pg *pg)
{
        AUTO_PGRES PgRes *r = NULL;
        AUTO_ERR ignored = { 0 };
        AUTO_BUF b = buf_init(4096);
        if (!pg_ask(pg,
                    "select d.datname, case when has_database_privilege(d.oid, 'connect') then "
                    "pg_size_pretty(pg_database_size(d.oid)) else 'size not told' end from "
                    "pg_database d where d.datname ~ "
                    "'^pgsherpa_cli[0-9]+_([0-9a-f]+_)?[0-9]+$' and not exists (select from "
                    "pg_stat_activity a where a.datid = d.oid or a.application_name = "
                    "d.datname) order by 1 limit 8",
                    &r, &ignored))
                return NULL;
        for (int i = 0; i < pg_rows(r); i++)
                buf_printf(&b, "%s%s (%s)", b.len ? ", " : "", pg_cell(r, i, 0), pg_cell(r, i, 1));
        return b.len == 0 ? NULL
                          : xasprintf("left on the server by a load that was killed: %s. Nobody is "
                                      "connected for it: drop it",
                                      buf_str(&b));
}
