/* graph_post_data.c: what comes when every table stands: keys between tables, and the rest. */
#include "transfer/make/graph_internal.h"

#include "base/limits.h"
#include "dumps/constraint.h"
#include "transfer/choose/content.h"
#include "transfer/make/checkpoints.h"
#include "transfer/make/entries.h"
#include "transfer/make/graph.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/transfer_state.h"

#define SOON (4 * 1024 * 1024) /* bytes of both tables: checked while it is added */

typedef struct List {
        Job job;
        const char *words; /* for the progress */
        const TocEntry **entries;
        size_t n;
} List;

typedef struct Key {
        Job job;
        const TocEntry *entry;
        const char *add, *validate; /* NULL: the entry as it is */
        TableJobs *table;
        bool made;
} Key;

typedef struct Keys {
        Job job;
        Key *keys;
        size_t n;
} Keys;

/* ---- lists ---- */

static void slot_name(void *arg, size_t done, const TocEntry *next)
{
        Lane *l = arg;
        AUTO_FREE char *name = xasprintf("%s %s", next->class, next->name);
        progress_begin(l->w->t, l->slot, name, &(Slot){ 0 });
}

static bool run_list(void *arg, size_t worker, Err *err)
{
        List *j = arg;
        Graph *w = j->job.w;
        Lane *l = &w->lanes[worker];
        if (j->n == 0)
                return true;
        progress_words(w->t, j->words);
        bool ok = entries_run(&l->entries, j->entries, j->n, slot_name, l, err);
        progress_end(w->t, worker, 0);
        return ok;
}

static List *list_new(Graph *w, const char *words)
{
        List *l = arena_new_type(w->a, List);
        *l = (List){ .words = words,
                     .entries = arena_new_array(w->a, const TocEntry *, w->plan->toc->n + 1) };
        return l;
}

static Task *list_task(Graph *w, List *l)
{
        l->job.seconds = 0.001 * (double)l->n;
        return graph_task(w, run_list, &l->job);
}

/* ---- foreign keys ---- */

/* Bytes of the tables a key speaks of; those we do not know are large. */
static int64_t bytes_of(Graph *w, const TocEntry *e, int depth)
{
        int64_t sum = 0;
        for (size_t i = 0; i < e->n_needs; i++) {
                const TocEntry *n = graph_entry(w, e->needs[i]);
                if (!n)
                        continue;
                if (str_eq(n->class, "TABLE")) {
                        TableJobs *t = n->schema ? graph_table(w, n->schema, n->name) : NULL;
                        sum += t ? t->table->size : SOON;
                } else if (depth > 0 &&
                           (str_eq(n->class, "CONSTRAINT") || str_eq(n->class, "INDEX"))) {
                        sum += bytes_of(w, n, depth - 1);
                }
        }
        return sum;
}

static void plan_key(Graph *w, const TocEntry *e, Key *k)
{
        AUTO_BUF add = buf_init(LIMIT_SQL);
        AUTO_BUF validate = buf_init(LIMIT_SQL);
        int64_t bytes = bytes_of(w, e, 1);
        *k = (Key){ .job = { .seconds = 0.005 + (double)bytes / 1e9 },
                    .entry = e,
                    .table = graph_table_of(w, e) };
        if (bytes < SOON || !constraint_not_valid(e->sql, &add, &validate))
                return;
        k->add = arena_strdup(w->a, buf_str(&add));
        k->validate = arena_strdup(w->a, buf_str(&validate));
}

/* One after the other, on one connection: two at once would wait for each other's tables. */
static bool run_keys(void *arg, size_t worker, Err *err)
{
        Keys *j = arg;
        Lane *l = &j->job.w->lanes[worker];
        const TocEntry **plain = xcalloc(j->n + 1, sizeof *plain);
        size_t n = 0;
        bool ok = true;
        if (j->n > 0)
                progress_words(l->w->t, "foreign keys");
        checkpoints_ask(l->w->flush);
        for (size_t i = 0; ok && i < j->n; i++) {
                Key *k = &j->keys[i];
                if (!k->add) {
                        plain[n++] = k->entry;
                        continue;
                }
                ok = entries_run(&l->entries, plain, n, slot_name, l, err) &&
                     entries_statement(&l->entries, k->entry, k->add, &k->made, err);
                n = 0;
        }
        ok = ok && entries_run(&l->entries, plain, n, slot_name, l, err);
        progress_end(l->w->t, worker, 0);
        free(plain);
        return ok;
}

