/* explain.h: a step kind and a lint rule in words, from the same rows the loader checks.
 *
 *      AUTO_BUF b = buf_init(1 << 20);
 *      runbook_explain_kind(kind, &b);         // what `pgsherpa explain pg.copy` prints
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "runbook/param.h"

void runbook_explain_kind(const KindSpec *kind, Buf *out);
/* The same of a part in one of `dirs`: what it is for, what it takes, which steps it holds. Nothing
 * is added when there is none of that name; ERR_USER: it cannot be used. */
bool runbook_explain_part(const char *name, const char *const *dirs, Buf *out, Err *err) MUST_CHECK;
/* The same as man(7) source, one subsection; the tables of pgsherpa-runbook(5). */
void runbook_man_kind(const KindSpec *kind, Buf *out);
void runbook_man_types(Buf *out);
void runbook_man_rules(Buf *out);
/* Text with what roff would take for its own escaped. */
void runbook_man_text(Buf *out, const char *text);

/* One paragraph on a rule such as "E-FENCE": what it refuses and why. NULL: no such rule. */
const char *lint_rule_explain(const char *rule);
/* All rules that have an explanation, ending with NULL. */
const char *const *lint_rules(void);
