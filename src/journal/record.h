/* record.h: one line of the journal, as bytes. Inside the journal room.
 *
 *   {"seq":41,"prev":"<32 hex>","t":"..","bt":81234512,"ev":"note",...,"h":"<32 hex>"}\n
 *
 * A line proves itself (its hash), its place (seq) and its past (prev). A scan reads a whole
 * file forward and says where good ends and what the rest is; the rules are those of
 * runbooks.md 3.2:
 *
 *   valid hash, only the newline missing           accept it, the newline is added
 *   no final newline, or a NUL run as power cuts   TORN: may be cut (never an acknowledged
 *   make them (below)                              record: those were on disk)
 *   anything else                                  CORRUPT: never cut, read-only
 *
 * A NUL alone is no proof of a power cut: one flipped bit makes a NUL of a space. Torn writes
 * leave NULs in runs that begin where the record or a 512-byte sector begins and end at a
 * sector's or the file's end. */
#pragma once

#include "base/buf.h"
#include "journal/journal.h"

enum { RECORD_HASH = 32 }; /* hex digits */

typedef struct Chain { /* where we are: the last good record */
        int64_t seq;
        char hash[RECORD_HASH + 1];
} Chain;

Chain chain_start(void);

typedef struct RecordTime {
        int64_t wall_ms, boot_ms; /* since 1970; since the machine started */
} RecordTime;

/* Builds the line (newline included) that comes after `at`. `fields` is borrowed; its texts
 * were prepared by record_fields(). False: too long for LIMIT_RECORD. */
bool record_encode(const Chain *at, EventType type, const char *step, const json_t *fields,
                   RecordTime when, Buf *out, Chain *ret) MUST_CHECK;

/* Is this line (without newline) the one that comes after `at`? Moves `at` on when it is. */
bool record_follows(Chain *at, const char *line, size_t n) MUST_CHECK;
/* Does it carry its own right hash, whatever its place? */
bool record_self_valid(const char *line, size_t n);
/* The line as an event; the object is owned by the caller (ev->fields). */
bool record_parse(const char *line, size_t n, Event *ev, Err *err) MUST_CHECK;
/* "progress" without parsing: listing runs must not parse 10^5 of them. */
bool record_is_progress(const char *line, size_t n);

typedef struct Scan {
        JournalState state;
        Chain chain;                     /* after the last good record */
        size_t good;                     /* bytes that stay */
        bool no_newline;                 /* the last good record lacks its newline */
        int64_t line;                    /* number of the first bad line, from 1 */
        const char *why;                 /* words for it, static */
        char head_hash[RECORD_HASH + 1]; /* hash of the record asked for, or "" */
} Scan;

/* Reads `n` bytes of a file from the state `at` on (`offset`: of the first byte in the file).
 * `want_seq`: remember that record's hash (for `head`), 0: none. */
Scan record_scan(const Chain *at, const char *bytes, size_t n, size_t offset, int64_t want_seq);
