/* work.h: one piece of work on the command line: shown once a second, stopped by ctrl-C.
 *
 *      AUTO_WORK w = work_begin(quiet);
 *      AUTO_TRANSFER t = transfer_new(&(TransferHooks){ WORK_HOOKS(w) });
 *      work_stops(w, t);
 *      bool ok = transfer_copy(t, ..);
 *      work_stops(w, NULL);
 *
 * A thread of its own waits for signals (they are blocked everywhere else) and redraws the
 * line, only when stderr is a terminal. SIGINT, SIGTERM and SIGHUP cancel: the flag goes up,
 * every connection's statement is cancelled, the work unwinds through its Err and what it had
 * begun is removed by whoever began it. Exactly one Work at a time. */
#pragma once

#include "transfer/transfer.h"

typedef struct Work Work;

Work *work_begin(bool quiet) MUST_CHECK;
Work *work_end(Work *w);                /* the line is wiped, signals are as before; NULL */
/* What a signal is to stop; NULL: nothing any more. */
void  work_stops(Work *w, Transfer *t);
void  work_stops_connections(Work *w, Pg *a, Pg *b);
const volatile bool *work_flag(const Work *w);
/* TransferHooks */
void  work_progress(void *work, const TransferProgress *p);
void  work_say(void *work, const char *text);   /* also where no terminal is, unless quiet */
bool  work_created(void *work, int64_t oid, Err *err);
#define WORK_HOOKS(w) .progress = work_progress, .say = work_say, .cancel = work_flag(w), .arg = (w)
/* CompareOptions.progress */
void  work_compared(void *work, const char *table, int done, int total, int64_t bytes_done,
                    int64_t bytes_total);
/* OID of the database that was made; 0: none was. */
int64_t work_oid(const Work *w);

static inline void work_endp_(Work **w)
{
        *w = work_end(*w);
}
#define AUTO_WORK CLEANUP(work_endp_) Work *
