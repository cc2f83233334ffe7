/* types.h: what each type of schema v1 looks like, as text and as a value.
 *
 *      value_from_text(PARAM_SIZE, "500MB", &v, err)      -> 524288000
 *      value_from_text(PARAM_SIZE, "soon", &v, err)       -> "`soon` is not a size: ..."
 *
 * The schema decides, not YAML: `no` is a text where a text is wanted. Lists and maps are
 * not handled here, see template.h. */
#pragma once

#include "base/jsonx.h"
#include "runbook/param.h"

const char *param_type_name(ParamType t);    /* "size" */
const char *param_type_example(ParamType t); /* "a size such as 500MB or 2GiB" */

/* "list<service>" -> PARAM_LIST, PARAM_MAP, "service". False: no such type. */
bool param_type_parse(const char *text, ParamType *ret, ParamType *ret_item,
                      const char **ret_record) MUST_CHECK;

/* New reference, or false with what is wrong and what to write instead. */
bool value_from_text(ParamType t, const char *text, json_t **ret, Err *err) MUST_CHECK;
bool value_from_json(ParamType t, const json_t *v, json_t **ret, Err *err) MUST_CHECK;

/* A plain scalar where no schema says what it is: true, false and whole numbers without a
 * leading zero are that, all else is text. */
json_t *value_guess(const char *text, bool plain) MUST_CHECK;

/* The rows of list<service> and list<source>; NULL for another name. */
const ParamSpec *record_fields(const char *record);

/* Numbers with a dot between any two: 17, 17.2. */
bool value_is_version(const char *s) NONNULL;
