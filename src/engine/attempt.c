/* attempt.c: one try of one step: what it sees, what it is asked, what becomes of it. */
#include "engine/internal.h"

#include "base/clock.h"
#include "base/inherit.h"
#include "runbook/types.h"

/* ---- what it sees ---- */

void attempt_scope(Engine *e, const PlanStep *p, const json_t *result, Scope *ret)
{
        const json_t *item = p ? p->item : NULL;
        *ret = (Scope){ .vars = e->plan->vars,
                        .facts = e->state.facts,
                        .run = e->run_ns,
                        .item = item,
                        .result = result,
                        .targets = targets_all(e, item) };
}

void attempt_scope_done(Scope *s)
{
        json_decref((json_t *)(uintptr_t)s->targets);
        s->targets = NULL;
}
#define AUTO_SCOPE CLEANUP(attempt_scope_done) Scope

Effect attempt_effect(const PlanStep *p)
{
        return p->def->kind->traits & STEP_READ_ONLY ? EFFECT_READ : p->def->effect;
}

bool attempt_read_only(const PlanStep *p)
{
        return (p->def->kind->traits & STEP_READ_ONLY) != 0;
}

/* A step without `with:` still gets its kind's fallbacks. */
static bool fallbacks(const ParamSpec *rows, json_t **ret, Err *err)
{
        json_t *params = json_object();
        for (const ParamSpec *r = rows; r && r->name; r++) {
                json_t *value = NULL;
                if (!r->fallback || str_eq(r->fallback, "~"))
                        continue;
                bool ok =
                        *r->fallback == '[' || *r->fallback == '{'
                                ? (value = jx_parse(r->fallback, strlen(r->fallback), err)) != NULL
                                : value_from_text(r->type, r->fallback, &value, err);
                if (!ok) {
                        json_decref(params);
                        return err_wrap(err, "fallback of %s", r->name);
                }
                jx_set(params, r->name, value);
        }
        *ret = params;
        return true;
}

bool attempt_params(Engine *e, const PlanStep *p, const StepKind *kind, bool planning, json_t **ret,
                    Err *err)
{
        if (!p->def->with)
                return fallbacks(kind->params, ret, err);
        for (int look = 0;; look++) {
                AUTO_SCOPE scope = { 0 };
                attempt_scope(e, p, NULL, &scope);
                scope.planning = planning;
                if (template_eval(p->def->with, kind->params, &scope, ret, err))
                        return true;
                /* ${targets.stack.config_files} is known once somebody has looked. */
                if (look > 0 || planning)
                        return err_wrap(err, "resolving the parameters");
                Err later = { 0 };
                err_move(&later, err);
                bool found = targets_look_up(e, err);
                if (!found) {
                        err_move(err, &later);
                        return err_wrap(err, "resolving the parameters");
                }
                err_clear(&later);
        }
}

/* ---- the host behind the context: any thread ---- */

static bool host_append(void *arg, EventType type, const char *step, json_t *fields, Err *err)
{
        return engine_append(arg, type, step, fields, err);
}

static const Target *host_target(void *arg, Arena *a, const json_t *spec, Err *err)
{
        Engine *e = arg;
        return targets_use(e, a, spec, e->now ? e->now->item : NULL, err);
}

static const Secret *host_secret(void *arg, const char *name, Err *err)
{
        Engine *e = arg;
        return secrets_get(e, name, e->now ? e->now->item : NULL, err);
}

static const json_t *host_remembered_of(void *arg, const char *id)
{
        Engine *e = arg;
        const StepRec *r = state_find(&e->state, id);
        json_t *whole = NULL;
        AUTO_ERR ignored = { 0 };
        if (!r || !facts_remembered(e, r, &whole, &ignored))
                return NULL;
        pthread_mutex_lock(&e->lazy_lock);
        json_array_append_new(e->keep, whole);
        pthread_mutex_unlock(&e->lazy_lock);
        return whole;
}

