/* names.c: does every name in a runbook lead somewhere, before anything starts?
 *
 * facts are checked in the order of the run: a step sees what steps before it captured.
 * Targets and secrets are opened when they are first used, so they may name any fact. */
#include "base/clock.h"
#include "base/text.h"
#include "runbook/check/names.h"
#include "runbook/place_spec.h"
#include "runbook/types.h"

static void visit(Names *ns, const ExprNode *n, Loc base);

void names_report(Names *ns, Loc at, const char *const *known, size_t n, const char *word,
                  const char *what)
{
        const char *near = problems_full(ns->problems) ? NULL : text_nearest(word, known, n);
        AUTO_FREE char *hint = near ? xasprintf("did you mean `%s`?", near) : NULL;
        problems_add(ns->problems, at, "E-NAME", hint, "%s `%.60s`", what, word);
}

Loc names_loc(Loc base, int col)
{
        base.col += col - 1;
        return base;
}

static Loc seg_loc(Loc base, const ExprSeg *s)
{
        return names_loc(base, s->col);
}

/* ---- one namespace after the other ---- */

static bool deeper_ok(ParamType t)
{
        return t == PARAM_MAP || t == PARAM_LIST || t == PARAM_ANY;
}

static void check_deeper(Names *ns, const ExprSeg *name, ParamType type, Loc base)
{
        if (name->next && type == PARAM_LIST && name->next->kind == SEG_KEY)
                problems_add(ns->problems, seg_loc(base, name->next), "E-NAME",
                             "write [0] for its first item, .* for all",
                             "`%s` is a list and its items have no names", name->key);
        else if (name->next && !deeper_ok(type))
                problems_add(ns->problems, seg_loc(base, name->next), "E-NAME", NULL,
                             "`%s` is of type %s and has nothing inside", name->key,
                             param_type_name(type));
}

static void check_record(Names *ns, const ExprSeg *s, const char *record, Loc base)
{
        const char *known[32];
        size_t n = 0;
        const ParamSpec *fields = record_fields(record);
        if (!s || !fields || s->kind != SEG_KEY)
                return;
        for (; fields[n].name; n++) {
                known[n] = fields[n].name;
                if (str_eq(s->key, known[n]))
                        return;
        }
        AUTO_FREE char *what = xasprintf("a %s has no", record);
        names_report(ns, seg_loc(base, s), known, n, s->key, what);
}

static void check_var(Names *ns, const ExprSeg *s, Loc base)
{
        AUTO_FREE const char **known = xcalloc(ns->rb->n_vars + 1, sizeof *known);
        for (size_t i = 0; i < ns->rb->n_vars; i++) {
                const Var *v = &ns->rb->vars[i];
                known[i] = v->name;
                if (!str_eq(v->name, s->key))
                        continue;
                check_deeper(ns, s, v->type, base);
                if (s->next && s->next->kind != SEG_KEY && v->record)
                        check_record(ns, s->next->next, v->record, base);
                return;
        }
        names_report(ns, seg_loc(base, s), known, ns->rb->n_vars, s->key, "there is no variable");
}

void names_check_target(Names *ns, const char *name, Loc at)
{
        AUTO_FREE const char **known = xcalloc(ns->rb->n_targets + 1, sizeof *known);
        for (size_t i = 0; i < ns->rb->n_targets; i++) {
                known[i] = ns->rb->targets[i].name;
                if (str_eq(known[i], name))
                        return;
        }
        names_report(ns, at, known, ns->rb->n_targets, name, "there is no target");
}

static void check_secret_name(Names *ns, const char *name, Loc at)
{
        AUTO_FREE const char **known = xcalloc(ns->rb->n_secrets + 1, sizeof *known);
        for (size_t i = 0; i < ns->rb->n_secrets; i++) {
                known[i] = ns->rb->secrets[i].name;
                if (str_eq(known[i], name))
                        return;
        }
        names_report(ns, at, known, ns->rb->n_secrets, name, "there is no secret");
}

const Step *names_step(const Names *ns, const char *id, size_t *ret_index)
{
        for (size_t i = 0; i < ns->n_steps; i++) {
                if (!str_eq(ns->steps[i]->id, id))
                        continue;
                *ret_index = i;
                return ns->steps[i];
        }
        return NULL;
}

