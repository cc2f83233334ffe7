/* load_gate.c: where a run waits for a person, and what becomes of errors. */
#include "runbook/load/load.h"
#include "runbook/expr/pattern.h"

#include <ctype.h>

static void load_show(Loader *l, const YamlNode *node, GateSpec *g)
{
        static const char *const words[] = { "plan", "undo",  "budget",
                                             "diff", "meter", "data_loss_after_this",
                                             NULL };
        if (!node)
                return;
        size_t n = node->kind == YAML_LIST ? node->n : 1;
        const char **list = arena_new_array(l->arena, const char *, n);
        const YamlNode *c = node->kind == YAML_LIST ? node->first : node;
        for (; c && g->n_show < n; c = c == node ? NULL : c->next) {
                bool known = false;
                for (size_t i = 0; words[i]; i++)
                        known |= c->kind == YAML_SCALAR && str_eq(words[i], c->text);
                if (!known)
                        load_problem(l, c, "E-TYPE",
                                     "one of plan, undo, budget, diff, meter, "
                                     "data_loss_after_this",
                                     "a gate cannot show `%.40s`", c->text);
                else
                        list[g->n_show++] = arena_strdup(l->arena, c->text);
        }
        g->show = list;
}

static void load_gate(Loader *l, const YamlNode *node, GateSpec *g)
{
        static const char *const keys[] = { "type", "text", "target", "step",
                                            "wait", "show", "once",   NULL };
        static const char *const words[] = { "yes",        "word",      "name-of", "after",
                                             "two-person", "flag-file", NULL };
        *g = (GateSpec){ .loc = load_loc(l, node) };
        if (!load_map(l, node, "a gate", keys, NULL))
                return;
        const YamlNode *type = yaml_get(node, "type");
        load_text_required(l, node, "type", "a gate");
        int kind = load_word(l, node, "type", words, 0);
        if (kind > 3)
                load_problem(l, type, "E-LATER", "use yes, word, name-of or after",
                             "gates of type %s are not in this version of pgsherpa", words[kind]);
        g->kind = kind > 3 ? GATE_YES : (GateKind)kind;
        g->once = load_bool(l, node, "once", false);
        load_show(l, yaml_get(node, "show"), g);
        if (g->kind == GATE_WORD) {
                load_text_required(l, node, "text", "a gate of type word");
                if (yaml_get(node, "text"))
                        g->text = load_template(l, yaml_get(node, "text"), "text",
                                                LOAD_TYPE(PARAM_STRING));
        } else if (g->kind == GATE_NAME_OF) {
                g->target = load_text_required(l, node, "target", "a gate of type name-of");
        } else if (g->kind == GATE_AFTER) {
                g->step = load_text_required(l, node, "step", "a gate of type after");
                const char *wait = load_text_required(l, node, "wait", "a gate of type after");
                if (wait && strstr(wait, "${"))
                        g->wait = load_template(l, yaml_get(node, "wait"), "wait",
                                                LOAD_TYPE(PARAM_DURATION));
                else
                        g->wait_ms = load_number(l, node, "wait", PARAM_DURATION, 0);
        }
}

void load_gates(Loader *l, const YamlNode *gate, const GateSpec **ret, size_t *ret_n)
{
        static const char *const keys[] = { "before", NULL };
        *ret = NULL;
        *ret_n = 0;
        if (!gate || !load_map(l, gate, "gate", keys, NULL))
                return;
        const YamlNode *before = yaml_get(gate, "before");
        if (!before) {
                load_problem(l, gate, "E-KEY", NULL, "gate needs `before`");
                return;
        }
        bool list = before->kind == YAML_LIST;
        GateSpec *all = arena_new_array(l->arena, GateSpec, list ? before->n : 1);
        *ret = all;
        if (!list)
                load_gate(l, before, &all[(*ret_n)++]);
        for (const YamlNode *c = list ? before->first : NULL; c; c = c->next)
                load_gate(l, c, &all[(*ret_n)++]);
}

/* A class (2) or a whole code (5), as PostgreSQL manual appendix A writes them. */
static bool sqlstate_ok(const char *s)
{
        size_t n = strlen(s);
        for (size_t i = 0; i < n; i++)
                if (!isdigit((unsigned char)s[i]) && !isupper((unsigned char)s[i]))
                        return false;
        return n == 5 || n == 2;
}

static void load_error_rule(Loader *l, const YamlNode *node, ErrorRule *r)
{
        static const char *const keys[] = {
                "sqlstate", "match", "max", "then", "wait", "note", NULL
        };
        static const char *const words[] = { "ask",       "fail",       "retry", "tolerate",
                                             "undo-step", "undo-phase", NULL };
        AUTO_ERR err = { 0 };
        *r = (ErrorRule){ .loc = load_loc(l, node) };
        if (!load_map(l, node, "a rule of on_error", keys, NULL))
                return;
        r->sqlstate = load_text(l, node, "sqlstate");
        if (r->sqlstate && !sqlstate_ok(r->sqlstate))
                load_problem(l, yaml_get(node, "sqlstate"), "E-TYPE",
                             "five digits or capital letters such as \"42710\", or a class of two",
                             "`%.40s` is not an SQLSTATE", r->sqlstate);
        r->match = load_text(l, node, "match");
        if (r->match && !pattern_check(r->match, &err))
                load_problem_err(l, load_loc(l, yaml_get(node, "match")), "E-TYPE", NULL, &err);
        int64_t max = load_number(l, node, "max", PARAM_INT, 0);
        if (max < 0 || max > 1000000 || (yaml_get(node, "max") && max == 0))
                load_problem(l, yaml_get(node, "max"), "E-TYPE", "a number from 1 to 1000000",
                             "`max` cannot be %lld", (long long)max);
        else
                r->max = (int)max;
        load_text_required(l, node, "then", "a rule of on_error");
        r->then = (OnError)load_word(l, node, "then", words, 0);
        r->wait_ms = load_number(l, node, "wait", PARAM_DURATION, 0);
        r->note = load_text(l, node, "note");
}

void load_error_rules(Loader *l, const YamlNode *list, const ErrorRule **ret, size_t *ret_n)
{
        *ret = NULL;
        *ret_n = 0;
        if (!list || !load_is(l, list, YAML_LIST, "on_error"))
                return;
        ErrorRule *all = arena_new_array(l->arena, ErrorRule, list->n);
        *ret = all;
        for (const YamlNode *c = list->first; c; c = c->next) {
                size_t i = (*ret_n)++;
                load_error_rule(l, c, &all[i]);
                if (i && !all[i - 1].sqlstate && !all[i - 1].match)
                        load_problem(l, c, "E-KEY", "move it before the rule without a condition",
                                     "this rule is never reached: the one before matches all");
        }
}
