/* docker.c: Docker as a step calls it. */
#include "kit/docker.h"

#include "base/buf.h"
#include "place/project.h"

static void kit_docker_say(void *arg, int fd, const char *line)
{
        StepCtx *ctx = arg;
        if (fd == 0)
                step_log(ctx, SAY_CMD, "docker", "$ %s", line);
        else
                step_log(ctx, SAY_INFO, "docker", "%s", line);
}

HostCall kit_call(StepCtx *ctx)
{
        return (HostCall){ .cancel = step_cancel_flag(ctx), .say = kit_docker_say, .arg = ctx };
}

HostCall kit_look(StepCtx *ctx)
{
        return (HostCall){ .cancel = step_cancel_flag(ctx) };
}

bool kit_project(StepCtx *ctx, Compose **ret, Err *err)
{
        return place_project(step_target(ctx), ret, err);
}

json_t *kit_names(StepCtx *ctx, const char *param)
{
        json_t *out = json_array();
        size_t i;
        json_t *one;
        json_array_foreach(step_get(ctx, param), i, one) {
                const char *name =
                        json_is_object(one) ? jx_str(one, "name", "") : json_string_value(one);
                if (name && *name)
                        jx_append_str(out, name);
        }
        return out;
}

void kit_plan_compose(StepCtx *ctx, bool undo, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *rest = xvasprintf(fmt, ap);
        va_end(ap);
        const Target *t = step_target(ctx);
        const char *dir = t ? jx_str(t->spec, "dir", ".") : ".";
        AUTO_ARGV a = { 0 };
        argv_add_all(
                &a, (const char *const[]){ "docker", "compose", "--project-directory", dir, NULL });
        AUTO_FREE char *words = argv_for_humans(&a);
        if (undo)
                step_plan_undo(ctx, "$ %s %s", words, rest);
        else
                step_plan(ctx, "$ %s %s", words, rest);
}
