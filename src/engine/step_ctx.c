/* step_ctx.c: what a step was asked to do, where it is, and how it is stopped. */
#include "engine/step_ctx_internal.h"

#include <errno.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/redact.h"
#include "base/text.h"

StepCtx *step_ctx_new(const StepSetup *s)
{
        StepCtx *c = xcalloc(1, sizeof *c);
        if (s->host)
                c->host = *s->host;
        c->arena = arena_new();
        c->kind = s->kind;
        c->id = arena_strdup(c->arena, s->id ? s->id : s->kind->name);
        c->run_id = arena_strdup(c->arena, s->run_id ? s->run_id : "p0-0000");
        c->run_dir = arena_strdup(c->arena, s->run_dir);
        c->attempt = s->attempt > 0 ? s->attempt : 1;
        c->timeout_ms = s->timeout_ms;
        c->planning = s->planning;
        c->params = s->params ? s->params : json_object();
        c->results = json_object();
        c->remembered = s->remembered ? s->remembered : json_object();
        c->problems = json_array();
        c->unseen = json_array();
        c->warnings = json_array();
        c->plan = json_array();
        c->plan_undo = json_array();
        c->target = s->target;
        c->state = arena_alloc(c->arena, s->kind->state_size ? s->kind->state_size : 1);
        c->log_fd = -1;
        c->last_sign_ms = clock_boot_ms();
        pthread_mutex_init(&c->lock, NULL);
        clock_cond_init(&c->woken);
        return c;
}

StepCtx *step_ctx_free(StepCtx *c)
{
        if (!c)
                return NULL;
        base_closep_(&c->log_fd);
        json_decref(c->params);
        json_decref(c->results);
        json_decref(c->remembered);
        json_decref(c->problems);
        json_decref(c->unseen);
        json_decref(c->warnings);
        json_decref(c->plan);
        json_decref(c->plan_undo);
        json_decref(c->held_progress);
        free(c->note);
        pthread_cond_destroy(&c->woken);
        pthread_mutex_destroy(&c->lock);
        arena_free(c->arena);
        free(c);
        return NULL;
}

void *step_ctx_state(StepCtx *c)
{
        return c->state;
}

const char *step_str(StepCtx *c, const char *param)
{
        const json_t *v = jx_get(c->params, param);
        if (json_is_string(v))
                return json_string_value(v);
        if (!v || json_is_null(v))
                return "";
        return step_words(c, param); /* a number where a text is wanted */
}

/* "${facts.image.size}" inside a text arrives as text: read it as what the row says. */
int64_t step_int(StepCtx *c, const char *param)
{
        const json_t *v = jx_get(c->params, param);
        if (json_is_string(v))
                return strtoll(json_string_value(v), NULL, 10);
        if (json_is_real(v))
                return (int64_t)json_real_value(v);
        return json_integer_value(v);
}

bool step_bool(StepCtx *c, const char *param)
{
        return json_is_true(jx_get(c->params, param));
}

const json_t *step_get(StepCtx *c, const char *param)
{
        const json_t *v = jx_get(c->params, param);
        return json_is_null(v) ? NULL : v;
}

const Secret *step_secret(StepCtx *c, const char *param, Err *err)
{
        const json_t *v = jx_get(c->params, param);
        const char *name = json_is_object(v) ? jx_str(v, "$secret", NULL) : NULL;
        if (!name) {
                err_set(err, ERR_USER, "parameter %s of %s names no secret", param, c->kind->name);
                return NULL;
        }
        if (!c->host.secret) {
                err_set(err, ERR_USER, "secret %s is not known here", name);
                return NULL;
        }
        return c->host.secret(c->host.arg, name, err);
}

const char *step_words(StepCtx *c, const char *param)
{
        const json_t *v = jx_get(c->params, param);
        if (!v || json_is_null(v))
                return "";
        const char *target = json_is_object(v) ? jx_str(v, "$target", NULL) : NULL;
        AUTO_FREE char *words = target ? text_clean_str(target) : jx_words(v);
        return arena_strdup(c->arena, words);
}

const Target *step_target(StepCtx *c)
{
        return c->target;
}

