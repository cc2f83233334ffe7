/* verb_run.c: `pgsherpa` and `pgsherpa run RUNBOOK`: the wizard, from the start or on a journey. */
#include <stdio.h>

#include "app/launch/launch.h"
#include "app/cli/options.h"
#include "app/launch/ui_app.h"
#include "app/cli/verb.h"

static int home(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_OPTIONS o = { 0 };
        if (!options_read(&o, argc, argv, &err))
                return verb_fail(&err, EXIT_USAGE);
        UiApp app = ui_app_new(&o);
        return ui_home(&app, &o.ui);
}

/* Starts and leaves: every gate holds until somebody attaches. */
static int run_detached(const Options *o)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = NULL;
        AUTO_FREE char *dir = NULL;
        Launch l = { .answers = o->vars, .decisions = o->decisions, .secrets = o->secrets };
        if (!journeys_find(o->words[0], &path, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (!launch_path(path, &l, NULL, &dir, &err))
                return verb_fail(&err, err.kind == ERR_USER ? EXIT_USAGE : EXIT_REFUSED);
        const char *id = strrchr(dir, '/') + 1;
        printf("run %s goes on by itself. Attach with: pgsherpa attach %s\n%s\n", id, id, dir);
        return EXIT_DONE;
}

static int run(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_OPTIONS o = { 0 };
        if (!options_read(&o, argc, argv, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (o.n_words != 1)
                return verb_usage("run", "wants one runbook");
        if (o.detach)
                return run_detached(&o);
        UiApp app = ui_app_new(&o);
        return ui_journey(&app, &o.ui, o.words[0], o.vars);
}

const Verb verb_home = { .name = "home", .args = "", .run = home };
const Verb verb_run = { .name = "run",
                        .args = "RUNBOOK [--var NAME=VALUE].. [--answer ID=VALUE].. "
                                "[--secret NAME=file:PATH].. [--plain|--json] [--yes] [--detach]",
                        .summary = "carry a runbook out, step by step",
                        .run = run };