static StepHost host_of(Engine *e, bool planning)
{
        if (planning)
                return (StepHost){ .arg = e };
        return (StepHost){ .arg = e,
                           .append = host_append,
                           .target = host_target,
                           .secret = host_secret,
                           .remembered_of = host_remembered_of,
                           .tolerates = policy_tolerates,
                           .later_begin = dry_begin,
                           .later_try = dry_try };
}

/* ---- targets it names ---- */

typedef struct TargetCall {
        Engine *e;
        Arena *arena;
        const json_t *spec, *item;
        const Target *found;
} TargetCall;

static bool call_target(void *arg, Err *err)
{
        TargetCall *c = arg;
        c->found = targets_use(c->e, c->arena, c->spec, c->item, err);
        return c->found != NULL;
}

static bool use_target(Engine *e, Arena *a, const json_t *spec, const json_t *item,
                       const Target **ret, Err *err)
{
        TargetCall c = { .e = e, .arena = a, .spec = spec, .item = item };
        if (!loop_work(e, NULL, 0, call_target, &c, err))
                return false;
        if (ret)
                *ret = c.found;
        return true;
}

static bool resolve_on(Engine *e, const PlanStep *p, Arena *a, bool planning, const Target **ret,
                       Err *err)
{
        *ret = NULL;
        if (!p->def->on)
                return true;
        AUTO_SCOPE scope = { 0 };
        attempt_scope(e, p, NULL, &scope);
        scope.planning = planning;
        json_t *on = NULL;
        if (!template_eval(p->def->on, NULL, &scope, &on, err))
                return err_wrap(err, "resolving its target");
        AUTO_JSON spec = on;
        if (planning) { /* nothing is asked of the world: name and spec are enough */
                Target *t = arena_new_type(a, Target);
                const char *name = json_string_value(spec);
                json_t *known = name ? json_object_get(scope.targets, name) : spec;
                json_t *copy = known ? json_deep_copy(known) : json_object();
                t->name = arena_strdup(a, name);
                t->kind = arena_strdup(a, jx_str(copy, "kind", ""));
                t->spec = copy;
                t->all = NULL;
                json_array_append_new(e->keep, copy);
                *ret = t;
                return true;
        }
        if (!secrets_prepare(e, spec, p->item, err))
                return false;
        return use_target(e, a, spec, p->item, ret, err);
}

static bool resolve_params_targets(Engine *e, const PlanStep *p, const StepKind *kind,
                                   const json_t *params, Arena *a, Err *err)
{
        for (const ParamSpec *r = kind->params; r && r->name; r++) {
                const json_t *v = jx_get(params, r->name);
                if (r->type != PARAM_TARGET || !v || json_is_null(v))
                        continue;
                if (json_is_string(v) && !*json_string_value(v))
                        continue;
                if (!secrets_prepare(e, v, p->item, err) ||
                    !use_target(e, a, v, p->item, NULL, err))
                        return err_wrap(err, "target of `%s`", r->name);
        }
        return true;
}

StepCtx *attempt_context(Engine *e, const PlanStep *p, int attempt, bool planning, Err *err)
{
        const StepKind *kind = step_kind_find(p->def->kind->name, err);
        json_t *params = NULL;
        const Target *on = NULL;
        json_t *remembered = NULL;
        if (!kind)
                return NULL;
        const StepRec *rec = state_find(&e->state, p->id);
        if (!resolve_on(e, p, e->arena, planning, &on, err) ||
            !attempt_params(e, p, kind, planning, &params, err))
                return NULL;
        if (!planning && (!secrets_prepare(e, params, p->item, err) ||
                          !resolve_params_targets(e, p, kind, params, e->arena, err) ||
                          !facts_remembered(e, rec, &remembered, err))) {
                json_decref(params);
                return NULL;
        }
        StepHost host = host_of(e, planning);
        return step_ctx_new(&(StepSetup){ .host = &host,
                                          .kind = kind,
                                          .id = p->id,
                                          .run_id = e->tag,
                                          .run_dir = e->c->run_dir,
                                          .attempt = attempt,
                                          .timeout_ms = p->def->timeout_ms,
                                          .planning = planning,
                                          .params = params,
                                          .target = on,
                                          .remembered = remembered });
}

