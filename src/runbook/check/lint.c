/* lint.c: the rules by name, each with the paragraph that `pgsherpa explain RULE` prints. */
#include "runbook/check/lint.h"

#include "runbook/explain.h"
#include "runbook/expr/expr_tree.h"
#include "runbook/load/load.h"

static const struct {
        const char *name;
        void (*check)(Lint *l);
        const char *words;
} rules[] = {
        { "E-FENCE", lint_fence,
          "E-FENCE: data is copied, or restored from a dump, that was read while others could "
          "still write; what they wrote in between would be lost without a word. Copy inside a "
          "phase that has `fence:`, after its pg.fence step. Where the loss is accepted, say "
          "`accept_lost_writes: reason` and give the step a gate of type word." },
        { "E-UNDO", lint_undo,
          "E-UNDO: a step that modifies or destroys says neither how it is undone nor why that is "
          "not needed. Write `undo: auto` for a kind that can undo, a list of steps, or "
          "`undo: {none: reason}`; the reason is shown in the plan." },
        { "E-PNR", lint_pnr,
          "E-PNR: after a hard point of no return a step wants to undo its phase when it fails. "
          "There is no way back any more; let it ask or fail instead." },
        { "E-SECRET", NULL,
          "E-SECRET: a secret is used where it would be seen, or a password is written into the "
          "runbook. Secrets are declared under `secrets:` and go into password fields, values of "
          "env, and stdin only, and stand there alone." },
        { "E-SHELL", lint_shell,
          "E-SHELL: a shell step can do anything, and pgsherpa can neither predict nor undo it. "
          "Use a step kind; if there is none, say `unsafe: true` so that whoever reads the plan "
          "sees it in red." },
        { "E-DOWN", lint_down,
          "E-DOWN: the downtime clock begins and does not end, ends without having begun, or "
          "begins twice. Exactly one step says `downtime: begin` and a later one "
          "`downtime: end`." },
        { "E-ASKED", lint_asked,
          "E-ASKED: services stop, or the downtime begins, and nobody was asked before. A gate of "
          "type yes or word has to stand there, on a step that is always there: one with `foreach` "
          "is gone when its list is empty, one with `when` may be left out." },
        { "E-LIST", lint_list,
          "E-LIST: something that belongs to the run hangs on a step with `foreach`: a mark of the "
          "downtime, a point of no return, a fence, a decision, what a gate waits after. When the "
          "list is empty there is no such step, and what hangs on it is gone without a word. Put "
          "it on a step of its own, such as `do: gate`." },
        { "E-SPACE", lint_space,
          "E-SPACE: data is copied or restored without having looked at the free space first. A "
          "full disk in the middle stops the server as well. Put a host.disk step, or "
          "`pre: [{check: disk, ..}]`, before it." },
        { "E-SAMEVOL", lint_same_volume,
          "E-SAMEVOL: a service gets the image of another major version and starts on the volume "
          "it had. PostgreSQL refuses a data directory of another major. Point the service at a "
          "new volume (compose.set_volume) before it starts." },
        { "E-VERIFY", lint_verify,
          "E-VERIFY: a backup is relied on that nobody read back. A bundle that was written is "
          "not yet one that can be restored: put bundle.verify between bundle.create and the "
          "first step that restores from it or changes anything." },
        { "E-TOLERATE", lint_tolerate,
          "E-TOLERATE: a rule of on_error tolerates without `max`. Ten expected errors and ten "
          "thousand unexpected ones would look the same; say how many are normal." },
        { "E-TIMEOUT", lint_timeout,
          "E-TIMEOUT: a step that changes something may take forever. Give it a `timeout`, or "
          "one for all under `defaults:`." },
        { "E-CLEAN", lint_clean,
          "E-CLEAN: a clean-up destroys something without waiting first. Give it a gate of type "
          "after: problems of a new server show after days, not minutes." },
        { "E-TYPED", lint_typed,
          "E-TYPED: something is deleted, and nobody has to type what. A step of effect `destroy` "
          "needs a gate {type: word} whose text names what goes: the same ${..} or word that the "
          "step gets under `with`. Waiting (type: after) and `yes` are answered without reading." },
        { "E-IDENT", lint_identity,
          "E-IDENT: two servers are declared, and one of them does not say who it must be. With "
          "a wrong port both may be the same server. Give each an `identity`: major, system, or "
          "other_system_than." },
        { "E-YAML", NULL,
          "E-YAML: the file is not the strict YAML a runbook is written in: one document of UTF-8, "
          "no anchors, aliases, tags or merge keys, no key twice, no control characters." },
        { "E-KEY", NULL,
          "E-KEY: a key that is not known here, or one that is needed and missing. Unknown keys "
          "are refused, because a mistyped `undo` would otherwise be no undo." },
        { "E-TYPE", NULL,
          "E-TYPE: a value does not have the type its key wants; the message says which one, and "
          "how it is written." },
        { "E-ID", NULL,
          "E-ID: an id is not made of small letters, digits and _ (a hyphen would be a minus in an "
          "expression), or is used twice. Ids are the keys of the journal." },
        { "E-KIND", NULL,
          "E-KIND: there is no such kind of step or target, or a kind that changes something "
          "stands where only checks may." },
        { "E-NAME", NULL,
          "E-NAME: a name leads nowhere: no such variable, target, secret, step, fact or result, "
          "or a fact of a step that has not run yet at that place." },
        { "E-EXPR", NULL,
          "E-EXPR: an expression cannot be read; the column is where it stops making sense." },
        { "E-PART", NULL,
          "E-PART: a `use:` does not find its part, or gives it other values than it takes; or "
          "parts "
          "use each other in a circle. A part is `parts/NAME.yaml` beside the runbook, or one that "
          "comes with pgsherpa; it is called by its name, never by a path." },
        { "E-LATER", NULL,
          "E-LATER: this belongs to the language, but not to this version of pgsherpa." },
        { "E-SQL", NULL,
          "E-SQL: a bare ${..} in a statement would be an injection. Write ${ident:x} for a name "
          "and ${lit:x} for a value; both are quoted." },
        { "E-VAR", NULL, "E-VAR: an answer is missing, or is not what its variable allows." },
        { "W-COLL", lint_collation,
          "W-COLL: a collation's version is refreshed before its indexes were rebuilt. REFRESH "
          "only silences the warning; the indexes stay wrong. Put pg.reindex first." },
        { "W-RETRY", lint_retry,
          "W-RETRY: a step is retried whose kind is not the same when run twice. After an error "
          "half-way the second attempt meets what the first one left." },
        { "W-DRY", lint_dry,
          "W-DRY: services stop, or the downtime begins, and no effects.try stands before it. That "
          "step tries every later one without changing anything (rights, names, room, files, "
          "images): what one of them would stumble over is said while everything still works." },
        { "W-LATEST", lint_latest,
          "W-LATEST: an image without a tag, with `latest`, or with nothing but a major version "
          "is another one tomorrow. Name the release (postgres:17.2-bookworm) or the digest." },
};

