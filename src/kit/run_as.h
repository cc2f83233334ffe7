/* run_as.h: as the service runs: how a server of ours is started beside a service's, so that it
 * lives under the same rules (run_as.c) and reads the same things (run_like.c). */
#pragma once

#include "host/compose.h"
#include "host/docker.h"
#include "kit/layout.h"

/* What `docker run` needs so that a server of ours runs as the service's container does: user,
 * groups, read-only root, tmpfs, ulimits, security options, capabilities, devices, sysctls,
 * runtime. */
void kit_run_as_service(const json_t *service_container, Argv *a);
/* Its limits of memory, CPUs and processes; in words: false when it has none. */
void kit_limit_as_service(const json_t *service_container, Argv *a);
bool kit_limits_in_words(const json_t *service_container, Buf *b);
/* "1000", "1000" of `user: "1000:1000"`; false: no user, or one by name, whom the image knows. */
bool kit_service_uid(const json_t *service_container, long *ret_uid, long *ret_gid);

/* What it reads (run_like.c). `image`: inspect JSON of the image the container was made from, whose
 * own environment and entry point are not the service's; NULL when that is gone. */

/* "linux/arm64/v8" as the compose file says, or "". Borrowed. */
const char *kit_service_platform(Compose *c, const char *service);
/* Lines for --env-file, secrets among them: everything but what server.start says itself.
 * POSTGRES_INITDB_ARGS, in every form, malloc()ed or NULL. */
bool kit_service_environment(const HostCall *call, const json_t *service, const json_t *image,
                             char **ret_initdb, Buf *b, Err *err) MUST_CHECK;
/* Its mounted files and directories, but data, init scripts and sockets; all read-only. */
void kit_service_mounts(const json_t *service, const PgLayout *layout, Argv *a);
/* The words of its command that are options of the server, and ours after them; goes behind the
 * image. */
void kit_service_command(const json_t *service, const json_t *image, const PgLayout *layout,
                         Argv *a);
/* What such a command needs beside the running service, which holds the machine's huge pages. */
void kit_service_command_beside(const json_t *service, const json_t *image, Argv *a);
/* What of that a server of ours does not take, in sentences; new. Names, never values. */
json_t *kit_differs_from_service(const HostCall *call, const json_t *service,
                                 const json_t *image) MUST_CHECK;