/* ---- calling a kind's function ---- */

typedef struct KindCall {
        StepCtx *ctx;
        KindFn fn;
} KindCall;

static bool call_kind(void *arg, Err *err)
{
        KindCall *c = arg;
        return c->fn(c->ctx, step_ctx_state(c->ctx), err);
}

bool attempt_call(Engine *e, StepCtx *ctx, KindFn fn, int64_t timeout_ms, Err *err)
{
        KindCall c = { .ctx = ctx, .fn = fn };
        return loop_work(e, ctx, timeout_ms, call_kind, &c, err);
}

/* ---- before the intent ---- */

static bool check(Engine *e, const PlanStep *p, const StepKind *kind, StepCtx *ctx, Err *err)
{
        if (!kind->check)
                return true;
        if (!attempt_call(e, ctx, kind->check, 0, err))
                return err_wrap(err, "looking before step %s", p->id);
        const json_t *problems = step_ctx_problems(ctx);
        size_t n = json_array_size(problems);
        if (n == 0)
                return true;
        AUTO_BUF all = buf_init(2000);
        for (size_t i = 0; i < n; i++) {
                const char *text = json_string_value(json_array_get(problems, i));
                step_log(ctx, SAY_ERROR, "check", "%s", text);
                buf_printf(&all, "%s%s", i ? "; " : "", text);
        }
        return err_set(err, ERR_USER, "cannot start: %s", buf_str(&all));
}

/* `pre:` names a read-only kind. It fails when the kind does, and when the kind found bad
 * news: one of these lists is not empty. */
static const char *const bad_news[] = { "problems", "short", "missing",     "unhealthy",
                                        "drifted",  "bad",   "differences", "collisions",
                                        "others",   "failed" };

bool attempt_no_bad_news(const char *kind, const json_t *results, Err *err)
{
        for (size_t i = 0; i < LEN(bad_news); i++) {
                const json_t *list = jx_get(results, bad_news[i]);
                if (json_array_size(list) == 0 && json_object_size(list) == 0)
                        continue;
                AUTO_FREE char *words = jx_words(list);
                return err_set(err, ERR_USER, "%s: %s: %.600s", kind, bad_news[i], words);
        }
        return true;
}

bool attempt_pre_params(Engine *e, const PlanStep *p, const PreCheck *pre, const StepKind *kind,
                        bool planning, json_t **ret, Err *err)
{
        bool disk = str_eq(pre->check, "disk");
        if (!pre->with)
                return fallbacks(kind->params, ret, err);
        AUTO_SCOPE scope = { 0 };
        attempt_scope(e, p, NULL, &scope);
        scope.planning = planning;
        if (!disk)
                return template_eval(pre->with, kind->params, &scope, ret, err);
        json_t *one = NULL; /* {check: disk, path: /, free: 500MB} */
        if (!template_eval(pre->with, NULL, &scope, &one, err))
                return false;
        *ret = json_object();
        json_t *need = json_array();
        json_array_append_new(need, one);
        jx_set(*ret, "need", need);
        return true;
}

