/* commands.c: what may be said over the control socket, and who checks it.
 *
 * The engine believes nobody: the number of the gate, the text that had to be typed and the
 * ticks of a checklist are all compared here, once more, whatever the screen has shown. An
 * answer is in the journal before its sender hears "ok". */
#include "engine/desk/desk_impl.h"

#include "base/clock.h"
#include "base/text.h"

#define MOST_JOBS 64 /* more or fewer in one command */

static void cmd_refuse(json_t *reply, const char *hint, const char *fmt, ...) PRINTF(3, 4);

static void cmd_refuse(json_t *reply, const char *hint, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *raw = xvasprintf(fmt, ap);
        va_end(ap);
        AUTO_FREE char *text = text_clean_str(raw);
        jx_set_bool(reply, "ok", false);
        jx_set_str(reply, "error", text);
        if (hint)
                jx_set_str(reply, "hint", hint);
}

static bool may_control(const Client *cl, json_t *reply)
{
        if (!cl->greeted) {
                cmd_refuse(reply, "start with {\"cmd\": \"hello\"}", "say hello first");
                return false;
        }
        if (cl->who.watch) {
                cmd_refuse(reply, "attach without --watch to answer",
                           "you are watching, read only");
                return false;
        }
        return true;
}

/* The gate a message speaks of must be the one that is open, and its sender must have seen it. */
static bool gate_fits(Engine *e, const json_t *m, json_t *reply)
{
        const OpenGate *g = &e->desk->gate;
        int64_t number = jx_int(m, "gate", 0);
        if (!g->q || g->answered) {
                cmd_refuse(reply, "look again: the run went on", "no question is open");
                return false;
        }
        if (number != g->number) {
                cmd_refuse(reply, "look again: a newer question is open",
                           "question %lld is over, question %lld is open", (long long)number,
                           (long long)g->number);
                return false;
        }
        if (jx_get(m, "seq") && jx_int(m, "seq", 0) < g->seq) {
                cmd_refuse(reply, "read the journal up to its end first",
                           "your screen is older than the question");
                return false;
        }
        return true;
}

static const json_t *choice_of(const Question *q, const char *answer)
{
        size_t i;
        json_t *c;
        json_array_foreach(q->choices, i, c)
                if (str_eq(jx_str(c, "key", ""), answer) || str_eq(jx_str(c, "label", ""), answer))
                        return c;
        return NULL;
}

static bool all_ticked(Engine *e, const Question *q)
{
        const StepRec *r = state_find(&e->state, q->step);
        return q->items == 0 || (r && json_object_size(r->ticks) >= q->items);
}

static bool answer_fits(Engine *e, const Question *q, const char *answer, const char *typed,
                        json_t *reply)
{
        if (str_eq(answer, "y") && q->text && !str_eq(typed, q->text)) {
                cmd_refuse(reply, "type it exactly as it is shown", "this is not `%s`", q->text);
                return false;
        }
        if (str_eq(answer, "y") && q->free_text && (!typed || !*typed)) {
                cmd_refuse(reply, "send {\"answer\": \"y\", \"text\": \"..\"}",
                           "the answer is empty");
                return false;
        }
        if (str_eq(answer, "y") && !all_ticked(e, q)) {
                cmd_refuse(reply, "tick every line first", "not everything is ticked yet");
                return false;
        }
        return true;
}

static void close_gate(Engine *e, Answer *a, json_t *reply)
{
        AUTO_ERR err = { 0 };
        if (!gate_answer(e, a, &err))
                cmd_refuse(reply, NULL, "%s", err.message);
}

