/* lint_step.c: rules that look at one step, one target or one image at a time. */
#include "runbook/check/lint.h"

#include <ctype.h>

#include "runbook/expr/expr_tree.h"

void lint_undo(Lint *l)
{
        for (size_t i = 0; i < l->n; i++) {
                const Step *s = l->steps[i].s;
                if (s->undo == UNDO_AUTO && !s->kind->undoable)
                        problems_add(l->problems, s->loc, "E-UNDO",
                                     "write the steps that undo it, or {none: reason}",
                                     "`%s` cannot undo itself", s->kind->name);
                bool changes = s->effect == EFFECT_MODIFY || s->effect == EFFECT_DESTROY;
                if (s->undo == UNDO_UNSET && changes)
                        problems_add(l->problems, s->loc, "E-UNDO",
                                     "write undo: with steps, or {none: reason}",
                                     "the step `%s` changes something and does not say how it is "
                                     "undone",
                                     s->id);
                if (s->undo == UNDO_NONE && (!s->undo_why || !*s->undo_why))
                        problems_add(l->problems, s->loc, "E-UNDO", "undo: {none: reason}",
                                     "the step `%s` cannot be undone and does not say why", s->id);
        }
}

void lint_shell(Lint *l)
{
        for (size_t i = 0; i < l->n; i++) {
                const Step *s = l->steps[i].s;
                bool with = str_eq(template_literal(template_get(s->with, "unsafe")), "true");
                if (lint_kind(s, "shell") && !s->unsafe && !with)
                        problems_add(l->problems, s->loc, "E-SHELL", "say unsafe: true",
                                     "the step `%s` runs a shell", s->id);
        }
}

void lint_tolerate(Lint *l)
{
        for (size_t i = 0; i < l->n; i++) {
                const Step *s = l->steps[i].s;
                for (size_t j = 0; j < s->n_on_error; j++)
                        if (s->on_error[j].then == ON_TOLERATE && !s->on_error[j].max)
                                problems_add(l->problems, s->on_error[j].loc, "E-TOLERATE",
                                             "add max: and how many are normal",
                                             "the step `%s` tolerates any number of errors", s->id);
        }
}

void lint_timeout(Lint *l)
{
        for (size_t i = 0; i < l->n; i++) {
                const Step *s = l->steps[i].s;
                if (s->effect != EFFECT_READ && !s->timeout_ms)
                        problems_add(l->problems, s->loc, "E-TIMEOUT",
                                     "add timeout: 10m, or one under defaults:",
                                     "the step `%s` may take forever", s->id);
        }
}

static bool waits(const Step *s)
{
        for (size_t i = 0; i < s->n_gates; i++)
                if (s->gates[i].kind == GATE_AFTER)
                        return true;
        return false;
}

void lint_clean(Lint *l)
{
        for (size_t i = 0; i < l->n; i++) {
                const Step *s = l->steps[i].s;
                if (!l->steps[i].in && s->effect == EFFECT_DESTROY && !waits(s))
                        problems_add(l->problems, s->loc, "E-CLEAN",
                                     "add a gate {type: after, step: .., wait: 7d}",
                                     "the clean-up `%s` destroys without waiting first", s->id);
        }
}

/* ---- E-TYPED: is what must be typed what the step is told to delete? ---- */

typedef struct Naming {
        const Template *in;   /* the gate's text */
        const ExprNode *name; /* that is looked for in it */
        bool found;
} Naming;

static bool same_name(const ExprNode *a, const ExprNode *b)
{
        const ExprSeg *x = a->name, *y = b->name;
        while (x && y && x->kind == y->kind && (x->kind != SEG_KEY || str_eq(x->key, y->key))) {
                x = x->next;
                y = y->next;
        }
        return !x && !y;
}

static void find_name(const ExprNode *n, Naming *w)
{
        w->found = w->found || (n->op == X_NAME && same_name(n, w->name));
        for (const ExprNode *x = n->args; x; x = x->next)
                find_name(x, w);
}

static void in_text(void *arg, const Template *t, const TemplatePart *part)
{
        if (part->expr)
                find_name(part->expr->root, arg);
}

