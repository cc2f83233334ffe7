/* plain_journey.c: home, questions and plan as numbered lines. */
#include <ctype.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "journal/run_dir.h"
#include "ui/plain.h"
#include "ui/plain_ask.h"
#include "ui/screens/common.h"
#include "ui/widgets/answers.h"

static int complain(const Err *err, int code)
{
        fflush(stdout); /* into one file, what was said before comes before */
        fprintf(stderr, "pgsherpa: %s\n", err->message ? err->message : "unknown error");
        if (err->hint)
                fprintf(stderr, "hint: %s\n", err->hint);
        return code;
}

/* Asks one question until its answer can be read; Enter alone takes what was found. */
static bool ask_one(Input *in, const json_t *q, size_t number, size_t n, json_t *answers)
{
        const char *name = jx_str(q, "name", "?"), *found = jx_str(q, "found", NULL);
        json_t *given = jx_get(answers, name);
        AUTO_FREE char *text = answer_text(q, given ? given : jx_get(q, "default"));
        const json_t *choices = answer_choices(q), *c;
        size_t i;
        for (;;) {
                printf("Question %zu of %zu, %s: %s", number, n, name, jx_str(q, "ask", name));
                if (jx_str(q, "help", NULL))
                        printf(" (%s)", jx_str(q, "help", ""));
                printf("\n");
                json_array_foreach(choices, i, c) {
                        AUTO_FREE char *w = jx_words(c);
                        printf("          %s\n", w);
                }
                if (*text)
                        printf("Answer, Enter alone means %s%s%s%s: ", text, found ? " (" : "",
                               found ? found : "", found ? ")" : "");
                else
                        printf("Answer: ");
                if (!input_line(in, NULL))
                        return false;
                const char *line = buf_str(&in->line);
                json_t *value = NULL;
                AUTO_ERR err = { 0 };
                if (!*line && (given || jx_get(q, "default"))) {
                        if (!given)
                                json_object_set(answers, name, jx_get(q, "default"));
                        return true;
                }
                if (answer_parse(q, line, &value, &err)) {
                        json_object_set_new(answers, name, value);
                        return true;
                }
                printf("%s\n", err.message);
        }
}

static void print_plan(const json_t *plan)
{
        const json_t *st, *ph;
        size_t i, k;
        char t[24];
        const json_t *steps = jx_get(plan, "steps");
        const char *phase = NULL;
        printf("\nThe plan, dry run: nothing has been changed. %zu steps", json_array_size(steps));
        if (jx_int(plan, "total_ms", 0))
                printf(", about %s", fmt_duration(jx_int(plan, "total_ms", 0), t));
        if (jx_int(plan, "downtime_ms", 0))
                printf(", applications down for about %s",
                       fmt_duration(jx_int(plan, "downtime_ms", 0), t));
        printf(".\n");
        json_array_foreach(steps, i, st) {
                const char *id = jx_str(st, "phase", "");
                if (!str_eq(id, phase)) {
                        const char *title = id;
                        json_array_foreach(jx_get(plan, "phases"), k, ph)
                                if (str_eq(jx_str(ph, "id", NULL), id))
                                        title = jx_str(ph, "title", id);
                        printf("\nPhase %s.\n", title);
                }
                phase = id;
                int64_t ms = jx_int(st, "estimate_ms", 0);
                AUTO_FREE char *undo = run_view_undo_words(jx_str(st, "undo", ""));
                undo[0] = (char)toupper((unsigned char)undo[0]);
                bool looks = str_eq(jx_str(st, "touches", ""), "nothing");
                printf("Step %d, %s. %s%s%s%s%s%s.%s\n", (int)jx_int(st, "n", 0),
                       jx_str(st, "title", "?"), ms ? fmt_duration(ms, t) : "", ms ? ". " : "",
                       looks ? "" : "Touches ", looks ? "Only looks" : jx_str(st, "touches", "?"),
                       looks ? "" : ". ", looks ? "" : undo,
                       jx_bool(st, "asks", false) ? " Asks you first." : "");
                const json_t *c;
                json_array_foreach(jx_get(st, "commands"), k, c) {
                        AUTO_FREE char *w = jx_words(c);
                        printf("          %s\n", w);
                }
        }
        printf("\n");
}

/* Problems of single answers: said, and those questions forgotten so that they are asked again.
 * False: none belongs to a question, so asking again would not help. */
static bool retry_problems(const json_t *plan, json_t *questions, json_t *answers)
{
        const json_t *p;
        size_t i, k;
        bool any = false;
        json_array_foreach(jx_get(plan, "problems"), i, p) {
                const char *var = jx_str(p, "var", NULL), *hint = jx_str(p, "hint", NULL);
                printf("%s%s%s%s%s\n", var ? var : "", var ? ": " : "", jx_str(p, "text", "?"),
                       hint ? "; " : "", hint ? hint : "");
                json_t *q;
                json_array_foreach(questions, k, q)
                        if (var && str_eq(jx_str(q, "name", NULL), var)) {
                                json_object_del(answers, var);
                                json_object_del(q, "default");
                                any = true;
                        }
        }
        return any;
}

