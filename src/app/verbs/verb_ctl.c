/* verb_ctl.c: `pgsherpa ctl RUN ..`: a run, for scripts. One line in, one line out. */
#include <errno.h>
#include <stdio.h>

#include "app/cli/options.h"
#include "app/launch/engine_request.h"
#include "app/launch/ui_app.h"
#include "app/cli/verb.h"
#include "base/text.h"
#include "journal/run_dir.h"
#include "journal/run_view.h"

typedef struct Ctl {
        const char *dir, *who;
        RunView *view;
        bool alive;
        int argc;
        char **argv; /* behind the word */
} Ctl;

static int say(const Ctl *c, json_t *command)
{
        AUTO_ERR err = { 0 };
        AUTO_JSON reply = NULL;
        if (c->view->status && !c->alive) {
                json_decref(command);
                err_set(&err, ERR_USER, "run %s is closed (%s): there is nobody to tell",
                        c->view->run, c->view->status);
                bool left = str_eq(c->view->status, "failed") || str_eq(c->view->status, "aborted");
                err_hint(&err,
                         left ? "`pgsherpa rollback %s` puts back what it did"
                              : "`pgsherpa log %s` shows what happened",
                         c->view->run);
                return verb_fail(&err, EXIT_REFUSED);
        }
        if (!engine_request(c->dir, c->who, command, &reply, &err))
                return verb_fail(&err, err.kind == ERR_USER ? EXIT_REFUSED : EXIT_UNKNOWN);
        const char *message = jx_str(reply, "message", NULL);
        if (message) {
                AUTO_FREE char *clean = text_clean_str(message);
                puts(clean);
        }
        return EXIT_DONE;
}

static json_t *gate_json(const ViewGate *g)
{
        json_t *j = json_object(), *choices = json_array();
        jx_set_int(j, "number", g->number);
        jx_set_str(j, "kind", g->kind);
        jx_set_str(j, "step", g->step);
        jx_set_str(j, "title", g->title);
        jx_set_str(j, "text", g->text);
        for (size_t i = 0; i < g->n_choices; i++) {
                json_t *choice = json_object();
                jx_set_str(choice, "key", g->choices[i].key);
                jx_set_str(choice, "label", g->choices[i].label);
                json_array_append_new(choices, choice);
        }
        jx_set(j, "choices", choices);
        json_t *lines = json_array();
        for (size_t i = 0; i < g->n_lines; i++)
                jx_append_str(lines, g->lines[i]);
        jx_set(j, "lines", lines);
        if (g->suggested)
                jx_set_str(j, "suggested", g->suggested);
        return j;
}

static int status(const Ctl *c)
{
        const RunView *v = c->view;
        AUTO_JSON j = json_object();
        bool asks = !v->status && v->gate.open;
        jx_set_str(j, "run", v->run);
        jx_set_str(j, "title", v->title);
        jx_set_str(j, "status",
                   v->status   ? v->status
                   : !c->alive ? "stopped"
                   : asks      ? "waiting"
                               : "running");
        jx_set_bool(j, "engine", c->alive);
        jx_set_int(j, "steps", (int64_t)v->n_steps);
        if (v->current >= 0 && !v->status) {
                jx_set_int(j, "n", v->steps[v->current].n);
                jx_set_str(j, "step", v->steps[v->current].id);
        }
        if (asks)
                jx_set(j, "gate", gate_json(&v->gate));
        AUTO_FREE char *text = jx_dump(j);
        puts(text);
        return verb_run_status(v, c->alive);
}

/* Only the question one has read is answered: its number is part of the command. Exit code, or
 * -1. */
static int is_open(const Ctl *c, const char *word)
{
        AUTO_ERR err = { 0 };
        char *end = NULL;
        const ViewGate *g = &c->view->gate;
        errno = 0;
        long long number = strtoll(word, &end, 10);
        if (*end || errno || number < 1)
                return verb_usage("ctl", "GATE is the number that `ctl RUN status` shows");
        if (g->open && g->number == number)
                return -1;
        if (g->open)
                err_set(&err, ERR_USER, "question %lld is not open, question %lld is", number,
                        (long long)g->number);
        else
                err_set(&err, ERR_USER, "question %lld is not open, no question is", number);
        err_hint(&err, "read it first: pgsherpa ctl %s status", c->view->run);
        return verb_fail(&err, EXIT_REFUSED);
}

static int answer(const Ctl *c)
{
        const ViewGate *g = &c->view->gate;
        if (c->argc < 2 || c->argc > 3)
                return verb_usage("ctl", "answer wants GATE KEY [TEXT]");
        int code = is_open(c, c->argv[0]);
        if (code != -1)
                return code;
        if (!text_is_utf8(c->argv[1], strlen(c->argv[1])) ||
            (c->argc == 3 && !text_is_utf8(c->argv[2], strlen(c->argv[2]))))
                return verb_usage("ctl", "the answer is not valid UTF-8");
        json_t *m = json_pack("{s:s,s:I,s:I,s:s}", "cmd", "answer", "gate", (json_int_t)g->number,
                              "seq", (json_int_t)g->opened_seq, "answer", c->argv[1]);
        if (c->argc == 3)
                jx_set_str(m, "text", c->argv[2]);
        return say(c, m);
}

