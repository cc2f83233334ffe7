/* verb_runs.c: `runs`, `status`, `attach`, `resume`: what runs, what ran, and joining it. */
#include <stdio.h>

#include "app/launch/launch.h"
#include "app/cli/options.h"
#include "app/launch/ui_app.h"
#include "app/cli/verb.h"
#include "base/clock.h"
#include "base/fmt.h"
#include "journal/run_dir.h"
#include "journal/run_view.h"

enum { STATUS_RUNNING = 10, STATUS_WAITING = 11, STATUS_FAILED = 12 };

static int list(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_ARENA a = arena_new();
        RunSummary *runs = NULL;
        size_t n = 0;
        if (!runs_list(a, &runs, &n, &err))
                return verb_fail(&err, EXIT_UNKNOWN);
        if (n == 0)
                puts("no runs yet");
        for (size_t i = 0; i < n; i++) {
                char when[24], took[24];
                printf("%-6s %s  %-9s %9s  %s\n", runs[i].id, clock_day_hm(runs[i].t_open, when),
                       runs[i].damaged ? "DAMAGED" : runs[i].status,
                       fmt_clock(runs[i].elapsed_ms, took), runs[i].title);
        }
        return EXIT_DONE;
}

int verb_run_status(const RunView *v, bool alive)
{
        if (v->status)
                return str_eq(v->status, "done") ? EXIT_DONE : STATUS_FAILED;
        if (v->gate.open || !alive)
                return STATUS_WAITING;
        return STATUS_RUNNING;
}

static int status(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_OPTIONS o = { 0 };
        AUTO_FREE char *dir = NULL;
        int bad = options_read_run(&o, argc, argv, &dir);
        if (bad)
                return bad;
        AUTO_VIEW v = NULL;
        if (!run_view_load(dir, &v, &err))
                return verb_fail(&err, EXIT_NO);
        if (!v->run)
                return verb_fail((err_set(&err, ERR_USER, "%s holds no run yet", dir), &err),
                                 EXIT_UNKNOWN);
        if (v->damage) {
                err_set(&err, ERR_USER, "run %s: the journal is damaged: %s", v->run, v->damage);
                err_hint(&err,
                         "nothing can go on from it; `pgsherpa log %s` shows what can be "
                         "read, and a good copy of %s would help",
                         v->run, dir);
                return verb_fail(&err, EXIT_NO);
        }
        bool alive = run_lock_held(dir);
        const char *word = v->status      ? v->status
                           : !alive       ? "stopped (pgsherpa resume goes on)"
                           : v->gate.open ? "waiting for you"
                                          : "running";
        char took[24];
        printf("%s %s, %s", v->run, v->title, word);
        if (v->current >= 0 && !v->status)
                printf(", step %d of %zu: %s", v->steps[v->current].n, v->n_steps,
                       v->steps[v->current].title);
        printf(", %s\n", fmt_clock(v->bt_last - v->bt_open, took));
        if (v->status && v->close_reason && *v->close_reason)
                printf("why: %s\n", v->close_reason);
        if (str_eq(v->status, "failed") || str_eq(v->status, "aborted"))
                printf("next: what it did stays, a temporary database too; pgsherpa rollback %s "
                       "puts it back\n",
                       v->run);
        if (!v->status && !alive && v->stopped_why)
                printf("why: %s\n", v->stopped_why);
        if (!v->status && !alive && v->stopped_hint)
                printf("hint: %s\n", v->stopped_hint);
        if (!v->status && v->gate.open)
                printf("question: %s\n", v->gate.title);
        return verb_run_status(v, alive);
}

static int attach(int argc, char **argv)
{
        AUTO_OPTIONS o = { 0 };
        AUTO_FREE char *dir = NULL;
        int bad = options_read_run(&o, argc, argv, &dir);
        if (bad)
                return bad;
        UiApp app = ui_app_new(&o);
        return ui_run(&app, &o.ui, dir);
}

static int resume(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_OPTIONS o = { 0 };
        AUTO_FREE char *dir = NULL;
        int bad = options_read_run(&o, argc, argv, &dir);
        if (bad)
                return bad;
        AUTO_VIEW v = NULL;
        if (!run_view_load(dir, &v, &err))
                return verb_fail(&err, EXIT_NO);
        if (v->status) {
                err_set(&err, ERR_USER, "run %s is closed (%s)", v->run, v->status);
                err_hint(&err, "`pgsherpa log %s` shows what happened", v->run);
                return verb_fail(&err, EXIT_REFUSED);
        }
        if (!launch_resume(dir, o.secrets, &err))
                return verb_fail(&err, EXIT_REFUSED);
        if (o.detach)
                return EXIT_DONE;
        UiApp app = ui_app_new(&o);
        return ui_run(&app, &o.ui, dir);
}

const Verb verb_runs = { .name = "runs", .args = "", .summary = "list all runs", .run = list };
const Verb verb_status = {
        .name = "status",
        .args = "[RUN]",
        .summary = "where it stands; exit code 0 done, 10 running, 11 waiting, 12 failed",
        .run = status
};
const Verb verb_attach = { .name = "attach",
                           .args = "[RUN] [--watch] [--plain|--json] [--yes]",
                           .summary = "join a run that goes on, see it live, answer it",
                           .run = attach };
const Verb verb_resume = { .name = "resume",
                           .args = "[RUN] [--secret NAME=file:PATH]..",
                           .summary = "go on with a run whose engine ended (crash, reboot)",
                           .run = resume };
