/* fold_lines.c: events as lines for people: the log review, and plain mode.
 *
 * Details of a step (what the child said) are in output/<step>.log, not here. A type without a
 * line (progress, step.remember, sql.begin ..) is machinery. */
#include <stdio.h>

#include "base/fmt.h"
#include "journal/view/view_impl.h"

static void drop_oldest(Fold *f)
{
        RunView *v = &f->v;
        view_keep(&v->lines[0].who, NULL);
        view_keep(&v->lines[0].text, NULL);
        v->lines++;
        v->n_lines--;
        v->lines_dropped++;
}

/* A window over a block of twice its size: moved back to the front once a block is full. */
static void push(Fold *f, const Event *ev, const ViewStep *st, int level, const char *who,
                 char *text_taken)
{
        RunView *v = &f->v;
        if (v->n_lines == VIEW_LINES)
                drop_oldest(f);
        size_t at = (size_t)(v->lines - f->lines_block);
        if (!f->lines_block || at + v->n_lines == f->lines_cap) {
                if (at > 0)
                        memmove(f->lines_block, v->lines, v->n_lines * sizeof *v->lines);
                if (v->n_lines * 2 > f->lines_cap || !f->lines_block) {
                        f->lines_cap = MIN(MAX(f->lines_cap * 2, 64), 2 * (size_t)VIEW_LINES);
                        f->lines_block = xrealloc(f->lines_block, f->lines_cap * sizeof *v->lines);
                }
                v->lines = f->lines_block;
        }
        v->lines[v->n_lines++] = (ViewLine){
                .t_ms = ev->t_ms,
                .seq = ev->seq,
                .n = st ? st->n : 0,
                .level = level,
                .who = xstrdup(who ? who : "pgsherpa"),
                .text = text_taken,
        };
}

#define SAY(level, who, ...) push(f, ev, st, (level), (who), xasprintf(__VA_ARGS__))

static const char *title_of(const RunView *v, const Event *ev, const ViewStep *st)
{
        const char *phase = jx_str(ev->fields, "phase", "");
        for (size_t i = 0; !st && i < v->n_phases; i++)
                if (str_eq(v->phases[i].id, phase))
                        return v->phases[i].title;
        const char *title = st ? st->title : ev->step;
        return title ? title : phase;
}

static void run_lines(Fold *f, const Event *ev, const ViewStep *st)
{
        const RunView *v = &f->v;
        const json_t *e = ev->fields;
        const char *by = jx_str(e, "by", "somebody");
        const char *tty = view_text(e, "tty");
        char clock[24];
        switch (ev->type) {
        case EV_RUN_OPEN:
                SAY(LINE_INFO, NULL, "run %s: %s, by %s on %s", jx_str(e, "run", ""),
                    jx_str(e, "title", ""), jx_str(e, "user", "?"), jx_str(e, "host", "?"));
                break;
        case EV_PLAN_ACCEPT:
                SAY(LINE_INFO, by, "accepted the plan, %zu steps (%.12s)", v->n_steps,
                    jx_str(e, "sha256", ""));
                break;
        case EV_RUN_ATTACH:
                SAY(LINE_INFO, NULL, "%s %s%s%s%s", by,
                    jx_bool(e, "watch", false) ? "is watching" : "attached", tty ? " (" : "",
                    tty ? tty : "", tty ? ")" : "");
                break;
        case EV_RUN_DETACH:
                SAY(LINE_INFO, NULL, "%s left (%s), the run continues", by,
                    jx_str(e, "cause", "quit"));
                break;
        case EV_PHASE_START:
                SAY(LINE_INFO, NULL, "phase %s begins", title_of(v, ev, NULL));
                break;
        case EV_PHASE_END:
                SAY(LINE_OK, NULL, "phase %s is done", title_of(v, ev, NULL));
                break;
        case EV_DOWNTIME_BEGIN:
                SAY(LINE_INFO, NULL, "downtime begins%s%s",
                    v->budget_ms ? ", planned at most " : "",
                    v->budget_ms ? fmt_duration(v->budget_ms, clock) : "");
                break;
        case EV_DOWNTIME_END:
                SAY(LINE_OK, NULL, "downtime ends after %s",
                    fmt_clock(run_view_downtime_ms(v, ev->bt_ms), clock));
                break;
        case EV_RUN_PAUSE:
                if (v->stopped_why)
                        SAY(LINE_ERROR, NULL, "the run stopped: %s", v->stopped_why);
                else
                        SAY(LINE_WARN, view_text(e, "by"), "the run is paused (%s)",
                            jx_str(e, "cause", "asked"));
                break;
        case EV_RUN_RESUME:
                SAY(LINE_INFO, view_text(e, "by"), "the run goes on%s",
                    jx_bool(e, "after_crash", false) ? " after its engine was gone" : "");
                break;
        case EV_RUN_ABORT:
                SAY(LINE_WARN, by, "stopped the run");
                break;
        case EV_RUN_CLOSE: {
                const char *reason = view_text(e, "reason");
                bool good = str_eq(v->status, "done") || str_eq(v->status, "undone");
                SAY(good ? LINE_OK : LINE_ERROR, NULL, "run %s%s%s", v->status ? v->status : "done",
                    reason ? ": " : "", reason ? reason : "");
                break;
        }
        default:
                break;
        }
}

