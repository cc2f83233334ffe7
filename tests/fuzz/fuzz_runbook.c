/* fuzz_runbook.c: any bytes as a runbook, as a part of one, and as a foreign compose file.
 *
 * What must hold: no crash, no leak, one second and 64 MiB at most (-timeout, -rss_limit_mb);
 * a file that is refused says why; every scalar's bytes lie inside the file. */
#include <stdio.h>
#include <stdlib.h>

#include "../unit/runbook/fake_kinds.h"
#include "base/io.h"
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
        Runbook *rb = runbook_load_text("t.yaml", bytes, size, NULL, fake_kinds, &problems, &err);
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

/* The same bytes as the part of a runbook that uses it twice. */
static void as_part(const char *bytes, size_t size)
{
        static char dir[] = "/tmp/fuzz_parts.XXXXXX";
        static const char *const dirs[] = { dir, NULL };
        static char *path;
        AUTO_ERR err = { 0 };
        AUTO_PROBLEMS problems = { 0 };
        AUTO_FREE char *text = with_steps("  - use: {part: p, with: {id: a, each: {in: [a, b]}}}\n"
                                          "  - use: p\n");
        if (!path && mkdtemp(dir))
                path = xasprintf("%s/p.yaml", dir);
        if (!path || !io_replace_file(path, bytes, size, 0600, &err))
                abort();
        Runbook *rb =
                runbook_load_text("t.yaml", text, strlen(text), dirs, fake_kinds, &problems, &err);
        if (!rb && !problems.errors)
                abort();
        runbook_free(rb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        as_part((const char *)data, size);
        as_compose((const char *)data, size);
        as_runbook((const char *)data, size);
        return 0;
}
