/* setclause.h: SET clauses of functions, databases and roles, in words that another major takes.
 *
 *      create function f() .. set force_parallel_mode to 'on' as ..     16: debug_parallel_query
 *      alter role app set operator_precedence_warning to 'on'           14: the statement is left
 * out alter database shop set search_path to null                      18: an empty list in its
 * words
 *
 * What becomes of a setting, base/majors.h says. A clause whose value changes what a function's
 * text means stays as it is: the server refuses it, and that is told. */
#pragma once

#include "base/buf.h"

/* As rewrite_statement(). CREATE FUNCTION and PROCEDURE, ALTER DATABASE, ROLE and USER; others:
 * false. */
bool setclause_rewrite(const char *s, const char *end, int major, Buf *out) NONNULL;
