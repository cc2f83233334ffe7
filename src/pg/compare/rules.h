/* rules.h: differences that must be there, each with a name and a reason.
 *
 * Two majors do not describe the same database in the same words. What is known to differ is
 * decided by a rule; what a rule excused is listed in the report under the rule's name, with
 * both values, so that nothing is hidden. Anything without a rule is a difference. */
#pragma once

#include "base/jsonx.h"

typedef struct RuleCase {
        const char *kind, *object, *aspect;
        const json_t *source, *target; /* NULL: that side does not have the aspect */
        int source_major, target_major;
        const json_t *source_object, *target_object; /* all aspects, or NULL */
} RuleCase;

/* `aspect` of an object that only one side has; only `source_object` or `target_object` is
 * there. */
#define RULE_MISSING     "missing"
#define RULE_ONLY_TARGET "only on the target"
/* No rule over two values: the target was asked (reprint.h). */
#define RULE_REPRINTED "reprinted"
/* Nor over generated columns: recomputed.h. */
#define RULE_RECOMPUTED "recomputed"

/* Name of the rule that excuses this difference, or NULL. */
const char *rule_excuses(const RuleCase *c);
/* Why, one line, for the report. */
const char *rule_reason(const char *rule);

/* A definition as its tokens, one space between any two, names without the quotes that
 * only quote_all_identifiers gave them; malloc()ed. Exposed for tests. */
char *rule_plain_text(const char *sql) MUST_CHECK;