static bool pre_one(Engine *e, const PlanStep *p, const PreCheck *pre, const Target *on, Err *err)
{
        bool disk = str_eq(pre->check, "disk");
        const StepKind *kind = step_kind_find(disk ? "host.disk" : pre->check, err);
        json_t *params = NULL;
        if (!kind)
                return false;
        if (!(kind->traits & STEP_READ_ONLY))
                return err_set(err, ERR_USER,
                               "%s changes things: it cannot be a check before a step", pre->check);
        if (!attempt_pre_params(e, p, pre, kind, false, &params, err))
                return err_wrap(err, "check %s", pre->check);
        StepHost host = host_of(e, false);
        host.append = NULL; /* its progress is not the step's */
        AUTO_STEP ctx = step_ctx_new(&(StepSetup){ .host = &host,
                                                   .kind = kind,
                                                   .id = p->id,
                                                   .run_id = e->tag,
                                                   .run_dir = e->c->run_dir,
                                                   .params = params,
                                                   .target = on });
        if (!attempt_call(e, ctx, kind->run, p->def->timeout_ms, err))
                return err_wrap(err, "check before the step: %s", pre->check);
        return attempt_no_bad_news(pre->check, step_results(ctx), err) ||
               err_wrap(err, "check before the step");
}

static bool pre_checks(Engine *e, const PlanStep *p, Err *err)
{
        const Target *on = NULL;
        if (p->def->n_pre == 0)
                return true;
        if (!resolve_on(e, p, e->arena, false, &on, err))
                return false;
        for (size_t i = 0; i < p->def->n_pre; i++)
                if (!pre_one(e, p, &p->def->pre[i], on, err))
                        return false;
        return true;
}

/* ---- conditions that make a step needless ---- */

typedef struct DoneCall {
        Engine *e;
        const Target *t;
        const json_t *cond;
        bool yes;
} DoneCall;

static bool call_done_if(void *arg, Err *err)
{
        DoneCall *c = arg;
        return c->e->ops->done_if(c->e->ops->app, c->t, c->cond, &c->yes, err);
}

static bool already(Engine *e, const PlanStep *p, bool *ret, Err *err)
{
        *ret = p->def->n_done_if > 0 && e->ops && e->ops->done_if;
        for (size_t i = 0; *ret && i < p->def->n_done_if; i++) {
                AUTO_SCOPE scope = { 0 };
                attempt_scope(e, p, NULL, &scope);
                json_t *evaluated = NULL;
                if (!template_eval(p->def->done_if[i].cond, NULL, &scope, &evaluated, err))
                        return err_wrap(err, "done_if");
                AUTO_JSON cond = evaluated;
                const Target *t = NULL;
                const json_t *on = jx_get(cond, "on");
                bool ok = on ? use_target(e, e->arena, on, p->item, &t, err)
                             : resolve_on(e, p, e->arena, false, &t, err);
                DoneCall c = { .e = e, .t = t, .cond = cond };
                if (!ok || !loop_work(e, NULL, 0, call_done_if, &c, err))
                        return err_wrap(err, "asking whether it is done already");
                *ret = c.yes;
        }
        return true;
}

static bool needless(Engine *e, const PlanStep *p, bool *ret, Err *err)
{
        *ret = false;
        if (p->def->when) {
                AUTO_SCOPE scope = { 0 };
                bool yes = false;
                attempt_scope(e, p, NULL, &scope);
                if (!expr_true(p->def->when, &scope, &yes, err))
                        return err_wrap(err, "when");
                if (!yes) {
                        AUTO_FREE char *why = xasprintf("not needed: %s", expr_text(p->def->when));
                        *ret = true;
                        return steps_skip(e, p, why, err);
                }
        }
        bool done = false;
        if (!already(e, p, &done, err) || !done)
                return !err->kind;
        json_t *f = json_object();
        jx_set_int(f, "n", p->n);
        jx_set_str(f, "reason", "already done, seen on the target");
        *ret = true;
        return engine_append(e, EV_STEP_ALREADY, p->id, f, err);
}

/* ---- the try ---- */