/* One line of a checklist, or all of them. */
static int tick(const Ctl *c, bool ticked)
{
        AUTO_ERR err = { 0 };
        const ViewGate *g = &c->view->gate;
        const char *word = ticked ? "tick" : "untick";
        if (c->argc != 2)
                return verb_usage("ctl", "%s wants GATE and the number of a line, or `all`", word);
        int code = is_open(c, c->argv[0]);
        if (code != -1)
                return code;
        if (ask_kind_of(g->kind) != ASK_MANUAL) {
                err_set(&err, ERR_USER, "question %lld is no checklist", (long long)g->number);
                err_hint(&err, "pgsherpa ctl %s answer %lld KEY", c->view->run,
                         (long long)g->number);
                return verb_fail(&err, EXIT_REFUSED);
        }
        char *end;
        bool all = str_eq(c->argv[1], "all");
        long line = all ? 1 : strtol(c->argv[1], &end, 10);
        if (!all && (*end || line < 1 || (size_t)line > g->n_lines))
                return verb_usage("ctl", "the checklist has %zu lines: a number from 1, or `all`",
                                  g->n_lines);
        for (size_t i = all ? 0 : (size_t)line - 1; i < (all ? g->n_lines : (size_t)line); i++) {
                code = say(c, json_pack("{s:s,s:s,s:i,s:b}", "cmd", "tick", "step",
                                        g->step ? g->step : "", "item", (int)i, "ticked", ticked));
                if (code != EXIT_DONE)
                        return code;
        }
        return EXIT_DONE;
}

/* "+1", "-2": more or fewer workers of the running step. */
static int jobs(const Ctl *c)
{
        char *end = NULL;
        const char *by = c->argc == 1 ? c->argv[0] : "";
        long n = strtol(by, &end, 10);
        if ((*by != '+' && *by != '-') || end == by || *end || n == 0 || n < -32 || n > 32)
                return verb_usage("ctl",
                                  "jobs wants how many workers more or fewer, such as +1 or -1");
        return say(c, json_pack("{s:s,s:i}", "cmd", "jobs", "delta", (int)n));
}

/* The run's name twice, as nobody aborts the wrong one by a slip of the history. */
static int abort_run(const Ctl *c)
{
        AUTO_ERR err = { 0 };
        if (c->argc == 1 && str_eq(c->argv[0], c->view->run))
                return say(c, json_pack("{s:s,s:s}", "cmd", "abort", "run", c->view->run));
        err_set(&err, ERR_USER, "abort wants the run's name once more");
        err_hint(&err, "pgsherpa ctl %s abort %s", c->view->run, c->view->run);
        return verb_fail(&err, EXIT_USAGE);
}

static int word(const Ctl *c, const Options *o, const char *name)
{
        if (str_eq(name, "status"))
                return status(c);
        if (str_eq(name, "answer"))
                return answer(c);
        if (str_eq(name, "tick") || str_eq(name, "untick"))
                return tick(c, str_eq(name, "tick"));
        if (str_eq(name, "jobs"))
                return jobs(c);
        if (str_eq(name, "abort"))
                return abort_run(c);
        if (str_eq(name, "pause") || str_eq(name, "continue"))
                return say(c, json_pack("{s:s}", "cmd", name));
        if (!str_eq(name, "tail"))
                return verb_usage("ctl", "wants one of status, pause, continue, answer, tick, "
                                         "untick, jobs, tail, abort");
        UiApp app = ui_app_new(o);
        UiOptions ui = { .json = true, .watch = true };
        return ui_run(&app, &ui, c->dir);
}

static int run(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_OPTIONS o = { 0 };
        AUTO_FREE char *dir = NULL;
        if (argc < 3)
                return verb_usage("ctl", "wants a run and a word");
        /* An answer's text may begin with a dash: nothing here is an option. */
        if (!options_read(&o, 1, argv, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (!run_dir_find(argv[1], &dir, &err))
                return verb_fail(&err, verb_code(&err));
        AUTO_VIEW v = NULL;
        if (!run_view_load(dir, &v, &err))
                return verb_fail(&err, EXIT_NO);
        UiApp app = ui_app_new(&o);
        Ctl c = { .dir = dir,
                  .who = app.who,
                  .view = v,
                  .alive = run_lock_held(dir),
                  .argc = argc - 3,
                  .argv = argv + 3 };
        return word(&c, &o, argv[2]);
}

const Verb verb_ctl = {
        .name = "ctl",
        .args = "RUN status | RUN pause | RUN continue | RUN answer GATE KEY [TEXT] | RUN "
                "tick|untick GATE LINE|all | RUN jobs +N|-N | RUN tail | RUN abort RUN",
        .summary = "a run, for scripts: JSON out, exit codes as `status`",
        .run = run,
};
