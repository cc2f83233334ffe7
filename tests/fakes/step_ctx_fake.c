#include "step_ctx_fake.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fmt.h"
#include "base/io.h"

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
        FakeStep f = { .kind = kind, .arena = arena_new(), .results = json_object(),
                       .remembered = json_object(), .targets = json_object(),
                       .problems = json_array(), .plan = json_array(),
                       .undo_plan = json_array(), .said = json_array() };
        f.params = json_loads(params, 0, NULL);
        assert(f.params);
        for (const ParamSpec *p = kind->params; p && p->name; p++)
                if (!jx_get(f.params, p->name))
                        jx_set(f.params, p->name, fallback(p));
        f.dir = xstrdup("/tmp/pgsherpa-fake-XXXXXX");
        if (!mkdtemp(f.dir))
                abort();
        return f;
}

void fake_target(FakeStep *f, const char *name, json_t *stolen)
{
        jx_set(f->targets, name, stolen);
}

static Target target_of(FakeStep *f, const char *name)
{
        const json_t *spec = jx_get(f->targets, name);
        return (Target){ .name = name, .kind = jx_str(spec, "kind", "postgres"), .spec = spec,
                         .all = f->targets, .password = f->password };
}

void fake_on(FakeStep *f, const char *name)
{
        f->on = target_of(f, arena_strdup(f->arena, name));
        f->has_on = true;
}

bool fake_run(FakeStep *f, Err *err)
{
        void *state = arena_alloc(f->arena, f->kind->state_size + 1);
        json_array_clear(f->problems);
        if (f->kind->check && !f->kind->check(f, state, err))
                return false;
        if (json_array_size(f->problems))
                return err_set(err, ERR_USER, "check: %s",
                               json_string_value(json_array_get(f->problems, 0)));
        return f->kind->run(f, state, err);
}

Found fake_probe(FakeStep *f)
{
        AUTO_ERR err = { 0 };
        Found found = FOUND_DRIFT;
        void *state = arena_alloc(f->arena, f->kind->state_size + 1);
        if (!f->kind->probe(f, state, &found, &err)) {
                fprintf(stderr, "probe: %s\n", err.message);
                return (Found)-1;
        }
        return found;
}

bool fake_undo(FakeStep *f, Err *err)
{
        return f->kind->undo(f, arena_alloc(f->arena, f->kind->state_size + 1), err);
}

void fake_step_done(FakeStep *f)
{
        AUTO_ERR ignored = { 0 };
        json_t *all[] = { f->params, f->results, f->remembered, f->targets, f->problems,
                          f->plan, f->undo_plan, f->said };
        for (size_t i = 0; i < LEN(all); i++)
                json_decref(all[i]);
        (void)!io_remove_tree(f->dir, &ignored);
        free(f->dir);
        free(f->report);
        arena_free(f->arena);
        *f = (FakeStep){ 0 };
}

/* ---- step_ctx.h ---- */

const char *step_str(StepCtx *c, const char *param)
{
        return jx_str(c->params, param, "");
}

int64_t step_int(StepCtx *c, const char *param)
{
        return jx_int(c->params, param, 0);
}

bool step_bool(StepCtx *c, const char *param)
{
        return jx_bool(c->params, param, false);
}

const json_t *step_get(StepCtx *c, const char *param)
{
        const json_t *v = jx_get(c->params, param);
        return json_is_null(v) ? NULL : v;
}

const Secret *step_secret(StepCtx *c, const char *param, Err *err)
{
        if (step_get(c, param) && c->secret)
                return c->secret;
        err_set(err, ERR_USER, "parameter %s names no secret", param);
        return NULL;
}

const char *step_words(StepCtx *c, const char *param)
{
        const json_t *v = step_get(c, param);
        AUTO_FREE char *words = v ? jx_words(v) : xstrdup("");
        return arena_strdup(c->arena, words);
}

const Target *step_target(StepCtx *c)
{
        return c->has_on ? &c->on : NULL;
}

const Target *step_param_target(StepCtx *c, const char *param, Err *err)
{
        const json_t *v = step_get(c, param);
        const char *name = json_is_object(v) ? jx_str(v, "$target", "") : json_string_value(v);
        return step_named_target(c, name ? name : "", err);
}

