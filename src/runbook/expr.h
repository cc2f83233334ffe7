/* expr.h: small questions about facts: typed, total, without side effects.
 *
 *      major(result.version) == vars.from and empty(facts.src.md5_roles)
 *
 * Literals: 16, 2.5, 500MB (bytes), 24h (milliseconds), "text", 'text', true, false, null,
 * [a, b]. Names: vars, facts, run, item, result, targets, then .name, [expression], or .*
 * (all items of a foreach). Binding, loosest first:
 *
 *      or    and    not    == != < <= > >= in matches    + -    * /    - (sign)
 *
 *      count(x)        items of a list or map, characters of a text
 *      size(x)         a text such as "500MB" in bytes; a number stays what it is
 *      sum(list)  max(a, b ..)  max(list)  min(..)
 *      empty(x)        null, "", [] and {} are
 *      major(version)  17 of "17.2", 9 of "9.6.24", 16 of 160004
 *      exists(name)    false instead of an error where a name leads nowhere
 *      changed(a, b)   they differ in any way, types included
 *
 * Nothing is converted behind the reader's back: 16 == "16" is an error, not false; only
 * null may be compared with everything. Texts that are dotted numbers on both sides order
 * as versions ("9.6" < "17.2"). `matches` takes a POSIX extended regular expression within
 * the limits of pattern.h. An unknown name is an error, never an empty string; but when
 * Scope.planning is set, what cannot be known yet makes the whole value the text ‹..›. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "runbook/loc.h"
#include "runbook/scope.h"

typedef struct Expr Expr;

/* *ret_column: where in the text it went wrong (from 1), for file:line:col. */
Expr *expr_parse(Arena *a, const char *text, int *ret_column, Err *err) MUST_CHECK;
bool expr_eval(const Expr *e, const Scope *scope, json_t **ret, Err *err) MUST_CHECK;
/* The answer must be true or false. What is not known while planning counts as true. */
bool expr_true(const Expr *e, const Scope *scope, bool *ret, Err *err) MUST_CHECK;
const char *expr_text(const Expr *e);
Loc expr_loc(const Expr *e);

/* Is it a value that only the run will know: the text ‹..›? */
bool value_is_unknown(const json_t *value);
/* Is one in it: "data_‹facts.src.major›"? */
bool value_holds_unknown(const json_t *value);
