/* container.h: one container: what it says of itself, where its server answers, and how to
 * stop it without hurting the server inside.
 *
 * The reading functions take the JSON of docker_inspect() and borrow from it. */
#pragma once

#include "base/secret.h"
#include "host/docker.h"

const char *container_id(const json_t *c);
const char *container_name(const json_t *c);            /* without the leading slash           */
const char *container_image(const json_t *c);           /* as it was asked for: "postgres:16"  */
const char *container_image_id(const json_t *c);        /* "sha256:..."                        */
const char *container_label(const json_t *c, const char *key);      /* "" when absent          */
const char *container_status(const json_t *c);          /* created running paused restarting exited dead */
bool        container_running(const json_t *c);
const char *container_health(const json_t *c);          /* healthy unhealthy starting none     */
int         container_exit_code(const json_t *c);
/* Value of an environment variable; NULL when it is not set. Works on images too. It may be a
 * password: never log it. */
const char *container_env(const json_t *c, const char *key);
/* The mount whose destination is the longest prefix of `path` (a data directory), or NULL:
 * then the data is in the container's own layer. Borrowed. */
const json_t *container_mount_of(const json_t *c, const char *path);
/* PGDATA, or what the image's major makes of it. "" when this is no PostgreSQL container. */
const char *container_pgdata(const json_t *c);
int         container_pg_major(const json_t *c);        /* PG_MAJOR of the image; 0: not known */
/* "musl" for Alpine, "glibc" for Debian, "" when the image's own words do not tell. */
const char *image_libc(const json_t *image);
/* A volume that nobody named: 64 hex digits. */
bool        volume_is_anonymous(const char *name);

/* Where a server in `container` answers: its bridge address, or, when no address can be
 * reached from here, the directory of its socket through /proc/PID/root. *ret_host is
 * malloc()ed. Names the container's state when it does not run. */
bool host_container_address(const char *container, char **ret_host, int *ret_port, Err *err)
        MUST_CHECK;
/* The same from an inspect JSON, for a server on `port` inside (0: 5432). */
bool container_address(const json_t *c, int port, char **ret_host, int *ret_port, Err *err)
        MUST_CHECK;

/* A password from the container's environment: KEY, or the file that KEY_FILE names (read
 * inside the container). Called `name` where it is shown. *ret is NULL when neither is set. */
bool container_secret(const HostCall *call, const json_t *c, const char *key, const char *name,
                      Secret **ret, Err *err) MUST_CHECK;

/* What pg_controldata says of a stopped server's files, read by a helper container with the
 * same image and volumes, read-only: *ret_state is "shut down" after a clean stop. malloc()ed;
 * ret_system may be NULL. */
bool container_controldata(const HostCall *call, const json_t *c, char **ret_state,
                           char **ret_system, Err *err) MUST_CHECK;
