/* view_impl.h: the parts of the fold, and what it remembers but nobody else needs.
 *
 * Strings that change (progress, notes, errors) are malloc()ed one by one and replaced by
 * view_keep(), so that a week of progress, one event a second, does not grow the view. What
 * comes once (plan, run.open) lies in the arena. */
#pragma once

#include "journal/run_view.h"

enum { VIEW_LINES = 20000, VIEW_ISSUES = 1000, VIEW_DEEDS = 20000 };

typedef struct PhaseMark {
        bool started, ended;
} PhaseMark;

typedef struct Fold {
        RunView v; /* first: a RunView * is a Fold * */
        size_t steps_cap, phases_cap, marks_cap, artifacts_cap, decisions_cap, ticks_cap, deeds_cap,
                issues_cap, obligations_cap;
        PhaseMark *marks;      /* beside v.phases */
        ViewLine *lines_block; /* v.lines points into it */
        size_t lines_cap;
        Arena *gate_arena; /* of v.gate; emptied when the next one opens */
        char *boot_id;
        int64_t engine_pid;
        int64_t downtime_before_ms; /* closed windows before the present one */
        int64_t bt_close;
        bool issue_was_error; /* the last issue came from an error event */
} Fold;

/* Room for one more element; zeroed. */
void *view_grow(void *array, size_t *cap, size_t n, size_t size) MUST_CHECK;
#define VIEW_ADD(array, n, cap)                                                                    \
        ((array) = view_grow((array), &(cap), (n), sizeof *(array)), &(array)[(n)++])

/* A text of an event; absent and empty are both NULL. */
const char *view_text(const json_t *fields, const char *key);
/* Replaces a malloc()ed text; text may be NULL. */
void view_keep(const char **slot, const char *text);
void view_error_set(ViewError *e, const Event *ev);
void view_error_clear(ViewError *e);

void view_gate_open(Fold *f, const Event *ev); /* fold_gate.c */
void view_gate_close(Fold *f);
void view_progress(ViewStep *st, const Event *ev); /* fold_progress.c */
void view_progress_clear(ViewProgress *p);
void view_fact(RunView *v, const Event *ev); /* fold_records.c */
void view_records(Fold *f, const Event *ev, const ViewStep *st);
void view_deed_begin(Fold *f, int type, const Event *ev, const ViewStep *st);
void view_deed_end(Fold *f, int type, const Event *ev, const ViewStep *st, StepStatus status,
                   const char *note);
void view_lines(Fold *f, const Event *ev, const ViewStep *st); /* fold_lines.c */
