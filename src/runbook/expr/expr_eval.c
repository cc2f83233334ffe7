/* expr_eval.c: the value of an expression in a scope. Every result is a new reference. */
#include "base/text.h"
#include "runbook/expr/expr_tree.h"
#include "runbook/expr/pattern.h"
#include "runbook/types.h"

#include <ctype.h>
#include <math.h>

static const char OPEN[] = "\xe2\x80\xb9", CLOSE[] = "\xe2\x80\xba"; /* ‹ › */

typedef struct Eval {
        const char *text;
        const Scope *scope;
        bool unknown; /* something only the run will know was asked for */
        Err *err;
} Eval;

static json_t *eval(Eval *ev, const ExprNode *n);

static json_t *fail(Eval *ev, const ExprNode *n, const char *what)
{
        err_set(ev->err, ERR_USER, "`%.*s`: %s", (int)(n->end - n->start), ev->text + n->start,
                what);
        return NULL;
}

/* ---- names ---- */

static const json_t *root_of(const Scope *s, const char *name)
{
        if (str_eq(name, "vars"))
                return s->vars;
        if (str_eq(name, "facts"))
                return s->facts;
        if (str_eq(name, "run"))
                return s->run;
        if (str_eq(name, "item"))
                return s->item;
        if (str_eq(name, "result"))
                return s->result;
        if (str_eq(name, "targets"))
                return s->targets;
        return NULL;
}

/* One step down; NULL: leads nowhere (or *err is set by a bad index). */
static json_t *down(Eval *ev, json_t *at, const ExprSeg *s)
{
        if (s->kind == SEG_KEY)
                return jx_get(at, s->key);
        AUTO_JSON index = eval(ev, s->index);
        if (!index || ev->unknown)
                return NULL;
        if (json_is_string(index))
                return jx_get(at, json_string_value(index));
        if (json_is_integer(index) && json_is_array(at) && json_integer_value(index) >= 0)
                return json_array_get(at, (size_t)json_integer_value(index));
        return NULL;
}

static json_t *follow(Eval *ev, json_t *at, const ExprSeg *s);

static json_t *follow_all(Eval *ev, json_t *at, const ExprSeg *rest)
{
        AUTO_JSON all = json_array();
        size_t i;
        const char *key;
        json_t *item;
        if (json_is_array(at)) {
                json_array_foreach(at, i, item) {
                        json_t *v = follow(ev, item, rest);
                        if (!v)
                                return NULL;
                        json_array_append_new(all, v);
                }
        } else if (json_is_object(at)) {
                json_object_foreach(at, key, item) {
                        json_t *v = follow(ev, item, rest);
                        if (!v)
                                return NULL;
                        json_array_append_new(all, v);
                }
        } else {
                return NULL;
        }
        return json_incref(all);
}

static json_t *follow(Eval *ev, json_t *at, const ExprSeg *s)
{
        for (; s && at; s = s->next) {
                if (s->kind == SEG_STAR)
                        return follow_all(ev, at, s->next);
                at = down(ev, at, s);
        }
        return json_incref(at);
}

/* NULL without *err: the name leads nowhere. */
static json_t *look_up(Eval *ev, const ExprNode *n)
{
        const json_t *root = root_of(ev->scope, n->name->key);
        return root ? follow(ev, (json_t *)root, n->name->next) : NULL;
}

static json_t *eval_name(Eval *ev, const ExprNode *n)
{
        json_t *v = look_up(ev, n);
        if (v && value_is_unknown(v))
                ev->unknown = true;
        if (v || ev->unknown || ev->err->kind != ERR_NONE)
                return v ? v : ev->unknown ? json_null() : NULL;
        if (ev->scope->planning && !(str_eq(n->name->key, "vars") && ev->scope->vars)) {
                ev->unknown = true;
                return json_null();
        }
        return fail(ev, n, "there is no such value");
}

/* ---- comparing ---- */

static int family(const json_t *v)
{
        switch (json_typeof(v)) {
        case JSON_INTEGER:
        case JSON_REAL:
                return 1;
        case JSON_TRUE:
        case JSON_FALSE:
                return 2;
        case JSON_STRING:
                return 3;
        case JSON_ARRAY:
                return 4;
        case JSON_OBJECT:
                return 5;
        default:
                return 0;
        }
}

static const char *family_name(const json_t *v)
{
        static const char *const names[] = { "nothing", "a number", "yes or no",
                                             "a text",  "a list",   "a map" };
        return names[family(v)];
}

static bool same(const json_t *a, const json_t *b)
{
        if (json_is_integer(a) && json_is_integer(b))
                return json_integer_value(a) == json_integer_value(b);
        if (json_is_number(a) && json_is_number(b))
                return json_number_value(a) == json_number_value(b);
        return json_equal(a, b);
}

