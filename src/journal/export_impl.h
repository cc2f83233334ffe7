/* export_impl.h: what the three formats of the log share. */
#pragma once

#include "journal/export.h"

/* "6 min 12 s", "41 s", "0.3 s", "1 h 5 min": how long something took. */
char *export_span(int64_t ms, char buf[static 32]);
/* "2026-11-20 22:41:07 +0100", local; "" for 0. */
char *export_time(int64_t t_ms, char buf[static 40]);
/* Malloc()ed; as it stands in the table, not yet escaped. */
char *export_deed_name(const ViewDeed *d);
char *export_deed_notes(const RunView *v, const ViewDeed *d);
const char *export_deed_status(const ViewDeed *d);
char *export_downtime(const RunView *v); /* "planned 12 min, at most 20 min; was 7:09" */
char *export_verdict(const RunView *v);  /* "done", "undone: undone by anna" */
/* Titles of steps whose turn never came: "8 Compare, 9 Start"; NULL when there are none. */
char *export_not_started(const RunView *v);
const char *export_issue_word(const ViewIssue *i);
/* "restoring x: no space left (SQLSTATE 53100, public.posts), 3 times, rule grants" */
char *export_issue_words(const ViewIssue *i);

/* The header's rows. value is malloc()ed. */
typedef struct ExportRow {
        const char *name;
        char *value;
} ExportRow;
enum { EXPORT_ROWS = 12 };
size_t export_header(const RunView *v, const char *head_hash, ExportRow rows[EXPORT_ROWS]);
