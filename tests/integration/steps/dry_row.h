/* dry_row.h: one planted failure, and what dry() has to say of it.
 *
 *      { "file.copy", "no directory", "there is no directory", copy_nowhere },
 *
 * dry_prove() makes each row twice. With the plant dry() must say no in these words, and run() must
 * fail: what is planted is real. Without it dry() must say yes, and run() must then succeed. A
 * price (WARNED) is said with the plant, not without it, and run() gets through with both. */
#pragma once

#include "lab.h"
#include "step_ctx_fake.h"

typedef struct Kit Kit;

typedef struct Scene {
        char tag[32];              /* "test_4711_3": for names of databases, roles, volumes */
        char *dir;                 /* of its own, removed afterwards */
        Kit *kit;                  /* a Compose project, for host rows */
        json_t *databases, *roles; /* [[17, "name"]], to be dropped */
        json_t *containers, *volumes, *images;
        Pg *held; /* a connection of somebody else */
} Scene;

typedef FakeStep (*DryMake)(Scene *s, const StepKind *k, bool planted);

typedef struct DryRow {
        const char *kind, *plant, *says;
        DryMake make;
        /* ONLY_SAID: run() is not tried with it */
        enum { FAILS, ONLY_SAID, WARNED } as;
} DryRow;

/* Each ends with {0}. */
extern const DryRow dry_file_rows[], dry_pg_rows[], dry_pg_move_rows[], dry_host_rows[];

void dry_prove(const DryRow *rows, Kit *kit);

/* ---- for the rows ---- */
FakeStep scene_step(const StepKind *k, json_t *stolen_params);
/* A target `name`: `database` of the lab's server as `role` (NULL: the superuser). */
void scene_target(FakeStep *f, const char *name, int major, const char *database, const char *role);
void scene_on(FakeStep *f, int major, const char *database, const char *role);
char *scene_database(Scene *s, int major, const char *word); /* borrowed name */
void scene_drop_later(Scene *s, int major, const char *database);
/* With the lab's own password. `can`: "login createdb" and so on. Borrowed name. */
const char *scene_role(Scene *s, int major, const char *word, const char *can);
void scene_sql(int major, const char *database, const char *fmt, ...) PRINTF(3, 4);
char *scene_path(Scene *s, const char *name); /* in its directory, malloc()ed */
void scene_write(Scene *s, const char *name, const char *text);
char *scene_name(Scene *s, const char *word); /* tag_word, malloc()ed */
