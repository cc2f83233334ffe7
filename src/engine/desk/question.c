/* question.c: one question at a time, and its answer.
 *
 * A gate never answers itself with yes. The only thing time can open is a gate that waits for
 * a time. Answers of gates with a key are remembered in the journal: after a crash, and for
 * the other items of a loop, what was answered stays answered. */
#include "engine/desk/desk_impl.h"

#include "base/clock.h"

json_t *gate_choices(const char *key, const char *label, const char *consequence, ...)
{
        json_t *list = json_array();
        va_list ap;
        va_start(ap, consequence);
        while (key) {
                json_t *c = json_object();
                jx_set_str(c, "key", key);
                jx_set_str(c, "label", label);
                jx_set_str(c, "consequence", consequence);
                json_array_append_new(list, c);
                key = va_arg(ap, const char *);
                label = key ? va_arg(ap, const char *) : NULL;
                consequence = key ? va_arg(ap, const char *) : NULL;
        }
        va_end(ap);
        return list;
}

bool gate_answer(Engine *e, Answer *a, Err *err)
{
        OpenGate *g = &e->desk->gate;
        int64_t waited = clock_boot_ms() - g->opened_bt;
        g->answered = record_gate_answer(e, g->number, g->q->step, a, waited, err);
        if (!g->answered) {
                answer_done(a);
                return false;
        }
        answer_done(g->answer);
        *g->answer = *a;
        *a = (Answer){ 0 };
        return true;
}

static bool close_by_time(Engine *e, Err *err)
{
        Answer a = { .key = "time", .by = "the clock" };
        return gate_answer(e, &a, err);
}

static bool wait_for_answer(Engine *e, const Question *q, Err *err)
{
        while (!e->desk->gate.answered) {
                if (e->stop)
                        return false;
                if (q->until_ms && clock_wall_ms() >= q->until_ms)
                        return close_by_time(e, err);
                /* Days may pass at this gate: an engine that is asked to pause may go. */
                if (q->until_ms && e->pause_wanted)
                        return record_stop(e, STOP_SHUTDOWN, e->pause_by, "paused", err);
                int64_t wait = q->until_ms ? q->until_ms - clock_wall_ms() : 1000;
                if (!loop_pump(e, MIN(wait, (int64_t)1000), err))
                        return false;
        }
        return true;
}

bool gate_ask(Engine *e, Question *q, Answer *ret, Err *err)
{
        OpenGate *g = &e->desk->gate;
        AUTO_JSON choices = q->choices;
        AUTO_JSON lines = q->lines;
        answer_done(ret);
        *g = (OpenGate){ .q = q,
                         .answer = ret,
                         .number = e->state.last_gate + 1,
                         .opened_bt = clock_boot_ms() };
        bool ok = record_gate_open(e, g->number, q, err);
        if (ok) {
                g->seq = e->state.last_seq;
                ok = wait_for_answer(e, q, err);
        }
        *g = (OpenGate){ 0 };
        q->choices = q->lines = NULL;
        return ok;
}

/* ---- "not now" ---- */

static bool wait_until_continued(Engine *e, Err *err)
{
        e->continue_wanted = false;
        while (!e->continue_wanted) {
                if (e->stop)
                        return false;
                if (!loop_pump(e, 1000, err))
                        return false;
        }
        e->continue_wanted = e->pause_wanted = false;
        return record_run_resume(e, e->pause_by, false, err);
}

bool gate_not_now(Engine *e, const char *by, Err *err)
{
        bool asked = e->pause_wanted || !by;
        return record_run_pause(e, asked ? "asked" : "not now", asked ? e->pause_by : by, NULL,
                                err) &&
               wait_until_continued(e, err);
}

bool gate_going_on(Engine *e, const char *step, const char *key, const char *risk, bool *ret_sure,
                   Err *err)
{
        json_t *lines = json_array();
        AUTO_FREE char *line = xasprintf("If you go on: %s.", risk);
        jx_append_str(lines, line);
        Question q = { .kind = ASK_WORD,
                       .step = step,
                       .key = key,
                       .title = "Go on although it has a price?",
                       .text = "go on",
                       .lines = lines,
                       .choices = gate_choices("y", "Go on", "", "b", "Back",
                                               "to the question before", NULL) };
        AUTO_ANSWER a = { 0 };
        if (!gate_ask(e, &q, &a, err))
                return false;
        *ret_sure = a.key[0] == 'y';
        return true;
}
