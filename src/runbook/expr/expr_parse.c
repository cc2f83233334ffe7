/* expr_parse.c: recursive descent, one function per level of binding. */
#include "base/fmt.h"
#include "base/limits.h"
#include "base/text.h"
#include "runbook/expr/expr_tree.h"

#include <ctype.h>
#include <errno.h>

enum { MAX_DEPTH = 64 };
_Static_assert(LIMIT_EXPR < UINT16_MAX, "ExprNode keeps positions in 16 bits");

typedef struct Parser {
        Arena *arena;
        const char *text;
        size_t at, depth;
        size_t failed_at;
        Err *err;
} Parser;

static ExprNode *parse_or(Parser *p);

static int column(const Parser *p, size_t at)
{
        int col = 1;
        for (size_t i = 0; i < at; i++)
                col += ((unsigned char)p->text[i] & 0xc0) != 0x80;
        return col;
}

static ExprNode *fail(Parser *p, size_t at, const char *message)
{
        p->failed_at = at;
        err_set(p->err, ERR_USER, "%s", message);
        return NULL;
}

static void spaces(Parser *p)
{
        while (isspace((unsigned char)p->text[p->at]))
                p->at++;
}

static ExprNode *node(Parser *p, ExprOp op, size_t start)
{
        ExprNode *n = arena_new_type(p->arena, ExprNode);
        n->op = op;
        n->start = (uint16_t)start;
        n->end = (uint16_t)p->at;
        n->col = (uint16_t)column(p, start);
        return n;
}

static ExprNode *binary(Parser *p, ExprOp op, ExprNode *left, ExprNode *right)
{
        ExprNode *n = node(p, op, left->start);
        n->args = left;
        n->n_args = 2;
        left->next = right;
        return n;
}

static bool word_char(char c)
{
        return isalnum((unsigned char)c) || c == '_';
}

/* Takes the sign or word when it is next. */
static bool take(Parser *p, const char *what)
{
        spaces(p);
        size_t n = strlen(what);
        if (strncmp(p->text + p->at, what, n) != 0)
                return false;
        if (word_char(what[0]) && word_char(p->text[p->at + n]))
                return false;
        p->at += n;
        return true;
}

/* 500MB and 24h: digits, then letters without a space between. */
static ExprNode *parse_number(Parser *p)
{
        size_t start = p->at, i = start;
        bool real = false;
        while (isdigit((unsigned char)p->text[i]) ||
               (p->text[i] == '.' && !real && isdigit((unsigned char)p->text[i + 1]))) {
                real |= p->text[i] == '.';
                i++;
        }
        size_t unit = i;
        while (word_char(p->text[i]))
                i++;
        if (p->text[i] == '.' && isdigit((unsigned char)p->text[i + 1]))
                return fail(p, start, "a version is written in quotes");
        p->at = i;
        AUTO_FREE char *text = xstrndup(p->text + start, i - start);
        ExprNode *n = node(p, X_INT, start);
        if (i > unit) {
                if (!fmt_parse_size(text, &n->number) && !fmt_parse_duration(text, &n->number))
                        return fail(p, unit,
                                    "not a unit; sizes: kB MB GB TB, durations: ms s m h d");
                return n;
        }
        errno = 0;
        n->op = real ? X_REAL : X_INT;
        if (real)
                n->real = strtod(text, NULL);
        else
                n->number = strtoll(text, NULL, 10);
        return errno ? fail(p, start, "the number is too large") : n;
}

/* '..' is taken as it stands; "..": \" and \\ are escapes, any other backslash is itself. */
static ExprNode *parse_text(Parser *p)
{
        size_t start = p->at++;
        char quote = p->text[start];
        char *out = arena_alloc(p->arena, strlen(p->text + start) + 1);
        size_t n = 0;
        for (;; p->at++) {
                char c = p->text[p->at];
                if (!c)
                        return fail(p, start, "the text is not closed");
                if (c == quote)
                        break;
                char after = p->text[p->at + 1];
                if (c == '\\' && quote == '"' && (after == '"' || after == '\\'))
                        c = p->text[++p->at];
                out[n++] = c;
        }
        p->at++;
        ExprNode *x = node(p, X_TEXT, start);
        x->text = out;
        return x;
}

/* Arguments or items up to the closing sign; the opening one is taken already. */
static bool parse_items(Parser *p, const char *close, ExprNode *into)
{
        ExprNode **link = &into->args;
        if (take(p, close))
                return true;
        do {
                ExprNode *item = parse_or(p);
                if (!item)
                        return false;
                *link = item;
                link = &item->next;
                into->n_args++;
        } while (take(p, ","));
        if (take(p, close))
                return true;
        fail(p, p->at, close[0] == ')' ? "expected `,` or `)`" : "expected `,` or `]`");
        return false;
}

