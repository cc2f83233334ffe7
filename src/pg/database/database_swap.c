/* database_swap.c: names change hands, and what became of it when nobody answered. */
#include <time.h>

#include "pg/database.h"

#define TRIES     6   /* while somebody is connected; RENAME itself waits for 5 s */
#define ASKED     20  /* what became of a COMMIT */
#define ASK_AGAIN 500 /* ms */

/* Who is about to do it: a backend is known by when it began, a pid comes again after a restart. */
typedef struct Before {
        char *oid, *began;
        int backend;
} Before;

static void before_done(Before *b)
{
        free(b->oid);
        free(b->began);
}

static bool look(Pg *pg, const char *name, Before *ret, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        AUTO_SQL q = { 0 };
        sql_add(&q, "select oid::text, (select backend_start::text from pg_stat_activity where "
                    "pid = pg_backend_pid()) from pg_database where datname = ");
        sql_value(&q, name);
        if (!pg_query(pg, &q, &r, err))
                return false;
        if (pg_rows(r) == 0)
                return err_set(err, ERR_USER, "there is no database %s", name);
        *ret = (Before){ .oid = xstrdup(pg_cell(r, 0, 0)),
                         .backend = pg_backend_pid(pg),
                         .began = xstrdup(pg_cell(r, 0, 1) ? pg_cell(r, 0, 1) : "") };
        return true;
}

/* Only once that backend is gone: until then it may still be about to commit. */
static bool ask(const Pg *pg, const DatabaseSwap *s, const Before *b, bool *ret_known,
                bool *ret_done, Err *err)
{
        AUTO_PG Pg *now = NULL;
        AUTO_PGRES PgRes *r = NULL;
        AUTO_SQL q = { 0 };
        sql_add(&q, "select exists (select from pg_stat_activity where pid = ");
        sql_int(&q, b->backend);
        sql_add(&q, " and backend_start::text = ");
        sql_value(&q, b->began);
        sql_add(&q, "), exists (select from pg_database where datname = ");
        sql_value(&q, s->to);
        sql_add(&q, " and oid::text = ");
        sql_value(&q, b->oid);
        sql_add(&q, ")");
        if (!pg_reopen(pg, NULL, &now, err) || !pg_query(now, &q, &r, err))
                return false;
        *ret_known = !pg_cell_bool(r, 0, 0);
        *ret_done = pg_cell_bool(r, 0, 1);
        return true;
}

static bool became(const Pg *pg, DatabaseSwap *s, const Before *b, Err *lost)
{
        for (int i = 0; i < ASKED; i++) {
                AUTO_ERR ignored = { 0 };
                bool known = false, done = false;
                if (ask(pg, s, b, &known, &done, &ignored) && known)
                        return done;
                nanosleep(&(struct timespec){ .tv_nsec = ASK_AGAIN * 1000000L }, NULL);
        }
        s->unknown = true;
        return err_wrap(lost,
                        "the answer to COMMIT was lost, and nobody can be asked what became of it");
}

static bool try_once(Pg *pg, DatabaseSwap *s, const Before *b, Err *err)
{
        if (!pg_do(pg, "begin", err) ||
            (s->aside && !pg_database_rename(pg, s->to, s->aside, err)) ||
            !pg_database_rename(pg, s->from, s->to, err))
                return false;
        if (pg_do(pg, "commit", err))
                return true;
        if (err->kind != ERR_LINK || !became(pg, s, b, err))
                return false;
        err_clear(err);
        return true;
}

bool pg_database_swap(Pg *pg, DatabaseSwap *s, Err *err)
{
        Before CLEANUP(before_done) b = { 0 };
        s->unknown = false;
        if (!look(pg, s->from, &b, err))
                return false;
        for (int attempt = 1;; attempt++) {
                AUTO_ERR ignored = { 0 };
                err_clear(err);
                if (try_once(pg, s, &b, err))
                        return true;
                (void)!pg_do(pg, "rollback", &ignored);
                if (!str_eq(err->sqlstate, "55006") || attempt == TRIES || !s->pause(s->arg))
                        return false;
        }
}
