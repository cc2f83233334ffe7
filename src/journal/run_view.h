/* run_view.h: a run as a person sees it: a pure fold over its events.
 *
 * Live screen, plain output, log, export, resume and tests all use this one structure. For
 * every prefix of every journal: folding at once equals folding in two halves. It reads no
 * clock and no file; "now" is the caller's. All strings are owned by the view. */
#pragma once

#include "base/arena.h"
#include "base/progress.h"
#include "journal/ask.h"
#include "journal/journal.h"

typedef enum StepStatus {
        ST_PENDING,
        ST_GATED,
        ST_RUNNING,
        ST_DONE,
        ST_TOLERATED,
        ST_ALREADY,
        ST_SKIPPED,
        ST_FAILED,
        ST_UNKNOWN,
        ST_UNDOING,
        ST_UNDONE,
        ST_UNDO_FAILED,
} StepStatus;
const char *step_status_word(StepStatus s); /* "done", "FAILED", "waiting" ... plain mode */

typedef struct ViewProgress {
        bool set;
        const char *label, *unit;
        int64_t done, total, eta_ms, t_ms;
        double rate;
        int things_done, things_total;
        int workers; /* 0: none that could be changed */
        ProgressRow rows[8];
        size_t n_rows;
        double history[64]; /* rates, oldest first: the sparkline */
        size_t n_history;
} ViewProgress;

typedef struct ViewError {
        bool set;
        const char *kind, *sqlstate, *message, *hint, *object;
        int64_t t_ms, log_line;
} ViewError;

typedef struct ViewStep {
        int n;
        const char *id, *phase, *title, *why, *kind, *touches, *undo;
        bool asks, hard, cleanup;
        bool loop; /* its items stand behind it ("copy.gitea"): they */
                   /* count, not it */
        int64_t estimate_ms;
        StepStatus status;
        StepStatus before_undo; /* status when its undo began */
        bool kept;              /* the undo went by: it stays as it was */
        int attempt;
        int64_t t_start, t_end; /* wall; 0: not yet */
        int64_t bt_start, bt_end;
        const char *note;       /* real numbers, or the reason it was skipped */
        const char *undo_words; /* how it was put back */
        int tolerated, warnings;
        ViewError error;
        ViewProgress progress;
        json_t *remembered; /* object or NULL */
} ViewStep;

typedef struct ViewPhase {
        const char *id, *title, *users_see;
        bool cleanup;
        enum { PH_WAITING, PH_RUNNING, PH_ASKING, PH_FAILED, PH_DONE, PH_UNDONE } state;
} ViewPhase;

typedef struct ViewChoice {
        const char *key, *label, *consequence;
} ViewChoice;

typedef struct ViewGate {
        bool open;
        int64_t number; /* the answer must carry it */
        int64_t opened_seq, t_ms, until_ms;
        const char *kind, *step, *title, *text, *suggested;
        const char **lines;
        size_t n_lines;
        ViewChoice *choices;
        size_t n_choices;
} ViewGate;

/* One line of the log as reviewed on screen; details are in output/<step>.log. */
typedef struct ViewLine {
        int64_t t_ms, seq;
        int n; /* step's number, 0: none */
        enum { LINE_INFO, LINE_OK, LINE_WARN, LINE_ERROR, LINE_ASK } level;
        const char *who, *text;
} ViewLine;

const char *view_line_level(const ViewLine *l); /* "info" "ok" "warn" "error" "ask" */

typedef struct ViewArtifact {
        const char *step, *what, *path, *sha256;
        int64_t size;
} ViewArtifact;

typedef struct ViewDecision {
        const char *id, *question, *answer, *by;
        int64_t t_ms;
} ViewDecision;

typedef struct ViewTick {
        const char *step, *text, *by;
        int item;
        int64_t t_ms;
        bool ticked;
} ViewTick;

/* One thing that happened and has an end, in the order of beginning: the rows of the log.
 * A step that was tried twice stands here twice. */
typedef struct ViewDeed {
        enum { DEED_STEP, DEED_GATE, DEED_UNDO } type;
        int64_t t_start, t_end; /* wall; t_end 0: not yet */
        int64_t ms;             /* how long, by the boot clock; -1: not yet */
        int n, attempt;         /* of a step */
        int64_t gate;           /* number of a gate */
        StepStatus status;      /* of a step or undo */
        const char *step, *title, *kind;
        const char *note; /* of a step; what was answered at a gate */
        const char *by;   /* who answered */
} ViewDeed;

