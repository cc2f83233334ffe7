/* flags.h: the options of one verb, as a table.
 *
 *      const char *from = NULL, *words[1];
 *      bool json = false;
 *      size_t n;
 *      const Flag flags[] = { { "--from", .value = &from }, { "--json", .set = &json }, { 0 } };
 *      if (!flags_read(flags, argc, argv, words, LEN(words), &n, &err))
 *              return verb_fail(&err, EXIT_USAGE);
 *
 * argv[0] is skipped. `--` ends the options; a word may then begin with a dash. */
#pragma once

#include "base/jsonx.h"

typedef struct Flag {
        const char *name;
        const char **value; /* "--name VALUE", the last one counts; or NULL */
        bool *set;          /* "--name" */
        json_t *list;       /* "--name VALUE", as often as one likes */
} Flag;

/* "--jobs N": 1 .. 32; NULL leaves *ret alone. */
bool flags_jobs(const char *value, int *ret, Err *err) MUST_CHECK;
bool flags_read(const Flag *flags, int argc, char **argv, const char **words, size_t max,
                size_t *ret_n, Err *err) MUST_CHECK;