static const char *take_word(Parser *p)
{
        size_t start = p->at;
        if (!isalpha((unsigned char)p->text[start]) && p->text[start] != '_')
                return NULL;
        while (word_char(p->text[p->at]))
                p->at++;
        return arena_strndup(p->arena, p->text + start, p->at - start);
}

static ExprSeg *seg(Parser *p, ExprSeg ***link, size_t at)
{
        ExprSeg *s = arena_new_type(p->arena, ExprSeg);
        s->col = column(p, at);
        **link = s;
        *link = &s->next;
        return s;
}

static ExprNode *parse_name(Parser *p, size_t start, const char *first)
{
        ExprNode *n = node(p, X_NAME, start);
        ExprSeg **link = &n->name;
        seg(p, &link, start)->key = first;
        for (;;) {
                if (p->text[p->at] == '.') {
                        p->at++;
                        ExprSeg *s = seg(p, &link, p->at);
                        if (p->text[p->at] == '*') {
                                p->at++;
                                s->kind = SEG_STAR;
                        } else if (!(s->key = take_word(p))) {
                                return fail(p, p->at, "a name or * must follow the dot");
                        }
                } else if (p->text[p->at] == '[') {
                        p->at++;
                        ExprSeg *s = seg(p, &link, p->at);
                        s->kind = SEG_INDEX;
                        if (!(s->index = parse_or(p)))
                                return NULL;
                        if (!take(p, "]"))
                                return fail(p, p->at, "expected `]`");
                } else {
                        n->end = (uint16_t)p->at;
                        return n;
                }
        }
}

static ExprNode *parse_call(Parser *p, size_t start, const char *function)
{
        size_t min, max;
        if (!expr_function_known(function, &min, &max)) {
                size_t n = 0;
                while (expr_functions[n])
                        n++;
                const char *near = text_nearest(function, expr_functions, n);
                p->failed_at = start;
                err_set(p->err, ERR_USER, "there is no function `%s`", function);
                if (near)
                        err_hint(p->err, "did you mean `%s`?", near);
                return NULL;
        }
        ExprNode *n = node(p, X_CALL, start);
        n->text = function;
        if (!parse_items(p, ")", n))
                return NULL;
        n->end = (uint16_t)p->at;
        if (n->n_args >= min && n->n_args <= max &&
            (!str_eq(function, "exists") || n->args->op == X_NAME))
                return n;
        p->failed_at = start;
        err_set(p->err, ERR_USER, "%s() takes %s", function,
                str_eq(function, "exists") ? "one name"
                : max == 1                 ? "one value"
                : max == 2                 ? "two values"
                                           : "a list, or values");
        return NULL;
}

static ExprNode *parse_word(Parser *p)
{
        size_t start = p->at;
        const char *word = take_word(p);
        if (str_eq(word, "true"))
                return node(p, X_TRUE, start);
        if (str_eq(word, "false"))
                return node(p, X_FALSE, start);
        if (str_eq(word, "null"))
                return node(p, X_NULL, start);
        static const char *const taken[] = { "and", "or", "not", "in", "matches" };
        for (size_t i = 0; i < LEN(taken); i++)
                if (str_eq(word, taken[i]))
                        return fail(p, start, "a value must stand here");
        if (p->text[p->at] == '(') {
                p->at++;
                return parse_call(p, start, word);
        }
        return parse_name(p, start, word);
}

static ExprNode *parse_primary(Parser *p)
{
        spaces(p);
        size_t start = p->at;
        char c = p->text[start];
        if (isdigit((unsigned char)c))
                return parse_number(p);
        if (c == '"' || c == '\'')
                return parse_text(p);
        if (take(p, "(")) {
                ExprNode *n = parse_or(p);
                if (n && !take(p, ")"))
                        return fail(p, p->at, "expected `)`");
                return n;
        }
        if (take(p, "[")) {
                ExprNode *n = node(p, X_LIST, start);
                if (!parse_items(p, "]", n))
                        return NULL;
                n->end = (uint16_t)p->at;
                return n;
        }
        if (isalpha((unsigned char)c) || c == '_')
                return parse_word(p);
        return fail(p, start, c ? "a value must stand here" : "a value is missing at the end");
}

