/* common.h: small things that several screens draw the same way. */
#pragma once

#include "ui/screen.h"

Mark step_mark(const ViewStep *s);
/* "4 s", "0:52", "" : how long it took, or has been running. */
char *step_time(const ViewStep *s, int64_t wall, char buf[static 24]);
/* "about 4 min left", "estimating", "longer than planned, 3 min so far"; "" when silent. */
char *words_left(int64_t ms, char buf[static 48]);
/* "6.2", as a part of a total that is written once: both in the total's unit. */
void fmt_pair(const char *unit, int64_t done, int64_t total, char buf[static 64]);
void fmt_amount(const char *unit, int64_t n, char buf[static 40]);
void fmt_speed(const char *unit, double rate, char buf[static 40]);
/* " ✓ Safe to disconnect." or what is in its way. */
Role run_status(Ui *ui, const RunModel *m, Buf *left, Buf *right);
/* Labelled line: dim label of w columns, then text. Returns rows used (text wraps). */
int draw_label(Canvas *cv, Rect r, int y, int label_w, const char *label, Role role,
               const char *text);

/* Lines of a gate (facts.c). Rows they need in w columns; draws them from row `scroll` on and
 * returns the rows used. */
int facts_rows(const Canvas *cv, const char *const *lines, size_t n, int w);
int facts_draw(Canvas *cv, const char *const *lines, size_t n, Rect r, int scroll);

/* The last lines of a file that grows; read again when it changed. */
typedef struct Tail {
        char *path, *text;
        int64_t size, mtime_ns;
        char **lines;
        size_t n;
} Tail;
void tail_done(Tail *t);
/* True when it differs from before. */
bool tail_look(Tail *t, const char *run_dir, const char *step_id);
/* Bottom of the file into the rectangle; returns rows used. skip: lines scrolled up. */
int tail_draw(const Tail *t, Canvas *cv, Rect r, int skip);

/* run.c's parts in files of their own */
void progress_draw(Ui *ui, const RunModel *m, const ViewStep *s, const Tail *tail, Canvas *cv,
                   const Layout *l);
/* Rows of one step's progress below each other; returns rows used. */
int progress_rows_draw(const ViewStep *s, Canvas *cv, Rect r);
void undo_draw(Ui *ui, const RunModel *m, Canvas *cv, const Layout *l, int top);
Screen *undo_new(RunModel *m);
/* What pane to show beside the list: everything known about one step. */
void step_detail_draw(Ui *ui, const RunModel *m, const ViewStep *s, const Tail *tail, Canvas *cv,
                      Rect r, int scroll);
/* All commands of a plan step (object of plan.json) as text. malloc()ed. */
char *step_commands_text(const json_t *plan_step);
