/* json.c: `--json`: the journal's events as JSON lines, until the run closes. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include "ui/plain_ask.h"
#include "ui/plain.h"

static void print_event(void *ctx, const Event *ev, const RunView *v)
{
        static const char *const inner[] = { "prev", "h", "bt" }; /* the chain is the file's */
        AUTO_JSON out = json_copy(ev->fields);
        for (size_t i = 0; i < LEN(inner); i++)
                json_object_del(out, inner[i]);
        if (v->run)
                jx_set_str(out, "run", v->run);
        AUTO_FREE char *line = jx_dump(out);
        puts(line);
        fflush(stdout);
}

int json_run(const UiApp *app, const UiOptions *o, const char *run_dir)
{
        AUTO_ERR err = { 0 };
        RunModel *m = NULL;
        if (!model_open(run_dir, app->who, true, &m, &err)) {
                fprintf(stderr, "pgsherpa: %s\n", err.message);
                return 4;
        }
        m->on_event = print_event;
        model_poll(m, plain_now_ms());
        while (!m->view->status && !m->damage && m->alive) {
                struct pollfd p = { .fd = m->client.fd, .events = POLLIN };
                poll(&p, 1, m->client.fd >= 0 ? 1000 : 250);
                model_poll(m, plain_now_ms());
        }
        if (m->damage)
                fprintf(stderr, "pgsherpa: %s\n", m->damage);
        int code = m->damage ? 4 : m->view->status ? plain_exit_code(m->view->status) : 1;
        model_close(m);
        return code;
}
