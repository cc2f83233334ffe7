/* verb_explain.c: `pgsherpa explain [KIND|RULE|PART]`: what one line of a runbook can do. */
#include <stdio.h>

#include "app/launch/journeys.h"
#include "app/cli/verb.h"
#include "engine/step.h"
#include "runbook/explain.h"

static int list(void)
{
        for (KindTable k = journeys_kinds(); *k; k++)
                printf("  %-24s %s\n", (*k)->name, (*k)->summary);
        return EXIT_DONE;
}

/* A part is a kind of the runbooks' own; *err says that there is no such kind. */
static int explain_part(const char *name, Err *err)
{
        AUTO_ERR none = { 0 };
        AUTO_BUF b = buf_init(1 << 20);
        if (!runbook_explain_part(name, journeys_part_dirs(), &b, &none))
                return verb_fail(&none, EXIT_USAGE);
        if (b.len == 0)
                return verb_fail(err, EXIT_USAGE);
        fputs(buf_str(&b), stdout);
        return EXIT_DONE;
}

static int run(int argc, char **argv)
{
        if (argc < 2)
                return list();
        const char *rule = lint_rule_explain(argv[1]);
        if (rule) {
                puts(rule);
                return EXIT_DONE;
        }
        AUTO_ERR err = { 0 };
        if (!step_kind_find(argv[1], &err))
                return explain_part(argv[1], &err);
        for (KindTable k = journeys_kinds(); *k; k++) {
                if (!str_eq((*k)->name, argv[1]))
                        continue;
                AUTO_BUF b = buf_init(1 << 20);
                runbook_explain_kind(*k, &b);
                fputs(buf_str(&b), stdout);
        }
        return EXIT_DONE;
}

const Verb verb_explain = { .name = "explain",
                            .args = "[KIND|RULE|PART]",
                            .summary = "what a step kind does, its parameters and results",
                            .run = run };
