/* target.h: the world, as far as the engine needs to know it.
 *
 * The engine runs order, gates, retry and undo; it has never heard of libpq or Docker.
 * Where it must ask something about a target, it calls one of these functions, which app
 * fills in (src/app/targets.c, from src/place/). Tests hand in fakes with counters. */
#pragma once

#include "base/jsonx.h"
#include "base/secret.h"

/* A target as written in the runbook, with ${...} resolved:
 *   {"kind": "compose", "dir": ".."} (+ "project", "config_files" once looked up)
 *   {"kind": "postgres", "via": {"compose": "stack", "service": "db"}, "user": "..",
 *    "database": "..", "password": {"$secret": "pg"}, "identity": {..}}
 *   {"kind": "host"}
 * What `via` may hold, and which kinds there are besides postgres, the kinds of place say
 * (src/place/); the engine does not read it.
 * `name` is NULL for a target written in place. */
typedef struct Target {
        const char *name;
        const char *kind;
        const json_t *spec;     /* borrowed */
        const json_t *all;      /* every target of the run, for via.compose */
        const Secret *password; /* of a postgres target, or NULL */
} Target;

typedef struct TargetOps {
        void *app;
        /* Who is it really? {"major": 16, "system": "7301..", "version": "16.4"} for a
         * server, {"project": ".."} for compose. Read-only. */
        bool (*identify)(void *app, const Target *t, json_t **ret, Err *err);
        /* Name of the lock that keeps two runs off one target ("system-7301..",
         * "compose-makapix"), malloc()ed; NULL: needs none. Must not connect for long. */
        bool (*lock_name)(void *app, const Target *t, char **ret, Err *err);
        /* One condition of done_if: {"sql": "..", "equals": ".."}, {"compose_image": "db",
         * "equals": ".."}, {"role": ".."}, {"database": ".."} */
        bool (*done_if)(void *app, const Target *t, const json_t *cond, bool *ret, Err *err);
        /* Loads a secret that is not asked for at the keyboard (file, env, compose_env,
         * generate, command). `spec` is the resolved map of the runbook. */
        bool (*secret)(void *app, const char *name, const json_t *spec, const json_t *targets,
                       Secret **ret, Err *err);
        /* End of a phase with a fence: what pg.fence remembered comes back as `opened`; the
         * verdict says whether anybody else wrote. */
        bool (*fence_close)(void *app, const Target *t, const json_t *opened, json_t **ret_verdict,
                            Err *err);
        /* What was written since pg.writes remembered `then`: {"sure", "why", "inserted",
         * "updated", "deleted", "tables": [{"table", "inserted", "updated", "deleted", "what"}]}.
         * May be NULL. */
        bool (*writes_since)(void *app, const Target *t, const json_t *then, json_t **ret,
                             Err *err);
} TargetOps;
