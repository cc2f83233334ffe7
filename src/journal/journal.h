/* journal.h: what happened, in order, forever.
 *
 * A run *is* its journal. One process appends; everyone else only reads. The
 * live screen, `resume` and the log review are the same function over the
 * same lines:
 *
 *      RunView *view = run_view_new();
 *      while (journal_next(r, &ev, err) && ev.type != EV_NONE)
 *              run_view_apply(view, &ev);      // pure: no clock, no I/O
 *
 * On disk it is JSON Lines, one event per line (<= 4 KiB, one write()), each with a sequence
 * number, the hash of the line before and its own:
 *
 *   {"seq":41,"prev":"<32 hex>","t":"2026-11-20T22:41:07.123Z","bt":81234512,"ev":"step.intent",
 *    "step":"copy",...,"h":"<32 hex>"}
 *
 * so grep, jq and a tired human at 03:00 can all read it. `h` is the first 128 bits of SHA-256
 * over all bytes before ,"h":. A torn last line (power cut) is copied aside and cut on open; a
 * bad line anywhere else is corruption and refuses to open. `head` holds seq and hash of the
 * last record of every gate, phase and close: fewer records than it says is corruption too.
 *
 * The write rule that makes resume honest: step.intent is on disk (fdatasync) before a step
 * may change anything, and its outcome is on disk before the next step may start. */
#pragma once

#include "base/err.h"
#include "base/jsonx.h"

/* The events, one for one with their names: step.intent is EV_STEP_INTENT. The fields of each
 * stand in events.h. */
typedef enum EventType {
        EV_NONE,
        EV_RUN_OPEN,
        EV_PLAN_PHASE,
        EV_PLAN_STEP,
        EV_PLAN_ACCEPT,
        EV_RUN_ATTACH,
        EV_RUN_DETACH,
        EV_PHASE_START,
        EV_PHASE_END,
        EV_STEP_INTENT,
        EV_STEP_REMEMBER,
        EV_PROC_SPAWN,
        EV_SQL_BEGIN,
        EV_PROGRESS,
        EV_CHECK,
        EV_FACT,
        EV_GATE_OPEN,
        EV_GATE_ANSWER,
        EV_DECISION_OPEN,
        EV_DECISION_ANSWER,
        EV_MANUAL_TICK,
        EV_NOTE,
        EV_ERROR,
        EV_STEP_DONE,
        EV_STEP_FAILED,
        EV_STEP_SKIPPED,
        EV_STEP_ALREADY,
        EV_STEP_UNKNOWN,
        EV_ARTIFACT,
        EV_UNDO_START,
        EV_UNDO_INTENT,
        EV_UNDO_DONE,
        EV_UNDO_FAILED,
        EV_UNDO_DRIFT,
        EV_UNDO_END,
        EV_OBLIGE_ADD,
        EV_OBLIGE_MET,
        EV_DOWNTIME_BEGIN,
        EV_DOWNTIME_END,
        EV_FENCE_OPEN,
        EV_FENCE_CLOSE,
        EV_CLOCK_JUMP,
        EV_JOURNAL_RECOVERED,
        EV_IO_ERROR,
        EV_RUN_PAUSE,
        EV_RUN_RESUME,
        EV_RUN_ABORT,
        EV_RUN_CLOSE,
        EV_COUNT_
} EventType;

const char *event_name(EventType type); /* "step.intent" */
EventType event_type(const char *name); /* EV_NONE: unknown */

typedef struct Event {
        int64_t seq, t_ms, bt_ms; /* wall and boot clock, milliseconds */
        EventType type;
        const char *step; /* may be NULL */
        json_t *fields;   /* the whole line as an object; borrowed */
} Event;

/* ---- writing: one process, holding the run's lock ---- */
typedef struct Journal Journal;

/* Opens run_dir/journal.jsonl for appending, recovering a torn tail (and journaling that).
 * Damage anywhere else: false, kind ERR_USER, "journal.jsonl line 41: ..". */
Journal *journal_open(const char *run_dir, Err *err) MUST_CHECK;
Journal *journal_close(Journal *j);
/* Appends one event and, where its type promises, waits for the disk. `fields` is stolen (may
 * be NULL); texts are redacted and cut so that the line stays within 4 KiB. After a failed
 * write or fdatasync every further append fails too: the disk may lie from then on. `ev` (may
 * be NULL) receives the event as written, valid until the next append. */
bool journal_append(Journal *j, EventType type, const char *step, json_t *fields, Event *ev,
                    Err *err) MUST_CHECK;
int64_t journal_seq(const Journal *j);
const char *journal_head_hash(const Journal *j);

/* ---- reading: anybody, any time, also while it grows ---- */
typedef struct JournalReader JournalReader;

JournalReader *journal_reader_open(const char *run_dir, Err *err) MUST_CHECK;
JournalReader *journal_reader_close(JournalReader *r);
/* Next whole, valid event; ev->type is EV_NONE when there is none (yet). The event is valid
 * until the next call. False: the journal is damaged here. */
bool journal_next(JournalReader *r, Event *ev, Err *err) MUST_CHECK;

typedef enum JournalState { JOURNAL_OK, JOURNAL_TORN, JOURNAL_CORRUPT } JournalState;
/* Reads it all: state, number of good records, and words for what is wrong (arena-free:
 * malloc()ed, may be NULL). */
bool journal_verify(const char *run_dir, JournalState *ret, int64_t *ret_records, char **ret_words,
                    Err *err) MUST_CHECK;
