/* compose_shadow.h: what Docker Compose makes of changed files, before any of them is changed.
 *
 * The directories that lead to the changed files are made again below a directory of our own, mode
 * 0700, with links to everything that is in the real ones; where a changed file stands, its new
 * bytes stand. So env_file:, include:, extends: and .env find what they find there, and Compose,
 * started on that tree, reads what it would read. Paths in the answer are the real ones again. */
#pragma once

#include "host/compose.h"

/* Files as they shall be. A path that does not exist is a file that comes to be. */
typedef struct Overlay {
        struct OverlayFile {
                char *path, *bytes;
                size_t n;
        } f[8];
        size_t n;
} Overlay;

void overlay_done(Overlay *o) NONNULL;
#define AUTO_OVERLAY CLEANUP(overlay_done) Overlay
void overlay_copy(const Overlay *from, Overlay *to);
/* Steals `bytes`. */
void overlay_put(Overlay *o, const char *path, char *bytes, size_t n);
const struct OverlayFile *overlay_get(const Overlay *o, const char *path);
/* The overlay's bytes, else the disk's; malloc()ed. */
bool overlay_read(const Overlay *o, const char *path, char **ret, size_t *ret_n,
                  Err *err) MUST_CHECK;

/* `docker compose config` of the project with these files, everything filled in. `files`: the list
 * of compose files, in their order. Holds passwords: free it soon, show it never. */
bool compose_shadow_config(const Compose *c, const HostCall *call, const Overlay *o,
                           const json_t *files, json_t **ret, Err *err) MUST_CHECK;