static ExprNode *parse_sign(Parser *p)
{
        spaces(p);
        size_t start = p->at;
        if (!take(p, "-"))
                return parse_primary(p);
        if (++p->depth > MAX_DEPTH)
                return fail(p, start, "nested too deep");
        ExprNode *inner = parse_sign(p);
        p->depth--;
        if (!inner)
                return NULL;
        ExprNode *n = node(p, X_NEG, start);
        n->args = inner;
        n->n_args = 1;
        return n;
}

static ExprNode *parse_product(Parser *p)
{
        ExprNode *left = parse_sign(p);
        while (left) {
                ExprOp op = take(p, "*") ? X_MUL : take(p, "/") ? X_DIV : X_NULL;
                if (op == X_NULL)
                        return left;
                ExprNode *right = parse_sign(p);
                left = right ? binary(p, op, left, right) : NULL;
        }
        return NULL;
}

static ExprNode *parse_sum(Parser *p)
{
        ExprNode *left = parse_product(p);
        while (left) {
                ExprOp op = take(p, "+") ? X_ADD : take(p, "-") ? X_SUB : X_NULL;
                if (op == X_NULL)
                        return left;
                ExprNode *right = parse_product(p);
                left = right ? binary(p, op, left, right) : NULL;
        }
        return NULL;
}

static bool take_comparison(Parser *p, ExprOp *ret)
{
        static const struct {
                const char *sign;
                ExprOp op;
        } signs[] = { { "==", X_EQ }, { "!=", X_NE }, { "<=", X_LE }, { ">=", X_GE },
                      { "<", X_LT },  { ">", X_GT },  { "in", X_IN }, { "matches", X_MATCHES } };
        for (size_t i = 0; i < LEN(signs); i++) {
                if (take(p, signs[i].sign)) {
                        *ret = signs[i].op;
                        return true;
                }
        }
        return false;
}

static ExprNode *parse_comparison(Parser *p)
{
        ExprNode *left = parse_sum(p);
        ExprOp op;
        if (!left || !take_comparison(p, &op))
                return left;
        ExprNode *right = parse_sum(p);
        if (!right)
                return NULL;
        spaces(p);
        size_t at = p->at;
        ExprOp again;
        if (take_comparison(p, &again))
                return fail(p, at, "comparisons do not chain; join them with `and`");
        return binary(p, op, left, right);
}

static ExprNode *parse_not(Parser *p)
{
        spaces(p);
        size_t start = p->at;
        if (!take(p, "not"))
                return parse_comparison(p);
        if (++p->depth > MAX_DEPTH)
                return fail(p, start, "nested too deep");
        ExprNode *inner = parse_not(p);
        p->depth--;
        if (!inner)
                return NULL;
        ExprNode *n = node(p, X_NOT, start);
        n->args = inner;
        n->n_args = 1;
        return n;
}

static ExprNode *parse_and(Parser *p)
{
        ExprNode *left = parse_not(p);
        while (left && take(p, "and")) {
                ExprNode *right = parse_not(p);
                left = right ? binary(p, X_AND, left, right) : NULL;
        }
        return left;
}

static ExprNode *parse_or(Parser *p)
{
        if (++p->depth > MAX_DEPTH)
                return fail(p, p->at, "nested too deep");
        ExprNode *left = parse_and(p);
        while (left && take(p, "or")) {
                ExprNode *right = parse_and(p);
                left = right ? binary(p, X_OR, left, right) : NULL;
        }
        p->depth--;
        return left;
}

Expr *expr_parse_at(Arena *a, const char *text, Loc loc, int *ret_column, Err *err)
{
        *ret_column = 1;
        if (strlen(text) > LIMIT_EXPR) {
                err_set(err, ERR_USER, "an expression has at most %d bytes", LIMIT_EXPR);
                return NULL;
        }
        Parser p = { .arena = a, .text = text, .err = err };
        ExprNode *root = parse_or(&p);
        spaces(&p);
        if (root && text[p.at]) {
                root = NULL;
                if (text[p.at] == '=' || text[p.at] == '&' || text[p.at] == '|')
                        fail(&p, p.at, "write == and `and` / `or`");
                else
                        fail(&p, p.at, "nothing more was expected here");
        }
        if (!root) {
                *ret_column = column(&p, p.failed_at);
                return NULL;
        }
        Expr *e = arena_new_type(a, Expr);
        *e = (Expr){ .text = arena_strdup(a, text), .loc = loc, .root = root };
        return e;
}

Expr *expr_parse(Arena *a, const char *text, int *ret_column, Err *err)
{
        return expr_parse_at(a, text, (Loc){ 0 }, ret_column, err);
}

const char *expr_text(const Expr *e)
{
        return e->text;
}

Loc expr_loc(const Expr *e)
{
        return e->loc;
}
