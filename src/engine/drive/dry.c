/* dry.c: the steps that come after the running one, each tried with its kind's dry().
 *
 * All of it runs in the thread of the step that tries (effects.try); the main thread only polls
 * meanwhile. Nothing is journaled and nothing logged: what was found is the trying step's to
 * say. */
#include "engine/drive/dry.h"

#include "base/buf.h"
#include "base/redact.h"
#include "base/text.h"
#include "engine/step/one_step.h"

struct Dry {
        const PlanStep **steps;
        size_t n, capacity;
        json_t *wills;
        json_t *now; /* target name -> {"now", "why"}: each is asked once */
        const PlanStep *tried;
};

void dry_end(Engine *e)
{
        if (!e->dry)
                return;
        free(e->dry->steps);
        json_decref(e->dry->wills);
        json_decref(e->dry->now);
        free(e->dry);
        e->dry = NULL;
}

/* ---- which steps ---- */

static void dry_add(Engine *e, const PlanStep *p)
{
        struct Dry *d = e->dry;
        const StepRec *rec = state_find(&e->state, p->id);
        RecState is = rec ? rec->state : REC_PENDING;
        if (is == REC_DONE || is == REC_SKIPPED || is == REC_ALREADY)
                return;
        if (d->n == d->capacity) {
                d->capacity = d->capacity ? d->capacity * 2 : 32;
                d->steps = xrealloc(d->steps, d->capacity * sizeof *d->steps);
        }
        d->steps[d->n++] = p;
}

/* A loop whose items nobody knows yet is tried once, with ‹item›. */
static void dry_add_late(Engine *e, const PlanStep *p)
{
        json_t *all = NULL;
        AUTO_ERR why = { 0 };
        bool known = lookup_items(e, p, true, &all, &why);
        AUTO_JSON items = all;
        if (!known || value_is_unknown(items)) {
                dry_add(e, p);
                return;
        }
        for (size_t i = 0; i < json_array_size(items); i++) {
                const PlanStep *one = lookup_item(e, p, json_array_get(items, i), i, &why);
                dry_add(e, one ? one : p);
        }
}

size_t dry_begin(void *engine)
{
        Engine *e = engine;
        dry_end(e);
        e->dry = xcalloc(1, sizeof *e->dry);
        e->dry->wills = json_object();
        e->dry->now = json_object();
        for (size_t i = 0; i < e->plan->n; i++) {
                const PlanStep *p = &e->plan->steps[i];
                if (!e->now || p->n <= e->now->n || p->cleanup || lookup_read_only(p))
                        continue;
                if (p->late)
                        dry_add_late(e, p);
                else
                        dry_add(e, p);
        }
        return e->dry->n;
}

/* ---- what its context sees ---- */

static const json_t *item_now(const Engine *e)
{
        return e->dry && e->dry->tried ? e->dry->tried->item : NULL;
}

static const Target *dry_target(void *arg, Arena *a, const json_t *spec, Err *err)
{
        Engine *e = arg;
        return targets_dry(e, a, spec, item_now(e), err);
}

static const Secret *dry_secret(void *arg, const char *name, Err *err)
{
        Engine *e = arg;
        return secrets_get(e, name, item_now(e), err);
}

static bool dry_tolerates(void *arg, const char *object, const Err *error)
{
        Engine *e = arg;
        return rules_would_tolerate(e, e->dry->tried, error);
}

static TargetNow dry_now(void *arg, const Target *t, Err *why)
{
        Engine *e = arg;
        AUTO_FREE char *key = t->name ? xstrdup(t->name) : jx_dump_sorted(t->spec);
        const json_t *had = jx_get(e->dry->now, key);
        if (had) {
                if (*jx_str(had, "why", ""))
                        err_set(why, ERR_USER, "%s", jx_str(had, "why", ""));
                return (TargetNow)jx_int(had, "now", TARGET_HERE);
        }
        TargetNow now = targets_now(e, t, why);
        jx_set(e->dry->now, key,
               json_pack("{s:i, s:s}", "now", (int)now, "why", why->message ? why->message : ""));
        return now;
}

static const Target *on_of(Engine *e, const PlanStep *p, Arena *a, Err *err)
{
        AUTO_JSON on = NULL;
        AUTO_SCOPE scope = { 0 };
        scope_of(e, p, NULL, &scope);
        scope.planning = true;
        return template_eval(p->def->on, NULL, &scope, &on, err)
                       ? targets_dry(e, a, on, p->item, err)
                       : NULL;
}

