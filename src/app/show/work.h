/* work.h: one piece of work on the command line: shown once a second, stopped by ctrl-C.
 *
 *      AUTO_WORK w = work_begin(quiet ? WORK_QUIET : WORK_LINE);
 *      AUTO_TRANSFER t = transfer_new(&(TransferHooks){ WORK_HOOKS(w) });
 *      work_cancels(w, t);
 *      bool ok = transfer_copy(t, ..);
 *      work_cancels(w, NULL);
 *
 * A thread of its own waits for signals (they are blocked everywhere else) and redraws the
 * line, only when stderr is a terminal; or writes events (progress_event.h), wherever stderr goes:
 * at most four a second, and one every second when there is no news. SIGINT, SIGTERM and SIGHUP
 * cancel: the flag goes up, every connection's statement is cancelled, the work unwinds through its
 * Err and what it had begun is removed by whoever began it. Exactly one Work at a time. */
#pragma once

#include "transfer/transfer.h"

typedef struct Work Work;

typedef enum WorkShow { WORK_LINE, WORK_QUIET, WORK_EVENTS } WorkShow;

/* What the options --quiet and --json ask for: quiet wins. */
static inline WorkShow work_show(bool quiet, bool json)
{
        return quiet ? WORK_QUIET : json ? WORK_EVENTS : WORK_LINE;
}

Work *work_begin(WorkShow show) MUST_CHECK;
Work *work_end(Work *w); /* the line is wiped, signals are as before; NULL.
                            The last event: "done", unless it failed */
/* What a signal is to stop; NULL: nothing any more. */
void work_cancels(Work *w, Transfer *t);
void work_cancels_connections(Work *w, Pg *a, Pg *b);
const volatile bool *work_flag(const Work *w);
/* A transfer that a comparison of both sides follows: the time left is that of both. */
void work_expect_proof(Work *w);
/* TransferHooks */
void work_progress(void *work, const Progress *p);
void work_say(void *work, const char *text);   /* also where no terminal is, unless quiet */
void work_complain(Work *w, const char *text); /* the same, and even when quiet */
bool work_created(void *work, int64_t oid, Err *err);
#define WORK_HOOKS(w) .progress = work_progress, .say = work_say, .cancel = work_flag(w), .arg = (w)
/* CompareOptions.progress */
void work_compared(void *work, const char *table, int done, int total, int64_t bytes_done,
                   int64_t bytes_total);
/* verb_fail(), as an event where events are written. Returns `code`. */
int work_fail(Work *w, Err *err, int code) NONNULL;
/* OID of the database that was made; 0: none was. */
int64_t work_oid(const Work *w);

static inline void work_endp_(Work **w)
{
        *w = work_end(*w);
}
#define AUTO_WORK CLEANUP(work_endp_) Work *