static int order_text(const char *a, const char *b)
{
        if (!value_is_version(a) || !value_is_version(b))
                return strcmp(a, b);
        while (*a || *b) {
                char *end_a, *end_b;
                unsigned long long x = strtoull(a, &end_a, 10), y = strtoull(b, &end_b, 10);
                if (x != y)
                        return x < y ? -1 : 1;
                a = end_a + (*end_a == '.');
                b = end_b + (*end_b == '.');
        }
        return 0;
}

static json_t *compare(Eval *ev, const ExprNode *n, const json_t *a, const json_t *b)
{
        char why[96];
        bool equality = n->op == X_EQ || n->op == X_NE;
        bool null = json_is_null(a) || json_is_null(b);
        if (!(equality && null) && family(a) != family(b)) {
                snprintf(why, sizeof why, "%s cannot be compared with %s", family_name(a),
                         family_name(b));
                return fail(ev, n, why);
        }
        if (equality)
                return json_boolean(same(a, b) == (n->op == X_EQ));
        int order;
        if (json_is_integer(a) && json_is_integer(b)) {
                json_int_t x = json_integer_value(a), y = json_integer_value(b);
                order = (x > y) - (x < y);
        } else if (json_is_number(a)) {
                double x = json_number_value(a), y = json_number_value(b);
                order = (x > y) - (x < y);
        } else if (json_is_string(a)) {
                order = order_text(json_string_value(a), json_string_value(b));
        } else {
                return fail(ev, n, "only numbers and texts have an order");
        }
        return json_boolean(n->op == X_LT   ? order < 0
                            : n->op == X_LE ? order <= 0
                            : n->op == X_GT ? order > 0
                                            : order >= 0);
}

static json_t *eval_in(Eval *ev, const ExprNode *n, const json_t *a, const json_t *b)
{
        size_t i;
        json_t *item;
        if (json_is_array(b)) {
                json_array_foreach(b, i, item) {
                        if (same(a, item))
                                return json_true();
                }
                return json_false();
        }
        if (json_is_object(b) && json_is_string(a))
                return json_boolean(jx_get(b, json_string_value(a)) != NULL);
        if (json_is_string(b) && json_is_string(a))
                return json_boolean(strstr(json_string_value(b), json_string_value(a)) != NULL);
        return fail(ev, n, "`in` needs a list, a map or a text at its right");
}

static json_t *eval_matches(Eval *ev, const ExprNode *n, const json_t *a, const json_t *b)
{
        bool yes;
        if (!json_is_string(a) || !json_is_string(b))
                return fail(ev, n, "`matches` needs two texts");
        if (!pattern_matches(json_string_value(b), json_string_value(a), &yes, ev->err))
                return NULL;
        return json_boolean(yes);
}

/* ---- arithmetic ---- */

static json_t *real_result(Eval *ev, const ExprNode *n, double v)
{
        return isfinite(v) ? json_real(v) : fail(ev, n, "the result is too large");
}

static json_t *arithmetic(Eval *ev, const ExprNode *n, const json_t *a, const json_t *b)
{
        if (!json_is_number(a) || !json_is_number(b))
                return fail(ev, n, "only numbers can be calculated with");
        double x = json_number_value(a), y = json_number_value(b);
        if (n->op == X_DIV && y == 0)
                return fail(ev, n, "division by zero");
        if (json_is_integer(a) && json_is_integer(b)) {
                int64_t i = json_integer_value(a), j = json_integer_value(b), result = 0;
                bool over = n->op == X_ADD   ? __builtin_add_overflow(i, j, &result)
                            : n->op == X_SUB ? __builtin_sub_overflow(i, j, &result)
                            : n->op == X_MUL ? __builtin_mul_overflow(i, j, &result)
                                             : false;
                if (over)
                        return fail(ev, n, "the result is too large");
                if (n->op != X_DIV)
                        return json_integer(result);
                if (!(i == INT64_MIN && j == -1) && i % j == 0)
                        return json_integer(i / j);
        }
        return real_result(ev, n,
                           n->op == X_ADD   ? x + y
                           : n->op == X_SUB ? x - y
                           : n->op == X_MUL ? x * y
                                            : x / y);
}

static json_t *negate(Eval *ev, const ExprNode *n, const json_t *v)
{
        if (json_is_integer(v) && json_integer_value(v) != INT64_MIN)
                return json_integer(-json_integer_value(v));
        if (json_is_real(v))
                return json_real(-json_real_value(v));
        return fail(ev, n, "only a number has a sign");
}

/* ---- the tree ---- */

static json_t *eval_binary(Eval *ev, const ExprNode *n)
{
        AUTO_JSON a = eval(ev, n->args);
        if (!a || ev->unknown)
                return json_incref(a);
        AUTO_JSON b = eval(ev, n->args->next);
        if (!b || ev->unknown)
                return json_incref(b);
        switch (n->op) {
        case X_IN:
                return eval_in(ev, n, a, b);
        case X_MATCHES:
                return eval_matches(ev, n, a, b);
        case X_ADD:
        case X_SUB:
        case X_MUL:
        case X_DIV:
                return arithmetic(ev, n, a, b);
        default:
                return compare(ev, n, a, b);
        }
}

