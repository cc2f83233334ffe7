/* entry.c: the four doors of ui.h: which frontend, which first screen. */
#include <stdio.h>

#include "base/clock.h"
#include "ui/loop.h"
#include "ui/plain.h"
#include "ui/term.h"

static bool wants_plain(const UiOptions *o)
{
        return o->plain || o->json || term_wants_plain();
}

/* Opens the terminal; false: *ret is the exit code, or -1 for "be plain". */
static bool open_terminal(int *ret)
{
        AUTO_ERR err = { 0 };
        switch (term_open(&err)) {
        case TERM_OK:
                return true;
        case TERM_PLAIN:
                *ret = -1;
                return false;
        default:
                fprintf(stderr, "pgsherpa: %s\n", err.message);
                *ret = 4;
                return false;
        }
}

static void say(const Err *err)
{
        fprintf(stderr, "pgsherpa: %s\n", err->message ? err->message : "unknown error");
        if (err->hint)
                fprintf(stderr, "hint: %s\n", err->hint);
}

static int ui_with(Ui *ui, Screen *first)
{
        ui->wall = clock_wall_ms();
        ui->boot = clock_boot_ms();
        ui_push(ui, first);
        ui->guard = false;
        return ui_main(ui, ui->options->theme);
}

int ui_home(const UiApp *app, const UiOptions *o)
{
        int code;
        if (wants_plain(o))
                return plain_home(app, o);
        if (!open_terminal(&code))
                return code < 0 ? plain_home(app, o) : code;
        Ui ui = { .app = app, .options = o };
        return ui_with(&ui, home_new(&ui));
}

int ui_journey(const UiApp *app, const UiOptions *o, const char *runbook, const json_t *answers)
{
        int code;
        if (wants_plain(o))
                return plain_journey(app, o, runbook, answers);
        AUTO_ERR err = { 0 };
        json_t *questions = NULL;
        if (!app->questions(app->app, runbook, NULL, &questions, &err)) {
                say(&err);
                return 2;
        }
        const json_t *v;
        const char *name;
        json_object_foreach((json_t *)(uintptr_t)answers, name, v) {
                json_t *q;
                size_t i;
                json_array_foreach(questions, i, q)
                        if (str_eq(jx_str(q, "name", NULL), name))
                                json_object_set(q, "default", (json_t *)(uintptr_t)v);
        }
        const char *title = runbook;
        for (const UiJourney *j = app->journeys; j && j->runbook; j++)
                if (str_eq(j->runbook, runbook))
                        title = j->title;
        if (!open_terminal(&code)) {
                json_decref(questions);
                return code < 0 ? plain_journey(app, o, runbook, answers) : code;
        }
        Ui ui = { .app = app, .options = o, .run_decides = true };
        return ui_with(&ui, form_new(&ui, runbook, title, questions));
}

int ui_run(const UiApp *app, const UiOptions *o, const char *run_dir)
{
        int code;
        if (o->json)
                return json_run(app, o, run_dir);
        if (wants_plain(o))
                return plain_run(app, o, run_dir);
        AUTO_ERR err = { 0 };
        RunModel *m = NULL;
        if (!model_open(run_dir, app->who, o->watch, &m, &err)) {
                say(&err);
                return 4;
        }
        model_poll(m, ui_monotonic_ms());
        if (!open_terminal(&code)) {
                model_close(m);
                return code < 0 ? plain_run(app, o, run_dir) : code;
        }
        Ui ui = { .app = app, .options = o, .run_decides = true };
        bool left_before = m->view->last_detach_ms && !m->view->status && m->alive;
        return ui_with(&ui, left_before ? welcome_new(m, true) : run_new(m, true));
}

int ui_log(const UiApp *app, const UiOptions *o, const char *run_dir)
{
        int code;
        if (wants_plain(o))
                return plain_log(app, o, run_dir);
        AUTO_ERR err = { 0 };
        RunModel *m = NULL;
        if (!model_open(run_dir, app->who, true, &m, &err)) {
                say(&err);
                return 4;
        }
        model_poll(m, ui_monotonic_ms());
        if (!open_terminal(&code)) {
                model_close(m);
                return code < 0 ? plain_log(app, o, run_dir) : code;
        }
        Ui ui = { .app = app, .options = o };
        return ui_with(&ui, log_new(m, true, 0));
}
