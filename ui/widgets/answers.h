/* answers.h: a question's answer as text and back, for the form and the plain frontend.
 *
 *      list<name>      web, worker, api            ["web", "worker", "api"]
 *      list<service>   web http://h/ 120s, db      [{"name": "web", "health": .., "within": ..},
 * ..] bool            yes                         true
 *
 * The runbook's own types are checked by the loader (UiApp.plan); here only what can be said
 * at once: numbers, patterns, choices, something where something is needed. */
#pragma once

#include "base/err.h"
#include "base/jsonx.h"

/* malloc()ed; "" for NULL. */
char *answer_text(const json_t *question, const json_t *value) MUST_CHECK;
bool answer_parse(const json_t *question, const char *text, json_t **ret, Err *err) MUST_CHECK;
/* The choices of a question (an array; for a bool yes and no), or NULL. Borrowed. */
const json_t *answer_choices(const json_t *question);