const Target *step_named_target(StepCtx *c, const char *name, Err *err)
{
        Target *t = arena_new_type(c->arena, Target);
        if (!jx_get(c->targets, name)) {
                err_set(err, ERR_USER, "no target %s", name);
                return NULL;
        }
        *t = target_of(c, arena_strdup(c->arena, name));
        return t;
}

const char *step_id(StepCtx *c)
{
        return c->id ? c->id : "fake";
}

const char *step_run_id(StepCtx *c)
{
        return c->run_id ? c->run_id : "p0-fake";
}

const char *step_run_dir(StepCtx *c)
{
        return c->kept_dir ? c->kept_dir : c->dir;
}

const char *step_saved_dir(StepCtx *c, Err *err)
{
        return step_run_dir(c);
}

Arena *step_arena(StepCtx *c)
{
        return c->arena;
}

int step_attempt(StepCtx *c)
{
        return 1;
}

int64_t step_timeout_ms(StepCtx *c)
{
        return 0;
}

bool step_planning(StepCtx *c)
{
        return false;
}

PRINTF(2, 0) static void say(json_t *list, const char *fmt, va_list ap)
{
        AUTO_FREE char *text = xvasprintf(fmt, ap);
        jx_append_str(list, text);
}

void step_log(StepCtx *c, SayLevel level, const char *who, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        say(c->said, fmt, ap);
        va_end(ap);
}

void step_problem(StepCtx *c, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        say(c->problems, fmt, ap);
        va_end(ap);
}

void step_plan(StepCtx *c, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        say(c->plan, fmt, ap);
        va_end(ap);
}

void step_plan_undo(StepCtx *c, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        say(c->undo_plan, fmt, ap);
        va_end(ap);
}

void step_report(StepCtx *c, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        free(c->report);
        c->report = xvasprintf(fmt, ap);
        va_end(ap);
}

void step_progress(StepCtx *c, const Progress *p)
{
}

json_t *step_results(StepCtx *c)
{
        return c->results;
}

void step_result_str(StepCtx *c, const char *name, const char *text)
{
        jx_set_str(c->results, name, text);
}

void step_result_int(StepCtx *c, const char *name, int64_t n)
{
        jx_set_int(c->results, name, n);
}

void step_result_bool(StepCtx *c, const char *name, bool flag)
{
        jx_set_bool(c->results, name, flag);
}

void step_result_set(StepCtx *c, const char *name, json_t *stolen)
{
        jx_set(c->results, name, stolen);
}

bool step_result_file(StepCtx *c, const char *name, const json_t *value, const char **ret_path,
                      Err *err)
{
        char *path = arena_printf(c->arena, "%s/%s.json", c->dir, name);
        AUTO_FREE char *text = jx_dump(value);
        if (!io_replace_file(path, text, strlen(text), 0600, err))
                return false;
        jx_set_str(c->results, name, path);
        *ret_path = path;
        return true;
}

void step_artifact(StepCtx *c, const char *what, const char *path, int64_t size,
                   const char *sha256)
{
}

bool step_remember(StepCtx *c, json_t *stolen, Err *err)
{
        if (c->refuse_remember) {
                json_decref(stolen);
                return err_set(err, ERR_SYSTEM, "the disk is full");
        }
        c->remembers++;
        json_object_update(c->remembered, stolen);
        json_decref(stolen);
        return true;
}

const json_t *step_remembered(StepCtx *c)
{
        return c->remembered;
}

const json_t *step_remembered_of(StepCtx *c, const char *id)
{
        return jx_get(c->steps, id);
}

bool step_tolerates(StepCtx *c, const char *object, const Err *error)
{
        return false;
}

bool step_cancelled(StepCtx *c)
{
        return c->cancelled;
}

int step_on_cancel(StepCtx *c, void (*fn)(void *arg), void *arg)
{
        return 1;
}

void step_uncancel(StepCtx *c, int handle)
{
}

const volatile bool *step_cancel_flag(StepCtx *c)
{
        return &c->cancelled;
}

bool step_sleep(StepCtx *c, int64_t ms)
{
        nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
        return !c->cancelled;
}