/* An error as it was met, tolerated ones too. */
typedef struct ViewIssue {
        const char *step, *kind, *sqlstate, *message, *hint, *object, *rule;
        enum { ISSUE_STOPPED, ISSUE_TOLERATED, ISSUE_RETRIED, ISSUE_WARNING } verdict;
        int n; /* the step's number */
        int64_t t_ms, count;
} ViewIssue;

typedef struct ViewObligation {
        const char *id, *text;
        int64_t t_add, t_met; /* t_met 0: still open */
} ViewObligation;

typedef struct RunView {
        Arena *arena;
        int64_t last_seq, t_open, t_last, bt_open, bt_last, t_close;
        const char *run, *runbook, *title, *host, *user, *ssh, *tool, *sha256, *plan_sha256;
        const char *version; /* of the runbook, or NULL */
        const char *undo_of; /* run that this one undoes, or NULL */
        const char *status;  /* NULL while open; else run.close's */
        const char *close_reason;
        const char *stopped_why, *stopped_hint; /* its engine met an error and ended; or NULL */
        bool paused, undoing, accepted;
        ViewPhase *phases;
        size_t n_phases;
        ViewStep *steps;
        size_t n_steps;
        ViewGate gate; /* the one that is open, or the last */
        int current;   /* index into steps of the running one, or -1 */
        ViewLine *lines;
        size_t n_lines;
        ViewArtifact *artifacts;
        size_t n_artifacts;
        ViewDecision *decisions;
        size_t n_decisions;
        ViewTick *ticks;
        size_t n_ticks;
        int64_t downtime_begin, downtime_end, bt_downtime_begin, bt_downtime_end, budget_ms;
        int64_t downtime_planned_ms; /* by the estimates; 0: not known */
        int64_t last_detach_ms;      /* "you left" */
        const char *last_detach_cause, *attached_by;
        int viewers, warnings, errors;
        json_t *facts; /* {"src": {"size": ..}} */
        json_t *vars;
        char head_hash[33]; /* of the last event applied */
        ViewDeed *deeds;
        size_t n_deeds;
        ViewIssue *issues;
        size_t n_issues; /* the first 1,000 */
        ViewObligation *obligations;
        size_t n_obligations;
        int64_t lines_dropped; /* older than the last 20,000 */
        const char *damage;    /* run_view_load(): what is wrong with the rest of */
                               /* the journal; NULL: nothing */
} RunView;

RunView *run_view_new(void) MUST_CHECK;
RunView *run_view_free(RunView *v);
static inline void run_view_freep(RunView **v)
{
        *v = run_view_free(*v);
}
#define AUTO_VIEW CLEANUP(run_view_freep) RunView *

void run_view_apply(RunView *v, const Event *ev) NONNULL;
/* Reads everything that is in the journal now. Of a damaged one the good part, with ->damage
 * set: it may be looked at, never gone on with. A torn end is not damage. */
bool run_view_load(const char *run_dir, RunView **ret, Err *err) MUST_CHECK;

/* Lines that are all good may still be too few, which only `head` knows: then ->damage is set. */
void run_view_hold_against_head(RunView *v, const char *run_dir);

ViewStep *run_view_step(RunView *v, const char *id);
/* Steps by outcome, for "4 of 6 steps". */
void run_view_count(const RunView *v, const char *phase, int *ret_done, int *ret_total);
/* `now_boot_ms`: 0 when nothing runs (no engine): up to the last event then. Closed runs and
 * closed downtimes do not look at it. After a reboot all bt_ fields are shifted, so that they
 * fit the boot clock of the last run.resume. */
int64_t run_view_elapsed_ms(const RunView *v, int64_t now_boot_ms);
int64_t run_view_downtime_ms(const RunView *v, int64_t now_boot_ms); /* -1: none yet */

/* A step's `undo` as the plan has it ("–", "NO", "kept", "yes, until 26"), as a sentence;
 * malloc()ed. */
char *run_view_undo_words(const char *undo) MUST_CHECK;

/* Of what a plan says: its first sentence ("# drops the roles .."), without the mark, else its
 * first line; NULL: it says nothing. Lives as long as `lines`. */
const char *run_view_sentence(const json_t *lines);

/* All of it as JSON, in a fixed order: two views are equal when their dumps are. For tests. */
json_t *run_view_dump(const RunView *v) MUST_CHECK;