/* `and`, `or`: the right side is not looked at when the left one decides. */
static json_t *eval_logic(Eval *ev, const ExprNode *n)
{
        AUTO_JSON a = eval(ev, n->args);
        if (!a || ev->unknown)
                return json_incref(a);
        if (!json_is_boolean(a))
                return fail(ev, n->args, "must be true or false here");
        if (json_is_true(a) == (n->op == X_OR))
                return json_incref(a);
        AUTO_JSON b = eval(ev, n->args->next);
        if (!b || ev->unknown)
                return json_incref(b);
        if (!json_is_boolean(b))
                return fail(ev, n->args->next, "must be true or false here");
        return json_incref(b);
}

static json_t *eval_list(Eval *ev, const ExprNode *n)
{
        AUTO_JSON list = json_array();
        for (const ExprNode *x = n->args; x; x = x->next) {
                json_t *v = eval(ev, x);
                if (!v || ev->unknown)
                        return v;
                json_array_append_new(list, v);
        }
        return json_incref(list);
}

static json_t *eval_exists(Eval *ev, const ExprNode *n)
{
        AUTO_JSON v = look_up(ev, n->args);
        if (ev->err->kind != ERR_NONE)
                return NULL;
        if (!v && ev->scope->planning)
                ev->unknown = true;
        return json_boolean(v != NULL);
}

static json_t *eval_call(Eval *ev, const ExprNode *n)
{
        if (str_eq(n->text, "exists"))
                return eval_exists(ev, n);
        AUTO_JSON args = eval_list(ev, n);
        if (!args || ev->unknown)
                return json_incref(args);
        AUTO_FREE json_t **list = xcalloc(n->n_args, sizeof(json_t *));
        for (size_t i = 0; i < n->n_args; i++)
                list[i] = json_array_get(args, i);
        json_t *v = expr_call(n->text, list, n->n_args, ev->err);
        if (!v)
                err_wrap(ev->err, "`%.*s`", (int)(n->end - n->start), ev->text + n->start);
        return v;
}

static json_t *eval_one(Eval *ev, const ExprNode *n)
{
        AUTO_JSON v = eval(ev, n->args);
        if (!v || ev->unknown)
                return json_incref(v);
        if (n->op == X_NEG)
                return negate(ev, n, v);
        if (!json_is_boolean(v))
                return fail(ev, n->args, "must be true or false here");
        return json_boolean(!json_is_true(v));
}

static json_t *eval(Eval *ev, const ExprNode *n)
{
        switch (n->op) {
        case X_INT:
                return json_integer(n->number);
        case X_REAL:
                return json_real(n->real);
        case X_TEXT:
                return jx_text(n->text);
        case X_TRUE:
                return json_true();
        case X_FALSE:
                return json_false();
        case X_NULL:
                return json_null();
        case X_LIST:
                return eval_list(ev, n);
        case X_NAME:
                return eval_name(ev, n);
        case X_CALL:
                return eval_call(ev, n);
        case X_NOT:
        case X_NEG:
                return eval_one(ev, n);
        case X_AND:
        case X_OR:
                return eval_logic(ev, n);
        default:
                return eval_binary(ev, n);
        }
}

bool expr_eval(const Expr *e, const Scope *scope, json_t **ret, Err *err)
{
        AUTO_ERR mine = { 0 };
        Eval ev = { .text = e->text, .scope = scope, .err = &mine };
        json_t *v = eval(&ev, e->root);
        *ret = NULL;
        if (ev.unknown) {
                json_decref(v);
                AUTO_FREE char *text = xasprintf("%s%s%s", OPEN, e->text, CLOSE);
                *ret = jx_text(text);
                return true;
        }
        *ret = v;
        if (!v)
                err_move(err, &mine);
        return v != NULL;
}

bool expr_true(const Expr *e, const Scope *scope, bool *ret, Err *err)
{
        AUTO_JSON v = NULL;
        if (!expr_eval(e, scope, &v, err))
                return false;
        *ret = json_is_true(v);
        if (json_is_boolean(v))
                return true;
        if (scope->planning && value_is_unknown(v)) {
                *ret = true;
                return true;
        }
        return err_set(err, ERR_USER, "`%s` is %s, but must be true or false", e->text,
                       family_name(v));
}

bool value_is_unknown(const json_t *value)
{
        const char *s = json_string_value(value);
        return s && str_starts(s, OPEN) && str_ends(s, CLOSE);
}

bool value_holds_unknown(const json_t *value)
{
        const char *s = json_string_value(value), *open = s ? strstr(s, OPEN) : NULL;
        return open && strstr(open, CLOSE);
}
