#include "ui/model.h"

#include <string.h>

#include "base/io.h"
#include "base/limits.h"
#include "journal/run_dir.h"

static void read_plan(RunModel *m)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = io_join(m->dir, "plan.json");
        AUTO_FREE char *text = NULL;
        size_t n = 0;
        if (!m->plan && io_read_file(path, LIMIT_CAPTURE, &text, &n, &err))
                m->plan = jx_parse(text, n, &err);
}

bool model_open(const char *dir, const char *who, bool watch, RunModel **ret, Err *err)
{
        RunModel *m = xcalloc(1, sizeof *m);
        m->dir = xstrdup(dir);
        m->who = who ? who : "";
        m->view = run_view_new();
        client_init(&m->client, watch);
        m->reader = journal_reader_open(dir, err);
        if (!m->reader) {
                model_close(m);
                return err_wrap(err, "opening the run in %s", dir);
        }
        read_plan(m);
        *ret = m;
        return true;
}

RunModel *model_close(RunModel *m)
{
        if (!m)
                return NULL;
        client_done(&m->client);
        journal_reader_close(m->reader);
        run_view_free(m->view);
        json_decref(m->plan);
        free(m->damage);
        free(m->dir);
        free(m);
        return NULL;
}

/* Lines that are all good may still be too few. */
static void hold_against_head(RunModel *m)
{
        AUTO_ERR ignored = { 0 };
        JournalState state;
        int64_t records;
        char *words = NULL;
        if (m->held || m->damage)
                return;
        m->held = true;
        if (journal_verify(m->dir, &state, &records, &words, &ignored) && state == JOURNAL_CORRUPT)
                m->damage = words;
        else
                free(words);
}

bool model_poll(RunModel *m, int64_t boot_ms)
{
        bool changed = client_read(&m->client);
        Event ev;
        while (!m->damage) {
                AUTO_ERR err = { 0 };
                if (!journal_next(m->reader, &ev, &err)) {
                        m->damage = xstrdup(err.message ? err.message : "the journal is damaged");
                        changed = true;
                        break;
                }
                if (ev.type == EV_NONE)
                        break;
                run_view_apply(m->view, &ev);
                if (m->on_event)
                        m->on_event(m->ctx, &ev, m->view);
                changed = true;
        }
        hold_against_head(m);
        if (!m->plan)
                read_plan(m);
        if (!m->looked_ms || boot_ms - m->looked_ms >= 1000 || boot_ms < m->looked_ms) {
                bool was = m->alive, was_on = m->client.fd >= 0;
                m->looked_ms = boot_ms;
                m->alive = !m->view->status && run_lock_held(m->dir);
                if (m->alive && m->client.fd < 0)
                        (void)client_connect(&m->client, m->dir, m->who);
                changed |= was != m->alive || was_on != (m->client.fd >= 0);
        }
        return changed;
}

const json_t *model_plan_step(const RunModel *m, const char *id)
{
        const json_t *steps = jx_get(m->plan, "steps"), *s;
        size_t i;
        json_array_foreach(steps, i, s)
                if (str_eq(jx_str(s, "id", NULL), id))
                        return s;
        return NULL;
}

json_t *model_fact(const RunModel *m, const char *step, const char *name)
{
        json_t *v = jx_get(jx_get(m->view->facts, step), name);
        const char *ref = json_is_object(v) ? jx_str(v, "$ref", NULL) : NULL;
        if (!ref || strstr(ref, "..") || ref[0] == '/')
                return v ? json_incref(v) : NULL;
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = io_join(m->dir, ref);
        AUTO_FREE char *text = NULL;
        size_t n = 0;
        if (!io_read_file(path, LIMIT_CAPTURE, &text, &n, &err))
                return json_incref(v);
        json_t *whole = jx_parse(text, n, &err);
        return whole ? whole : json_incref(v);
}

bool model_answer(RunModel *m, const char *answer, const char *text)
{
        json_t *c = json_pack("{s:s,s:I,s:I,s:s}", "cmd", "answer", "gate",
                              (json_int_t)m->view->gate.number, "seq",
                              (json_int_t)m->view->gate.opened_seq, "answer", answer);
        if (text)
                jx_set_str(c, "text", text);
        return client_send(&m->client, c);
}

bool model_secret(RunModel *m, const char *value)
{
        return client_send(&m->client, json_pack("{s:s,s:I,s:s}", "cmd", "secret", "gate",
                                                 (json_int_t)m->view->gate.number, "value", value));
}

bool model_tick(RunModel *m, const char *step, int item, bool ticked)
{
        return client_send(&m->client, json_pack("{s:s,s:s,s:i,s:b}", "cmd", "tick", "step", step,
                                                 "item", item, "ticked", ticked));
}

bool model_command(RunModel *m, const char *cmd)
{
        json_t *c = json_pack("{s:s}", "cmd", cmd);
        if (str_eq(cmd, "abort"))
                jx_set_str(c, "run", m->view->run);
        if (str_eq(cmd, "rollback"))
                jx_set_str(c, "to", "");
        return client_send(&m->client, c);
}

bool model_jobs(RunModel *m, int delta)
{
        return client_send(&m->client, json_pack("{s:s,s:i}", "cmd", "jobs", "delta", delta));
}

double step_part(const ViewStep *s)
{
        const ViewProgress *p = &s->progress;
        if (!p->set)
                return -1;
        if (p->total > 0)
                return (double)p->done / (double)p->total;
        if (p->things_total > 0)
                return (double)p->things_done / (double)p->things_total;
        return -1;
}

static bool is_over(const ViewStep *s)
{
        return s->status >= ST_DONE && s->status <= ST_SKIPPED;
}

int64_t model_left_ms(const RunModel *m, int64_t now_wall)
{
        const RunView *v = m->view;
        int64_t left = 0;
        bool known = false;
        for (size_t i = 0; i < v->n_steps; i++) {
                const ViewStep *s = &v->steps[i];
                if (is_over(s) || s->cleanup)
                        continue;
                if ((int)i != v->current) {
                        left += s->estimate_ms;
                        known |= s->estimate_ms > 0;
                } else if (s->progress.set && s->progress.eta_ms > 0) {
                        left += s->progress.eta_ms;
                        known = true;
                } else if (s->estimate_ms) {
                        left += MAX(s->estimate_ms - (now_wall - s->t_start), 0);
                        known = true;
                }
        }
        return known ? left : -1;
}

double model_part(const RunModel *m)
{
        const RunView *v = m->view;
        double done = 0, all = 0;
        for (size_t i = 0; i < v->n_steps; i++) {
                const ViewStep *s = &v->steps[i];
                if (s->cleanup)
                        continue;
                double weight = s->estimate_ms > 0 ? (double)s->estimate_ms : 1000;
                double part = is_over(s) ? 1 : (int)i == v->current ? step_part(s) : 0;
                all += weight;
                done += weight * MAX(part, 0);
        }
        return all > 0 ? done / all : 0;
}
