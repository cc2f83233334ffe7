/* verb_plan.c: `pgsherpa plan RUNBOOK`: the exact SQL and commands; touches nothing. */
#include <stdio.h>

#include "app/launch/journeys.h"
#include "app/launch/launch.h"
#include "app/cli/options.h"
#include "app/cli/verb.h"
#include "base/fmt.h"

static void print_lines(const char *lead, const json_t *lines)
{
        size_t i;
        json_t *line;
        json_array_foreach(lines, i, line)
                printf("%s%s\n", lead, json_string_value(line));
}

static void print_text(const json_t *plan)
{
        size_t i;
        json_t *s;
        const char *phase = "";
        printf("%s: nothing has been changed.\n", jx_str(plan, "title", ""));
        json_array_foreach(jx_get(plan, "steps"), i, s) {
                if (!str_eq(phase, jx_str(s, "phase", "")))
                        printf("\n== %s ==\n", phase = jx_str(s, "phase", ""));
                const char *touches = jx_str(s, "touches", "nothing");
                bool asks = jx_bool(s, "asks", false);
                AUTO_FREE char *undo = run_view_undo_words(jx_str(s, "undo", ""));
                AUTO_FREE char *does =
                        str_eq(touches, "nothing")
                                ? xstrdup(asks ? "asks you, changes nothing" : "only looks")
                                : xasprintf("touches %s, %s", touches, undo);
                printf("%3d %s %s  [%s; %s]\n", (int)jx_int(s, "n", 0), asks ? "?" : " ",
                       jx_str(s, "title", ""), jx_str(s, "kind", ""), does);
                print_lines("        ", jx_get(s, "commands"));
                print_lines("        undo: ", jx_get(s, "undo_commands"));
        }
        printf("\nplan sha256 %s\n", jx_str(plan, "plan_sha256", ""));
}

static int run(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_OPTIONS o = { 0 };
        if (!options_read(&o, argc, argv, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (o.n_words != 1)
                return verb_usage("plan", "wants one runbook");
        AUTO_FREE char *path = NULL;
        AUTO_PROBLEMS problems = { 0 };
        AUTO_JOURNEY j = { 0 };
        if (!journeys_find(o.words[0], &path, &err))
                return verb_fail(&err, EXIT_USAGE);
        bool ok = journey_open(path, o.vars, &j, &problems, &err);
        problems_print(&problems);
        if (!ok)
                return err.kind ? verb_fail(&err, verb_code(&err)) : EXIT_USAGE;
        AUTO_JSON plan = NULL;
        if (!launch_plan(&j, o.decisions, &plan, &err))
                return verb_fail(&err, verb_code(&err));
        if (o.ui.json || str_eq(o.format, "json")) {
                AUTO_FREE char *text = jx_dump(plan);
                puts(text);
        } else {
                print_text(plan);
        }
        return EXIT_DONE;
}

const Verb verb_plan = { .name = "plan",
                         .args = "RUNBOOK [--var NAME=VALUE].. [--json]",
                         .summary = "show every command and statement, touch nothing",
                         .run = run };