/* ---- will it run at all? ---- */

typedef enum Run { RUN_YES, RUN_NO, RUN_PERHAPS } Run;

static Run dry_condition(Engine *e, const PlanStep *p, Err *err)
{
        AUTO_JSON v = NULL;
        AUTO_SCOPE scope = { 0 };
        if (!p->def->when)
                return RUN_YES;
        scope_of(e, p, NULL, &scope);
        scope.planning = true;
        if (!expr_eval(p->def->when, &scope, &v, err))
                return RUN_YES; /* and *err says why it cannot */
        return value_is_unknown(v) ? RUN_PERHAPS : json_is_false(v) ? RUN_NO : RUN_YES;
}

static bool done_already(Engine *e, const PlanStep *p, const DoneIf *d, bool *ret, Err *err)
{
        AUTO_JSON cond = NULL;
        AUTO_SCOPE scope = { 0 };
        scope_of(e, p, NULL, &scope);
        bool ok = template_eval(d->cond, NULL, &scope, &cond, err);
        const json_t *on = jx_get(cond, "on");
        const Target *t = !ok          ? NULL
                          : on         ? targets_dry(e, e->arena, on, p->item, err)
                          : p->def->on ? on_of(e, p, e->arena, err)
                                       : NULL;
        return ok && (!t || dry_now(e, t, err) == TARGET_HERE) &&
               e->ops->done_if(e->ops->app, t, cond, ret, err);
}

/* What cannot be asked now may be true by then. */
static Run dry_already(Engine *e, const PlanStep *p)
{
        bool all = p->def->n_done_if > 0;
        if (!e->ops || !e->ops->done_if)
                return RUN_YES;
        for (size_t i = 0; i < p->def->n_done_if; i++) {
                AUTO_ERR ignored = { 0 };
                bool yes = false;
                if (!done_already(e, p, &p->def->done_if[i], &yes, &ignored))
                        return RUN_PERHAPS;
                all = all && yes;
        }
        return all ? RUN_NO : RUN_YES;
}

/* ---- one step ---- */

static void cancel_it(void *arg)
{
        step_ctx_cancel(arg);
}

static void dry_complain(json_t *problems, const Err *why)
{
        AUTO_FREE char *text =
                xasprintf("%s%s%s", why->message ? why->message : "it does not say why",
                          why->hint ? "; " : "", why->hint ? why->hint : "");
        AUTO_FREE char *clean = text_clean_str(text);
        AUTO_FREE char *safe = redact_text(clean);
        jx_append_str(problems, safe);
}

static bool dry_call(StepCtx *by, StepCtx *ctx, const StepKind *kind, json_t *problems, Err *err)
{
        AUTO_ERR why = { 0 };
        int handle = step_on_cancel(by, cancel_it, ctx);
        bool ok = kind->dry(ctx, step_ctx_state(ctx), &why);
        step_uncancel(by, handle);
        json_array_extend(problems, (json_t *)(uintptr_t)step_ctx_problems(ctx));
        if (step_cancelled(by))
                return err_set(err, ERR_CANCELLED, "stopped while trying the later steps");
        if (!ok)
                dry_complain(problems, &why);
        return true;
}

/* A parameter that a later step finds, after r (NULL: the first), or NULL. */
static const ParamSpec *next_unknown(StepCtx *ctx, const StepKind *kind, const ParamSpec *r)
{
        for (r = r ? r + 1 : kind->params; r && r->name; r++)
                if (!step_known(ctx, r->name))
                        return r;
        return NULL;
}

static void unknown_params(StepCtx *ctx, const StepKind *kind)
{
        AUTO_BUF names = buf_init(1000);
        for (const ParamSpec *r = NULL; (r = next_unknown(ctx, kind, r));)
                buf_printf(&names, "%s%s (%s)", names.len ? ", " : "", r->name,
                           step_words(ctx, r->name));
        if (names.len)
                step_unseen(ctx, "not known yet: %s", buf_str(&names));
}

/* `pre:` of the step: room on a disk is as little then as it is now (STEP_LASTS). What others ask
 * may be otherwise by then. */
