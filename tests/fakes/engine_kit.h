/* engine_kit.h: an engine in a child process, and somebody who answers it.
 *
 *      Kit *k = kit_new(yaml);
 *      cr_assert_eq(kit_run(k, (Answer[]){ { "error", "copy", "r" }, { 0 } }), ENGINE_DONE);
 *      kit_effects(k)                  -> "make a\nmake b\n"
 *      kit_events(k, "step.done")      -> 2
 *
 * A gate is answered by the first Answer whose kind and step fit (NULL fits all) and whose
 * `times` are not used up; without one: y, and a (stop the run) after a failure. */
#pragma once

#include <sys/types.h>

#include "base/jsonx.h"
#include "journal/run_view.h"

typedef struct Answer {
        const char *kind, *step, *key, *text;
        int times; /* 0: always */
        int used;
} Answer;

typedef struct Kit {
        char *root, *world, *run_dir, *yaml;
        const char *fail;        /* PGSHERPA_FAIL of the next engine, or NULL */
        const char *secret_file; /* "pw=file:..", or NULL */
        bool resume, rollback, watch;
        const char *command_at; /* step id: when it runs, this is sent .. */
        const char *command;    /* .. as JSON */
        bool killed;            /* the last engine died by SIGKILL */
        pid_t pid;
        int fd;
        char *refused; /* last refusal an answer got */
} Kit;

Kit *kit_new(const char *yaml);
Kit *kit_free(Kit *k);
/* Starts an engine, answers until it ends. Its exit code; -1: killed. */
int kit_run(Kit *k, Answer *answers);
int kit_resume(Kit *k, Answer *answers);
/* The same in two halves, for tests that want to do something meanwhile. */
void kit_start(Kit *k);
bool kit_connect(Kit *k);
json_t *kit_ask(Kit *k, const char *json); /* one command, its reply */
int kit_wait(Kit *k, Answer *answers);

char *kit_effects(const Kit *k);
bool kit_there(const Kit *k, const char *thing);
void kit_touch(const Kit *k, const char *thing, const char *text);
int kit_events(const Kit *k, const char *name);
RunView *kit_view(const Kit *k);
/* The journal as text, for looking for what must not be there. */
char *kit_journal(const Kit *k);
bool kit_journal_ok(const Kit *k);
/* All things in the world and the verdicts of all steps, for comparing two runs. */
char *kit_final_state(const Kit *k);
