/* comparing.h: the proof, for the verbs that show it. */
#pragma once

#include "app/work.h"
#include "pg/compare.h"

/* Compares with the progress line and ctrl-C of `w`. */
bool comparing(Work *w, Pg *source, Pg *target, const json_t *ignore, json_t **ret_report, Err *err)
        MUST_CHECK;
/* format: "txt", "md" or "json". Only differences and what was not compared, and a verdict. */
void comparing_print(const json_t *report, const char *format) NONNULL;
