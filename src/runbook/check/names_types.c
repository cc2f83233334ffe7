/* names_types.c: do both sides of a comparison have the same type, as far as that is known
 * before? */
#include "runbook/check/names.h"

/* As the evaluator tells them apart; ANY: not known, or null, which may be compared with all. */
typedef enum Sort { SORT_ANY, SORT_NUMBER, SORT_TEXT, SORT_BOOL, SORT_LIST, SORT_MAP } Sort;

static Sort sort_of(ParamType t)
{
        switch (t) {
        case PARAM_INT:
        case PARAM_SIZE:
        case PARAM_DURATION:
                return SORT_NUMBER;
        case PARAM_BOOL:
                return SORT_BOOL;
        case PARAM_LIST:
                return SORT_LIST;
        case PARAM_STRING:
        case PARAM_NAME:
        case PARAM_VERSION:
        case PARAM_IMAGE:
        case PARAM_PATH:
        case PARAM_URL:
                return SORT_TEXT;
        default:
                return SORT_ANY;
        }
}

static Sort sort_of_result(const Step *step, const ExprSeg *s)
{
        const ParamSpec *row =
                step && s && s->kind == SEG_KEY && !s->next ? names_result(step, s->key) : NULL;
        return row ? sort_of(row->type) : SORT_ANY;
}

/* facts.STEP.NAME, where the step captured NAME: result.x */
static Sort sort_of_fact(const Names *ns, const ExprSeg *s)
{
        size_t index;
        const Step *step = s ? names_step(ns, s->key, &index) : NULL;
        const ExprSeg *fact = s ? s->next : NULL;
        if (!step || step->each || !fact || fact->kind != SEG_KEY || fact->next)
                return SORT_ANY;
        for (size_t i = 0; i < step->n_capture; i++) {
                const ExprNode *root = step->capture[i].value ? step->capture[i].value->root : NULL;
                if (str_eq(step->capture[i].fact, fact->key) && root && root->op == X_NAME &&
                    str_eq(root->name->key, "result"))
                        return sort_of_result(step, root->name->next);
        }
        return SORT_ANY;
}

static Sort sort_of_name(const Names *ns, const ExprSeg *s)
{
        if (str_eq(s->key, "result"))
                return sort_of_result(ns->step, s->next);
        if (str_eq(s->key, "facts"))
                return sort_of_fact(ns, s->next);
        if (str_eq(s->key, "vars") && s->next && s->next->kind == SEG_KEY && !s->next->next)
                for (size_t i = 0; i < ns->rb->n_vars; i++)
                        if (str_eq(ns->rb->vars[i].name, s->next->key))
                                return sort_of(ns->rb->vars[i].type);
        return SORT_ANY;
}

static Sort sort_of_call(const char *function)
{
        static const struct {
                const char *name;
                Sort sort;
        } calls[] = { { "count", SORT_NUMBER }, { "size", SORT_NUMBER }, { "sum", SORT_NUMBER },
                      { "major", SORT_NUMBER }, { "empty", SORT_BOOL },  { "exists", SORT_BOOL },
                      { "changed", SORT_BOOL } };
        for (size_t i = 0; i < LEN(calls); i++)
                if (str_eq(calls[i].name, function))
                        return calls[i].sort;
        return SORT_ANY;
}

static Sort sort(const Names *ns, const ExprNode *n)
{
        switch (n->op) {
        case X_INT:
        case X_REAL:
        case X_NEG:
        case X_SUB:
        case X_MUL:
        case X_DIV:
                return SORT_NUMBER;
        case X_TEXT:
                return SORT_TEXT;
        case X_LIST:
                return SORT_LIST;
        case X_NAME:
                return sort_of_name(ns, n->name);
        case X_CALL:
                return sort_of_call(n->text);
        case X_NULL:
        case X_ADD:
                return SORT_ANY;
        default:
                return SORT_BOOL;
        }
}

void names_check_comparison(Names *ns, const ExprNode *n, Loc base)
{
        static const char *const words[] = { "",       "a number", "a text", "true or false",
                                             "a list", "a map" };
        if (n->op < X_EQ || n->op > X_GE || n->n_args != 2)
                return;
        Sort a = sort(ns, n->args), b = sort(ns, n->args->next);
        if (a == SORT_ANY || b == SORT_ANY || a == b)
                return;
        Sort other = a == SORT_TEXT ? b : b == SORT_TEXT ? a : SORT_ANY;
        const char *hint = other == SORT_NUMBER || other == SORT_BOOL
                                   ? "numbers, true and false stand without quotes"
                                   : NULL;
        problems_add(ns->problems, names_loc(base, n->col), "E-EXPR", hint,
                     "%s is compared with %s", words[a], words[b]);
}
