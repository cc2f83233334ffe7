/* compose_edit.h: changing one thing in somebody's compose file, and nothing else.
 *
 * Comments, blank lines, quotes, indentation, line ends: all of it is the owner's and stays.
 * The file is parsed for *where* a scalar stands, only those bytes are replaced, the result is
 * parsed again and must be the same tree except that scalar; an edit that cannot prove this
 * is refused with the reason.
 *
 *      AUTO_COMPOSE_EDIT e = {0};
 *      if (!compose_edit_image("compose.yaml", bytes, n, "db", "postgres:17", &e, err))
 *              return false;           // "compose.yaml:9:12: image of db holds ${TAG}: .."
 *      // e.after, e.diff, e.previous
 *
 * The functions are pure: bytes in, bytes out. Writing is compose_edit_write(). */
#pragma once

#include "host/compose.h"

typedef struct ComposeEdit {
        char *after; /* the new bytes */
        size_t after_len;
        char *previous; /* what stood there: "postgres:13", "pgdata:/var/.." */
        char *diff;     /* unified, for people */
        bool changed;   /* false: it already said so */
} ComposeEdit;

void compose_edit_done(ComposeEdit *e) NONNULL;
#define AUTO_COMPOSE_EDIT CLEANUP(compose_edit_done) ComposeEdit

/* `image:` of a service, wherever in this file it stands: its own, behind an anchor, an alias or a
 * merge key. Exactly one line differs afterwards. Whether somebody else uses that line is asked of
 * `docker compose config`: compose_change.h, which is what steps call. */
bool compose_edit_image(const char *file, const char *bytes, size_t n, const char *service,
                        const char *image, ComposeEdit *ret, Err *err) MUST_CHECK;
/* The default of ${name:-..} in it. */
typedef struct ComposeDefault {
        const char *name, *value;
} ComposeDefault;
bool compose_edit_image_default(const char *file, const char *bytes, size_t n, const char *service,
                                ComposeDefault d, ComposeEdit *ret, Err *err) MUST_CHECK;

/* The mount of a service that holds `data_dir` (the old server's PGDATA) becomes the volume
 * `volume` at `target`; the top-level `volumes:` learns it as external, because the volume
 * exists already. Short and long syntax, and an anonymous volume, which gets a name. */
typedef struct ComposeVolume {
        const char *service, *data_dir, *volume, *target;
        const char *source; /* what to write for it, like ${PGDATA}; NULL: its name */
} ComposeVolume;
bool compose_edit_volume(const char *file, const char *bytes, size_t n, const ComposeVolume *w,
                         ComposeEdit *ret, Err *err) MUST_CHECK;

/* The text of a service's image in this file (`data_dir` NULL) or of the source of the mount that
 * holds its data, ${..} and all, malloc()ed; NULL when this file sets none. */
bool compose_edit_text(const char *file, const char *bytes, size_t n, const char *service,
                       const char *data_dir, char **ret, Err *err) MUST_CHECK;

/* Its mounts in this file but the one that holds the data, one a line as they are written,
 * malloc()ed;
 * *ret_n: how many. False: none, or not every one is written as one text. */
bool compose_edit_other_mounts(const char *file, const char *bytes, size_t n, const char *service,
                               const char *data_dir, size_t *ret_n, char **ret);

/* Adds lines ("image: postgres:17", or "volumes:" and "  - a:/b") to a service's own map, which win
 * over merge keys and `extends:`; to the file a service of that name where it has none. `volume`
 * not NULL: declared as external. `mount` instead of lines: one more entry of its own list of
 * volumes. */
typedef struct ComposeInsert {
        const char *service, *volume, *mount;
        const char *const *lines; /* NULL-terminated */
} ComposeInsert;
bool compose_insert(const char *file, const char *bytes, size_t n, const ComposeInsert *w,
                    ComposeEdit *ret, Err *err) MUST_CHECK;
