/* docker.h: the Docker command line, by argv, its answers as JSON.
 *
 *      HostCall call = { .cancel = flag };
 *      AUTO_JSON info = NULL;
 *      if (!docker_inspect(&call, DOCKER_CONTAINER, "app-db-1", &info, err))
 *              return false;                   // could not look
 *      if (!info) ...                          // there is none of that name
 *
 * The three usual ways not to reach an engine (no program, no daemon, no permission) are told
 * apart and named, with what to do. Only local facts are asked for: nothing here pulls an
 * image behind anyone's back (--pull never), and nothing removes by pattern. */
#pragma once

#include "base/err.h"
#include "base/jsonx.h"
#include "proc/proc.h"

/* How the caller wants its commands run. A zeroed one is fine. */
typedef struct HostCall {
        const volatile bool *cancel; /* NULL: not cancellable */
        int64_t timeout_ms;          /* of each command; 0: 2 minutes for looking,
                                        none for doing */
        /* Every command as it starts (fd 0) and each line of what a doing one says (1, 2). */
        void (*say)(void *arg, int fd, const char *line);
        void *arg;
} HostCall;

/* Starts an argv with "docker". */
void docker_begin(Argv *a) NONNULL;

/* Looks: quiet, answers read as one JSON value, as one value a line (into an array), or as
 * text without its last newline. */
bool docker_read_json(const HostCall *call, const Argv *argv, json_t **ret, Err *err) MUST_CHECK;
bool docker_read_lines(const HostCall *call, const Argv *argv, json_t **ret, Err *err) MUST_CHECK;
bool docker_read_text(const HostCall *call, const Argv *argv, char **ret, Err *err) MUST_CHECK;
/* Does: announced through call->say, its lines too. `input` may be NULL (stdin is empty). */
bool docker_do(const HostCall *call, const Argv *argv, const char *input, Err *err) MUST_CHECK;

/* Is there an engine that answers us, and a Compose v2? */
bool docker_usable(const HostCall *call, Err *err) MUST_CHECK;
bool docker_compose_usable(const HostCall *call, Err *err) MUST_CHECK;
bool docker_info(const HostCall *call, json_t **ret, Err *err) MUST_CHECK;
/* True when the engine's processes and files are this machine's. */
bool docker_is_local(void);

typedef enum DockerThing {
        DOCKER_CONTAINER,
        DOCKER_IMAGE,
        DOCKER_VOLUME,
        DOCKER_NETWORK
} DockerThing;
/* The object's JSON, or *ret = NULL when there is none of that name. New reference. */
bool docker_inspect(const HostCall *call, DockerThing thing, const char *name, json_t **ret,
                    Err *err) MUST_CHECK;
/* Containers (all = stopped ones too), inspected, as an array. `filters` are written as after
 * `docker ps --filter`, NULL-terminated, or NULL. */
bool docker_containers(const HostCall *call, bool all, const char *const *filters, json_t **ret,
                       Err *err) MUST_CHECK;

/* Turns what docker said on stderr into our words, when it is one of the usual three. */
bool docker_explain(Err *err, const char *said);
