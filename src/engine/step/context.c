/* context.c: what a step sees when one of its kind's functions is called. */
#include "engine/step/one_step.h"

#include "runbook/types.h"

/* ---- parameters ---- */

/* A step without `with:` still gets its kind's fallbacks. */
static bool context_fallbacks(const ParamSpec *rows, json_t **ret, Err *err)
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

bool context_params(Engine *e, const PlanStep *p, const StepKind *kind, bool planning, json_t **ret,
                    Err *err)
{
        if (!p->def->with)
                return context_fallbacks(kind->params, ret, err);
        for (int look = 0;; look++) {
                AUTO_SCOPE scope = { 0 };
                scope_of(e, p, NULL, &scope);
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

/* The check's keys were made the kind's `with:` when the runbook was loaded. */
bool context_pre_params(Engine *e, const PlanStep *p, const PreCheck *pre, bool planning,
                        json_t **ret, Err *err)
{
        const StepKind *kind = step_kind_find(pre->kind->name, err);
        if (!kind)
                return false;
        if (!pre->with)
                return context_fallbacks(kind->params, ret, err);
        AUTO_SCOPE scope = { 0 };
        scope_of(e, p, NULL, &scope);
        scope.planning = planning;
        return template_eval(pre->with, kind->params, &scope, ret, err);
}

/* ---- the host behind the context: any thread ---- */

static bool host_append(void *arg, EventType type, const char *step, json_t *fields, Err *err)
{
        return record_said(arg, type, step, fields, err);
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
                           .tolerates = rules_tolerate,
                           .later_begin = e->later_begin,
                           .later_try = e->later_try };
}

/* ---- targets it names ---- */

typedef struct TargetCall {
        Engine *e;
        const json_t *spec, *item;
        const Target *found;
} TargetCall;

static bool call_target(void *arg, Err *err)
{
        TargetCall *c = arg;
        c->found = targets_use(c->e, c->e->arena, c->spec, c->item, err);
        return c->found != NULL;
}

bool context_use_target(Engine *e, const json_t *spec, const json_t *item, const Target **ret,
                        Err *err)
{
        TargetCall c = { .e = e, .spec = spec, .item = item };
        if (!loop_work(e, NULL, 0, call_target, &c, err))
                return false;
        *ret = c.found;
        return true;
}

/* Nothing is asked of the world: name and spec are enough. */
static const Target *planned_target(Engine *e, const json_t *on, const json_t *targets)
{
        Target *t = arena_new_type(e->arena, Target);
        const char *name = json_string_value(on);
        const json_t *known = name ? jx_get(targets, name) : on;
        json_t *copy = known ? json_deep_copy(known) : json_object();
        t->name = arena_strdup(e->arena, name);
        t->kind = arena_strdup(e->arena, jx_str(copy, "kind", ""));
        t->spec = copy;
        json_array_append_new(e->keep, copy);
        return t;
}

bool context_target(Engine *e, const PlanStep *p, bool planning, const Target **ret, Err *err)
{
        *ret = NULL;
        if (!p->def->on)
                return true;
        AUTO_SCOPE scope = { 0 };
        AUTO_JSON on = NULL;
        scope_of(e, p, NULL, &scope);
        scope.planning = planning;
        if (!template_eval(p->def->on, NULL, &scope, &on, err))
                return err_wrap(err, "resolving its target");
        if (planning) {
                *ret = planned_target(e, on, scope.targets);
                return true;
        }
        return secrets_prepare(e, on, p->item, err) && context_use_target(e, on, p->item, ret, err);
}

static bool resolve_params_targets(Engine *e, const PlanStep *p, const StepKind *kind,
                                   const json_t *params, Err *err)
{
        const Target *found = NULL;
        for (const ParamSpec *r = kind->params; r && r->name; r++) {
                const json_t *v = jx_get(params, r->name);
                if (r->type != PARAM_TARGET || !v || json_is_null(v))
                        continue;
                if (json_is_string(v) && !*json_string_value(v))
                        continue;
                if (!secrets_prepare(e, v, p->item, err) ||
                    !context_use_target(e, v, p->item, &found, err))
                        return err_wrap(err, "target of `%s`", r->name);
        }
        return true;
}

StepCtx *context_new(Engine *e, const PlanStep *p, int attempt, bool planning, Err *err)
{
        const StepKind *kind = step_kind_find(p->def->kind->name, err);
        json_t *params = NULL;
        const Target *on = NULL;
        json_t *remembered = NULL;
        if (!kind)
                return NULL;
        const StepRec *rec = state_find(&e->state, p->id);
        if (!context_target(e, p, planning, &on, err) ||
            !context_params(e, p, kind, planning, &params, err))
                return NULL;
        if (!planning && (!secrets_prepare(e, params, p->item, err) ||
                          !resolve_params_targets(e, p, kind, params, err) ||
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

StepCtx *context_for_pre(Engine *e, const PlanStep *p, const StepKind *kind, json_t *params,
                         const Target *on)
{
        StepHost host = host_of(e, false);
        host.append = NULL;
        return step_ctx_new(&(StepSetup){ .host = &host,
                                          .kind = kind,
                                          .id = p->id,
                                          .run_id = e->tag,
                                          .run_dir = e->c->run_dir,
                                          .params = params,
                                          .target = on });
}

/* ---- calling a kind's function ---- */

typedef struct KindCall {
        StepCtx *ctx;
        KindFn fn;
} KindCall;

static bool context_call_kind(void *arg, Err *err)
{
        KindCall *c = arg;
        return c->fn(c->ctx, step_ctx_state(c->ctx), err);
}

bool context_call(Engine *e, StepCtx *ctx, KindFn fn, int64_t timeout_ms, Err *err)
{
        KindCall c = { .ctx = ctx, .fn = fn };
        return loop_work(e, ctx, timeout_ms, context_call_kind, &c, err);
}
