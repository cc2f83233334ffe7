/* expr_tree.h: an expression as its parser leaves it; for the evaluator and the name check. */
#pragma once

#include "runbook/expr.h"

typedef enum ExprOp {
        X_INT,
        X_REAL,
        X_TEXT,
        X_TRUE,
        X_FALSE,
        X_NULL,
        X_LIST,
        X_NAME,
        X_CALL,
        X_NOT,
        X_NEG,
        X_AND,
        X_OR,
        X_EQ,
        X_NE,
        X_LT,
        X_LE,
        X_GT,
        X_GE,
        X_IN,
        X_MATCHES,
        X_ADD,
        X_SUB,
        X_MUL,
        X_DIV,
} ExprOp;

typedef struct ExprNode ExprNode;

/* One step of a name: .key, [index], .* ; the first is always a key (vars, facts ..). */
typedef struct ExprSeg {
        enum { SEG_KEY, SEG_INDEX, SEG_STAR } kind;
        const char *key;
        const ExprNode *index;
        int col;
        struct ExprSeg *next;
} ExprSeg;

/* Small on purpose: a file of 1 MiB may hold a million of them, and must fit into 64 MiB. */
struct ExprNode {
        ExprOp op;
        uint16_t col;        /* from 1, in characters */
        uint16_t start, end; /* bytes of the text; LIMIT_EXPR fits */
        uint16_t n_args;
        union {
                int64_t number;
                double real;
                const char *text; /* of a text; of a call: the function */
                ExprSeg *name;
        };
        ExprNode *args, *next; /* operands or arguments, in order */
};

struct Expr {
        const char *text;
        Loc loc; /* of the text's first character */
        ExprNode *root;
};

/* As expr_parse(), for a text that stands in a file. */
Expr *expr_parse_at(Arena *a, const char *text, Loc loc, int *ret_column, Err *err) MUST_CHECK;

/* Evaluates a call whose arguments are evaluated already (all but exists). NULL with *err. */
json_t *expr_call(const char *function, json_t *const *args, size_t n, Err *err) MUST_CHECK;
bool expr_function_known(const char *name, size_t *ret_min, size_t *ret_max);
extern const char *const expr_functions[]; /* ends with NULL */