static void cmd_answer(Engine *e, Client *cl, const json_t *m, json_t *reply)
{
        const char *wanted = jx_str(m, "answer", "");
        const char *typed = jx_str(m, "text", NULL);
        if (!gate_fits(e, m, reply))
                return;
        const Question *q = e->desk->gate.q;
        if (q->secret) {
                cmd_refuse(reply, "send it with {\"cmd\": \"secret\"}", "a secret is asked for");
                return;
        }
        const json_t *choice = choice_of(q, wanted);
        if (!choice) {
                cmd_refuse(reply, NULL, "`%s` is not one of the answers", wanted);
                return;
        }
        const char *answer = jx_str(choice, "key", "");
        if (!answer_fits(e, q, answer, typed, reply))
                return;
        AUTO_ANSWER a = { .typed = typed ? xstrdup(typed) : NULL };
        snprintf(a.key, sizeof a.key, "%s", answer);
        snprintf(a.by, sizeof a.by, "%s", cl->who.by);
        close_gate(e, &a, reply);
}

static void cmd_secret(Engine *e, Client *cl, const json_t *m, json_t *reply)
{
        json_t *value = jx_get(m, "value");
        if (!gate_fits(e, m, reply))
                return;
        const Question *q = e->desk->gate.q;
        if (!q->secret || !json_is_string(value)) {
                cmd_refuse(reply, NULL, "no secret is asked for");
                return;
        }
        /* jansson's copy: wiped, then only the Secret is left. */
        char *bytes = (char *)(uintptr_t)json_string_value(value);
        size_t n = json_string_length(value);
        if (n == 0) {
                cmd_refuse(reply, NULL, "the secret is empty");
                return;
        }
        AUTO_ANSWER a = { .key = "given", .secret = secret_take(q->secret, bytes, n) };
        snprintf(a.by, sizeof a.by, "%s", cl->who.by);
        close_gate(e, &a, reply);
}

static void cmd_tick(Engine *e, Client *cl, const json_t *m, json_t *reply)
{
        const OpenGate *g = &e->desk->gate;
        const char *step = jx_str(m, "step", "");
        int64_t item = jx_int(m, "item", -1);
        if (!g->q || g->answered || g->q->kind != ASK_MANUAL || !str_eq(g->q->step, step)) {
                cmd_refuse(reply, "look again: the run went on", "no checklist of `%s` is open",
                           step);
                return;
        }
        if (item < 0 || (size_t)item >= g->q->items) {
                cmd_refuse(reply, NULL, "the checklist has %zu lines", g->q->items);
                return;
        }
        const char *text = json_string_value(json_array_get(g->q->lines, (size_t)item));
        AUTO_ERR err = { 0 };
        if (!record_tick(e, step, item, jx_bool(m, "ticked", true), text, cl->who.by, &err))
                cmd_refuse(reply, NULL, "%s", err.message);
}

static void cmd_pause(Engine *e, Client *cl, json_t *reply)
{
        e->pause_wanted = true;
        e->continue_wanted = false;
        snprintf(e->pause_by, sizeof e->pause_by, "%s", cl->who.by);
        jx_set_str(reply, "message", e->desk->ctx ? "pausing after the running step" : "pausing");
}

static void cmd_continue(Engine *e, Client *cl)
{
        e->pause_wanted = false;
        e->continue_wanted = true;
        snprintf(e->pause_by, sizeof e->pause_by, "%s", cl->who.by);
}

static void cmd_want(Engine *e, Stop stop, const Client *cl)
{
        e->stop = stop;
        snprintf(e->stop_by, sizeof e->stop_by, "%s", cl->who.by);
        wake_up(e);
}

static void cmd_abort(Engine *e, Client *cl, const json_t *m, json_t *reply)
{
        if (!str_eq(jx_str(m, "run", ""), e->run)) {
                cmd_refuse(reply, NULL, "to abort this run, name it: %s", e->run);
                return;
        }
        cmd_want(e, STOP_ABORT, cl);
}