static const Target *ctx_resolve(StepCtx *c, const json_t *spec, Err *err)
{
        if (c->host.target)
                return c->host.target(c->host.arg, c->arena, spec, err);
        if (c->planning) { /* nothing is asked of the world: its name is enough */
                Target *t = arena_new_type(c->arena, Target);
                t->name = json_is_string(spec) ? json_string_value(spec)
                                               : jx_str(spec, "$target", NULL);
                t->kind = jx_str(spec, "kind", "");
                t->spec = spec;
                return t;
        }
        err_set(err, ERR_USER, "there are no targets here");
        return NULL;
}

const Target *step_param_target(StepCtx *c, const char *param, Err *err)
{
        const json_t *v = jx_get(c->params, param);
        if (v && !json_is_null(v))
                return ctx_resolve(c, v, err);
        err_set(err, ERR_USER, "parameter %s of %s names no target", param, c->kind->name);
        return NULL;
}

const Target *step_named_target(StepCtx *c, const char *name, Err *err)
{
        AUTO_JSON spec = json_object();
        jx_set_str(spec, "$target", name);
        return ctx_resolve(c, spec, err);
}

const char *step_id(StepCtx *c)
{
        return c->id;
}

const char *step_run_id(StepCtx *c)
{
        return c->run_id;
}

const char *step_run_dir(StepCtx *c)
{
        return c->run_dir;
}

const char *step_saved_dir(StepCtx *c, Err *err)
{
        if (!c->run_dir) {
                err_set(err, ERR_USER, "there is no run directory to save originals in");
                return NULL;
        }
        char *dir = arena_printf(c->arena, "%s/saved/%s", c->run_dir, c->id);
        if (!io_mkdir_p(dir, 0700, err)) {
                err_wrap(err, "making room for originals");
                return NULL;
        }
        return dir;
}

Arena *step_arena(StepCtx *c)
{
        return c->arena;
}

int step_attempt(StepCtx *c)
{
        return c->attempt;
}

int64_t step_timeout_ms(StepCtx *c)
{
        return c->timeout_ms;
}

bool step_planning(StepCtx *c)
{
        return c->planning;
}

/* ---- being stopped ---- */

bool step_cancelled(StepCtx *c)
{
        return c->cancel;
}

const volatile bool *step_cancel_flag(StepCtx *c)
{
        return &c->cancel;
}

int step_on_cancel(StepCtx *c, void (*fn)(void *arg), void *arg)
{
        int handle = -1;
        pthread_mutex_lock(&c->lock);
        for (size_t i = 0; i < LEN(c->hooks) && handle < 0; i++)
                if (!c->hooks[i].fn) {
                        c->hooks[i] = (CancelHook){ fn, arg };
                        handle = (int)i;
                }
        bool late = c->cancel;
        pthread_mutex_unlock(&c->lock);
        if (late && fn)
                fn(arg);
        return handle;
}

void step_uncancel(StepCtx *c, int handle)
{
        if (handle < 0 || (size_t)handle >= LEN(c->hooks))
                return;
        pthread_mutex_lock(&c->lock); /* waits for a step_ctx_cancel() that is calling it */
        c->hooks[handle] = (CancelHook){ 0 };
        pthread_mutex_unlock(&c->lock);
}

void step_ctx_cancel(StepCtx *c)
{
        pthread_mutex_lock(&c->lock);
        c->cancel = true;
        pthread_cond_broadcast(&c->woken);
        for (size_t i = 0; i < LEN(c->hooks); i++)
                if (c->hooks[i].fn)
                        c->hooks[i].fn(c->hooks[i].arg);
        pthread_mutex_unlock(&c->lock);
}

void step_on_jobs(StepCtx *c, int (*fn)(void *arg, int delta), void *arg)
{
        pthread_mutex_lock(&c->lock); /* waits for a step_ctx_jobs() that is calling it */
        c->jobs = fn;
        c->jobs_arg = arg;
        pthread_mutex_unlock(&c->lock);
}

int step_ctx_jobs(StepCtx *c, int delta)
{
        pthread_mutex_lock(&c->lock);
        int n = c->jobs ? c->jobs(c->jobs_arg, delta) : 0;
        pthread_mutex_unlock(&c->lock);
        return n;
}

bool step_sleep(StepCtx *c, int64_t ms)
{
        struct timespec until = clock_cond_after(ms);
        pthread_mutex_lock(&c->lock);
        int rc = 0;
        while (!c->cancel && rc != ETIMEDOUT)
                rc = pthread_cond_timedwait(&c->woken, &c->lock, &until);
        bool cancelled = c->cancel;
        pthread_mutex_unlock(&c->lock);
        return !cancelled;
}
