#include "pg/analyze.h"

#include <pthread.h>

#include "pg/catalog.h"
#include "pg/facts.h"

typedef struct AnalyzeRun {
        const AnalyzeOptions *o;
        const char *stage;
        pthread_mutex_t lock;
        const PgRes *tables;
        int next, done, total;
        bool failed;
        Err err; /* of the first that failed */
} AnalyzeRun;

typedef struct Worker {
        AnalyzeRun *work;
        Pg *pg;
        pthread_t thread;
        bool running;
} Worker;

static int take(AnalyzeRun *w)
{
        pthread_mutex_lock(&w->lock);
        bool stop = w->failed || (w->o->cancel && flag_up(w->o->cancel));
        int i = !stop && w->next < w->total ? w->next++ : -1;
        pthread_mutex_unlock(&w->lock);
        return i;
}

static void give_back(AnalyzeRun *w, int i, bool ok, Err *err)
{
        pthread_mutex_lock(&w->lock);
        w->done++;
        if (!ok && !w->failed) {
                w->failed = true;
                err_move(&w->err, err);
        }
        if (ok && w->o->progress)
                w->o->progress(w->o->progress_arg, w->stage, pg_cell(w->tables, i, 1), w->done,
                               w->total);
        pthread_mutex_unlock(&w->lock);
}

static void *work(void *arg)
{
        Worker *me = arg;
        for (int i; (i = take(me->work)) >= 0;) {
                AUTO_ERR err = { 0 };
                AUTO_SQL q = { 0 };
                const char *name = pg_cell(me->work->tables, i, 1);
                sql_add(&q, "analyze ");
                sql_qname(&q, pg_cell(me->work->tables, i, 0), name);
                bool ok = pg_exec(me->pg, &q, &err);
                /* Dropped since it was listed: nothing to count any more. */
                if (!ok && str_eq(err.sqlstate, "42P01"))
                        ok = true;
                if (!ok)
                        err_wrap(&err, "analysing %s", name);
                give_back(me->work, i, ok, &err);
        }
        return NULL;
}

static bool set_target(Worker *workers, int n, int target, Err *err)
{
        for (int i = 0; i < n; i++) {
                AUTO_SQL q = { 0 };
                if (target)
                        sql_add(&q, "set default_statistics_target = ");
                else
                        sql_add(&q, "reset default_statistics_target");
                if (target)
                        sql_int(&q, target);
                if (!pg_exec(workers[i].pg, &q, err))
                        return false;
        }
        return true;
}

static bool one_stage(Worker *workers, int n, const AnalyzeOptions *o, const PgRes *tables,
                      const char *stage, int target, Err *err)
{
        AnalyzeRun w = { .o = o,
                         .stage = stage,
                         .tables = tables,
                         .total = pg_rows(tables),
                         .lock = PTHREAD_MUTEX_INITIALIZER };
        if (!set_target(workers, n, target, err))
                return false;
        for (int i = 1; i < n; i++) {
                workers[i].work = &w;
                workers[i].running =
                        pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0;
        }
        workers[0].work = &w;
        work(&workers[0]); /* this thread works too */
        for (int i = 1; i < n; i++)
                if (workers[i].running)
                        pthread_join(workers[i].thread, NULL);
        pthread_mutex_destroy(&w.lock);
        if (w.failed) {
                err_move(err, &w.err);
                return false;
        }
        if (o->cancel && flag_up(o->cancel))
                return err_set(err, ERR_CANCELLED, "stopped during ANALYZE");
        return true;
}

bool pg_largest_tables(Pg *pg, int n, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q,
                "select json_build_object('name', n.nspname || '.' || c.relname, 'bytes', "
                "pg_total_relation_size(c.oid), 'rows', greatest(c.reltuples, 0)::bigint) from "
                "pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in "
                "('r', 'm') and " CAT_USER_SCHEMA("n") " order by pg_total_relation_size(c.oid) "
                                                       "desc, 1::text limit ");
        sql_int(&q, n);
        return pg_json_rows(pg, &q, ret, err) || err_wrap(err, "listing the largest tables");
}

static bool open_workers(Pg *pg, Worker *workers, int n, Err *err)
{
        workers[0].pg = pg;
        for (int i = 1; i < n; i++)
                if (!pg_reopen(pg, NULL, &workers[i].pg, err))
                        return err_wrap(err, "opening connection %d of %d", i + 1, n);
        return true;
}

bool pg_analyze(Pg *pg, const AnalyzeOptions *o, json_t **ret_report, Err *err)
{
        AUTO_PGRES PgRes *tables = NULL;
        AUTO_JSON report = json_object();
        json_t *largest = NULL;
        int n = MAX(1, MIN(o->jobs, 16));
        Worker workers[16] = { 0 };
        /* Leaves before their parents, big before small, so that no worker ends alone. */
        if (!pg_ask(pg,
                    "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid "
                    "= c.relnamespace where c.relkind in ('r', 'm', 'p') and n.nspname !~ '^pg_' "
                    "and n.nspname <> 'information_schema' and c.relpersistence <> 't' and not "
                    "(c.relkind = 'm' and not c.relispopulated) order by c.relkind = 'p', "
                    "pg_table_size(c.oid) desc, 1, 2",
                    &tables, err))
                return err_wrap(err, "listing tables");
        bool ok = open_workers(pg, workers, n, err);
        if (ok && o->stages)
                ok = one_stage(workers, n, o, tables, "first statistics", 1, err) &&
                     one_stage(workers, n, o, tables, "better statistics", 10, err);
        ok = ok && one_stage(workers, n, o, tables, "full statistics", 0, err);
        for (int i = 1; i < n; i++)
                pg_close(workers[i].pg);
        if (!ok || !pg_largest_tables(pg, 10, &largest, err))
                return false;
        jx_set_int(report, "tables", pg_rows(tables));
        jx_set(report, "largest", largest);
        *ret_report = report;
        report = NULL;
        return true;
}
