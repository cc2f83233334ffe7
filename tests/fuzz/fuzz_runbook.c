/* fuzz_runbook.c: any bytes as a runbook, and as a foreign compose file.
 *
 * What must hold: no crash, no leak, one second and 64 MiB at most (-timeout, -rss_limit_mb);
 * a file that is refused says why; every scalar's bytes lie inside the file. */
#include <stdio.h>

#include "../unit/runbook/fake_kinds.h"
#include "runbook/plan.h"
#include "yaml/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_bytes(const YamlNode *node, size_t size)
{
        if (node->start > node->end || node->end > size)
                abort();
        for (const YamlNode *c = node->first; c; c = c->next)
                check_bytes(c, size);
}

static void as_compose(const char *bytes, size_t size)
{
        AUTO_ARENA a = arena_new();
        AUTO_ERR err = { 0 };
        YamlNode *root;
        if (yaml_parse(a, "compose.yaml", bytes, size, YAML_FOREIGN, &root, &err))
                check_bytes(root, size);
        else if (!err.message)
                abort();
}

static void as_runbook(const char *bytes, size_t size)
{
        AUTO_PROBLEMS problems = { 0 };
        AUTO_ERR err = { 0 };
        AUTO_JSON vars = NULL;
        Runbook *rb = runbook_load_text("t.yaml", bytes, size, fake_kinds, &problems, &err);
        if (!rb && !problems.errors)
                abort();
        if (rb && runbook_vars(rb, NULL, &vars, &problems)) {
                Plan *plan = plan_new(rb, vars, NULL, &err);
                for (size_t i = 0; plan && i < plan->n; i++) {
                        const Step *s = plan->steps[i].def;
                        const Scope scope = { .vars = vars,
                                              .item = plan->steps[i].item,
                                              .planning = true };
                        AUTO_JSON with = NULL;
                        AUTO_ERR why = { 0 };
                        if (!template_eval(s->with, s->kind->params, &scope, &with, &why) &&
                            !why.message)
                                abort();
                }
                plan_free(plan);
                err_clear(&err);
        }
        runbook_free(rb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        as_compose((const char *)data, size);
        as_runbook((const char *)data, size);
        return 0;
}
