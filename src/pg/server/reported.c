#include "pg/server/reported.h"

#include <time.h>

#include "base/text.h"

#define LOOK_MS 500

enum { KEY, NAME, STATE, BEGAN };

/* Clients of this database that are not ours. An idle one is "done" when a statement of it ended
 * long enough after `from` (it reported then, or had since `from`), when it is idle since before
 * `since`, or, from 15 on, for as long as it takes to report by itself. */
static bool clients(Pg *pg, const char *since, const char *from, PgRes **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        bool timed = pg_major(pg) >= 15;
        sql_add(&q, "select pid || ' ' || backend_start, coalesce(nullif(application_name, ''), "
                    "usename), case when state is null or state = 'disabled' then 'hidden' when "
                    "state <> 'idle' then 'busy' when state_change < ");
        sql_value(&q, since);
        sql_add(&q, "::timestamptz or state_change > ");
        sql_value(&q, from);
        sql_add_literal_(&q, timed ? "::timestamptz + interval '1.2 s' or clock_timestamp() > "
                                     "state_change + interval '10.5 s'"
                                   : "::timestamptz + interval '0.7 s'");
        sql_add(&q, " then 'done' else 'idle' end, case when xact_start > ");
        sql_value(&q, from);
        sql_add(&q, "::timestamptz + interval '1.2 s' then xact_start::text end from "
                    "pg_stat_activity where datname = current_database() and pid <> "
                    "pg_backend_pid() and usename is not null and application_name !~ "
                    "'^pgsherpa(/|$)' and (backend_type is null or backend_type = 'client backend' "
                    "or backend_type ~ '^logical replication .*worker') order by backend_start");
        return pg_query(pg, &q, ret, err) || err_wrap(err, "looking who may still write");
}

/* In a transaction now, and in an earlier one when we looked before: between them it reported. */
static bool went_on(json_t *seen, const char *key, const char *began)
{
        const char *before = jx_str(seen, key, NULL);
        if (!before && began)
                jx_set_str(seen, key, began);
        return before && began && !str_eq(before, began);
}

/* Marks who has reported in `seen`; *ret_row is the first who has not, or -1. */
static void weigh(const PgRes *r, json_t *seen, int *ret_row)
{
        *ret_row = -1;
        for (int i = 0; i < pg_rows(r); i++) {
                const char *key = pg_cell(r, i, KEY);
                if (json_is_true(jx_get(seen, key)))
                        continue;
                if (str_eq(pg_cell(r, i, STATE), "done") ||
                    went_on(seen, key, pg_cell(r, i, BEGAN)))
                        jx_set_bool(seen, key, true);
                else if (*ret_row < 0)
                        *ret_row = i;
        }
}

static char *why_not(const Pg *pg, const PgRes *r, int row)
{
        AUTO_FREE char *name = text_clean_str(pg_cell(r, row, NAME));
        const char *state = pg_cell(r, row, STATE);
        if (str_eq(state, "busy"))
                return xasprintf("the client %.60s is in the middle of a transaction, and reports "
                                 "what it wrote before only when that has ended",
                                 name);
        if (str_eq(state, "hidden"))
                return xasprintf("this role may not see what the client %.60s does", name);
        return xasprintf("the client %.60s is connected, and PostgreSQL %d counts what it wrote "
                         "last only when it goes on or leaves",
                         name, pg_major(pg));
}

bool pg_clients_here(Pg *pg, int *ret, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!clients(pg, "infinity", "infinity", &r, err))
                return false;
        *ret = pg_rows(r);
        return true;
}

bool pg_reported(Pg *pg, const char *since, char **ret_why, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_FREE char *from = NULL;
        AUTO_JSON seen = json_object();
        int looks = (pg_major(pg) >= 15 ? 13000 : 3000) / LOOK_MS;
        *ret_why = NULL;
        sql_add(&q, "select clock_timestamp()::text");
        if (!pg_query_value(pg, &q, &from, err))
                return false;
        for (;;) {
                AUTO_PGRES PgRes *r = NULL;
                int late = -1;
                if (!clients(pg, since, from, &r, err))
                        return false;
                weigh(r, seen, &late);
                if (late < 0)
                        return true;
                if (--looks <= 0) {
                        *ret_why = why_not(pg, r, late);
                        return true;
                }
                nanosleep(&(struct timespec){ .tv_nsec = LOOK_MS * 1000 * 1000 }, NULL);
        }
}
