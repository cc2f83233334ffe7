/* dry.h: looks that several kinds' dry() share. Each says what it found by itself: what stands in
 * the way with step_problem(), what cannot be seen yet with step_unseen().
 *
 * The words of step_will(), so that one kind knows what another will have done by then:
 *
 *      container NAME    volume NAME    image REFERENCE    runs CONTAINER
 *      server STACK/SERVICE             a service's server: COME: another one, GO: stopped
 *      database SERVER/NAME             role SERVER/NAME            clients SERVER (GO: ended,
 * stopped) file PATH                        saved STEP (a kit_file_edit() that undo could put back)
 *      anything ANYWHERE                a command of the operator's own has run
 *      services any (GO: some are stopped)     containers any (GO: some are gone) */
#pragma once

#include "engine/step_ctx.h"
#include "host/compose.h"
#include "pg/conn.h"

typedef enum Seen { SEEN_HERE, SEEN_LATER, SEEN_NOT } Seen;

/* ---- dry_pg.c: servers ---- */

/* Connects where the server is there already. SEEN_LATER and SEEN_NOT have said why. */
Seen dry_pg(StepCtx *ctx, const Target *t, const char *database, Pg **ret) MUST_CHECK;
/* The same, of the parameter that names a target; of the step's `on:` and its parameter
 * `database`. */
Seen dry_pg_param(StepCtx *ctx, const char *param, const char *database, Pg **ret) MUST_CHECK;
Seen dry_pg_on(StepCtx *ctx, Pg **ret) MUST_CHECK;
/* For step_will(): "database", "role" and "clients" of a server. */
void dry_will_on(StepCtx *ctx, const Target *t, const char *what, const char *name, Will will);
Will dry_will_be_on(StepCtx *ctx, const Target *t, const char *what, const char *name);

/* No standby. ANALYZE and REINDEX want no more; everything else also that nothing is read-only. */
bool dry_no_standby(StepCtx *ctx, Pg *pg, Err *err) MUST_CHECK;
bool dry_writable(StepCtx *ctx, Pg *pg, Err *err) MUST_CHECK;
/* CREATE DATABASE, for `why` ("to load the copy into"). */
bool dry_may_create_database(StepCtx *ctx, Pg *pg, const char *why, Err *err) MUST_CHECK;
bool dry_superuser(Pg *pg, bool *ret, Err *err) MUST_CHECK;
/* Every table, sequence and large object may be read, by this role, whole. */
bool dry_readable(StepCtx *ctx, Pg *pg, Err *err) MUST_CHECK;
/* So many more connections are free: of the server, of this role, of the database. */
bool dry_connections(StepCtx *ctx, Pg *pg, int want, Err *err) MUST_CHECK;
/* The database is there, and may be renamed or dropped by this role. *ret: pg_database_describe(),
 * or NULL: there is none, or it comes later (then step_unseen()). */
bool dry_owns_database(StepCtx *ctx, Pg *pg, const char *name, json_t **ret, Err *err) MUST_CHECK;
/* Somebody else is in it, and no earlier step of the run ends that. */
bool dry_nobody_in(StepCtx *ctx, Pg *pg, const char *name, Err *err) MUST_CHECK;
/* 63 bytes, no reserved word for it. */
void dry_pg_name(StepCtx *ctx, const char *what, const char *name);
/* The server has that locale (provider 'c' libc, 'i' icu, 'b' builtin): a collation of it is made,
 * and taken back. `encoding` of the database that is to have it, or NULL: that of the one we are
 * in. */
bool dry_locale(StepCtx *ctx, Pg *pg, char provider, const char *locale, const char *encoding,
                Err *err) MUST_CHECK;
bool dry_client(StepCtx *ctx, int major, const Target *image_of, Err *err) MUST_CHECK;
/* Bytes of all tables, without indexes. */
bool dry_table_bytes(Pg *pg, int64_t *ret, Err *err) MUST_CHECK;

/* ---- dry_file.c: this machine ---- */

/* A file could be made in `dir`, which run() makes when it is missing. One is made, and removed
 * again. */
void dry_directory(StepCtx *ctx, const char *what, const char *dir);
/* The file can be replaced (io_replace_file()): itself, and a file beside it. */
void dry_replaceable(StepCtx *ctx, const char *path);
/* At least so much room where `dir` is or will be. */
void dry_room(StepCtx *ctx, const char *dir, int64_t bytes, const char *what);
/* The secret that a parameter names can be had. */
void dry_secret(StepCtx *ctx, const char *param);
/* `env`, `cwd` and `password_stdin` of exec and shell; and everything may be otherwise
 * afterwards. */
void dry_command(StepCtx *ctx);

/* ---- dry_host.c: Docker ---- */

/* The image is here; or will be, by an earlier step; or, with `may_pull`, its registry has it.
 * *ret: its inspect JSON when it is here, new reference. */
Seen dry_image(StepCtx *ctx, const char *name, bool may_pull, json_t **ret) MUST_CHECK;
/* A container or volume of that name: SEEN_NOT says nothing here. */
Seen dry_container(StepCtx *ctx, const char *name, json_t **ret, Err *err) MUST_CHECK;
Seen dry_volume(StepCtx *ctx, const char *name, json_t **ret, Err *err) MUST_CHECK;
/* May Docker call something new so? */
bool dry_docker_name(StepCtx *ctx, const char *what, const char *name);
Seen dry_project(StepCtx *ctx, Compose **ret) MUST_CHECK;
/* The word for how a service shows that it is well, and the service has what it asks. `c` may be
 * NULL. */
void dry_health(StepCtx *ctx, const char *health, const char *service, const json_t *c);
/* For "server" of step_will(): STACK/SERVICE of the step's project. Arena. */
const char *dry_service(StepCtx *ctx, const char *service);
