#include "ui/plain_ask.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <strings.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "ui/screens/common.h"

int64_t plain_now_ms(void)
{
        struct timespec ts;
        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool input_open(Input *in, const UiOptions *o, Err *err)
{
        *in = (Input){ .fd = 0, .line = buf_secret(65536) };
        if (!o->answers_from)
                return true;
        in->fd = open(o->answers_from, O_RDONLY | O_CLOEXEC);
        in->file = true;
        return in->fd >= 0 || err_set_errno(err, errno, "opening the answers %s", o->answers_from);
}

void input_done(Input *in)
{
        if (in->file && in->fd >= 0)
                close(in->fd);
        explicit_bzero(in->rest, sizeof in->rest);
        buf_done(&in->line);
}

/* Takes one line out of what was read; false when there is no whole one. */
static bool take_line(Input *in, bool at_end)
{
        char *nl = memchr(in->rest, '\n', in->n_rest);
        size_t n = nl ? (size_t)(nl - in->rest) : in->n_rest;
        if (!nl && !(at_end && n) && n < sizeof in->rest)
                return false;
        buf_reset(&in->line);
        buf_add(&in->line, in->rest, n);
        while (in->line.len && isspace((unsigned char)in->line.data[in->line.len - 1]))
                in->line.data[--in->line.len] = '\0';
        size_t used = n + (nl != NULL);
        memmove(in->rest, in->rest + used, in->n_rest - used);
        in->n_rest -= used;
        explicit_bzero(in->rest + in->n_rest, used); /* it may have been a password */
        return true;
}

bool input_line(Input *in, RunModel *m)
{
        int64_t number = m ? m->view->gate.number : 0;
        fflush(stdout);
        for (;;) {
                while (take_line(in, false)) {
                        if (in->file && buf_str(&in->line)[0] == '#')
                                continue;
                        if (in->file) /* so that a transcript reads like a session */
                                printf("%s\n", buf_str(&in->line));
                        return true;
                }
                if (in->eof)
                        return false;
                struct pollfd p[2] = { { .fd = in->fd, .events = POLLIN },
                                       { .fd = m ? m->client.fd : -1, .events = POLLIN } };
                poll(p, 2, m ? 500 : -1);
                if (m && model_poll(m, plain_now_ms()) &&
                    (!m->view->gate.open || m->view->gate.number != number))
                        return false;
                if (!p[0].revents)
                        continue;
                ssize_t n = read(in->fd, in->rest + in->n_rest, sizeof in->rest - in->n_rest);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0) {
                        in->eof = true;
                        return take_line(in, true);
                }
                in->n_rest += (size_t)n;
        }
}

bool input_secret(Input *in)
{
        struct termios old, quiet;
        bool tty = !in->file && !tcgetattr(in->fd, &old);
        if (tty) {
                quiet = old;
                quiet.c_lflag &= ~(tcflag_t)ECHO;
                tcsetattr(in->fd, TCSAFLUSH, &quiet);
        }
        bool was_file = in->file;
        in->file = false; /* never printed, not even into a transcript */
        bool ok = input_line(in, NULL);
        in->file = was_file;
        if (tty)
                tcsetattr(in->fd, TCSAFLUSH, &old);
        printf("\n");
        return ok;
}

int ask_options(Input *in, RunModel *m, const Option *o, size_t n, int fallback)
{
        for (size_t i = 0; i < n; i++)
                printf("          %zu  %s%s%s\n", i + 1, o[i].label ? o[i].label : o[i].key,
                       o[i].consequence && *o[i].consequence ? ": " : "",
                       o[i].consequence ? o[i].consequence : "");
        for (;;) {
                printf("Answer, 1 to %zu, Enter alone means %d: ", n, fallback + 1);
                if (!input_line(in, m))
                        return -1;
                const char *a = buf_str(&in->line);
                if (!*a)
                        return fallback;
                char *end;
                long k = strtol(a, &end, 10);
                if (!*end && k >= 1 && k <= (long)n)
                        return (int)k - 1;
                for (size_t i = 0; i < n; i++)
                        if (str_eq(o[i].key, a))
                                return (int)i;
                printf("\"%s\" is none of them.\n", a);
        }
}

