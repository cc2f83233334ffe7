/* verbs.h: what app's verbs `log` and `journal verify` do, as functions. */
#pragma once

#include <stdio.h>

#include "base/err.h"

/* The log of a run (directory or journal file) as md, json, txt or lines (one line per event).
 * malloc()ed. An unknown format is ERR_USER. Of a damaged journal the readable part, which says
 * so. */
bool journal_log(const char *run_dir, const char *format, char **ret_text, Err *err) MUST_CHECK;

/* Prints one line and returns the exit code: 0 ok, 1 torn or corrupt (and says which and
 * where), 4 could not look (*err is set). */
int journal_verify_verb(const char *run_dir, FILE *out, Err *err) MUST_CHECK;
