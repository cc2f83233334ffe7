#include "step_ctx_fake.h"

#include <stdio.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/io.h"
#include "base/limits.h"
#include "engine/step_host.h"
#include "tests/fakes/scratch.h"

/* ---- a fallback as the loader would read it ---- */

static json_t *fallback(const ParamSpec *p)
{
        const char *s = p->fallback;
        int64_t n = 0;
        if (!s || str_eq(s, "~"))
                return json_null();
        switch (p->type) {
        case PARAM_BOOL:
                return json_boolean(str_eq(s, "true"));
        case PARAM_INT:
                return json_integer(atoll(s));
        case PARAM_SIZE:
                return json_integer(fmt_parse_size(s, &n) ? n : 0);
        case PARAM_DURATION:
                return json_integer(fmt_parse_duration(s, &n) ? n : 0);
        case PARAM_LIST:
                return json_array();
        case PARAM_MAP:
                return json_object();
        default:
                return json_string(s);
        }
}

FakeStep fake_step(const StepKind *kind, const char *params)
{
        FakeStep f = { .kind = kind,
                       .results = json_object(),
                       .remembered = json_object(),
                       .targets = json_object(),
                       .wills = json_object() };
        f.params = json_loads(params, 0, NULL);
        assert(f.params);
        for (const ParamSpec *p = kind->params; p && p->name; p++)
                if (!jx_get(f.params, p->name))
                        jx_set(f.params, p->name, fallback(p));
        f.dir = scratch_on_disk();
        return f;
}

void fake_step_done(FakeStep *f)
{
        AUTO_ERR ignored = { 0 };
        json_t *all[] = { f->params, f->results,  f->remembered, f->targets, f->problems,
                          f->unseen, f->warnings, f->wills,      f->plan,    f->undo_plan };
        for (size_t i = 0; i < LEN(all); i++)
                json_decref(all[i]);
        (void)!io_remove_tree(f->dir, &ignored);
        free(f->dir);
        free(f->report);
        *f = (FakeStep){ 0 };
}

void fake_target(FakeStep *f, const char *name, json_t *stolen)
{
        jx_set(f->targets, name, stolen);
}

void fake_on(FakeStep *f, const char *name)
{
        f->on = name;
}

json_t *fake_spec(FakeStep *f)
{
        return jx_get(f->targets, f->on);
}

/* ---- the host of its StepCtx ---- */

static bool append(void *arg, EventType type, const char *step, json_t *fields, Err *err)
{
        FakeStep *f = arg;
        json_decref(fields);
        if (type != EV_STEP_REMEMBER)
                return true;
        if (f->refuse_remember)
                return err_set(err, ERR_SYSTEM, "the disk is full");
        f->remembers++;
        return true;
}

static Target target_of(FakeStep *f, const char *name)
{
        const json_t *spec = jx_get(f->targets, name);
        return (Target){ .name = name,
                         .kind = jx_str(spec, "kind", "postgres"),
                         .spec = spec,
                         .all = f->targets,
                         .password = f->password };
}

static const Target *target(void *arg, Arena *a, const json_t *spec, Err *err)
{
        FakeStep *f = arg;
        const char *name =
                json_is_object(spec) ? jx_str(spec, "$target", "") : json_string_value(spec);
        if (!name || !jx_get(f->targets, name)) {
                err_set(err, ERR_USER, "no target %s", name ? name : "?");
                return NULL;
        }
        Target *t = arena_new_type(a, Target);
        *t = target_of(f, arena_strdup(a, name));
        return t;
}

static const Secret *secret(void *arg, const char *name, Err *err)
{
        FakeStep *f = arg;
        if (!f->secret)
                err_set(err, ERR_USER, "secret %s is not known here", name);
        return f->secret;
}

static const json_t *remembered_of(void *arg, const char *id)
{
        FakeStep *f = arg;
        return jx_get(f->steps, id);
}

/* ---- one attempt ---- */

typedef struct Attempt {
        StepHost host;
        Target on;
        StepCtx *ctx;
} Attempt;