/* ---- gates ---- */

static void print_head(const RunModel *m)
{
        const RunView *v = m->view;
        const ViewGate *g = &v->gate;
        char at[16];
        const ViewStep *s = g->step ? run_view_step(m->view, g->step) : NULL;
        printf("%s  QUESTION.", clock_hms(g->t_ms, at));
        if (s)
                printf(" Step %d of %zu, %s.", s->n, v->n_steps, s->title);
        printf("%s%s\n", g->title ? " " : "", g->title ? g->title : "");
        if (s && s->error.set) {
                printf("          ERROR: %s\n", s->error.message ? s->error.message : "");
                if (s->error.hint)
                        printf("          HINT: %s\n", s->error.hint);
                if (s->error.sqlstate && *s->error.sqlstate)
                        printf("          SQLSTATE %s\n", s->error.sqlstate);
        }
        if (ask_kind_of(g->kind) != ASK_MANUAL)
                for (size_t i = 0; i < g->n_lines; i++)
                        if (!s || !s->error.set || !str_eq(g->lines[i], s->error.message))
                                printf("          %s\n", g->lines[i]);
}

static Asked send(RunModel *m, const char *answer, const char *text)
{
        if (model_answer(m, answer, text))
                return ASKED_SENT;
        AUTO_FREE char *problem = client_problem(&m->client);
        printf("%s\n", problem ? problem : "the answer was not sent");
        return ASKED_GONE;
}

static Asked gone(const Input *in)
{
        if (in->eof)
                return ASKED_LATER;
        printf("\nSomebody else answered.\n");
        return ASKED_GONE;
}

static Asked ask_choices(Input *in, RunModel *m, const UiOptions *o)
{
        const ViewGate *g = &m->view->gate;
        Option list[24];
        size_t n = 0;
        int fallback = -1;
        AskKind kind = ask_kind_of(g->kind);
        bool yes_gate = kind == ASK_YES || kind == ASK_START;
        for (size_t i = 0; i < g->n_choices && n < LEN(list) - 2; i++) {
                const ViewChoice *c = &g->choices[i];
                if (str_eq(c->key, "o")) /* a shell needs a terminal */
                        continue;
                if (yes_gate && o->yes && str_eq(c->key, "y")) {
                        printf("          answered by --yes: %s\n", c->label ? c->label : "yes");
                        return send(m, "y", NULL);
                }
                if (str_eq(c->key, "n") || str_eq(c->key, "q"))
                        fallback = (int)n;
                list[n++] = (Option){ c->key, c->label, c->consequence };
        }
        if (fallback < 0) {
                fallback = (int)n;
                list[n++] = (Option){ "later", "decide later", "the run waits" };
        }
        size_t commands = n;
        list[n++] = (Option){ "d", "show commands", NULL };
        for (;;) {
                int k = ask_options(in, m, list, n, fallback);
                if (k < 0)
                        return gone(in);
                if (k == (int)commands) {
                        AUTO_FREE char *t = step_commands_text(model_plan_step(m, g->step));
                        printf("%s", t);
                        continue;
                }
                if (str_eq(list[k].key, "later") || str_eq(list[k].key, "q"))
                        return ASKED_LATER;
                return send(m, list[k].key, NULL);
        }
}

static Asked ask_word(Input *in, RunModel *m)
{
        const char *want = m->view->gate.text ? m->view->gate.text : "";
        bool back = false;
        for (size_t i = 0; i < m->view->gate.n_choices; i++)
                back = back || str_eq(m->view->gate.choices[i].key, "b");
        for (int tries = 0; tries < 3; tries++) {
                printf("Type %s to confirm, Enter alone %s: ", want,
                       back ? "goes back" : "keeps it");
                if (!input_line(in, m))
                        return gone(in);
                if (!*buf_str(&in->line))
                        return back ? send(m, "b", NULL) : ASKED_LATER;
                if (str_eq(buf_str(&in->line), want))
                        return send(m, "y", want);
                printf("That is not %s.\n", want);
        }
        return ASKED_LATER;
}