const Step *names_check_step(Names *ns, const char *id, Loc at)
{
        size_t index;
        const Step *step = names_step(ns, id, &index);
        if (step)
                return step;
        AUTO_FREE const char **known = xcalloc(ns->n_steps + 1, sizeof *known);
        for (size_t i = 0; i < ns->n_steps; i++)
                known[i] = ns->steps[i]->id;
        names_report(ns, at, known, ns->n_steps, id, "there is no step");
        return NULL;
}

const ParamSpec *names_result(const Step *step, const char *name)
{
        const ParamSpec *row = step->kind ? step->kind->results : NULL;
        for (; row && row->name; row++)
                if (str_eq(row->name, name))
                        return row;
        return NULL;
}

/* A captured `result.x` is as deep as the row of the kind says. */
static ParamType capture_type(const Step *step, const Capture *c)
{
        const ExprNode *root = c->value ? c->value->root : NULL;
        if (!root || root->op != X_NAME || !str_eq(root->name->key, "result") ||
            !root->name->next || root->name->next->kind != SEG_KEY || root->name->next->next)
                return PARAM_ANY;
        const ParamSpec *row = names_result(step, root->name->next->key);
        return row ? row->type : PARAM_ANY;
}

static void check_fact_of(Names *ns, const Step *step, const ExprSeg *s, Loc base)
{
        AUTO_FREE const char **known = xcalloc(step->n_capture + 1, sizeof *known);
        for (size_t i = 0; i < step->n_capture; i++) {
                known[i] = step->capture[i].fact;
                if (!str_eq(known[i], s->key))
                        continue;
                check_deeper(ns, s, capture_type(step, &step->capture[i]), base);
                return;
        }
        AUTO_FREE char *what = xasprintf("the step `%s` captures no", step->id);
        names_report(ns, seg_loc(base, s), known, step->n_capture, s->key, what);
}

static void check_fact(Names *ns, const ExprSeg *s, Loc base)
{
        size_t index;
        const Step *step = names_check_step(ns, s->key, seg_loc(base, s));
        if (!step || !names_step(ns, s->key, &index))
                return;
        if (index >= ns->seen) {
                problems_add(ns->problems, seg_loc(base, s), "E-NAME",
                             "only steps before this one have facts",
                             "the step `%s` has not run yet here", s->key);
                return;
        }
        const ExprSeg *fact = s->next;
        if (step->each) {
                /* facts.ID.item.x, facts.ID[expression].x, facts.ID.*.x */
                if (fact && !fact->next)
                        problems_add(ns->problems, seg_loc(base, fact), "E-NAME",
                                     "write facts.ID[item].name or facts.ID.*.name",
                                     "`%s` ran once for each item", s->key);
                fact = fact ? fact->next : NULL;
        } else if (fact && fact->kind != SEG_KEY) {
                problems_add(ns->problems, seg_loc(base, fact), "E-NAME", NULL,
                             "`%s` is not a foreach: write facts.%s.name", s->key, s->key);
                return;
        }
        if (fact && fact->kind == SEG_KEY)
                check_fact_of(ns, step, fact, base);
}

static void check_result(Names *ns, const ExprSeg *s, Loc base)
{
        const char *known[128];
        size_t n = 0;
        if (!ns->step || !ns->step->kind)
                return;
        const ParamSpec *row = ns->step->kind->results;
        for (; row && row->name && n < LEN(known); row++) {
                known[n++] = row->name;
                if (!str_eq(row->name, s->key))
                        continue;
                check_deeper(ns, s, row->type, base);
                return;
        }
        AUTO_FREE char *what = xasprintf("`%s` has no result", ns->step->kind->name);
        names_report(ns, seg_loc(base, s), known, n, s->key, what);
}

static void check_item(Names *ns, const ExprSeg *item, Loc base)
{
        const ExprNode *in = ns->step && ns->step->each_expr ? ns->step->each_expr->root : NULL;
        const ExprSeg *var = in && in->op == X_NAME ? in->name->next : NULL;
        if (!item->next || !var || !str_eq(in->name->key, "vars") || var->next)
                return;
        for (size_t i = 0; i < ns->rb->n_vars; i++) {
                const Var *v = &ns->rb->vars[i];
                if (!str_eq(v->name, var->key) || v->type != PARAM_LIST)
                        continue;
                if (v->record)
                        check_record(ns, item->next, v->record, base);
                else
                        check_deeper(ns, item, v->item, base);
        }
}

