/* step_dry.c: what dry() sees and says, beside what every function of a kind does. */
#include "engine/step_ctx_internal.h"
#include "runbook/expr.h"

static bool holds_unknown(const json_t *v)
{
        const char *key;
        json_t *one;
        size_t i;
        if (json_is_string(v))
                return value_holds_unknown(v);
        json_object_foreach((json_t *)(uintptr_t)v, key, one)
                if (holds_unknown(one))
                        return true;
        json_array_foreach(v, i, one)
                if (holds_unknown(one))
                        return true;
        return false;
}

bool step_known(StepCtx *c, const char *param)
{
        return !holds_unknown(jx_get(c->params, param));
}

bool step_has_problems(StepCtx *c)
{
        return json_array_size(c->problems) > 0;
}

static char *will_key(const char *what, const char *name)
{
        return xasprintf("%s %s", what, name);
}

void step_will(StepCtx *c, const char *what, const char *name, Will will)
{
        AUTO_FREE char *key = will_key(what, name);
        if (c->host.wills)
                jx_set_int(c->host.wills, key, will);
}

Will step_will_be(StepCtx *c, const char *what, const char *name)
{
        AUTO_FREE char *key = will_key(what, name);
        return (Will)jx_int(c->host.wills, key, WILL_STAY);
}

TargetNow step_target_now(StepCtx *c, const Target *t, Err *why)
{
        if (t && holds_unknown(t->spec)) {
                err_set(why, ERR_USER, "what %s is depends on a step that has not run yet",
                        t->name ? t->name : "its target");
                return TARGET_LATER;
        }
        return t && c->host.target_now ? c->host.target_now(c->host.arg, t, why) : TARGET_HERE;
}

size_t step_later_begin(StepCtx *c)
{
        return c->host.later_begin ? c->host.later_begin(c->host.arg) : 0;
}

bool step_later_try(StepCtx *c, size_t i, json_t **ret, Err *err)
{
        if (!c->host.later_try)
                return err_set(err, ERR_USER, "there are no later steps here");
        return c->host.later_try(c->host.arg, c, i, ret, err);
}

const json_t *step_ctx_unseen(const StepCtx *c)
{
        return c->unseen;
}

const json_t *step_ctx_warnings(const StepCtx *c)
{
        return c->warnings;
}