static Asked ask_secret(Input *in, RunModel *m)
{
        printf("Secret (not shown), Enter alone means later: ");
        if (!input_secret(in) || !in->line.len)
                return ASKED_LATER;
        bool sent = model_secret(m, buf_str(&in->line));
        buf_reset(&in->line);
        return sent ? ASKED_SENT : ASKED_GONE;
}

static Asked ask_text(Input *in, RunModel *m)
{
        printf("Answer in words, Enter alone means later: ");
        if (!input_line(in, m))
                return gone(in);
        return in->line.len ? send(m, "y", buf_str(&in->line)) : ASKED_LATER;
}

/* What the runbook itself proposes: with --yes that is the answer. */
static const ViewChoice *proposed(const ViewGate *g)
{
        for (size_t i = 0; g->suggested && i < g->n_choices; i++)
                if (str_eq(g->choices[i].key, g->suggested) ||
                    str_eq(g->choices[i].label, g->suggested))
                        return &g->choices[i];
        return NULL;
}

static Asked ask_decision(Input *in, RunModel *m, const UiOptions *o)
{
        const ViewGate *g = &m->view->gate;
        Option list[24];
        size_t n = 0;
        const ViewChoice *own = o->yes ? proposed(g) : NULL;
        bool words = !g->n_choices || (g->n_choices == 1 && str_eq(g->choices[0].key, "y"));
        if (o->yes && words && g->suggested && *g->suggested) {
                printf("          answered by --yes, with its own default: %s\n", g->suggested);
                return send(m, "y", g->suggested);
        }
        if (own) {
                printf("          answered by --yes, with its own default: %s\n",
                       own->label ? own->label : own->key);
                return send(m, own->key, NULL);
        }
        if (words)
                return ask_text(in, m);
        for (size_t i = 0; i < g->n_choices && n < LEN(list) - 1; i++)
                list[n++] = (Option){ g->choices[i].key, g->choices[i].label,
                                      g->choices[i].consequence };
        list[n++] = (Option){ "later", "decide later", "the run waits" };
        int k = ask_options(in, m, list, n, (int)n - 1);
        if (k < 0)
                return gone(in);
        return k == (int)n - 1 ? ASKED_LATER : send(m, list[k].key, NULL);
}

static Asked ask_manual(Input *in, RunModel *m)
{
        const ViewGate *g = &m->view->gate;
        AUTO_FREE char *step = xstrdup(g->step ? g->step : "");
        for (size_t i = 0; i < g->n_lines; i++)
                printf("          %zu  %s\n", i + 1, g->lines[i]);
        printf("Which are done? Numbers with spaces, or all; Enter alone means not yet: ");
        if (!input_line(in, m))
                return gone(in);
        const char *a = buf_str(&in->line);
        if (!*a)
                return ASKED_LATER;
        size_t done = 0;
        bool all = strcasecmp(a, "all") == 0;
        for (size_t i = 0; i < g->n_lines; i++) {
                bool this_one = all;
                for (const char *p = a; !all && *p;) {
                        char *end;
                        long k = strtol(p, &end, 10);
                        if (end == p)
                                break;
                        this_one |= k == (long)i + 1;
                        p = end + strspn(end, " ,");
                }
                if (this_one && model_tick(m, step, (int)i, true))
                        done++;
        }
        if (done == g->n_lines)
                return send(m, "y", NULL);
        printf("%zu of %zu are ticked.\n", done, g->n_lines);
        return ASKED_LATER;
}

Asked plain_gate(Input *in, RunModel *m, const UiOptions *o)
{
        const ViewGate *g = &m->view->gate;
        print_head(m);
        switch (ask_kind_of(g->kind)) {
        case ASK_WORD:
                return ask_word(in, m);
        case ASK_SECRET:
                return ask_secret(in, m);
        case ASK_MANUAL:
                return ask_manual(in, m);
        case ASK_DECISION:
                return ask_decision(in, m, o);
        case ASK_YES:
        case ASK_AFTER:
        case ASK_ERROR:
        case ASK_UNKNOWN:
        case ASK_START:
        case ASK_UNDO: /* a rollback may want a word, too */
        case ASK_ASK:
        case ASK_KINDS_:
                break;
        }
        return g->text && *g->text ? ask_word(in, m) : ask_choices(in, m, o);
}