static void try_pre(Engine *e, const PlanStep *p, json_t *problems, json_t *unseen)
{
        for (size_t i = 0; i < p->def->n_pre; i++) {
                const PreCheck *pre = &p->def->pre[i];
                AUTO_ERR why = { 0 };
                json_t *params = NULL;
                if (!(pre->kind->traits & STEP_LASTS)) {
                        AUTO_FREE char *words =
                                xasprintf("its check before it is asked then: %s", pre->check);
                        jx_append_str(unseen, words);
                        continue;
                }
                const StepKind *kind = step_kind_find(pre->kind->name, &why);
                if (!kind || !context_pre_params(e, p, pre, true, &params, &why)) {
                        dry_complain(problems, &why);
                        continue;
                }
                AUTO_STEP ctx = step_ctx_new(&(StepSetup){
                        .kind = kind, .id = p->id, .run_id = e->tag, .params = params });
                if (!next_unknown(ctx, kind, NULL) &&
                    (!kind->run(ctx, step_ctx_state(ctx), &why) ||
                     !outcome_no_bad_news(kind, pre->check, step_results(ctx), &why)))
                        dry_complain(problems, &why);
        }
}

static bool try_it(Engine *e, const PlanStep *p, StepCtx *by, json_t *out, Err *err)
{
        json_t *problems = jx_get(out, "problems");
        AUTO_ERR why = { 0 };
        json_t *params = NULL;
        const Target *on = NULL;
        const StepKind *kind = step_kind_find(p->def->kind->name, err);
        if (!kind)
                return false;
        if (!context_params(e, p, kind, true, &params, &why) ||
            (p->def->on && !(on = on_of(e, p, e->arena, &why)))) {
                json_decref(params);
                dry_complain(problems, &why);
                return true;
        }
        StepHost host = { .arg = e,
                          .target = dry_target,
                          .secret = dry_secret,
                          .target_now = dry_now,
                          .tolerates = dry_tolerates,
                          .wills = e->dry->wills };
        AUTO_STEP ctx = step_ctx_new(&(StepSetup){ .host = &host,
                                                   .kind = kind,
                                                   .id = p->id,
                                                   .run_id = e->tag,
                                                   .timeout_ms = p->def->timeout_ms,
                                                   .params = params,
                                                   .target = on });
        if (!kind->dry)
                step_unseen(ctx, "%s cannot be tried", kind->name);
        else if (!dry_call(by, ctx, kind, problems, err))
                return false;
        unknown_params(ctx, kind);
        try_pre(e, p, problems, jx_get(out, "unseen"));
        json_array_extend(jx_get(out, "unseen"), (json_t *)(uintptr_t)step_ctx_unseen(ctx));
        json_array_extend(jx_get(out, "warnings"), (json_t *)(uintptr_t)step_ctx_warnings(ctx));
        return true;
}

/* Of a step that perhaps does not run at all nothing is a problem yet. */
static void dry_soften(json_t *problems, json_t *unseen)
{
        size_t i;
        json_t *one;
        json_array_foreach(problems, i, one) {
                AUTO_FREE char *words =
                        xasprintf("whether it runs is known later; now it could not: %s",
                                  json_string_value(one));
                jx_append_str(unseen, words);
        }
        json_array_clear(problems);
}

bool dry_try(void *engine, StepCtx *by, size_t i, json_t **ret, Err *err)
{
        Engine *e = engine;
        AUTO_ERR why = { 0 };
        if (!e->dry || i >= e->dry->n)
                return err_set(err, ERR_USER, "there is no later step number %zu", i);
        const PlanStep *p = e->dry->tried = e->dry->steps[i];
        AUTO_JSON out = json_object();
        json_t *problems = json_array(), *unseen = json_array();
        jx_set_str(out, "id", p->id);
        jx_set_str(out, "title", p->title);
        jx_set(out, "problems", problems);
        jx_set(out, "unseen", unseen);
        jx_set(out, "warnings", json_array());
        Run run = dry_condition(e, p, &why);
        if (run != RUN_NO && p->def->n_done_if) {
                Run asked = dry_already(e, p);
                run = asked == RUN_YES ? run : asked;
        }
        if (why.kind)
                dry_complain(problems, &why);
        jx_set_bool(out, "skipped", run == RUN_NO);
        if (run != RUN_NO && !try_it(e, p, by, out, err))
                return false;
        if (run == RUN_PERHAPS)
                dry_soften(problems, unseen);
        *ret = json_incref(out);
        return true;
}
