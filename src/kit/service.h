/* service.h: what is remembered of a service, and what "it runs again" means.
 *
 * Containers are remembered by id, not by name: after a recreate the name is the same and the
 * container is another one, and that difference decides how undo brings a service back. */
#pragma once

#include "engine/step_ctx.h"
#include "host/compose.h"

/* Of a result `identity`: who a started server is. */
extern const ParamSpec kit_identity_fields[];

/* Remembers "before": [{"service", "container", "name", "running", "health", "image"}] of these
 * services. Once, before the first attempt: a second one would remember our own doing. */
bool kit_services_remember(StepCtx *ctx, const Compose *c, const json_t *names,
                           Err *err) MUST_CHECK;
const json_t *kit_service_remembered(const json_t *list, const char *service);

/* How a service shows that it is well: "pg_isready", "container" (its health check), "running",
 * "completed" (ended with 0), an http(s) URL, or "" (its health check, else running). */
typedef struct Wellness {
        const char *health;
        int64_t within_ms;
        const char *user, *database; /* for pg_isready; "": as the container says */
        const Secret *password;
        /* True: `within_ms` is how long nothing may move (its log, the size of its files), not how
         * long it may take: initdb on a slow disk has no limit that fits all. */
        bool patient;
} Wellness;

/* Waits until the container is well. What it says when it dies is part of the error. For
 * pg_isready *ret_identity (may be NULL) is {"major", "system", "version"}. */
bool kit_service_wait(StepCtx *ctx, const char *container, const Wellness *w, json_t **ret_identity,
                      Err *err) MUST_CHECK;
/* One look, no waiting; *ret_why is malloc()ed when not well. */
bool kit_service_is_well(StepCtx *ctx, const char *container, const Wellness *w, bool *ret_well,
                         char **ret_why, json_t **ret_identity, Err *err) MUST_CHECK;

/* `docker compose up -d` of these services, as the file says now. Also after a kill in the middle
 * of an earlier one. */
bool kit_services_up(StepCtx *ctx, const Compose *c, const json_t *names, bool no_deps,
                     Err *err) MUST_CHECK;

/* Stops a container and checks that it is down; grace before it is killed. */
bool kit_container_stop(StepCtx *ctx, const char *container, int64_t grace_ms, Err *err) MUST_CHECK;
/* Brings back one that ran before: the same container if it is still there, else what the
 * compose file says now. Checks PG_VERSION first, waits as long as `within_ms` until it is as
 * well as it was. */
bool kit_service_bring_back(StepCtx *ctx, Compose *c, const json_t *before, int64_t within_ms,
                            Err *err) MUST_CHECK;
/* "shut down" or not, with the system identifier; an unclean stop is an error. */
bool kit_container_check_clean(StepCtx *ctx, const json_t *container, char **ret_system,
                               Err *err) MUST_CHECK;