static void cmd_rollback(Engine *e, Client *cl, const json_t *m, json_t *reply)
{
        const char *to = jx_str(m, "to", "");
        if (*to && !lookup_step(e, to)) {
                cmd_refuse(reply, NULL, "there is no step `%s` to go back to", to);
                return;
        }
        if (e->undoing) {
                cmd_refuse(reply, NULL, "the way back is already being taken");
                return;
        }
        const PlanStep *bar = lookup_bar(e);
        if (bar) {
                cmd_refuse(reply, "what it removed is in the bundle, if anywhere",
                           "there is no way back: step %d, %s, was the point of no return", bar->n,
                           bar->title);
                return;
        }
        free(e->undo_to);
        e->undo_to = xstrdup(to);
        cmd_want(e, STOP_ROLLBACK, cl);
}

static void cmd_note(Engine *e, Client *cl, const json_t *m, json_t *reply)
{
        AUTO_ERR err = { 0 };
        if (!record_note(e, jx_str(m, "text", ""), cl->who.by, &err))
                cmd_refuse(reply, NULL, "%s", err.message);
}

/* Not in the journal: progress says how many there are, the step's output who wanted it so. */
static void cmd_jobs(Engine *e, Client *cl, const json_t *m, json_t *reply)
{
        int64_t delta = jx_int(m, "delta", 0);
        if (delta == 0 || delta < -MOST_JOBS || delta > MOST_JOBS) {
                cmd_refuse(reply, "send {\"cmd\": \"jobs\", \"delta\": 1}, or -1",
                           "how many workers more or fewer is not said");
                return;
        }
        int before = e->desk->ctx ? step_ctx_jobs(e->desk->ctx, 0) : 0;
        int now = before ? step_ctx_jobs(e->desk->ctx, (int)delta) : 0;
        if (!now) {
                cmd_refuse(reply,
                           "copies, backups and restores have them while rows move and indexes are "
                           "built",
                           e->desk->ctx ? "this step has no workers at the moment"
                                        : "no step is running");
                return;
        }
        const char *s = now == 1 ? "" : "s";
        if (now == before) {
                cmd_refuse(reply, NULL, "%d worker%s: that is the %s", now, s,
                           delta > 0 ? "most" : "fewest");
                return;
        }
        AUTO_FREE char *text = xasprintf("%d worker%s", now, s);
        jx_set_int(reply, "jobs", now);
        jx_set_str(reply, "message", text);
        step_log(e->desk->ctx, SAY_INFO, cl->who.by, "%s from now on, %d before", text, before);
}

static void cmd_status(Engine *e, json_t *reply)
{
        jx_set_str(reply, "run", e->run);
        jx_set_str(reply, "step", e->now ? e->now->id : "");
        jx_set_bool(reply, "running", e->desk->ctx != NULL);
        const OpenGate *g = &e->desk->gate;
        jx_set_int(reply, "gate", g->q && !g->answered ? g->number : 0);
        jx_set_str(reply, "gate_kind", g->q ? ask_kind_name(g->q->kind) : "");
        jx_set_bool(reply, "paused", e->state.paused);
}

void control_command(Engine *e, Client *cl, const json_t *m, json_t *reply)
{
        const char *cmd = jx_str(m, "cmd", "");
        jx_set_bool(reply, "ok", true);
        if (str_eq(cmd, "status")) {
                cmd_status(e, reply);
                return;
        }
        if (!may_control(cl, reply))
                return;
        if (str_eq(cmd, "answer"))
                cmd_answer(e, cl, m, reply);
        else if (str_eq(cmd, "secret"))
                cmd_secret(e, cl, m, reply);
        else if (str_eq(cmd, "tick"))
                cmd_tick(e, cl, m, reply);
        else if (str_eq(cmd, "pause"))
                cmd_pause(e, cl, reply);
        else if (str_eq(cmd, "continue"))
                cmd_continue(e, cl);
        else if (str_eq(cmd, "jobs"))
                cmd_jobs(e, cl, m, reply);
        else if (str_eq(cmd, "abort"))
                cmd_abort(e, cl, m, reply);
        else if (str_eq(cmd, "rollback"))
                cmd_rollback(e, cl, m, reply);
        else if (str_eq(cmd, "note"))
                cmd_note(e, cl, m, reply);
        else
                cmd_refuse(reply, NULL, "unknown command `%s`", cmd);
}
