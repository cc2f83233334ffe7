/* recover.h: opening a journal that a crash left. Inside the journal room.
 *
 * One look at the whole file decides (record.h has the rules). Only a torn tail is ever cut,
 * and only after its bytes were copied aside and are on disk. */
#pragma once

#include "journal/record.h"

typedef struct Recovered {
        Chain chain;      /* to go on from */
        int64_t cut;      /* bytes cut from the tail, 0: none */
        char kept_as[64]; /* name of the copy in the run directory, or "" */
} Recovered;

/* The whole of journal.jsonl, scanned and compared with `head`. *ret_words: what is wrong, or
 * NULL; malloc()ed. `path` may be a run directory or a journal file. */
bool recover_look(const char *path, Scan *ret, char **ret_words, Err *err) MUST_CHECK;
/* Makes the file at `fd` good again, or says why not (ERR_USER: corrupt). */
bool recover_file(const char *run_dir, int fd, Recovered *ret, Err *err) MUST_CHECK;
