/* compose_change.h: a service's image or data volume changed in whatever way the project's files
 * need, tried on copies and read back by Docker Compose before a byte of the real ones moves.
 *
 *      AUTO_COMPOSE_CHANGE ch = NULL;
 *      ch = compose_change_new(c);
 *      if (!compose_change_image(ch, &call, "db", "postgres:17", err) ||
 *          !compose_change_volume(ch, &call, &wish, err))
 *              return false;                   // in words that name the way out
 *      for (size_t i = 0; i < compose_change_count(ch); i++)
 *              write(compose_change_file(ch, i));
 *
 * Ways, the first that is proven counts: the variable's value where it stands (.env, a default),
 * the text where it stands (also behind anchors, merge keys, in an included file), a line of its
 * own in the service, an override file that a plain `docker compose up` reads. Proven: `docker
 * compose config` of the changed files differs from that of before in this one thing of this one
 * service; a variable or an anchor that others use as well is therefore left alone and the next way
 * is taken.
 *
 * A symbolic link stays one: the file it leads to is written. */
#pragma once

#include "host/compose.h"

typedef struct ComposeChange ComposeChange;

ComposeChange *compose_change_new(Compose *c) MUST_CHECK; /* borrows the project */
ComposeChange *compose_change_free(ComposeChange *ch);
static inline void compose_change_freep(ComposeChange **ch)
{
        *ch = compose_change_free(*ch);
}
#define AUTO_COMPOSE_CHANGE CLEANUP(compose_change_freep) ComposeChange *
/* From now on only an override file, where the operator wants the other files left alone. */
void compose_change_override_only(ComposeChange *ch);

/* The image of a service. Refused, with the way out: a service that is built here (build:), whose
 * new image is not built, too. */
bool compose_change_image(ComposeChange *ch, const HostCall *call, const char *service,
                          const char *image, Err *err) MUST_CHECK;

/* The mount that holds `data_dir` becomes `volume`, which exists already, at `target`. */
typedef struct ComposeVolumeWish {
        const char *service, *data_dir, *volume, *target;
} ComposeVolumeWish;
bool compose_change_volume(ComposeChange *ch, const HostCall *call, const ComposeVolumeWish *w,
                           Err *err) MUST_CHECK;

/* Files to be written, as the project names them; none when all says so already. Borrowed. */
typedef struct ComposeChanged {
        const char *path, *after, *diff;
        size_t after_len;
} ComposeChanged;
size_t compose_change_count(const ComposeChange *ch);
ComposeChanged compose_change_file(const ComposeChange *ch, size_t i);