static void failed(Fold *f, const Event *ev, const ViewStep *st, const char *prefix)
{
        const json_t *e = ev->fields;
        const char *state = jx_str(e, "sqlstate", "");
        const char *hint = view_text(e, "hint");
        SAY(LINE_ERROR, NULL, "%s%s%s%s%s", prefix, jx_str(e, "message", "no reason given"),
            *state ? " (SQLSTATE " : "", state, *state ? ")" : "");
        if (hint)
                SAY(LINE_INFO, NULL, "hint: %s", hint);
}

static void with_note(Fold *f, const Event *ev, const ViewStep *st, int level, const char *verb,
                      const char *note)
{
        SAY(level, NULL, "%s: %s%s%s", title_of(&f->v, ev, st), verb, note ? ", " : "",
            note ? note : "");
}

static void step_lines(Fold *f, const Event *ev, const ViewStep *st)
{
        const json_t *e = ev->fields;
        int64_t attempt = jx_int(e, "attempt", 1);
        switch (ev->type) {
        case EV_STEP_INTENT:
                if (attempt > 1)
                        SAY(LINE_INFO, NULL, "%s, attempt %lld", title_of(&f->v, ev, st),
                            (long long)attempt);
                else
                        SAY(LINE_INFO, NULL, "%s", title_of(&f->v, ev, st));
                break;
        case EV_STEP_DONE:
                with_note(f, ev, st, LINE_OK, "done", view_text(e, "note"));
                break;
        case EV_STEP_SKIPPED:
                with_note(f, ev, st, LINE_INFO, "skipped", view_text(e, "reason"));
                break;
        case EV_STEP_ALREADY:
                with_note(f, ev, st, LINE_OK, "already done", view_text(e, "reason"));
                break;
        case EV_STEP_FAILED:
                failed(f, ev, st, "");
                break;
        case EV_STEP_UNKNOWN:
                failed(f, ev, st, "not known whether it was done: ");
                break;
        case EV_UNDO_INTENT:
                SAY(LINE_INFO, NULL, "undo of %s: %s", title_of(&f->v, ev, st),
                    jx_str(e, "words", "going back"));
                break;
        case EV_UNDO_DONE:
                SAY(jx_bool(e, "left", false) ? LINE_WARN : LINE_OK, NULL, "%s: %s",
                    jx_bool(e, "left", false) ? "not undone" : "undone",
                    jx_str(e, "words", title_of(&f->v, ev, st)));
                break;
        case EV_UNDO_FAILED:
                failed(f, ev, st, "undo failed: ");
                break;
        case EV_UNDO_DRIFT:
                SAY(LINE_WARN, NULL, "changed by somebody else since: %s",
                    jx_str(e, "message", ""));
                break;
        default:
                break;
        }
}

static void check_lines(Fold *f, const Event *ev, const ViewStep *st)
{
        const json_t *e = ev->fields;
        const char *verdict = jx_str(e, "verdict", "ok"), *msg = view_text(e, "msg");
        const char *that = jx_str(e, "that", "check");
        if (str_eq(verdict, "ok")) {
                SAY(LINE_OK, NULL, "checked: %s", that);
                return;
        }
        AUTO_FREE char *actual = jx_words(jx_get(e, "actual"));
        SAY(str_eq(verdict, "warn")  ? LINE_WARN
            : str_eq(verdict, "ask") ? LINE_ASK
                                     : LINE_ERROR,
            NULL, "%s (%s; found: %s)", msg ? msg : "not as expected", that, actual);
}

