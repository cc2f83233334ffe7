/* host_steps.h: what the kinds that work on Docker share: how commands show up in the step's
 * log, what is remembered of a service, and what "it runs again" means.
 *
 * Containers are remembered by id, not by name: after a recreate the name is the same and the
 * container is another one, and that difference decides how undo brings a service back. */
#pragma once

#include "host/compose.h"
#include "host/compose_change.h"
#include "host/docker.h"
#include "wizard-steps/open.h"

/* Commands cancelled with the step, their lines in its log. */
HostCall step_call(StepCtx *ctx);
/* The same, quiet. */
HostCall step_look(StepCtx *ctx);
/* The Compose project of the step's `on:`. */
bool step_compose(StepCtx *ctx, Compose **ret, Err *err) MUST_CHECK;
/* A parameter that is a list of texts; an item that is a map counts by its `name`. Borrowed
 * text, new array. */
json_t *step_names(StepCtx *ctx, const char *param);
/* "docker compose -p PROJECT <verb words..>" as plan line; the project may not be known yet. */
void step_plan_compose(StepCtx *ctx, bool undo, const char *fmt, ...) PRINTF(3, 4);

/* ---- services ---- */

/* Of a result `identity`: who a started server is. */
extern const ParamSpec host_identity_fields[];

/* Remembers "before": [{"service", "container", "name", "running", "health", "image"}] of these
 * services. Once, before the first attempt: a second one would remember our own doing. */
bool services_remember(StepCtx *ctx, const Compose *c, const json_t *names, Err *err) MUST_CHECK;
const json_t *services_remembered_one(const json_t *list, const char *service);

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
bool service_wait(StepCtx *ctx, const char *container, const Wellness *w, json_t **ret_identity,
                  Err *err) MUST_CHECK;
/* One look, no waiting; *ret_why is malloc()ed when not well. */
bool service_is_well(StepCtx *ctx, const char *container, const Wellness *w, bool *ret_well,
                     char **ret_why, json_t **ret_identity, Err *err) MUST_CHECK;

/* `docker compose up -d` of these services, as the file says now. Also after a kill in the middle
 * of an earlier one. */
bool services_up(StepCtx *ctx, const Compose *c, const json_t *names, bool no_deps,
                 Err *err) MUST_CHECK;

/* Stops a container and checks that it is down; grace before it is killed. */
bool container_stop(StepCtx *ctx, const char *container, int64_t grace_ms, Err *err) MUST_CHECK;
/* Brings back one that ran before: the same container if it is still there, else what the
 * compose file says now. Checks PG_VERSION first, waits as long as `within_ms` until it is as
 * well as it was. */
bool service_bring_back(StepCtx *ctx, Compose *c, const json_t *before, int64_t within_ms,
                        Err *err) MUST_CHECK;
/* "shut down" or not, with the system identifier; an unclean stop is an error. */
bool container_check_clean(StepCtx *ctx, const json_t *container, char **ret_system,
                           Err *err) MUST_CHECK;

/* Name of a volume's other running users ("" when there are none), malloc()ed. */
bool volume_users(StepCtx *ctx, const char *volume, bool running_only, const char *except_container,
                  char **ret, Err *err) MUST_CHECK;

/* ---- our own things carry the run's name ---- */
#define LABEL_RUN  "pgsherpa.run"
#define LABEL_STEP "pgsherpa.step"
bool is_ours(StepCtx *ctx, const json_t *labels); /* of this run and this step */

/* ---- where a server of this image keeps its data ---- */
typedef struct PgLayout {
        char *pgdata;         /* inside the container */
        char *mount;          /* where the volume goes */
        bool explicit_pgdata; /* the service's own environment says so */
} PgLayout;
/* `service_pgdata`: what the compose file itself sets, or NULL; `service_container` may be NULL;
 * `image`: inspect JSON of the new image. */
void layout_of(const char *service_pgdata, const json_t *service_container, const json_t *image,
               PgLayout *ret);
void layout_done(PgLayout *l) NONNULL;
#define AUTO_LAYOUT CLEANUP(layout_done) PgLayout

/* ---- as the service runs ---- */

/* What `docker run` needs so that a server of ours runs as the service's container does: user,
 * groups, read-only root, tmpfs, ulimits, security options, capabilities, devices, sysctls,
 * runtime. */
void run_as_service(const json_t *service_container, Argv *a);
/* Its limits of memory, CPUs and processes; in words: false when it has none. */
void limit_as_service(const json_t *service_container, Argv *a);
bool limits_in_words(const json_t *service_container, Buf *b);
/* "1000", "1000" of `user: "1000:1000"`; false: no user, or one by name, whom the image knows. */
bool service_uid(const json_t *service_container, long *ret_uid, long *ret_gid);

