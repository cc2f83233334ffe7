/* plain.c: a run as sentences: one event a line, no cursor movement, no colour, no boxes. */
#include "ui/plain.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/fmt.h"
#include "ui/plain_ask.h"
#include "ui/screens/common.h"

enum { PROGRESS_MS = 30000, PROGRESS_PERCENT = 5, LONG_WAIT_MS = 60000 };

typedef struct Teller {
        char step[128]; /* whose progress was told last */
        int percent;
        int64_t told_ms;
} Teller;

static volatile sig_atomic_t tell_now;

static void on_usr1(int sig)
{
        tell_now = 1;
}

int plain_exit_code(const char *status)
{
        if (str_eq(status, "done"))
                return 0;
        if (str_eq(status, "refused"))
                return 3;
        return str_eq(status, "aborted") ? 130 : 1;
}

static void at(int64_t t_ms)
{
        char buf[16];
        printf("%s  ", clock_hms(t_ms, buf));
}

static void step_line(const Event *ev, const RunView *v, const ViewStep *s, const char *what)
{
        at(ev->t_ms);
        printf("Step %d of %zu, %s: %s", s->n, v->n_steps, s->title, what);
}

static void tell_progress(Teller *t, const RunView *v, const ViewStep *s, int64_t t_ms, bool force)
{
        const ViewProgress *p = &s->progress;
        double part = step_part(s);
        int percent = part >= 0 ? (int)(MIN(part, 1) * 100) : -1;
        char pair[64], rate[40], left[24];
        if (!str_eq(t->step, s->id)) {
                snprintf(t->step, sizeof t->step, "%s", s->id);
                t->percent = 0;
                t->told_ms = t_ms;
        }
        if (!force && t_ms - t->told_ms < PROGRESS_MS &&
            (percent < 0 || percent - t->percent < PROGRESS_PERCENT))
                return;
        t->percent = MAX(percent, 0);
        t->told_ms = t_ms;
        at(t_ms);
        printf("Step %d: ", s->n);
        if (percent >= 0)
                printf("%d percent, ", percent);
        fmt_pair(p->unit, p->done, p->total, pair);
        printf("%s", pair);
        if (p->rate > 0) {
                fmt_speed(p->unit, p->rate, rate);
                printf(", %s", rate);
        }
        if (p->eta_ms > 0)
                printf(", about %s left", fmt_duration(p->eta_ms, left));
        printf(".\n");
        (void)v;
}

static void tell_outcome(const Event *ev, const RunView *v, const ViewStep *s)
{
        char t[24];
        switch (ev->type) {
        case EV_STEP_DONE:
                step_line(ev, v, s, "done");
                if (s->t_start)
                        printf(", %s", fmt_duration(MAX(s->t_end - s->t_start, 0), t));
                if (s->tolerated)
                        printf(", %d tolerated", s->tolerated);
                printf(".%s%s\n", s->note && *s->note ? " " : "", s->note ? s->note : "");
                break;
        case EV_STEP_FAILED:
                step_line(ev, v, s, "FAILED. ");
                printf("%s%s%s\n", s->error.message ? s->error.message : "",
                       s->error.hint ? " Hint: " : "", s->error.hint ? s->error.hint : "");
                break;
        case EV_STEP_SKIPPED:
        case EV_STEP_ALREADY:
                step_line(ev, v, s, ev->type == EV_STEP_SKIPPED ? "skipped" : "already done");
                printf("%s%s.\n", s->note && *s->note ? ", " : "", s->note ? s->note : "");
                break;
        default:
                step_line(ev, v, s, "warning, nobody knows whether it happened. ");
                printf("%s\n", jx_str(ev->fields, "message", ""));
                break;
        }
}

static void tell_phase(const Event *ev, const RunView *v)
{
        const char *id = jx_str(ev->fields, "phase", "");
        for (size_t i = 0; i < v->n_phases; i++) {
                const ViewPhase *p = &v->phases[i];
                int done, total;
                if (!str_eq(p->id, id))
                        continue;
                run_view_count(v, id, &done, &total);
                at(ev->t_ms);
                printf("Phase %zu of %zu, %s. %d step%s.%s%s%s\n", i + 1, v->n_phases,
                       p->title ? p->title : id, total, total == 1 ? "" : "s",
                       p->users_see ? " Users see: " : "", p->users_see ? p->users_see : "",
                       p->users_see ? "." : "");
        }
}