static bool run_validate(void *arg, size_t worker, Err *err)
{
        Key *k = arg;
        Graph *w = k->job.w;
        bool made;
        if (!k->made)
                return true; /* tolerated */
        AUTO_FREE char *name = xasprintf("%s %s", k->entry->class, k->entry->name);
        progress_begin(w->t, worker, name, &(Slot){ .job = &k->job });
        bool ok = entries_statement(&w->lanes[worker].entries, k->entry, k->validate, &made, err);
        progress_end(w->t, worker, 0);
        return ok;
}

/* *ret_valid: when they are validated, too. What comes after that may want a table for itself (the
 * rest takes many at once), and would wait for a VALIDATE that waits for it. */
static Task *add_keys(Graph *w, List *foreign, Task *before, Task **ret_valid)
{
        Keys *j = arena_new_type(w->a, Keys);
        *j = (Keys){ .job = { .seconds = 0.002 * (double)foreign->n },
                     .n = foreign->n,
                     .keys = arena_new_array(w->a, Key, foreign->n + 1) };
        for (size_t i = 0; i < j->n; i++) {
                plan_key(w, foreign->entries[i], &j->keys[i]);
                if (!j->keys[i].add)
                        j->job.seconds += j->keys[i].job.seconds;
        }
        Task *all = graph_task(w, run_keys, &j->job);
        *ret_valid = graph_joint(w);
        pool_after(all, before);
        pool_after(*ret_valid, all);
        for (size_t i = 0; i < j->n; i++) {
                Key *k = &j->keys[i];
                if (!k->add)
                        continue;
                pool_after(graph_task(w, run_validate, &k->job), all);
                pool_after(*ret_valid, k->job.task);
                for (size_t b = i; b-- > 0;) /* two at one table would wait for each other */
                        if (j->keys[b].add && j->keys[b].table == k->table) {
                                pool_after(k->job.task, j->keys[b].job.task);
                                break;
                        }
        }
        return all;
}

/* ---- parents ---- */

/* Statistics over all children: of partitioned tables, and of tables that others inherit from,
 * whose own ANALYZE came before the children's rows. 18 can leave out the partitions, which have
 * theirs already; before that it is done from the root, once for all below it. */
static bool run_parents(void *arg, size_t worker, Err *err)
{
        Lane *l = &((Job *)arg)->w->lanes[worker];
        AUTO_PGRES PgRes *r = NULL;
        bool only = pg_major(l->to) >= 18;
        if (!pg_ask(l->to,
                    "select n.nspname, c.relname, c.relkind, c.relispartition from "
                    "pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = "
                    "c.relnamespace where c.relkind in ('p', 'r') and n.nspname !~ '^pg_' "
                    "and exists (select from pg_catalog.pg_inherits i where i.inhparent = "
                    "c.oid)",
                    &r, err))
                return false;
        for (int i = 0; i < pg_rows(r); i++) {
                bool partitioned = str_eq(pg_cell(r, i, 2), "p");
                AUTO_SQL q = { 0 };
                AUTO_ERR why = { 0 };
                if (transfer_stopped(l->w->t, err))
                        return false;
                if (partitioned && !only && pg_cell_bool(r, i, 3))
                        continue;
                if (partitioned && only)
                        sql_add(&q, "ANALYZE ONLY ");
                else
                        sql_add(&q, "ANALYZE ");
                sql_qname(&q, pg_cell(r, i, 0), pg_cell(r, i, 1));
                if (pg_exec(l->to, &q, &why))
                        continue;
                if (why.kind != ERR_SERVER) {
                        err_move(err, &why);
                        return false;
                }
                transfer_say(l->w->t, "%s.%s could not be analyzed: %s", pg_cell(r, i, 0),
                             pg_cell(r, i, 1), why.message);
        }
        return true;
}

