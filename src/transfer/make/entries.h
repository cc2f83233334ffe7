/* entries.h: doing what the entries of a dump say, on one connection.
 *
 * Many small statements cost round trips, not work: entries go to the server in batches, each
 * one simple query and so one transaction. A batch that fails has changed nothing; it is halved
 * until the entry that failed stands alone, so an error has its object's name all the same. */
#pragma once

#include "base/arena.h"
#include "dumps/toc.h"
#include "pg/conn.h"
#include "transfer/transfer.h"

/* Which of a schema's entries, in the order they run: before the data, after it, then grants and
 * what comes after those. Never what would move rows or need another server. */
typedef enum EntriesOf {
        ENTRIES_ALL,
        ENTRIES_TEXTS, /* what carries expressions, and what that needs */
} EntriesOf;
const TocEntry **entries_of_schema(Arena *a, const Toc *toc, EntriesOf which, size_t *ret_n);

typedef struct Entries {
        Transfer *t;
        Pg *pg;
        Arena *a;
        const char *tablespace, *access_method; /* what the session has now */
        bool inside;                            /* the caller has a transaction */
} Entries;

void entries_begin(Entries *s, Transfer *t, Pg *pg);
void entries_done(Entries *s);

/* All of them, in this order. `at` (may be NULL) hears how many are done and which is next. */
bool entries_run(Entries *s, const TocEntry *const *list, size_t n,
                 void (*at)(void *arg, size_t done, const TocEntry *next), void *arg,
                 Err *err) MUST_CHECK;
/* One statement for the object of an entry, where that object lives. What fails and is
 * tolerated is true, with *ret_made false. */
bool entries_statement(Entries *s, const TocEntry *e, const char *sql, bool *ret_made,
                       Err *err) MUST_CHECK;
