/* compose.h: one Docker Compose project, as it is and as it runs.
 *
 *      AUTO_COMPOSE c = NULL;
 *      if (!compose_open("/srv/app", NULL, &c, err))
 *              return false;
 *      AUTO_FREE char *id = NULL;
 *      if (!compose_service_container(c, "db", &id, err)) ...
 *
 * Always addressed by the files and the project name its containers carry as labels, never by
 * a guess from the current directory: a renamed directory or a -p given by hand would start a
 * second, empty project beside the real one. Compose v2 only; v1 is named and refused.
 *
 * The configuration is read with --no-interpolate: values of .env never enter this memory but
 * where compose_service_secret() or the check of a server's files ask for them, and never a log. */
#pragma once

#include "base/err.h"
#include "base/jsonx.h"
#include "host/container.h"

typedef struct Compose Compose; /* src/host/compose/compose.c */

/* `project` NULL or "": the one whose containers name this directory; when there are none,
 * the one that `docker compose config` in that directory names. */
bool compose_open(const char *dir, const char *project, Compose **ret, Err *err) MUST_CHECK;
Compose *compose_close(Compose *c);
static inline void compose_closep(Compose **c)
{
        *c = compose_close(*c);
}
#define AUTO_COMPOSE CLEANUP(compose_closep) Compose *

const char *compose_dir(const Compose *c); /* absolute, symbolic links resolved */
const char *compose_project(const Compose *c);
const json_t *compose_files(const Compose *c); /* array of absolute paths */

const json_t *compose_env_files(const Compose *c); /* of --env-file; empty: .env */

json_t *compose_config_files(const Compose *c); /* the same, a reference of one's own */

/* Looks at the containers again. */
bool compose_refresh(Compose *c, Err *err) MUST_CHECK;
/* The project's configuration, not interpolated; read once. Borrowed. */
bool compose_config(Compose *c, const json_t **ret, Err *err) MUST_CHECK;
/* One service of it (NULL *ret: there is no such service is an error that names the others). */
bool compose_service(Compose *c, const char *service, const json_t **ret, Err *err) MUST_CHECK;

/* Names of all services: those of the files and those that have a container, sorted. */
bool compose_services(Compose *c, json_t **ret, Err *err) MUST_CHECK;
/* Inspect JSON of a service's container: the running one, else the newest. NULL: none.
 * Borrowed; until compose_refresh(). */
const json_t *compose_container(const Compose *c, const char *service);
/* Its id, malloc()ed; no container is an error. */
bool compose_service_container(Compose *c, const char *service, char **ret_id, Err *err) MUST_CHECK;
/* All containers of the project (array of inspect JSON, borrowed). */
const json_t *compose_containers(const Compose *c);

/* Services that `service` waits for (depends_on, links), as an array of names. New. */
json_t *compose_depends_on(Compose *c, const char *service);
/* Of `names`: most dependent first when stopping, least dependent first when starting; equals
 * stay in their given order. NULL `names`: all services. */
bool compose_order(Compose *c, const json_t *names, bool stopping, json_t **ret,
                   Err *err) MUST_CHECK;

/* Services whose running container was not made from what the files say now: array of
 * {"service", "container", "why"}. */
bool compose_drift(Compose *c, json_t **ret, Err *err) MUST_CHECK;

/* A value like POSTGRES_PASSWORD of a service, from its container (also by _FILE), else from
 * the interpolated configuration; called `name` where it is shown. Not set: an error. */
bool compose_service_secret(Compose *c, const char *service, const char *key, const char *name,
                            Secret **ret, Err *err) MUST_CHECK;
/* A variable as the file's `environment:` sets it, ${..} and all; NULL when it does not. */
const char *compose_service_env(Compose *c, const char *service, const char *key, Err *err);
/* The image a service asks for, with ${VAR} filled in; malloc()ed. */
bool compose_service_image(Compose *c, const char *service, char **ret, Err *err) MUST_CHECK;

/* "docker compose" with this project's directory, name and files, ready for a verb. */
void compose_begin(const Compose *c, Argv *a) NONNULL;
/* The same for the eyes: "docker compose -p app VERB.."; what a person would type there. */
void compose_begin_short(const Compose *c, Argv *a) NONNULL;

/* Would starting this service put a server on files of another major (A1, A10)? Reads the
 * image's PG_MAJOR and PG_VERSION on the volume; true when it fits, is empty, or is no
 * PostgreSQL. */
bool compose_data_fits(const HostCall *call, Compose *c, const char *service, Err *err) MUST_CHECK;
