/* container.h: one container: what it says of itself, where its server answers, and how to
 * stop it without hurting the server inside.
 *
 * The reading functions take the JSON of docker_inspect() and borrow from it. */
#pragma once

#include "base/secret.h"
#include "host/docker.h"

const char *container_id(const json_t *c);
const char *container_name(const json_t *c);     /* without the leading slash */
const char *container_image(const json_t *c);    /* as it was asked for: "postgres:16" */
const char *container_image_id(const json_t *c); /* "sha256:..." */
const char *container_label(const json_t *c, const char *key); /* "" when absent */
const char *container_status(const json_t *c); /* created running paused restarting exited dead */
bool container_running(const json_t *c);
const char *container_health(const json_t *c); /* healthy unhealthy starting none */
/* Does it, or the image, say how its health is asked for? `--no-healthcheck` and `disable: true`
 * are a check called NONE. */
bool container_has_check(const json_t *c);
int container_exit_code(const json_t *c);
/* Value of an environment variable; NULL when it is not set. Works on images too. It may be a
 * password: never log it. */
const char *container_env(const json_t *c, const char *key);
/* The mount whose destination is the longest prefix of `path` (a data directory), or NULL:
 * then the data is in the container's own layer. Borrowed. */
const json_t *container_mount_of(const json_t *c, const char *path);
/* PGDATA, or what the image's major makes of it. "" when this is no PostgreSQL container. */
const char *container_pgdata(const json_t *c);
int container_pg_major(const json_t *c); /* PG_MAJOR of the image; 0: not known */
/* "musl" for Alpine, "glibc" for Debian, "" when the image's own words do not tell. */
const char *image_libc(const json_t *image);
/* A volume that nobody named: 64 hex digits. */
bool volume_is_anonymous(const char *name);

/* Where the server in a container answers, and who must answer there: read from its own
 * postmaster.pid and pg_control (container_server.h). Its bridge address or a published port where
 * it listens for others, 127.0.0.1 with network_mode: host, else the directory of its socket
 * through
 * /proc/PID/root. Whoever connects gives `system` to pg_open() (PgParams). */
typedef struct ContainerAddress {
        char *host, *system;
        int port;
} ContainerAddress;
void container_address_done(ContainerAddress *a) NONNULL;
#define AUTO_CONTAINER_ADDRESS CLEANUP(container_address_done) ContainerAddress
bool host_container_address(const char *container, ContainerAddress *ret, Err *err) MUST_CHECK;
/* The same from an inspect JSON. Names the container's state when it does not run. */
bool container_address(const HostCall *call, const json_t *c, ContainerAddress *ret,
                       Err *err) MUST_CHECK;

/* A variable of the container's, or the text of the file that KEY_FILE names (on the host where
 * that is mounted, else read inside), without newlines at its end; malloc()ed. NULL: neither is
 * set. */
bool container_value(const HostCall *call, const json_t *c, const char *key, char **ret,
                     Err *err) MUST_CHECK;
/* POSTGRES_USER and POSTGRES_DB, in every form, with the image's own defaults; malloc()ed. */
bool container_login(const HostCall *call, const json_t *c, char **ret_user, char **ret_database,
                     Err *err) MUST_CHECK;
/* A password from the container's environment: KEY, or the file that KEY_FILE names (read
 * inside the container). Called `name` where it is shown. *ret is NULL when neither is set. */
bool container_secret(const HostCall *call, const json_t *c, const char *key, const char *name,
                      Secret **ret, Err *err) MUST_CHECK;

/* What pg_controldata says of a stopped server's files, read by a helper container with the
 * same image and volumes, read-only: *ret_state is "shut down" after a clean stop. malloc()ed;
 * ret_system may be NULL. */
bool container_controldata(const HostCall *call, const json_t *c, char **ret_state,
                           char **ret_system, Err *err) MUST_CHECK;
