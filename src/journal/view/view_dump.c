/* view_dump.c: the whole view as JSON, so that tests can say "equal". */
#include "journal/view/view_impl.h"

static json_t *dump_progress(const ViewProgress *p)
{
        json_t *j = json_object();
        json_t *rows = json_array(), *history = json_array();
        jx_set_str(j, "label", p->label);
        jx_set_str(j, "unit", p->unit);
        jx_set_int(j, "done", p->done);
        jx_set_int(j, "total", p->total);
        jx_set_int(j, "eta_ms", p->eta_ms);
        jx_set_int(j, "t", p->t_ms);
        jx_set(j, "rate", json_real(p->rate));
        jx_set_int(j, "things_done", p->things_done);
        jx_set_int(j, "things_total", p->things_total);
        jx_set_int(j, "workers", p->workers);
        for (size_t i = 0; i < p->n_rows; i++) {
                const ProgressRow *r = &p->rows[i];
                json_t *row = json_object();
                jx_set_str(row, "name", r->name);
                jx_set_int(row, "done", r->done);
                jx_set_int(row, "total", r->total);
                jx_set_int(row, "eta_ms", r->eta_ms);
                jx_set(row, "rate", json_real(r->rate));
                json_array_append_new(rows, row);
        }
        for (size_t i = 0; i < p->n_history; i++)
                json_array_append_new(history, json_real(p->history[i]));
        jx_set(j, "rows", rows);
        jx_set(j, "history", history);
        return j;
}

static json_t *dump_error(const ViewError *e)
{
        json_t *j = json_object();
        jx_set_str(j, "kind", e->kind);
        jx_set_str(j, "sqlstate", e->sqlstate);
        jx_set_str(j, "message", e->message);
        jx_set_str(j, "hint", e->hint);
        jx_set_str(j, "object", e->object);
        jx_set_int(j, "t", e->t_ms);
        jx_set_int(j, "log_line", e->log_line);
        return j;
}

static json_t *dump_step(const ViewStep *st)
{
        json_t *j = json_object();
        jx_set_int(j, "n", st->n);
        jx_set_str(j, "id", st->id);
        jx_set_str(j, "phase", st->phase);
        jx_set_str(j, "title", st->title);
        jx_set_str(j, "why", st->why);
        jx_set_str(j, "kind", st->kind);
        jx_set_str(j, "touches", st->touches);
        jx_set_str(j, "undo", st->undo);
        jx_set_bool(j, "asks", st->asks);
        jx_set_bool(j, "hard", st->hard);
        jx_set_bool(j, "cleanup", st->cleanup);
        jx_set_bool(j, "loop", st->loop);
        jx_set_int(j, "estimate_ms", st->estimate_ms);
        jx_set_int(j, "status", st->status);
        jx_set_str(j, "word", step_status_word(st->status));
        jx_set_int(j, "before_undo", st->before_undo);
        jx_set_bool(j, "kept", st->kept);
        jx_set_int(j, "attempt", st->attempt);
        jx_set_int(j, "t_start", st->t_start);
        jx_set_int(j, "t_end", st->t_end);
        jx_set_int(j, "bt_start", st->bt_start);
        jx_set_int(j, "bt_end", st->bt_end);
        jx_set_str(j, "note", st->note);
        jx_set_str(j, "undo_words", st->undo_words);
        jx_set_int(j, "tolerated", st->tolerated);
        jx_set_int(j, "warnings", st->warnings);
        if (st->error.set)
                jx_set(j, "error", dump_error(&st->error));
        if (st->progress.set)
                jx_set(j, "progress", dump_progress(&st->progress));
        if (st->remembered)
                jx_set(j, "remembered", json_deep_copy(st->remembered));
        return j;
}