static void each_name(const ExprNode *n, Naming *w)
{
        if (n->op == X_NAME) {
                w->name = n;
                template_walk(w->in, in_text, w);
        }
        for (const ExprNode *x = n->args; x; x = x->next)
                each_name(x, w);
}

static void in_with(void *arg, const Template *t, const TemplatePart *part)
{
        if (part->expr)
                each_name(part->expr->root, arg);
}

static void each_word(const Template *t, Naming *w)
{
        const char *word = template_literal(t), *text = template_literal(w->in);
        w->found = w->found || (word && *word && text && strstr(text, word));
        for (const Template *c = t ? t->first : NULL; c; c = c->next)
                each_word(c, w);
}

static bool names_what_goes(const GateSpec *g, const Step *s)
{
        Naming w = { .in = g->text };
        if (g->kind != GATE_WORD || !g->text)
                return false;
        each_word(s->with, &w);
        template_walk(s->with, in_with, &w);
        return w.found;
}

void lint_typed(Lint *l)
{
        for (size_t i = 0; i < l->n; i++) {
                const Step *s = l->steps[i].s;
                bool typed = false;
                for (size_t j = 0; j < s->n_gates; j++)
                        typed = typed || names_what_goes(&s->gates[j], s);
                if (s->effect == EFFECT_DESTROY && !typed)
                        problems_add(l->problems, s->n_gates ? s->gates[0].loc : s->loc, "E-TYPED",
                                     "add a gate {type: word, text: ..} with what the step is told "
                                     "to delete",
                                     "`%s` deletes, and what it deletes need not be typed", s->id);
        }
}

void lint_retry(Lint *l)
{
        for (size_t i = 0; i < l->n; i++) {
                const Step *s = l->steps[i].s;
                bool retries = s->retry_times > 0;
                for (size_t j = 0; j < s->n_on_error; j++)
                        retries |= s->on_error[j].then == ON_RETRY;
                if (retries && !(s->kind->traits & (STEP_IDEMPOTENT | STEP_READ_ONLY)))
                        problems_add(l->problems, s->loc, "W-RETRY", NULL,
                                     "`%s` is retried, but twice is not the same as once",
                                     s->kind->name);
        }
}

void lint_identity(Lint *l)
{
        size_t servers = 0;
        for (size_t i = 0; i < l->rb->n_targets; i++)
                servers += str_eq(l->rb->targets[i].kind, "postgres");
        for (size_t i = 0; servers > 1 && i < l->rb->n_targets; i++) {
                const TargetSpec *t = &l->rb->targets[i];
                if (str_eq(t->kind, "postgres") && !template_get(t->spec, "identity"))
                        problems_add(l->problems, t->loc, "E-IDENT",
                                     "add identity: {major: ..}, {system: ..} or "
                                     "{other_system_than: ..}",
                                     "the target `%s` could be the same server as another",
                                     t->name);
        }
}

/* postgres, postgres:latest, postgres:17 (or 17-bookworm's bare 17). A digest is exact. */
static bool floating(const char *image)
{
        const char *slash = strrchr(image, '/');
        const char *tag = strchr(slash ? slash : image, ':');
        if (strchr(image, '@'))
                return false;
        if (!tag || str_eq(tag, ":latest"))
                return true;
        for (tag++; *tag; tag++)
                if (!isdigit((unsigned char)*tag))
                        return false;
        return true;
}

static void check_image(Lint *l, Loc at, const char *image)
{
        if (floating(image))
                problems_add(l->problems, at, "W-LATEST", "name the release or the digest",
                             "`%s` is another image tomorrow", image);
}

static void check_images(Lint *l, const Template *t)
{
        const char *text = template_literal(t);
        if (text && t->typed && t->type == PARAM_IMAGE)
                check_image(l, t->loc, text);
        for (const Template *c = t ? t->first : NULL; c; c = c->next)
                check_images(l, c);
}

void lint_latest(Lint *l)
{
        for (size_t i = 0; i < l->rb->n_vars; i++) {
                const Var *v = &l->rb->vars[i];
                if (v->type == PARAM_IMAGE && json_is_string(v->fallback))
                        check_image(l, v->loc, json_string_value(v->fallback));
        }
        for (size_t i = 0; i < l->n; i++)
                check_images(l, l->steps[i].s->with);
}
