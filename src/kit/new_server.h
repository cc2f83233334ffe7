/* new_server.h: what a server of our own in a new container needs to be told, and its image to
 * have.
 *
 * Its environment goes to `docker run --env-file` through a pipe: the password is in it. */
#pragma once

#include "base/buf.h"
#include "engine/step_ctx.h"
#include "host/compose.h"
#include "kit/layout.h"

/* All borrowed. */
typedef struct NewServer {
        Compose *compose;    /* the project whose service it stands beside, or NULL */
        const char *service; /* of that project */
        const json_t *old,
                *old_image; /* inspect JSON of the service's container and image, or NULL */
        const char *user, *database;   /* superuser and first database */
        const Secret *password;        /* NULL: the service's */
        const char *encoding, *locale; /* "": as initdb does */
        const PgLayout *layout;
} NewServer;

/* The lines of --env-file, appended to `b`, which the caller wipes. A value that does not fit into
 * a line, or no password at all, is ERR_USER. */
bool kit_server_env(StepCtx *ctx, const NewServer *s, Buf *b, Err *err) MUST_CHECK;
/* Has no line break, which an --env-file cannot say. */
bool kit_fits_env_file(const char *value);
/* Letters, digits and _.@- only: the image evaluates POSTGRES_INITDB_ARGS in a shell. */
bool kit_is_plain_word(const char *word);
/* `locale -a` of the image knows it; "C", "POSIX" and "C.UTF-8" are in every one. */
bool kit_image_has_locale(StepCtx *ctx, const char *image, const char *locale, bool *ret,
                          Err *err) MUST_CHECK;
/* step_problem() where the image is for another kind of machine: it would end at once, with "exec
 * format error". `inspected`: its inspect JSON; `image`: its name, for the words. */
void kit_image_of_this_machine(StepCtx *ctx, const char *image, const json_t *inspected);