static void check_run(Names *ns, const ExprSeg *s, Loc base)
{
        static const char *const known[] = { "id", "dir", "started", "mark" };
        for (size_t i = 0; i < LEN(known); i++)
                if (str_eq(known[i], s->key))
                        return;
        names_report(ns, seg_loc(base, s), known, LEN(known), s->key, "the run has no");
}

static bool needs_more(Names *ns, const ExprSeg *s, Loc base)
{
        if (s->next && s->next->kind == SEG_KEY)
                return true;
        problems_add(ns->problems, seg_loc(base, s), "E-NAME", NULL, "`%s` needs a name: %s.name",
                     s->key, s->key);
        return false;
}

static void check_name(Names *ns, const ExprNode *n, Loc base)
{
        static const char *const known[] = { "vars", "targets", "facts",  "run",
                                             "item", "result",  "secrets" };
        const ExprSeg *s = n->name;
        if (str_eq(s->key, "item")) {
                if (!ns->item)
                        problems_add(ns->problems, seg_loc(base, s), "E-NAME", NULL,
                                     "`item` is known inside a foreach only");
                else
                        check_item(ns, s, base);
        } else if (str_eq(s->key, "result") && !ns->result) {
                problems_add(ns->problems, seg_loc(base, s), "E-NAME",
                             "capture it, and write facts.<step>.<name>",
                             "`result` is known in expect and capture only");
        } else if (str_eq(s->key, "secrets")) {
                problems_add(ns->problems, seg_loc(base, s), "E-SECRET",
                             "secrets go into password fields, values of env, and stdin only",
                             "a secret must not be used in an expression");
        } else if (str_eq(s->key, "vars") || str_eq(s->key, "targets") || str_eq(s->key, "facts") ||
                   str_eq(s->key, "run") || str_eq(s->key, "result")) {
                if (!needs_more(ns, s, base))
                        return;
                if (str_eq(s->key, "vars"))
                        check_var(ns, s->next, base);
                else if (str_eq(s->key, "targets"))
                        names_check_target(ns, s->next->key, seg_loc(base, s->next));
                else if (str_eq(s->key, "facts"))
                        check_fact(ns, s->next, base);
                else if (str_eq(s->key, "run"))
                        check_run(ns, s->next, base);
                else
                        check_result(ns, s->next, base);
        } else {
                names_report(ns, seg_loc(base, s), known, LEN(known), s->key, "there is no name");
        }
}

static void visit(Names *ns, const ExprNode *n, Loc base)
{
        if (n->op == X_NAME) {
                check_name(ns, n, base);
                for (const ExprSeg *s = n->name; s; s = s->next)
                        if (s->index)
                                visit(ns, s->index, base);
        }
        for (const ExprNode *x = n->args; x; x = x->next)
                visit(ns, x, base);
        names_check_comparison(ns, n, base);
}

void names_check_expr(Names *ns, const Expr *e)
{
        if (e)
                visit(ns, e->root, e->loc);
}

/* `via: {compose: stack}`: some places are told by another target's name. */
static bool refers_to_target(const char *key)
{
        for (const PlaceSpec *const *p = place_specs; *p; p++)
                if ((*p)->refers && str_eq((*p)->refers, key))
                        return true;
        return false;
}

void names_check_template(Names *ns, const Template *t, const char *parent)
{
        if (!t)
                return;
        for (size_t i = 0; i < t->n_parts; i++) {
                if (t->parts[i].kind == PART_SECRET)
                        check_secret_name(ns, t->parts[i].text, t->parts[i].loc);
                else
                        names_check_expr(ns, t->parts[i].expr);
        }
        const char *text = template_literal(t);
        bool target = (t->typed && t->type == PARAM_TARGET) ||
                      (str_eq(parent, "via") && refers_to_target(t->key)) ||
                      str_eq(t->key, "other_system_than");
        if (text && target)
                names_check_target(ns, text, t->loc);
        for (const Template *c = t->first; c; c = c->next)
                names_check_template(ns, c, t->key);
}
