#include "kit/pg_steps.h"

#include "base/buf.h"
#include "base/clock.h"
#include "pg/database.h"
#include "place/place.h"

static void pg_steps_on_notice(void *arg, const char *severity, const char *text)
{
        step_log(arg, str_eq(severity, "WARNING") ? SAY_WARN : SAY_INFO, "server", "%s: %s",
                 severity, text);
}

static void pg_steps_on_cancel(void *arg)
{
        pg_cancel(arg);
}

typedef struct Registered {
        StepCtx *ctx;
        int handle;
} Registered;

static void on_close(void *arg)
{
        Registered *r = arg;
        step_uncancel(r->ctx, r->handle);
}

bool kit_pg_open(StepCtx *ctx, const Target *t, const char *database, Pg **ret, Err *err)
{
        PgParams p = { 0 };
        if (!place_pg_params(step_arena(ctx), t, database, &p, err))
                return false;
        p.app = arena_printf(step_arena(ctx), "pgsherpa/%s/%s", step_run_id(ctx), step_id(ctx));
        p.statement_timeout_ms = step_timeout_ms(ctx);
        p.notice = pg_steps_on_notice;
        p.notice_arg = ctx;
        Pg *pg = NULL;
        if (!pg_open(&p, &pg, err))
                return false;
        Registered *r = arena_new_type(step_arena(ctx), Registered);
        *r = (Registered){ .ctx = ctx, .handle = step_on_cancel(ctx, pg_steps_on_cancel, pg) };
        pg_on_close(pg, on_close, r);
        *ret = pg;
        return true;
}

bool kit_pg(StepCtx *ctx, Pg **ret, Err *err)
{
        return kit_pg_open(ctx, step_target(ctx), step_str(ctx, "database"), ret, err);
}

static bool open_one(void *ctx, const char *database, Pg **ret, Err *err)
{
        return kit_pg_open(ctx, step_target(ctx), database, ret, err);
}

bool kit_pg_beside(StepCtx *ctx, const char *a, const char *b, Pg **ret, Err *err)
{
        return pg_open_beside(open_one, ctx, a, b, ret, err);
}

void kit_plan_sql(StepCtx *ctx, const Sql *q)
{
        AUTO_FREE char *text = sql_for_humans(q);
        step_plan(ctx, "%s", text);
}

void kit_plan_undo_sql(StepCtx *ctx, const Sql *q)
{
        AUTO_FREE char *text = sql_for_humans(q);
        step_plan_undo(ctx, "%s", text);
}

void kit_results_from(StepCtx *ctx, const json_t *from, const char *const *keys)
{
        for (; *keys; keys++) {
                json_t *v = jx_get(from, *keys);
                step_result_set(ctx, *keys, v ? json_incref(v) : json_null());
        }
}

static void pg_steps_collect(const json_t *v, json_t *names, json_t *seen)
{
        size_t i;
        json_t *item;
        if (json_is_array(v)) {
                json_array_foreach(v, i, item)
                        pg_steps_collect(item, names, seen);
                return;
        }
        const char *name = json_is_object(v) ? jx_str(v, "name", NULL) : json_string_value(v);
        if (!name || !*name || jx_get(seen, name))
                return;
        jx_set_bool(seen, name, true);
        jx_append_str(names, name);
}

json_t *kit_name_list(StepCtx *ctx, const char *param)
{
        AUTO_JSON seen = json_object();
        json_t *names = json_array();
        pg_steps_collect(step_get(ctx, param), names, seen);
        return names;
}

TableMeter kit_table_meter(StepCtx *ctx, const char *label)
{
        return (TableMeter){ .ctx = ctx, .label = label, .began_ms = clock_boot_ms() };
}

