/* verb_rollback.c: `pgsherpa rollback RUN`: everything a run did, undone, newest first.
 *
 * A living engine is asked. A dead one is started again, to go back instead of on; so is that of
 * a run that is closed: a finished upgrade has a way back until its clean-up. */
#include <stdio.h>

#include "app/launch/launch.h"
#include "app/cli/options.h"
#include "app/launch/engine_request.h"
#include "app/launch/ui_app.h"
#include "app/cli/verb.h"
#include "journal/run_dir.h"
#include "journal/run_view.h"

/* `--to STEP` is this verb's alone: it is taken out before the shared options are read. */
static const char *take_to(int *argc, char **argv, bool *ret_bad)
{
        *ret_bad = false;
        for (int i = 1; i < *argc; i++) {
                if (!str_eq(argv[i], "--to"))
                        continue;
                const char *to = argv[i + 1];
                *ret_bad = !to;
                for (int k = i; to && k + 2 <= *argc; k++)
                        argv[k] = argv[k + 2];
                *argc -= to ? 2 : 1;
                return to;
        }
        return NULL;
}

static bool known_step(const RunView *v, const char *id, Err *err)
{
        for (size_t i = 0; i < v->n_steps; i++)
                if (str_eq(v->steps[i].id, id))
                        return true;
        err_set(err, ERR_USER, "run %s has no step `%s`", v->run, id);
        return err_hint(err, "`pgsherpa log %s --format txt` lists its steps", v->run);
}

static bool begin(const RunView *v, const char *dir, const char *to, const Options *o,
                  const char *who, Err *err)
{
        if (v->status && to) {
                err_set(err, ERR_USER, "run %s is closed (%s): it can only go back whole", v->run,
                        v->status);
                return err_hint(err, "leave --to out");
        }
        if (str_eq(v->status, "undone")) {
                err_set(err, ERR_USER, "run %s was rolled back already", v->run);
                return err_hint(err, "`pgsherpa log %s` shows what was put back", v->run);
        }
        if (!run_lock_held(dir) && !to)
                return launch_rollback(dir, o->secrets, err);
        return launch_resume(dir, o->secrets, err) &&
               engine_request(dir, who,
                              json_pack("{s:s,s:s}", "cmd", "rollback", "to", to ? to : ""), NULL,
                              err);
}

static int run(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_OPTIONS o = { 0 };
        AUTO_FREE char *dir = NULL;
        bool bad = false;
        const char *to = take_to(&argc, argv, &bad);
        if (bad)
                return verb_usage("rollback", "--to needs the id of a step");
        if (!options_read(&o, argc, argv, &err))
                return verb_fail(&err, EXIT_USAGE);
        /* Not "latest" by default: this is the one verb where the wrong run hurts. */
        if (o.n_words != 1)
                return verb_usage("rollback", "wants the run");
        if (!run_dir_find(o.words[0], &dir, &err))
                return verb_fail(&err, verb_code(&err));
        AUTO_VIEW v = NULL;
        if (!run_view_load(dir, &v, &err))
                return verb_fail(&err, EXIT_NO);
        if (to && !known_step(v, to, &err))
                return verb_fail(&err, EXIT_USAGE);
        UiApp app = ui_app_new(&o);
        if (!begin(v, dir, to, &o, app.who, &err))
                return verb_fail(&err, err.kind == ERR_LINK ? EXIT_UNKNOWN : EXIT_REFUSED);
        if (o.detach)
                return EXIT_DONE;
        return ui_run(&app, &o.ui, dir);
}

const Verb verb_rollback = {
        .name = "rollback",
        .args = "RUN [--to STEP] [--secret NAME=file:PATH].. [--plain|--json] [--detach]",
        .summary = "undo what a run did, newest first; also of a finished run, until its clean-up",
        .run = run,
};
