#include "app/launch/targets.h"

#include "app/launch/secrets.h"
#include "pg/fence.h"
#include "pg/writes.h"
#include "place/place.h"

static bool identify(void *app, const Target *t, json_t **ret, Err *err)
{
        return place_identify(t, ret, err);
}

static bool lock_name(void *app, const Target *t, char **ret, Err *err)
{
        return place_lock_name(t, ret, err);
}

static bool done_if(void *app, const Target *t, const json_t *cond, bool *ret, Err *err)
{
        return place_done_if(t, cond, ret, err);
}

static bool secret(void *app, const char *name, const json_t *spec, const json_t *targets,
                   Secret **ret, Err *err)
{
        return secrets_load(name, spec, targets, ret, err);
}

static bool fence_close(void *app, const Target *t, const json_t *opened, json_t **ret_verdict,
                        Err *err)
{
        Pg *pg AUTO_PG = NULL;
        return place_pg_open(t, NULL, &pg, err) && pg_fence_close(pg, opened, ret_verdict, err);
}

static bool writes_since(void *app, const Target *t, const json_t *then, json_t **ret, Err *err)
{
        Pg *pg AUTO_PG = NULL;
        if (jx_get(then, "databases"))
                return place_pg_open(t, NULL, &pg, err) && pg_writes_since_all(pg, then, ret, err);
        return place_pg_open(t, jx_str(then, "database", NULL), &pg, err) &&
               pg_writes_since(pg, then, ret, err);
}

TargetOps targets_ops(void)
{
        return (TargetOps){ .identify = identify,
                            .lock_name = lock_name,
                            .done_if = done_if,
                            .secret = secret,
                            .fence_close = fence_close,
                            .writes_since = writes_since };
}
