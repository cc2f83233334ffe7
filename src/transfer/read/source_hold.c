/* source_hold.c: one moment of the source, with its tables held as they are.
 *
 * A snapshot alone is not enough: after TRUNCATE, or an ALTER TABLE that writes the table anew, an
 * older snapshot sees it empty, and a column that is dropped and made again gives NULLs. So every
 * table is locked (ACCESS SHARE: only such statements wait, no reader and no writer does) before
 * the snapshot is taken, and then the snapshot is asked whether it knows a table that is not. */
#include <time.h>

#include "base/clock.h"
#include "transfer/read/source.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

#define BATCH     500     /* names in one statement */
#define PATIENCE  "500ms" /* under deadlock_timeout: we give way, not a migration */
#define AGAIN_MS  100     /* between two tries */
#define TRIES     50      /* while tables come and go */
#define REMIND_MS 60000

/* What is read, and the partitioned tables over it: who changes those changes what is below. */
#define TABLES                                                                                     \
        "from pg_class c join pg_namespace n on n.oid = c.relnamespace where "                     \
        "c.relkind in ('r', 'p') and c.relpersistence <> 't' and "                                 \
        "(n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and not exists "               \
        "(select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and " \
        "d.deptype = 'e') or c.oid in (select unnest(e.extconfig) from pg_extension e))"

typedef struct Wait {
        Transfer *t;
        Pg *pg;
        char *who; /* that was said to be waited for */
        int64_t began_ms, said_ms;
        int tries;
} Wait;

static bool back(Pg *pg)
{
        AUTO_ERR ignored = { 0 };
        return pg_do(pg, "rollback", &ignored);
}

static bool lock_all(Pg *pg, const PgRes *r, Err *err)
{
        for (int i = 0; i < pg_rows(r); i += BATCH) {
                AUTO_SQL q = { 0 };
                sql_add(&q, "lock table ");
                for (int k = i; k < pg_rows(r) && k < i + BATCH; k++) {
                        if (k > i)
                                sql_add(&q, ", ");
                        sql_add(&q, "only "); /* its children are in the list themselves */
                        sql_qname(&q, pg_cell(r, k, 0), pg_cell(r, k, 1));
                }
                sql_add(&q, " in access share mode");
                if (!pg_exec(pg, &q, err))
                        return false;
        }
        return true;
}

/* LOCK takes no snapshot: the transaction's begins with the question that comes after it. */
static bool lock_then_look(Pg *pg, const PgRes *tables, char **ret_snapshot, bool *ret_all,
                           Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_do(pg,
                   "begin transaction isolation level repeatable read, read only; "
                   "set local lock_timeout = '" PATIENCE "'",
                   err) ||
            !lock_all(pg, tables, err) || !pg_do(pg, "set local lock_timeout = 0", err) ||
            !pg_refuse_views(pg, err) ||
            !pg_ask(pg,
                    "select pg_export_snapshot(), not exists (select c.oid " TABLES " except "
                    "select l.relation from pg_locks l where l.locktype = 'relation' and "
                    "l.granted and l.pid = pg_backend_pid() and l.database = (select d.oid "
                    "from pg_database d where d.datname = current_database()))",
                    &r, err))
                return false;
        *ret_all = pg_cell_bool(r, 0, 1);
        if (*ret_all)
                *ret_snapshot = xstrdup(pg_cell(r, 0, 0));
        return true;
}

/* ---- when it does not go at once ---- */

static void pause_ms(int ms)
{
        nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

/* Whoever holds a table against readers, or stands in the queue for that before us. */
static bool say_who(Wait *w, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        int64_t now = clock_boot_ms();
        if (!pg_ask(w->pg,
                    "select format('%I.%I, which pid %s%s%s has locked against readers%s', "
                    "n.nspname, c.relname, l.pid, ' (' || nullif(concat_ws(', ', 'role ' || "
                    "a.usename, nullif(a.application_name, '')), '') || ')', case when "
                    "l.pid is null then ' (a prepared transaction)' end, case when not "
                    "l.granted then ', or will' end) from pg_locks l join pg_class c on "
                    "c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace left "
                    "join pg_stat_activity a on a.pid = l.pid where l.locktype = 'relation' "
                    "and l.mode = 'AccessExclusiveLock' and c.relkind in ('r', 'p') and "
                    "l.database = (select d.oid from pg_database d where d.datname = "
                    "current_database()) and n.nspname !~ '^pg_' order by l.granted desc, "
                    "l.pid, 1 limit 1",
                    &r, err))
                return false;
        if (pg_rows(r) == 0 || (str_eq(w->who, pg_cell(r, 0, 0)) && now - w->said_ms < REMIND_MS))
                return true;
        free(w->who);
        w->who = xstrdup(pg_cell(r, 0, 0));
        w->said_ms = now;
        transfer_say(w->t, "waiting to read %s", w->who);
        progress_stage(w->t, "waiting for a lock on the source", "objects", 0, 0);
        return true;
}

static bool vanished(const char *state)
{
        return str_eq(state, "42P01") || str_eq(state, "3F000") || str_eq(state, "42809");
}

/* True: what stopped us will pass, and was waited for. */
static bool try_again(Wait *w, int64_t n_tables, Err *err)
{
        bool busy = str_eq(err->sqlstate, "55P03") || str_eq(err->sqlstate, "40P01");
        if (err->kind != ERR_SERVER)
                return false;
        if (str_eq(err->sqlstate, "53200"))
                return err_hint(err,
                                "%lld tables are to be locked: raise "
                                "max_locks_per_transaction on the "
                                "source and restart it",
                                (long long)n_tables);
        if (!busy && (!vanished(err->sqlstate) || ++w->tries >= TRIES))
                return false;
        err_clear(err);
        if (transfer_stopped(w->t, err) || (busy && !say_who(w, err)))
                return false;
        pause_ms(AGAIN_MS);
        return !transfer_stopped(w->t, err);
}

static bool source_hold_all(Wait *w, char **ret_snapshot, Err *err)
{
        for (;;) {
                AUTO_PGRES PgRes *tables = NULL;
                bool all = false;
                if (!pg_ask(w->pg, "select n.nspname, c.relname " TABLES " order by c.oid", &tables,
                            err))
                        return false;
                bool ok = lock_then_look(w->pg, tables, ret_snapshot, &all, err);
                if (ok && all)
                        return true;
                (void)!back(w->pg);
                if (!ok && !try_again(w, pg_rows(tables), err))
                        return false;
                if (ok && ++w->tries >= TRIES)
                        return err_set(err, ERR_USER,
                                       "tables are made faster there than they can be locked");
        }
}

bool source_hold(Transfer *t, Pg *pg, char **ret_snapshot, Err *err)
{
        Wait w = { .t = t, .pg = pg };
        bool ok = source_hold_all(&w, ret_snapshot, err);
        if (ok && w.who)
                transfer_say(t, "the tables are free to be read");
        free(w.who);
        return ok ? true : err_wrap(err, "holding the source's tables");
}