/* ---- materialized views ---- */

typedef struct View {
        Job job;
        const TocEntry *entry;
} View;

static bool run_view(void *arg, size_t worker, Err *err)
{
        View *v = arg;
        Graph *w = v->job.w;
        Lane *l = &w->lanes[worker];
        AUTO_FREE char *name = xasprintf("%s %s", v->entry->class, v->entry->name);
        Table t = { .schema = v->entry->schema ? v->entry->schema : "public",
                    .name = v->entry->name,
                    .rows = 1 };
        TableJobs work = { .table = &t }, *one = &work;
        progress_begin(w->t, worker, name, &(Slot){ .job = &v->job });
        bool ok = entries_run(&l->entries, &v->entry, 1, NULL, NULL, err) &&
                  graph_analyze(l, &one, 1, err);
        progress_end(w->t, worker, 0);
        return ok;
}

/* After the views each one reads; independent ones side by side. */
static void add_views(Graph *w, List *views, Task *before, Task *last)
{
        View *list = arena_new_array(w->a, View, views->n + 1);
        for (size_t i = 0; i < views->n; i++) {
                list[i] = (View){ .job = { .seconds = 0.1 }, .entry = views->entries[i] };
                Task *task = graph_task(w, run_view, &list[i].job);
                pool_after(task, before);
                pool_after(last, task);
                for (size_t k = 0; k < i; k++)
                        for (size_t n = 0; n < list[i].entry->n_needs; n++)
                                if (list[i].entry->needs[n] == list[k].entry->id)
                                        pool_after(task, list[k].job.task);
        }
}

/* ---- the tasks ---- */

static List *list_of(Graph *w, const TocEntry *e, List *parents, List *foreign, List *rest)
{
        bool of_table = str_eq(e->class, "INDEX") || str_eq(e->class, "CONSTRAINT") ||
                        str_eq(e->class, "STATISTICS");
        if (str_eq(e->class, "FK CONSTRAINT"))
                return foreign;
        if (str_eq(e->class, "INDEX ATTACH"))
                return parents;
        if (!of_table)
                return rest;
        return graph_table_of(w, e) ? NULL : parents;
}

void graph_add_post_data(Graph *w)
{
        const Toc *toc = w->plan->toc;
        List *parents = list_new(w, "indexes of partitioned tables"),
             *foreign = list_new(w, "foreign keys"), *rest = list_new(w, "the rest of the schema"),
             *grants = list_new(w, "grants"), *views = list_new(w, "materialized views"),
             *end = list_new(w, "event triggers");
        for (size_t i = 0; i < toc->n; i++) {
                const TocEntry *e = &toc->entries[i];
                List *l = NULL;
                if (!toc_is_schema(e))
                        continue;
                if (e->pass == TOC_PASS_ACL)
                        l = grants;
                else if (e->pass == TOC_PASS_POST_ACL)
                        l = str_eq(e->class, "MATERIALIZED VIEW DATA") ? views : end;
                else if (e->section == TOC_POST_DATA)
                        l = list_of(w, e, parents, foreign, rest);
                if (l)
                        l->entries[l->n++] = e;
        }
        Job *analyze = arena_new_type(w->a, Job);
        *analyze = (Job){ .seconds = 0.1 };
        Task *t = list_task(w, parents);
        pool_after(t, w->tables_done);
        Task *valid, *keys = add_keys(w, foreign, t, &valid),
                     *parent = graph_task(w, run_parents, analyze);
        Task *other = list_task(w, rest), *acl = list_task(w, grants), *last = list_task(w, end);
        pool_after(parent, keys);
        pool_after(other, valid);
        pool_after(other, parent);
        pool_after(acl, other);
        pool_after(acl, w->blobs_done); /* default privileges are for what is made later */
        pool_after(last, acl);
        add_views(w, views, acl, last);
}
