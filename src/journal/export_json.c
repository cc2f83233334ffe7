/* export_json.c: the log for programs. Keys are only added, never renamed, within a version. */
#include "base/clock.h"
#include "journal/export_impl.h"

static void set_time(json_t *j, const char *key, int64_t t_ms)
{
        char iso[32];
        if (t_ms)
                jx_set_str(j, key, clock_iso(t_ms, iso));
        else
                jx_set(j, key, json_null());
}

static json_t *deed_json(const RunView *v, const ViewDeed *d)
{
        static const char *const types[] = {
                [DEED_STEP] = "step", [DEED_GATE] = "gate", [DEED_UNDO] = "undo"
        };
        AUTO_FREE char *notes = export_deed_notes(v, d);
        json_t *j = json_object();
        jx_set_str(j, "type", types[d->type]);
        if (d->n)
                jx_set_int(j, "n", d->n);
        jx_set_str(j, "step", d->step);
        jx_set_str(j, "title", d->title);
        jx_set_str(j, "kind", d->kind);
        if (d->attempt)
                jx_set_int(j, "attempt", d->attempt);
        if (d->gate)
                jx_set_int(j, "gate", d->gate);
        set_time(j, "start", d->t_start);
        set_time(j, "end", d->t_end);
        jx_set_int(j, "ms", d->ms);
        jx_set_str(j, "status", export_deed_status(d));
        jx_set_str(j, "notes", notes);
        if (d->by)
                jx_set_str(j, "by", d->by);
        return j;
}

static json_t *decision_json(const ViewDecision *d)
{
        json_t *j = json_object();
        jx_set_str(j, "id", d->id);
        jx_set_str(j, "question", d->question);
        jx_set_str(j, "answer", d->answer);
        jx_set_str(j, "by", d->by);
        set_time(j, "time", d->t_ms);
        return j;
}

static json_t *tick_json(const ViewTick *t)
{
        json_t *j = json_object();
        jx_set_str(j, "step", t->step);
        jx_set_str(j, "text", t->text);
        jx_set_bool(j, "ticked", t->ticked);
        jx_set_str(j, "by", t->by);
        set_time(j, "time", t->t_ms);
        return j;
}

static json_t *obligation_json(const ViewObligation *o)
{
        json_t *j = json_object();
        jx_set_str(j, "id", o->id);
        jx_set_str(j, "text", o->text);
        set_time(j, "added", o->t_add);
        set_time(j, "met", o->t_met);
        return j;
}

static json_t *artifact_json(const ViewArtifact *a)
{
        json_t *j = json_object();
        jx_set_str(j, "step", a->step);
        jx_set_str(j, "what", a->what);
        jx_set_str(j, "path", a->path);
        jx_set_int(j, "size", a->size);
        jx_set_str(j, "sha256", a->sha256);
        return j;
}

static json_t *issue_json(const ViewIssue *i)
{
        json_t *j = json_object();
        set_time(j, "time", i->t_ms);
        jx_set_str(j, "step", i->step);
        jx_set_str(j, "verdict", export_issue_word(i));
        jx_set_str(j, "kind", i->kind);
        jx_set_str(j, "sqlstate", i->sqlstate);
        jx_set_str(j, "message", i->message);
        jx_set_str(j, "hint", i->hint);
        jx_set_str(j, "object", i->object);
        jx_set_str(j, "rule", i->rule);
        jx_set_int(j, "count", i->count);
        return j;
}

static void set_run(json_t *j, const RunView *v, const char *head_hash)
{
        jx_set_str(j, "run", v->run);
        jx_set_str(j, "title", v->title);
        jx_set_str(j, "runbook", v->runbook);
        jx_set_str(j, "runbook_version", v->version);
        jx_set_str(j, "runbook_sha256", v->sha256);
        jx_set_str(j, "plan_sha256", v->plan_sha256);
        jx_set_str(j, "tool", v->tool);
        jx_set_str(j, "host", v->host);
        jx_set_str(j, "user", v->user);
        jx_set_str(j, "ssh", v->ssh);
        set_time(j, "start", v->t_open);
        set_time(j, "end", v->t_close);
        jx_set_int(j, "elapsed_ms", run_view_elapsed_ms(v, 0));
        jx_set_int(j, "downtime_planned_ms", v->downtime_planned_ms);
        jx_set_int(j, "downtime_budget_ms", v->budget_ms);
        jx_set_int(j, "downtime_ms", run_view_downtime_ms(v, 0));
        jx_set_str(j, "verdict", v->status);
        jx_set_str(j, "reason", v->close_reason);
        jx_set_int(j, "records", v->last_seq);
        jx_set_str(j, "head", head_hash ? head_hash : v->head_hash);
        jx_set_str(j, "damage", v->damage);
}

#define SET_ALL(j, name, array, n, fn)                                                             \
        do {                                                                                       \
                json_t *list_ = json_array();                                                      \
                for (size_t i_ = 0; i_ < (n); i_++)                                                \
                        json_array_append_new(list_, fn(&(array)[i_]));                            \
                jx_set((j), (name), list_);                                                        \
        } while (0)

json_t *export_json(const RunView *v, const char *head_hash)
{
        json_t *j = json_object(), *rows = json_array(), *rest = json_array();
        jx_set_str(j, "format", "pgsherpa-log");
        jx_set_int(j, "version", 1);
        set_run(j, v, head_hash);
        for (size_t i = 0; i < v->n_deeds; i++)
                json_array_append_new(rows, deed_json(v, &v->deeds[i]));
        for (size_t i = 0; i < v->n_steps; i++)
                if (!v->steps[i].loop &&
                    (v->steps[i].status == ST_PENDING || v->steps[i].status == ST_GATED))
                        jx_append_str(rest, v->steps[i].id);
        jx_set(j, "rows", rows);
        jx_set(j, "not_started", rest);
        SET_ALL(j, "decisions", v->decisions, v->n_decisions, decision_json);
        SET_ALL(j, "manual_checks", v->ticks, v->n_ticks, tick_json);
        SET_ALL(j, "obligations", v->obligations, v->n_obligations, obligation_json);
        SET_ALL(j, "artifacts", v->artifacts, v->n_artifacts, artifact_json);
        SET_ALL(j, "errors", v->issues, v->n_issues, issue_json);
        return j;
}