const char *lint_rule_explain(const char *rule)
{
        for (size_t i = 0; i < LEN(rules); i++)
                if (str_eq(rules[i].name, rule))
                        return rules[i].words;
        return NULL;
}

const char *const *lint_rules(void)
{
        static const char *names[LEN(rules) + 1];
        for (size_t i = 0; i < LEN(rules); i++)
                names[i] = rules[i].name;
        return names;
}

bool lint_kind(const Step *s, const char *name)
{
        return s->kind && str_eq(s->kind->name, name);
}

typedef struct Wanted {
        const char *step;
        bool found;
} Wanted;

static void find_fact(const ExprNode *n, Wanted *w)
{
        if (n->op == X_NAME && str_eq(n->name->key, "facts") && n->name->next &&
            str_eq(n->name->next->key, w->step))
                w->found = true;
        for (const ExprSeg *s = n->op == X_NAME ? n->name : NULL; s; s = s->next)
                if (s->index)
                        find_fact(s->index, w);
        for (const ExprNode *x = n->args; x; x = x->next)
                find_fact(x, w);
}

static void visit(void *arg, const Template *t, const TemplatePart *part)
{
        if (part->expr)
                find_fact(part->expr->root, arg);
}

bool lint_uses_fact(const Template *t, const char *step)
{
        Wanted w = { .step = step };
        template_walk(t, visit, &w);
        return w.found;
}

const char *lint_source(const Template *t)
{
        if (!t || t->kind != TPL_SCALAR)
                return NULL;
        return t->whole ? expr_text(t->parts[0].expr) : t->text;
}

void lint_check(const Runbook *rb, Problems *problems)
{
        Lint l = { .rb = rb, .problems = problems };
        size_t n = rb->n_cleanup;
        for (size_t i = 0; i < rb->n_phases; i++)
                n += rb->phases[i].n_steps;
        AUTO_FREE LintStep *steps = xcalloc(n + 1, sizeof *steps);
        l.steps = steps;
        for (size_t i = 0; i < rb->n_phases; i++)
                for (size_t j = 0; j < rb->phases[i].n_steps; j++)
                        steps[l.n++] = (LintStep){ &rb->phases[i].steps[j], &rb->phases[i] };
        for (size_t j = 0; j < rb->n_cleanup; j++)
                steps[l.n++] = (LintStep){ &rb->cleanup[j], NULL };
        for (size_t i = 0; i < LEN(rules); i++)
                if (rules[i].check)
                        rules[i].check(&l);
}