/* The choice's label, or what was typed. */
static const char *answer_words(const json_t *f, const ViewGate *g)
{
        const char *key = jx_str(f, "answer", "?"), *text = jx_str(f, "text", NULL);
        if (text && *text)
                return text;
        for (size_t i = 0; i < g->n_choices; i++)
                if (str_eq(g->choices[i].key, key) && *g->choices[i].label)
                        return g->choices[i].label;
        return key;
}

static void tell_other(const Event *ev, const RunView *v)
{
        const json_t *f = ev->fields;
        char t[24];
        switch (ev->type) {
        case EV_CHECK:
                if (str_eq(jx_str(f, "verdict", ""), "ok"))
                        return;
                at(ev->t_ms);
                printf("warning: %s (expected %s)\n", jx_str(f, "msg", jx_str(f, "that", "")),
                       jx_str(f, "that", ""));
                return;
        case EV_GATE_ANSWER:
                at(ev->t_ms);
                printf("Answered: %s, by %s.\n", answer_words(f, &v->gate), jx_str(f, "by", "?"));
                return;
        case EV_DECISION_ANSWER:
                at(ev->t_ms);
                printf("Decided: %s, by %s.\n", jx_str(f, "answer", "?"), jx_str(f, "by", "?"));
                return;
        case EV_MANUAL_TICK:
                at(ev->t_ms);
                printf("%s: %s, by %s.\n", jx_bool(f, "ticked", true) ? "Ticked" : "Unticked",
                       jx_str(f, "text", "?"), jx_str(f, "by", "?"));
                return;
        case EV_DOWNTIME_BEGIN:
                at(ev->t_ms);
                printf("Downtime begins.\n");
                return;
        case EV_DOWNTIME_END:
                at(ev->t_ms);
                printf("Downtime ends after %s.\n",
                       fmt_duration(run_view_downtime_ms(v, ev->bt_ms), t));
                return;
        case EV_RUN_PAUSE:
        case EV_RUN_RESUME:
        case EV_RUN_ABORT:
                at(ev->t_ms);
                printf("%s%s%s.\n",
                       ev->type == EV_RUN_PAUSE    ? v->stopped_why ? "Stopped" : "Paused"
                       : ev->type == EV_RUN_RESUME ? "Continued"
                                                   : "Stopped for good",
                       jx_str(f, "cause", NULL) ? ": " : "",
                       v->stopped_why ? v->stopped_why : jx_str(f, "cause", ""));
                return;
        case EV_RUN_CLOSE:
                at(ev->t_ms);
                printf("The run is %s%s%s, after %s.\n", v->status ? v->status : "closed",
                       v->close_reason && *v->close_reason ? ": " : "",
                       v->close_reason ? v->close_reason : "",
                       fmt_duration(run_view_elapsed_ms(v, ev->bt_ms), t));
                return;
        default:
                return;
        }
}

static void tell_undo(const Event *ev, const RunView *v, const ViewStep *s)
{
        at(ev->t_ms);
        if (ev->type == EV_UNDO_START)
                printf("Undo, newest step first.\n");
        else if (ev->type == EV_UNDO_END)
                printf("Undo %s.\n",
                       jx_bool(ev->fields, "ok", false) ? "finished" : "did not finish");
        else if (s)
                printf("Undo of step %d, %s: %s. %s\n", s->n, s->title,
                       ev->type == EV_UNDO_DONE     ? "done"
                       : ev->type == EV_UNDO_INTENT ? "running"
                       : ev->type == EV_UNDO_DRIFT  ? "warning, it is not as we left it"
                                                    : "FAILED",
                       jx_str(ev->fields, "words", jx_str(ev->fields, "message", "")));
        (void)v;
}