static json_t *dump_gate(const ViewGate *g)
{
        json_t *j = json_object();
        json_t *lines = json_array(), *choices = json_array();
        jx_set_bool(j, "open", g->open);
        jx_set_int(j, "number", g->number);
        jx_set_int(j, "opened_seq", g->opened_seq);
        jx_set_int(j, "t", g->t_ms);
        jx_set_int(j, "until_ms", g->until_ms);
        jx_set_str(j, "kind", g->kind);
        jx_set_str(j, "step", g->step);
        jx_set_str(j, "title", g->title);
        jx_set_str(j, "text", g->text);
        jx_set_str(j, "suggested", g->suggested);
        for (size_t i = 0; i < g->n_lines; i++)
                jx_append_str(lines, g->lines[i]);
        for (size_t i = 0; i < g->n_choices; i++) {
                json_t *c = json_object();
                jx_set_str(c, "key", g->choices[i].key);
                jx_set_str(c, "label", g->choices[i].label);
                jx_set_str(c, "consequence", g->choices[i].consequence);
                json_array_append_new(choices, c);
        }
        jx_set(j, "lines", lines);
        jx_set(j, "choices", choices);
        return j;
}

static json_t *dump_deed(const ViewDeed *d)
{
        json_t *j = json_object();
        jx_set_int(j, "type", d->type);
        jx_set_int(j, "t_start", d->t_start);
        jx_set_int(j, "t_end", d->t_end);
        jx_set_int(j, "ms", d->ms);
        jx_set_int(j, "n", d->n);
        jx_set_int(j, "attempt", d->attempt);
        jx_set_int(j, "gate", d->gate);
        jx_set_str(j, "status", step_status_word(d->status));
        jx_set_str(j, "step", d->step);
        jx_set_str(j, "title", d->title);
        jx_set_str(j, "kind", d->kind);
        jx_set_str(j, "note", d->note);
        jx_set_str(j, "by", d->by);
        return j;
}

static json_t *dump_issue(const ViewIssue *i)
{
        json_t *j = json_object();
        jx_set_str(j, "step", i->step);
        jx_set_int(j, "n", i->n);
        jx_set_int(j, "verdict", i->verdict);
        jx_set_str(j, "kind", i->kind);
        jx_set_str(j, "sqlstate", i->sqlstate);
        jx_set_str(j, "message", i->message);
        jx_set_str(j, "hint", i->hint);
        jx_set_str(j, "object", i->object);
        jx_set_str(j, "rule", i->rule);
        jx_set_int(j, "count", i->count);
        jx_set_int(j, "t", i->t_ms);
        return j;
}

static json_t *dump_line(const ViewLine *l)
{
        json_t *j = json_object();
        jx_set_int(j, "t", l->t_ms);
        jx_set_int(j, "seq", l->seq);
        jx_set_int(j, "n", l->n);
        jx_set_int(j, "level", l->level);
        jx_set_str(j, "who", l->who);
        jx_set_str(j, "text", l->text);
        return j;
}

#define DUMP_ALL(j, name, array, n, fn)                                                            \
        do {                                                                                       \
                json_t *list_ = json_array();                                                      \
                for (size_t i_ = 0; i_ < (n); i_++)                                                \
                        json_array_append_new(list_, fn(&(array)[i_]));                            \
                jx_set((j), (name), list_);                                                        \
        } while (0)

static json_t *dump_phase(const ViewPhase *p)
{
        json_t *j = json_object();
        jx_set_str(j, "id", p->id);
        jx_set_str(j, "title", p->title);
        jx_set_str(j, "users_see", p->users_see);
        jx_set_bool(j, "cleanup", p->cleanup);
        jx_set_int(j, "state", p->state);
        return j;
}

static json_t *dump_artifact(const ViewArtifact *a)
{
        json_t *j = json_object();
        jx_set_str(j, "step", a->step);
        jx_set_str(j, "what", a->what);
        jx_set_str(j, "path", a->path);
        jx_set_str(j, "sha256", a->sha256);
        jx_set_int(j, "size", a->size);
        return j;
}

static json_t *dump_decision(const ViewDecision *d)
{
        json_t *j = json_object();
        jx_set_str(j, "id", d->id);
        jx_set_str(j, "question", d->question);
        jx_set_str(j, "answer", d->answer);
        jx_set_str(j, "by", d->by);
        jx_set_int(j, "t", d->t_ms);
        return j;
}

static json_t *dump_tick(const ViewTick *t)
{
        json_t *j = json_object();
        jx_set_str(j, "step", t->step);
        jx_set_str(j, "text", t->text);
        jx_set_str(j, "by", t->by);
        jx_set_int(j, "item", t->item);
        jx_set_int(j, "t", t->t_ms);
        jx_set_bool(j, "ticked", t->ticked);
        return j;
}

