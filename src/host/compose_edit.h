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
        char  *after;                   /* the new bytes                                     */
        size_t after_len;
        char  *previous;                /* what stood there: "postgres:13", "pgdata:/var/.." */
        char  *diff;                    /* unified, for people                               */
        bool   changed;                 /* false: it already said so                         */
} ComposeEdit;

void compose_edit_done(ComposeEdit *e) NONNULL;
#define AUTO_COMPOSE_EDIT CLEANUP(compose_edit_done) ComposeEdit

/* `image:` of a service. Exactly one line differs afterwards. */
bool compose_edit_image(const char *file, const char *bytes, size_t n, const char *service,
                        const char *image, ComposeEdit *ret, Err *err) MUST_CHECK;

/* The mount of a service that holds `data_dir` (the old server's PGDATA) becomes the volume
 * `volume` at `target`; the top-level `volumes:` learns it as external, because the volume
 * exists already. Short and long syntax. */
bool compose_edit_volume(const char *file, const char *bytes, size_t n, const char *service,
                         const char *data_dir, const char *volume, const char *target,
                         ComposeEdit *ret, Err *err) MUST_CHECK;

typedef enum ComposeKey { COMPOSE_KEY_IMAGE, COMPOSE_KEY_VOLUMES } ComposeKey;
/* Which of the project's files sets this key of the service; malloc()ed, symbolic links
 * resolved. Refused: none does, more than one does (an override file would win), or the file is
 * a link that leads out of the project. */
bool compose_edit_file(const Compose *c, const char *service, ComposeKey key, char **ret, Err *err)
        MUST_CHECK;
