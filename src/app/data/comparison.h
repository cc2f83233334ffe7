/* comparison.h: the proof, for the verbs that show it. */
#pragma once

#include "app/show/work.h"
#include "pg/compare.h"
#include "transfer/reprinter.h"

/* Compares with the progress line and ctrl-C of `w`; of `wanted` (NULL: nothing special) all but
 * those is used. */
/* Texts that differ are asked about on the target's server, unless `asks` is NULL. */
bool comparison_run(Work *w, Pg *source, Pg *target, const ReprintPlan *asks,
                    const CompareOptions *wanted, json_t **ret_report, Err *err) MUST_CHECK;
/* The same of what a bundle holds (transfer_compare). */
bool comparison_run_bundle(Work *w, const Bundle *b, const char *database, Pg *target,
                           const CompareOptions *wanted, json_t **ret_report, Err *err) MUST_CHECK;
/* format: "text", "md" or "json" (report_text.h), to stdout. */
void comparison_print(const json_t *report, const char *format) NONNULL;
/* Into a file, whole or not at all. */
bool comparison_save(const json_t *report, const char *format, const char *path,
                     Err *err) MUST_CHECK;