static void tell(void *ctx, const Event *ev, const RunView *v)
{
        Teller *t = ctx;
        const ViewStep *s = ev->step ? run_view_step((RunView *)(uintptr_t)v, ev->step) : NULL;
        switch (ev->type) {
        case EV_RUN_OPEN:
                printf("pgsherpa: run %s, %s. %d steps.\n", v->run ? v->run : "",
                       v->title ? v->title : "", (int)jx_int(ev->fields, "n_steps", 0));
                break;
        case EV_PHASE_START:
                tell_phase(ev, v);
                break;
        case EV_STEP_INTENT:
                if (s && (s->estimate_ms >= 10000 || s->attempt > 1)) {
                        step_line(ev, v, s, "running");
                        printf(s->attempt > 1 ? ", try %d.\n" : ".\n", s->attempt);
                }
                break;
        case EV_PROGRESS:
                if (s && s->progress.set)
                        tell_progress(t, v, s, ev->t_ms, false);
                break;
        case EV_STEP_DONE:
        case EV_STEP_FAILED:
        case EV_STEP_SKIPPED:
        case EV_STEP_ALREADY:
        case EV_STEP_UNKNOWN:
                if (s)
                        tell_outcome(ev, v, s);
                break;
        case EV_UNDO_START:
        case EV_UNDO_INTENT:
        case EV_UNDO_DONE:
        case EV_UNDO_FAILED:
        case EV_UNDO_DRIFT:
        case EV_UNDO_END:
                tell_undo(ev, v, s);
                break;
        default:
                tell_other(ev, v);
                break;
        }
        fflush(stdout);
}

static int leave(const RunModel *m, int code)
{
        const RunView *v = m->view;
        printf("run %s %s on %s. Attach again with: pgsherpa attach\n", v->run ? v->run : "",
               v->gate.open ? "waits for an answer" : "continues", v->host ? v->host : "this host");
        return code;
}

static int follow(RunModel *m, const UiOptions *o, Input *in, Teller *t)
{
        int64_t answered = 0; /* the gate whose answer is on its way */
        while (!m->view->status && !m->damage) {
                const ViewGate *g = &m->view->gate;
                if (!m->alive && plain_now_ms() - m->looked_ms < 900) {
                        const RunView *v = m->view;
                        printf("The run is at a standstill: its process ended%s%s.%s%s Start it "
                               "again with: pgsherpa resume %s\n",
                               v->stopped_why ? ": " : "", v->stopped_why ? v->stopped_why : "",
                               v->stopped_hint ? " Hint: " : "",
                               v->stopped_hint ? v->stopped_hint : "", v->run ? v->run : "");
                        return 1;
                }
                bool asks = g->open && g->number != answered && !o->watch && m->client.fd >= 0;
                int64_t wait = g->until_ms - clock_wall_ms();
                if (asks && wait > LONG_WAIT_MS) {
                        char until[24];
                        printf("The run waits until %s, then goes on by itself.\n",
                               clock_day_hm(g->until_ms, until));
                        return leave(m, 11);
                }
                if (asks && wait <= 0) {
                        int64_t number = g->number;
                        Asked a = plain_gate(in, m, o);
                        if (a == ASKED_LATER)
                                return leave(m, 11);
                        if (a == ASKED_SENT)
                                answered = number;
                }
                struct pollfd p = { .fd = m->client.fd, .events = POLLIN };
                poll(&p, 1, m->client.fd >= 0 ? 1000 : 250);
                model_poll(m, plain_now_ms());
                AUTO_FREE char *problem = client_problem(&m->client);
                if (problem) {
                        printf("The run did not take it: %s\n", problem);
                        answered = 0;
                }
                if (tell_now && m->view->current >= 0) {
                        tell_now = 0;
                        tell_progress(t, m->view, &m->view->steps[m->view->current],
                                      clock_wall_ms(), true);
                        fflush(stdout);
                }
        }
        if (m->damage)
                fprintf(stderr, "pgsherpa: the journal is damaged: %s\n", m->damage);
        return m->damage ? 4 : plain_exit_code(m->view->status);
}

int plain_run_with(const UiApp *app, const UiOptions *o, const char *run_dir, Input *in)
{
        AUTO_ERR err = { 0 };
        RunModel *m = NULL;
        Teller t = { 0 };
        if (o->json)
                return json_run(app, o, run_dir);
        if (!model_open(run_dir, app->who, o->watch, &m, &err)) {
                fprintf(stderr, "pgsherpa: %s\n", err.message);
                return 4;
        }
        signal(SIGUSR1, on_usr1);
        signal(SIGPIPE, SIG_IGN);
        m->on_event = tell;
        m->ctx = &t;
        model_poll(m, plain_now_ms());
        int code = follow(m, o, in, &t);
        model_close(m);
        return code;
}

int plain_run(const UiApp *app, const UiOptions *o, const char *run_dir)
{
        AUTO_ERR err = { 0 };
        Input in;
        if (!input_open(&in, o, &err)) {
                fprintf(stderr, "pgsherpa: %s\n", err.message);
                return 4;
        }
        int code = plain_run_with(app, o, run_dir, &in);
        input_done(&in);
        return code;
}
