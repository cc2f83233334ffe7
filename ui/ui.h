/* ui.h: the door between app and the screens.
 *
 * The screens draw what is in a run directory (journal, plan.json, output/) and send small
 * commands over its control socket (ui/client.h). What they cannot do themselves, because it
 * needs a server or a process, app hands in as functions. */
#pragma once

#include "base/jsonx.h"
#include "base/secret.h"

typedef struct UiJourney {
        const char *runbook;       /* "compose-upgrade" */
        const char *title, *about; /* one line each */
        const char *needs;         /* "compose" | "local" | "": which servers it is for */
} UiJourney;

typedef struct UiApp {
        void *app;
        const UiJourney *journeys; /* ends with {0} */

        /* Starts the read-only discovery run; its facts are the answer. Run directory. */
        bool (*discover)(void *app, char **ret_run_dir, Err *err);
        /* The questions of a runbook: [{name, type, item, ask, help, default, choices, pattern,
         * secret?}], with answers already found in `server` (one of discovery's facts, or NULL)
         * put in as default and "found": "from compose labels". New reference. */
        bool (*questions)(void *app, const char *runbook, const json_t *server, json_t **ret,
                          Err *err);
        /* plan.json for these answers (touches nothing). Problems of single answers come back
         * as {"problems": [{"var", "text", "hint"}]} and no "steps". */
        bool (*plan)(void *app, const char *runbook, const json_t *answers, json_t **ret, Err *err);
        /* Starts the engine for exactly this plan (plan_sha256 is checked). */
        bool (*start)(void *app, const char *runbook, const json_t *answers,
                      const char *plan_sha256, char **ret_run_dir, Err *err);
        /* Starts an engine on an existing run directory (after a crash or a reboot). */
        bool (*resume)(void *app, const char *run_dir, Err *err);
        /* Gives the terminal to a shell (already left by the UI). */
        bool (*shell)(void *app, const char *dir, Err *err);
        /* Writes the log of a run as md | json | txt beside it; returns the path. */
        bool (*export_log)(void *app, const char *run_dir, const char *format, char **ret_path,
                           Err *err);
        /* Who and where, for the title bar: "alice@vault". */
        const char *who;
} UiApp;

typedef struct UiOptions {
        const char *theme; /* NULL: default */
        bool plain, json, watch, mouse;
        const char *answers_from; /* plain: file of answers (tests, demo), or NULL */
        bool yes;                 /* plain: answer yes-gates (never typed ones) */
} UiOptions;

/* The wizard, from the home screen. Returns the exit code (house.md 4). */
int ui_home(const UiApp *app, const UiOptions *options);
/* The wizard on one journey: its questions (with these answers already given) and onwards. */
int ui_journey(const UiApp *app, const UiOptions *options, const char *runbook,
               const json_t *answers);
/* Live view of a run, or the review of a finished one. */
int ui_run(const UiApp *app, const UiOptions *options, const char *run_dir);
/* Log review. */
int ui_log(const UiApp *app, const UiOptions *options, const char *run_dir);