static json_t *dump_obligation(const ViewObligation *o)
{
        json_t *j = json_object();
        jx_set_str(j, "id", o->id);
        jx_set_str(j, "text", o->text);
        jx_set_int(j, "t_add", o->t_add);
        jx_set_int(j, "t_met", o->t_met);
        return j;
}

static void dump_run(json_t *j, const RunView *v)
{
        const Fold *f = (const Fold *)v;
        jx_set_str(j, "run", v->run);
        jx_set_str(j, "runbook", v->runbook);
        jx_set_str(j, "version", v->version);
        jx_set_str(j, "title", v->title);
        jx_set_str(j, "host", v->host);
        jx_set_str(j, "user", v->user);
        jx_set_str(j, "ssh", v->ssh);
        jx_set_str(j, "tool", v->tool);
        jx_set_str(j, "undo_of", v->undo_of);
        jx_set_str(j, "sha256", v->sha256);
        jx_set_str(j, "plan_sha256", v->plan_sha256);
        jx_set_str(j, "status", v->status);
        jx_set_str(j, "close_reason", v->close_reason);
        jx_set_bool(j, "paused", v->paused);
        if (v->stopped_why)
                jx_set_str(j, "stopped_why", v->stopped_why);
        jx_set_bool(j, "undoing", v->undoing);
        jx_set_bool(j, "accepted", v->accepted);
        jx_set_str(j, "last_detach_cause", v->last_detach_cause);
        jx_set_str(j, "attached_by", v->attached_by);
        jx_set_str(j, "boot_id", f->boot_id);
        jx_set_str(j, "head", v->head_hash);
        const struct {
                const char *name;
                int64_t n;
        } numbers[] = {
                { "last_seq", v->last_seq },
                { "t_open", v->t_open },
                { "t_last", v->t_last },
                { "t_close", v->t_close },
                { "bt_open", v->bt_open },
                { "bt_last", v->bt_last },
                { "bt_close", f->bt_close },
                { "current", v->current },
                { "downtime_begin", v->downtime_begin },
                { "downtime_end", v->downtime_end },
                { "bt_downtime_begin", v->bt_downtime_begin },
                { "bt_downtime_end", v->bt_downtime_end },
                { "downtime_before_ms", f->downtime_before_ms },
                { "downtime_planned_ms", v->downtime_planned_ms },
                { "budget_ms", v->budget_ms },
                { "last_detach", v->last_detach_ms },
                { "viewers", v->viewers },
                { "warnings", v->warnings },
                { "errors", v->errors },
                { "lines_dropped", v->lines_dropped },
                { "elapsed_ms", run_view_elapsed_ms(v, 0) },
                { "downtime_ms", run_view_downtime_ms(v, 0) },
        };
        for (size_t i = 0; i < LEN(numbers); i++)
                jx_set_int(j, numbers[i].name, numbers[i].n);
}

json_t *run_view_dump(const RunView *v)
{
        json_t *j = json_object();
        dump_run(j, v);
        DUMP_ALL(j, "phases", v->phases, v->n_phases, dump_phase);
        DUMP_ALL(j, "steps", v->steps, v->n_steps, dump_step);
        jx_set(j, "gate", dump_gate(&v->gate));
        DUMP_ALL(j, "deeds", v->deeds, v->n_deeds, dump_deed);
        DUMP_ALL(j, "issues", v->issues, v->n_issues, dump_issue);
        DUMP_ALL(j, "decisions", v->decisions, v->n_decisions, dump_decision);
        DUMP_ALL(j, "ticks", v->ticks, v->n_ticks, dump_tick);
        DUMP_ALL(j, "artifacts", v->artifacts, v->n_artifacts, dump_artifact);
        DUMP_ALL(j, "obligations", v->obligations, v->n_obligations, dump_obligation);
        DUMP_ALL(j, "lines", v->lines, v->n_lines, dump_line);
        jx_set(j, "facts", json_deep_copy(v->facts));
        jx_set(j, "vars", v->vars ? json_deep_copy(v->vars) : json_null());
        return j;
}
