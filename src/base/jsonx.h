/* jsonx.h: jansson with the manners of this house.
 *
 * Facts, results and parameters are json_t. These helpers read with a default instead of
 * four lines of checks; a wrong type counts as absent. Names are paths without dots: one
 * level per call.
 *
 * A message on the control socket may carry a password, and jansson copies it as it parses, packs
 * and dumps: whatever it frees is wiped first (json_set_alloc_funcs(), set before main()). Texts
 * that jx_dump() returns are ours to free, and to wipe. */
#pragma once

#include <jansson.h>

#include "base/err.h"

static inline void json_unrefp_(json_t **j)
{
        json_decref(*j);
}
#define AUTO_JSON CLEANUP(json_unrefp_) json_t *

const char *jx_str(const json_t *object, const char *key, const char *fallback);
int64_t jx_int(const json_t *object, const char *key, int64_t fallback);
bool jx_bool(const json_t *object, const char *key, bool fallback);
json_t *jx_get(const json_t *object, const char *key); /* borrowed or NULL */

/* Set and steal `value`; keys and text are made valid UTF-8 first. */
void jx_set(json_t *object, const char *key, json_t *value);
void jx_set_str(json_t *object, const char *key, const char *text); /* NULL -> null */
void jx_set_int(json_t *object, const char *key, int64_t n);
void jx_set_bool(json_t *object, const char *key, bool flag);
void jx_append_str(json_t *array, const char *text);
/* A JSON string from any bytes: invalid UTF-8 is escaped by text_clean(). New reference. */
json_t *jx_text(const char *text);

char *jx_dump(const json_t *j) MUST_CHECK;        /* compact, keys in insertion order, ASCII only */
char *jx_dump_sorted(const json_t *j) MUST_CHECK; /* canonical, for hashing */
json_t *jx_parse(const char *text, size_t n, Err *err) MUST_CHECK; /* duplicates rejected */
/* How a person reads it: strings bare, numbers plain; an object by its "words" when it has any, a
 * list of such as one sentence after the other; the rest as JSON. malloc()ed. */
char *jx_words(const json_t *j) MUST_CHECK;
