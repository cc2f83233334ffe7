/* compose_edits.h: Compose files that change, in whatever way the project needs. */
#pragma once

#include "engine/step_ctx.h"
#include "host/compose.h"
#include "host/compose_change.h"

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
void kit_volume_move_done(VolumeMove *m) NONNULL;
#define AUTO_VOLUME_MOVE CLEANUP(kit_volume_move_done) VolumeMove
bool kit_volume_move_find(Compose *c, const char *service, const json_t *image, VolumeMove *ret,
                          Err *err) MUST_CHECK;
/* What the official image of that major says of itself, as far as a layout needs it. New. */
json_t *kit_image_of_major(int major);
/* The image a service runs on now, malloc()ed: what a clean-up may remove later. */
bool kit_image_before(Compose *c, const char *service, char **ret, Err *err) MUST_CHECK;
/* Is every file of the change, or its directory, to be written by this user? Else
 * step_problem(). */
void kit_change_check(StepCtx *ctx, const ComposeChange *ch);
void kit_change_unwritable(const ComposeChange *ch, json_t *problems); /* the same, appended */
void kit_change_say(StepCtx *ctx, const ComposeChange *ch);            /* the diffs */
/* Remembers, writes, says the diff. `back` may be NULL: a change whose bytes undo shall put
 * there. */
bool kit_change_write(StepCtx *ctx, const ComposeChange *ch, const ComposeChange *back,
                      json_t *results, Err *err) MUST_CHECK;
/* "/srv/app/.env, /srv/app/compose.yaml" and all diffs, into results `file` and `diff`. */
void kit_change_results(const ComposeChange *ch, json_t *results);
