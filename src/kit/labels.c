/* labels.c: see the header. */
#include "kit/labels.h"

#include "base/buf.h"
#include "kit/docker.h"

bool kit_volume_users(StepCtx *ctx, const char *volume, bool running_only,
                      const char *except_container, char **ret, Err *err)
{
        HostCall look = kit_look(ctx);
        AUTO_FREE char *filter = xasprintf("volume=%s", volume);
        AUTO_JSON all = NULL;
        if (!docker_containers(&look, !running_only, (const char *const[]){ filter, NULL }, &all,
                               err))
                return false;
        AUTO_BUF names = buf_init(4096);
        size_t i, k;
        json_t *c, *m;
        json_array_foreach(all, i, c) {
                if (except_container && (str_eq(container_name(c), except_container) ||
                                         str_eq(container_id(c), except_container)))
                        continue;
                json_array_foreach(jx_get(c, "Mounts"), k, m) {
                        if (!str_eq(jx_str(m, "Name", ""), volume))
                                continue;
                        buf_printf(&names, "%s%s", names.len ? ", " : "", container_name(c));
                        break;
                }
        }
        *ret = xstrdup(buf_str(&names));
        return true;
}

bool kit_is_ours(StepCtx *ctx, const json_t *labels)
{
        return str_eq(jx_str(labels, LABEL_RUN, ""), step_run_id(ctx)) &&
               str_eq(jx_str(labels, LABEL_STEP, ""), step_id(ctx));
}
