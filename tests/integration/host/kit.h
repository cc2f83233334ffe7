/* kit.h: a real Compose project and step kinds without an engine.
 *
 *      AUTO_KIT k = kit_new(13);               // lab/project.sh create, or the test is skipped
 *      kit_run(&k, "stop_web", "compose.stop", json_pack("{s:[s]}", "services", "web"));
 *      kit_undo(&k, "stop_web");
 *
 * What a step remembers and its parameters are kept by its id, as the journal would. */
#pragma once

#include <criterion/criterion.h>

#include "engine/step_ctx.h"
#include "host/compose.h"

typedef struct Kit {
        char dir[64], project[32], run_dir[64], run_id[32];
        json_t *steps; /* id -> {"kind", "params", "remembered", "results"} */
        json_t *spec;  /* of the target */
        Target stack;
        int major;
} Kit;

/* Returns 77 and says why when there is no engine to test with. */
int kit_main(int argc, char **argv);

Kit kit_new(int major);
/* `up`: an option of lab/project.sh: "--up=db" or "--up=none", which make less and are sooner
 * there. */
Kit kit_new_with(int major, const char *up);
void kit_done(Kit *k);
#define AUTO_KIT CLEANUP(kit_done) Kit

/* Each fails the test with the error's text; kit_try() returns it instead. */
const json_t *kit_run(Kit *k, const char *id, const char *kind, json_t *params);
void kit_undo(Kit *k, const char *id);
Found kit_probe(Kit *k, const char *id);
/* which: "check", "run", "undo". A problem of check() counts as an error. */
bool kit_try(Kit *k, const char *which, const char *id, const char *kind, json_t *params, Err *err);

Compose *kit_compose(Kit *k);
/* "running healthy", "exited none", "" */
void kit_expect(Kit *k, const char *service, const char *state);
char *kit_file(Kit *k, const char *name);
char *kit_docker(const char *first, ...) __attribute__((sentinel));