static void begin(FakeStep *f, Attempt *a, bool planning)
{
        a->host = (StepHost){ .arg = f,
                              .append = append,
                              .target = target,
                              .secret = secret,
                              .remembered_of = remembered_of,
                              .wills = f->wills };
        if (f->on)
                a->on = target_of(f, f->on);
        a->ctx = step_ctx_new(&(StepSetup){ .host = &a->host,
                                            .kind = f->kind,
                                            .id = f->id ? f->id : "fake",
                                            .run_id = f->run_id ? f->run_id : "p0-fake",
                                            .planning = planning,
                                            .run_dir = f->kept_dir ? f->kept_dir : f->dir,
                                            .params = json_deep_copy(f->params),
                                            .target = f->on ? &a->on : NULL,
                                            .remembered = json_deep_copy(f->remembered) });
}

static void keep(json_t **mine, const json_t *theirs)
{
        json_t *copy = json_deep_copy(theirs);
        json_decref(*mine);
        *mine = copy;
}

static bool end(FakeStep *f, Attempt *a, bool ok)
{
        keep(&f->problems, step_ctx_problems(a->ctx));
        keep(&f->unseen, step_ctx_unseen(a->ctx));
        keep(&f->warnings, step_ctx_warnings(a->ctx));
        keep(&f->plan, step_ctx_plan(a->ctx));
        keep(&f->undo_plan, step_ctx_plan_undo(a->ctx));
        if (!f->refuse_remember)
                keep(&f->remembered, step_remembered(a->ctx));
        json_object_update(f->results, step_results(a->ctx));
        free(f->report);
        f->report = xstrdup(step_ctx_note(a->ctx));
        a->ctx = step_ctx_free(a->ctx);
        return ok;
}

typedef bool (*Call)(StepCtx *ctx, void *state, Err *err);

static bool call(FakeStep *f, Call fn, bool planning, Err *err)
{
        Attempt a = { 0 };
        begin(f, &a, planning);
        return end(f, &a, fn(a.ctx, step_ctx_state(a.ctx), err));
}

bool fake_check(FakeStep *f, Err *err)
{
        if (f->kind->check && !call(f, f->kind->check, false, err))
                return false;
        const char *problem = json_string_value(json_array_get(f->problems, 0));
        return !problem || err_set(err, ERR_USER, "check: %s", problem);
}

bool fake_dry(FakeStep *f, Err *err)
{
        return call(f, f->kind->dry, false, err);
}

bool fake_run_alone(FakeStep *f, Err *err)
{
        return call(f, f->kind->run, false, err);
}

/* check() and run() share their state, as in the engine. */
bool fake_run(FakeStep *f, Err *err)
{
        Attempt a = { 0 };
        begin(f, &a, false);
        void *state = step_ctx_state(a.ctx);
        bool ok = !f->kind->check || f->kind->check(a.ctx, state, err);
        const char *problem = json_string_value(json_array_get(step_ctx_problems(a.ctx), 0));
        if (ok && problem)
                ok = err_set(err, ERR_USER, "check: %s", problem);
        return end(f, &a, ok && f->kind->run(a.ctx, state, err));
}

bool fake_plan(FakeStep *f, Err *err)
{
        return call(f, f->kind->plan, true, err);
}

bool fake_undo(FakeStep *f, Err *err)
{
        return call(f, f->kind->undo, false, err);
}

bool fake_probe_it(FakeStep *f, Found *ret, Err *err)
{
        Attempt a = { 0 };
        begin(f, &a, false);
        return end(f, &a, f->kind->probe(a.ctx, step_ctx_state(a.ctx), ret, err));
}

Found fake_probe(FakeStep *f)
{
        AUTO_ERR err = { 0 };
        Found found = FOUND_DRIFT;
        if (fake_probe_it(f, &found, &err))
                return found;
        fprintf(stderr, "probe: %s\n", err.message);
        return (Found)-1;
}

char *fake_said(const FakeStep *f)
{
        AUTO_ERR err = { 0 };
        char *text = NULL;
        AUTO_FREE char *path = xasprintf("%s/output/%s.log", f->kept_dir ? f->kept_dir : f->dir,
                                         f->id ? f->id : "fake");
        if (!io_read_file(path, LIMIT_OUTPUT_LOG, &text, NULL, &err))
                text = xstrdup("");
        return text;
}
