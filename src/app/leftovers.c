/* leftovers.c: what a load that was killed has left on a server. Only told: another machine may
 * be at work on the same server, and what it makes has such a name, too. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "app/load.h"
#include "base/buf.h"

/* Names are pgsherpa_cli<pid>_<n>. */
static bool runs_here(const char *name)
{
        int pid = 0;
        return sscanf(name, "pgsherpa_cli%d_", &pid) == 1 && (kill(pid, 0) == 0 || errno != ESRCH);
}

char *load_leftovers(Pg *pg)
{
        AUTO_PGRES PgRes *r = NULL;
        AUTO_ERR ignored = { 0 };
        AUTO_BUF b = buf_init(4096);
        if (!pg_ask(pg, "select d.datname, case when has_database_privilege(d.oid, 'connect') "
                    "then pg_size_pretty(pg_database_size(d.oid)) else 'size not told' end "
                    "from pg_database d where d.datname ~ '^pgsherpa_cli[0-9]+_[0-9]+$' and not exists "
                    "(select from pg_stat_activity a where a.datid = d.oid) order by 1 limit 8",
                    &r, &ignored))
                return NULL;
        for (int i = 0; i < pg_rows(r); i++)
                if (!runs_here(pg_cell(r, i, 0)))
                        buf_printf(&b, "%s%s (%s)", b.len ? ", " : "", pg_cell(r, i, 0), pg_cell(r, i, 1));
        return b.len == 0 ? NULL :
               xasprintf("left on the server by a load that was killed: %s. Drop it, unless another machine "
                         "is loading at this moment", buf_str(&b));
}
