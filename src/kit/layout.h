/* layout.h: where a server of an image keeps its data, and where its volume goes. */
#pragma once

#include "base/jsonx.h"

typedef struct PgLayout {
        char *pgdata;         /* inside the container */
        char *mount;          /* where the volume goes */
        bool explicit_pgdata; /* the service's own environment says so */
} PgLayout;
/* `service_pgdata`: what the compose file itself sets, or NULL; `service_container` may be NULL;
 * `image`: inspect JSON of the new image. */
void kit_layout_of(const char *service_pgdata, const json_t *service_container, const json_t *image,
                   PgLayout *ret);
void kit_layout_done(PgLayout *l) NONNULL;
#define AUTO_LAYOUT CLEANUP(kit_layout_done) PgLayout