void kit_table_meter_progress(void *meter, const char *table, int done, int total,
                              int64_t bytes_done, int64_t bytes_total)
{
        TableMeter *m = meter;
        int64_t ms = clock_boot_ms() - m->began_ms;
        double rate = progress_rate(bytes_done, ms);
        AUTO_FREE char *name = inventory_name(table);
        ProgressRow row = { .name = name, .done = 1, .total = 1, .eta_ms = -1 };
        step_progress(m->ctx, &(Progress){ .unit = "bytes",
                                           .done = bytes_done,
                                           .total = bytes_total,
                                           .rate = rate,
                                           .label = m->label,
                                           .rows = &row,
                                           .n_rows = 1,
                                           .eta_ms = progress_eta(bytes_total - bytes_done, rate),
                                           .things_done = done,
                                           .things_total = total });
}

char *kit_inventory_revision(const json_t *inventory)
{
        size_t i;
        json_t *m;
        AUTO_BUF b = buf_init(4096);
        json_array_foreach(jx_get(inventory, "migrations"), i, m) {
                const char *revision = jx_str(m, "revision", NULL);
                if (revision)
                        buf_printf(&b, "%s%s", b.len ? "; " : "", revision);
        }
        return b.len ? buf_take(&b, NULL) : NULL;
}

static bool pg_steps_has(const json_t *names, const json_t *name)
{
        size_t i;
        json_t *n;
        json_array_foreach(names, i, n)
                if (json_equal(n, name))
                        return true;
        return false;
}

/* Those of `names` that are in `in` (or, !in_it, are not). New reference. */
static json_t *pg_steps_only(const json_t *names, const json_t *in, bool in_it)
{
        json_t *list = json_array(), *n;
        size_t i;
        json_array_foreach(names, i, n)
                if (pg_steps_has(in, n) == in_it)
                        json_array_append(list, n);
        return list;
}

static bool remember_roles(StepCtx *ctx, const char *key, const json_t *ours, const json_t *more,
                           Err *err)
{
        json_t *memory = json_object();
        json_t *all = json_copy((json_t *)(uintptr_t)ours);
        json_array_extend(all, (json_t *)(uintptr_t)more);
        jx_set(memory, key, all);
        return step_remember(ctx, memory, err);
}

bool kit_roles_copy(StepCtx *ctx, Pg *source, Pg *target, RolesCopyOptions o, const char *key,
                    json_t **ret_report, Err *err)
{
        AUTO_JSON intended = NULL;
        AUTO_JSON report = NULL;
        o.dry = true;
        if (!pg_roles_copy(source, target, &o, &intended, err))
                return false;
        /* An earlier try may have made them, and never heard so: what it remembered and is there is
         * ours. */
        AUTO_JSON ours =
                pg_steps_only(jx_get(step_remembered(ctx), key), jx_get(intended, "present"), true);
        if (!remember_roles(ctx, key, ours, jx_get(intended, "created"), err))
                return false;
        o.dry = false;
        if (!pg_roles_copy(source, target, &o, &report, err)) {
                /* rolled back for sure: whoever makes them now, it is not us */
                AUTO_ERR ignored = { 0 };
                if (err->kind != ERR_LINK)
                        (void)!remember_roles(ctx, key, ours, NULL, &ignored);
                return false;
        }
        jx_set(report, "present", pg_steps_only(jx_get(report, "present"), ours, false));
        json_array_extend(jx_get(report, "created"), ours);
        *ret_report = json_incref(report);
        return true;
}

static bool drop_role(Pg *pg, const char *name, Err *err)
{
        AUTO_SQL q = { 0 };
        bool there = false;
        if (!pg_role_exists(pg, name, &there, err))
                return false;
        if (!there)
                return true;
        sql_add(&q, "drop role ");
        sql_ident(&q, name);
        if (pg_exec(pg, &q, err))
                return true;
        if (str_eq(err->sqlstate, "2BP01")) {
                err->kind = ERR_USER;
                err_hint(err, "something on this server uses the role now; REASSIGN OWNED or keep "
                              "the role");
        }
        return err_wrap(err, "dropping role %s", name);
}

bool kit_roles_drop(Pg *pg, const json_t *names, Err *err)
{
        for (size_t i = json_array_size(names); i > 0; i--)
                if (!drop_role(pg, json_string_value(json_array_get(names, i - 1)), err))
                        return false;
        return true;
}