/* What it reads (run_like.c). `image`: inspect JSON of the image the container was made from, whose
 * own environment and entry point are not the service's; NULL when that is gone. */

/* "linux/arm64/v8" as the compose file says, or "". Borrowed. */
const char *service_platform(Compose *c, const char *service);
/* Lines for --env-file, secrets among them: everything but what server.start says itself.
 * POSTGRES_INITDB_ARGS, in every form, malloc()ed or NULL. */
bool service_environment(const HostCall *call, const json_t *service, const json_t *image,
                         char **ret_initdb, Buf *b, Err *err) MUST_CHECK;
/* Its mounted files and directories, but data, init scripts and sockets; all read-only. */
void service_mounts(const json_t *service, const PgLayout *layout, Argv *a);
/* The words of its command that are options of the server, and ours after them; goes behind the
 * image. */
void service_command(const json_t *service, const json_t *image, const PgLayout *layout, Argv *a);
/* What such a command needs beside the running service, which holds the machine's huge pages. */
void service_command_beside(const json_t *service, const json_t *image, Argv *a);
/* What of that a server of ours does not take, in sentences; new. Names, never values. */
json_t *differs_from_service(const HostCall *call, const json_t *service,
                             const json_t *image) MUST_CHECK;

/* ---- files that were edited ---- */

/* Saves the present bytes below the step's saved/ directory, remembers hashes of both, and
 * replaces the file. The results go into what is remembered, too, for probe(). */
bool file_edit(StepCtx *ctx, const char *path, const char *after, size_t after_len, json_t *results,
               Err *err) MUST_CHECK;
/* Several files as one edit. `back`: what undo puts there, NULL for the bytes of before. */
typedef struct FileEdit {
        const char *path, *after, *back;
        size_t after_len, back_len;
} FileEdit;
bool file_edits(StepCtx *ctx, const FileEdit *list, size_t n, json_t *results, Err *err) MUST_CHECK;
/* What is remembered of the (first) file: {"file", "before", "after", "saved"}; NULL: nothing. */
const json_t *file_edit_remembered(const json_t *remembered);
/* The file says so already: an earlier attempt of ours did it (then its results count), or
 * somebody else. Steals `results`. */
void file_edit_nothing(StepCtx *ctx, json_t *results);
/* From the hashes; on FOUND_ALL sets the results again. */
bool file_edit_probe(StepCtx *ctx, Found *ret, Err *err) MUST_CHECK;
/* Puts the saved bytes back if the file is as file_edit() left it; else drift. */
bool file_edit_undo(StepCtx *ctx, Err *err) MUST_CHECK;

/* ---- compose files that change, in whatever way the project needs ---- */

#define OVERRIDE_PARAM                                                                             \
        {                                                                                          \
                .name = "override", .type = PARAM_BOOL, .fallback = "false",                       \
                .help = "leave the files alone and write an override file, which Compose reads "   \
                        "after them"                                                               \
        }

/* The wish of compose.set_volume: where the data is now, and where the image (inspect JSON, or made
 * up from its major where it is not here yet) wants the new volume. Strings malloc()ed. */
typedef struct VolumeMove {
        char *old_data, *old_mount, *previous, *mount;
} VolumeMove;
void volume_move_done(VolumeMove *m) NONNULL;
#define AUTO_VOLUME_MOVE CLEANUP(volume_move_done) VolumeMove
bool volume_move_find(Compose *c, const char *service, const json_t *image, VolumeMove *ret,
                      Err *err) MUST_CHECK;
/* What the official image of that major says of itself, as far as a layout needs it. New. */
json_t *image_of_major(int major);
/* The image a service runs on now, malloc()ed: what a clean-up may remove later. */
bool image_before(Compose *c, const char *service, char **ret, Err *err) MUST_CHECK;
/* Is every file of the change, or its directory, to be written by this user? Else
 * step_problem(). */
void change_check(StepCtx *ctx, const ComposeChange *ch);
void change_unwritable(const ComposeChange *ch, json_t *problems); /* the same, appended */
void change_say(StepCtx *ctx, const ComposeChange *ch);            /* the diffs */
/* Remembers, writes, says the diff. `back` may be NULL: a change whose bytes undo shall put
 * there. */
bool change_write(StepCtx *ctx, const ComposeChange *ch, const ComposeChange *back, json_t *results,
                  Err *err) MUST_CHECK;
/* "/srv/app/.env, /srv/app/compose.yaml" and all diffs, into results `file` and `diff`. */
void change_results(const ComposeChange *ch, json_t *results);