static void question_lines(Fold *f, const Event *ev, const ViewStep *st)
{
        const json_t *e = ev->fields;
        const char *by = view_text(e, "by");
        switch (ev->type) {
        case EV_GATE_OPEN:
                SAY(LINE_ASK, NULL, "%s", jx_str(e, "title", "waiting for an answer"));
                break;
        case EV_GATE_ANSWER: {
                const char *label = NULL;
                for (size_t i = f->v.n_deeds; !label && i-- > 0;)
                        if (f->v.deeds[i].type == DEED_GATE &&
                            f->v.deeds[i].gate == jx_int(e, "gate", 0))
                                label = f->v.deeds[i].note;
                SAY(LINE_INFO, by, "chose: %s", label ? label : jx_str(e, "answer", ""));
                break;
        }
        case EV_DECISION_OPEN:
                SAY(LINE_ASK, NULL, "%s", jx_str(e, "question", "a decision is needed"));
                break;
        case EV_DECISION_ANSWER: {
                AUTO_FREE char *words = jx_words(jx_get(e, "answer"));
                SAY(LINE_INFO, by, "decided %s: %s", jx_str(e, "id", ""), words);
                break;
        }
        case EV_MANUAL_TICK:
                SAY(LINE_INFO, by, "%s: %s", jx_bool(e, "ticked", true) ? "ticked" : "unticked",
                    jx_str(e, "text", ""));
                break;
        case EV_NOTE:
                SAY(LINE_INFO, by, "%s", jx_str(e, "text", ""));
                break;
        default:
                break;
        }
}

static void other_lines(Fold *f, const Event *ev, const ViewStep *st)
{
        const json_t *e = ev->fields;
        char size[24], clock[24];
        switch (ev->type) {
        case EV_ERROR: {
                const char *verdict = jx_str(e, "verdict", "stop");
                const char *object = view_text(e, "object");
                const char *state = jx_str(e, "sqlstate", "");
                bool stop = !str_eq(verdict, "tolerated") && !str_eq(verdict, "retry");
                if (stop)
                        break; /* step.failed says it */
                SAY(LINE_WARN, NULL, "%s: %s%s%s%s%s", verdict, object ? object : "",
                    object ? ": " : "", jx_str(e, "message", ""), *state ? " SQLSTATE " : "",
                    state);
                break;
        }
        case EV_ARTIFACT:
                SAY(LINE_INFO, NULL, "%s: %s, %s", jx_str(e, "what", "file"), jx_str(e, "path", ""),
                    fmt_bytes(jx_int(e, "size", 0), size));
                break;
        case EV_OBLIGE_ADD:
                SAY(LINE_INFO, NULL, "to be put back later: %s", jx_str(e, "text", ""));
                break;
        case EV_OBLIGE_MET:
                SAY(LINE_OK, NULL, "put back: %s", jx_str(e, "id", ""));
                break;
        case EV_FENCE_OPEN:
                SAY(LINE_INFO, NULL, "%s: nobody else may write from now on",
                    jx_str(e, "target", "server"));
                break;
        case EV_FENCE_CLOSE:
                SAY(str_eq(jx_str(e, "verdict", "clean"), "clean") ? LINE_OK
                    : str_eq(jx_str(e, "verdict", ""), "written")  ? LINE_ERROR
                                                                   : LINE_WARN,
                    NULL, "fence: %s", jx_str(e, "message", jx_str(e, "verdict", "clean")));
                break;
        case EV_CLOCK_JUMP: {
                int64_t by = jx_int(e, "by_ms", 0);
                SAY(LINE_WARN, NULL, "the clock of this host was set %s by %s",
                    by < 0 ? "back" : "forward", fmt_duration(by < 0 ? -by : by, clock));
                break;
        }
        case EV_JOURNAL_RECOVERED:
                SAY(LINE_WARN, NULL,
                    "the last %lld bytes of the journal were incomplete; kept as "
                    "%s and cut",
                    (long long)jx_int(e, "bytes", 0), jx_str(e, "file", "a copy"));
                break;
        case EV_IO_ERROR:
                SAY(LINE_ERROR, NULL, "%s", jx_str(e, "message", "the disk failed"));
                break;
        default:
                break;
        }
}

void view_lines(Fold *f, const Event *ev, const ViewStep *st)
{
        run_lines(f, ev, st);
        step_lines(f, ev, st);
        if (ev->type == EV_CHECK)
                check_lines(f, ev, st);
        question_lines(f, ev, st);
        other_lines(f, ev, st);
}