/* Questions, then plan, again while single answers are wrong. */
static int make_plan(const UiApp *app, Input *in, const char *runbook, json_t *questions,
                     json_t *answers, json_t **ret)
{
        AUTO_ERR err = { 0 };
        for (;;) {
                const json_t *q;
                size_t i, n = json_array_size(questions), asked = 0;
                json_array_foreach(questions, i, q) {
                        if (jx_get(answers, jx_str(q, "name", "?")))
                                continue;
                        asked++;
                        if (!ask_one(in, q, i + 1, n, answers)) {
                                const char *name = jx_str(q, "name", "?");
                                printf("\n"
                                       "Nobody answers \"%s\"; nothing was started. --var %s=VALUE "
                                       "answers it beforehand.\n",
                                       name, name);
                                return 2;
                        }
                }
                if (!app->plan(app->app, runbook, answers, ret, &err))
                        return complain(&err, 3);
                if (jx_get(*ret, "steps"))
                        return 0;
                bool again = retry_problems(*ret, questions, answers) && !(in->eof && !asked);
                json_decref(*ret);
                *ret = NULL;
                if (!again)
                        return 2;
        }
}

static int journey(const UiApp *app, const UiOptions *o, Input *in, const char *runbook,
                   const json_t *server, const json_t *given, char **ret_dir)
{
        static const Option start[] = { { "y", "start", "gates still ask" },
                                        { "n", "not now", "nothing is started" } };
        AUTO_ERR err = { 0 };
        AUTO_JSON questions = NULL;
        AUTO_JSON plan = NULL;
        AUTO_JSON answers = given ? json_deep_copy(given) : json_object();
        if (!app->questions(app->app, runbook, server, &questions, &err))
                return complain(&err, 2);
        int code = make_plan(app, in, runbook, questions, answers, &plan);
        if (code)
                return code;
        if (o->json) {
                AUTO_FREE char *text = jx_dump(plan);
                puts(text);
        } else {
                print_plan(plan);
        }
        if (!o->yes && ask_options(in, NULL, start, 2, 1) != 0) {
                printf("Nothing was started.\n");
                return 130;
        }
        if (!app->start(app->app, runbook, answers, jx_str(plan, "plan_sha256", NULL), ret_dir,
                        &err))
                return complain(&err, 3);
        return 0;
}

int plain_journey(const UiApp *app, const UiOptions *o, const char *runbook, const json_t *answers)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *dir = NULL;
        Input in;
        if (!input_open(&in, o, &err))
                return complain(&err, 4);
        int code = journey(app, o, &in, runbook, NULL, answers, &dir);
        /* The run reads its answers from the same place, after those of the questions. */
        if (!code)
                code = plain_run_with(app, o, dir, &in);
        input_done(&in);
        return code;
}

int plain_home(const UiApp *app, const UiOptions *o)
{
        AUTO_ERR err = { 0 };
        AUTO_ARENA a = arena_new();
        RunSummary *runs = NULL;
        size_t n = 0, n_runs = 0;
        Option list[40];
        AUTO_FREE char *dir = NULL;
        Input in;
        if (!input_open(&in, o, &err) || !runs_list(a, &runs, &n_runs, &err))
                return complain(&err, 4);
        printf("pgsherpa. Runs and journeys:\n");
        for (size_t i = 0; i < n_runs && n < LEN(list) - 8; i++)
                list[n++] = (Option){ runs[i].id,
                                      arena_printf(a, "run %s, %s", runs[i].id,
                                                   runs[i].title ? runs[i].title : ""),
                                      runs[i].damaged ? "DAMAGED" : runs[i].status };
        size_t first = n;
        for (const UiJourney *j = app->journeys; j && j->runbook && n < LEN(list) - 1; j++)
                list[n++] = (Option){ j->runbook, j->title, j->about };
        list[n] = (Option){ "q", "leave", NULL };
        int k = ask_options(&in, NULL, list, n + 1, (int)n), code = 0;
        if (k >= 0 && k < (int)first) {
                code = plain_run_with(app, o, runs[k].dir, &in);
        } else if (k >= 0 && k < (int)n) {
                code = journey(app, o, &in, list[k].key, NULL, NULL, &dir);
                if (!code)
                        code = plain_run_with(app, o, dir, &in);
        }
        input_done(&in);
        return code;
}

int plain_log(const UiApp *app, const UiOptions *o, const char *run_dir)
{
        static const char *const words[] = { "", "done", "warning", "ERROR", "QUESTION" };
        AUTO_ERR err = { 0 };
        AUTO_VIEW v = NULL;
        char at[32];
        if (!run_view_load(run_dir, &v, &err))
                return complain(&err, 4);
        printf("Log of run %s, %s.\n", v->run ? v->run : "", v->title ? v->title : "");
        for (size_t i = 0; i < v->n_lines; i++) {
                const ViewLine *l = &v->lines[i];
                printf("%s  ", clock_hms(l->t_ms, at));
                if (l->n)
                        printf("step %d  ", l->n);
                printf("%s%s%s\n", words[l->level], *words[l->level] ? ": " : "",
                       l->text ? l->text : "");
        }
        (void)app;
        (void)o;
        return 0;
}