static bool write_intent(Engine *e, const PlanStep *p, int attempt, Err *err)
{
        static const char *const effects[] = { "read", "create", "modify", "destroy" };
        json_t *f = json_object();
        jx_set_int(f, "n", p->n);
        jx_set_int(f, "attempt", attempt);
        jx_set_str(f, "kind", p->def->kind->name);
        jx_set_str(f, "effect", effects[attempt_effect(p)]);
        jx_set_str(f, "resume", p->def->resume ? p->def->resume : "");
        jx_set_int(f, "timeout_ms", p->def->timeout_ms);
        if (p->late)
                jx_set_str(f, "late_item", p->id);
        return engine_append(e, EV_STEP_INTENT, p->id, f, err);
}

/* After a shutdown that cut the step in two nobody knows what is there: the intent stays
 * without a verdict, and resume will ask the world. */
static bool cut_by_shutdown(const Engine *e, const Err *why)
{
        return e->stop == STOP_SHUTDOWN && why->kind == ERR_CANCELLED;
}

static bool run_kind(Engine *e, const PlanStep *p, const StepKind *kind, StepCtx *ctx, int attempt,
                     bool *ret_again, Err *err)
{
        AUTO_FD int alive = locks_alive(e, p->id, attempt);
        int64_t start = clock_boot_ms();
        AUTO_ERR why = { 0 };
        step_log(ctx, SAY_INFO, "pgsherpa", "step %d, %s, try %d", p->n, kind->name, attempt);
        bool ok = attempt_call(e, ctx, kind->run, p->def->timeout_ms, &why);
        inherit_set(-1);
        step_ctx_flush(ctx);
        int64_t ms = clock_boot_ms() - start;
        if (e->io_failed)
                return err_set(err, ERR_SYSTEM, "the journal cannot be written any more");
        if (ok)
                return outcome_settle(e, p, ctx, ms, ret_again, err);
        if (cut_by_shutdown(e, &why))
                return false;
        return outcome_fail(e, p, ctx, ms, &why, err);
}

/* From `when` to the intent. *ret_over: the step has its verdict without having run. */
static bool prepare(Engine *e, const PlanStep *p, StepCtx **ret_ctx, bool *ret_over, Err *err)
{
        const StepKind *kind = step_kind_find(p->def->kind->name, err);
        int attempt = state_step(&e->state, p->id)->attempt + 1;
        *ret_over = false;
        if (!kind || !needless(e, p, ret_over, err))
                return false;
        if (*ret_over)
                return true;
        if (!pre_checks(e, p, err) || !gates_of_step(e, p, ret_over, err))
                return false;
        if (*ret_over)
                return true;
        *ret_ctx = attempt_context(e, p, attempt, false, err);
        if (!*ret_ctx)
                return false;
        return check(e, p, kind, *ret_ctx, err) && ask_flow(e, p, *ret_ctx, err);
}

static bool begin(Engine *e, const PlanStep *p, int attempt, Err *err)
{
        if (p->def->downtime == DOWNTIME_BEGIN && !clocks_downtime(e, true, err))
                return false;
        return write_intent(e, p, attempt, err);
}

static bool try_once(Engine *e, const PlanStep *p, bool *ret_again, Err *err)
{
        AUTO_STEP ctx = NULL;
        AUTO_ERR why = { 0 };
        bool over = false;
        if (!prepare(e, p, &ctx, &over, &why)) {
                if (e->stop || e->io_failed) {
                        err_move(err, &why);
                        return false;
                }
                return outcome_fail(e, p, ctx, 0, &why, err);
        }
        if (over)
                return true;
        if (e->stop)
                return false;
        const StepKind *kind = step_kind_find(p->def->kind->name, err);
        int attempt = step_attempt(ctx);
        if (!kind || !begin(e, p, attempt, err))
                return false;
        return run_kind(e, p, kind, ctx, attempt, ret_again, err);
}

bool attempt_run(Engine *e, const PlanStep *p, Err *err)
{
        bool again = true;
        e->now = p;
        while (again) {
                again = false;
                if (!try_once(e, p, &again, err))
                        return false;
        }
        return true;
}
