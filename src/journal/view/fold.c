/* fold.c: one event, one change of state. No clock, no file, no randomness. */
#include "journal/view/view_impl.h"

/* ---- the plan ---- */

static void add_phase(Fold *f, const Event *ev)
{
        RunView *v = &f->v;
        const json_t *e = ev->fields;
        size_t n = v->n_phases;
        for (size_t i = 0; i < n; i++) /* an engine died while writing the plan down */
                if (str_eq(v->phases[i].id, jx_str(e, "id", "")))
                        return;
        ViewPhase *p = VIEW_ADD(v->phases, v->n_phases, f->phases_cap);
        p->id = arena_strdup(v->arena, jx_str(e, "id", ""));
        p->title = arena_strdup(v->arena, jx_str(e, "title", p->id));
        p->users_see = arena_strdup(v->arena, jx_str(e, "users_see", NULL));
        p->cleanup = jx_bool(e, "cleanup", false);
        PhaseMark *mark = VIEW_ADD(f->marks, n, f->marks_cap);
        *mark = (PhaseMark){ 0 };
}

static void add_step(Fold *f, const Event *ev)
{
        RunView *v = &f->v;
        Arena *a = v->arena;
        const json_t *e = ev->fields;
        if (run_view_step(v, jx_str(e, "id", ev->step)))
                return;
        ViewStep *st = VIEW_ADD(v->steps, v->n_steps, f->steps_cap);
        st->n = (int)jx_int(e, "n", 0);
        st->id = arena_strdup(a, jx_str(e, "id", ev->step ? ev->step : ""));
        st->phase = arena_strdup(a, jx_str(e, "phase", ""));
        st->title = arena_strdup(a, jx_str(e, "title", st->id));
        st->why = arena_strdup(a, jx_str(e, "why", NULL));
        st->kind = arena_strdup(a, jx_str(e, "kind", ""));
        st->touches = arena_strdup(a, jx_str(e, "touches", NULL));
        st->undo = arena_strdup(a, jx_str(e, "undo", NULL));
        st->asks = jx_bool(e, "asks", false);
        st->hard = jx_bool(e, "hard", false);
        st->cleanup = jx_bool(e, "cleanup", false);
        st->estimate_ms = jx_int(e, "estimate_ms", 0);
}

/* An item of a loop over facts is known only when its turn comes: "copy.gitea" goes behind
 * "copy" and the items that are there already. */
static ViewStep *add_late_item(Fold *f, const Event *ev)
{
        RunView *v = &f->v;
        const char *dot = ev->step ? strchr(ev->step, '.') : NULL;
        if (!dot)
                return NULL;
        AUTO_FREE char *parent_id = xstrndup(ev->step, (size_t)(dot - ev->step));
        ViewStep *parent = run_view_step(v, parent_id);
        if (!parent)
                return NULL;
        parent->loop = true;
        AUTO_FREE char *prefix = xasprintf("%s.", parent_id);
        size_t at = (size_t)(parent - v->steps) + 1;
        while (at < v->n_steps && str_starts(v->steps[at].id, prefix))
                at++;
        ViewStep item = {
                .n = parent->n,
                .id = arena_strdup(v->arena, ev->step),
                .phase = parent->phase,
                .title = arena_printf(v->arena, "%s: %s", parent->title, dot + 1),
                .why = parent->why,
                .kind = parent->kind,
                .touches = parent->touches,
                .undo = parent->undo,
                .hard = parent->hard,
                .cleanup = parent->cleanup,
        };
        (void)VIEW_ADD(v->steps, v->n_steps, f->steps_cap);
        memmove(v->steps + at + 1, v->steps + at, (v->n_steps - 1 - at) * sizeof item);
        v->steps[at] = item;
        if (v->current >= (int)at)
                v->current++;
        return &v->steps[at];
}

/* ---- steps ---- */

void view_error_set(ViewError *e, const Event *ev)
{
        const json_t *f = ev->fields;
        e->set = true;
        view_keep(&e->kind, view_text(f, "kind"));
        view_keep(&e->sqlstate, view_text(f, "sqlstate"));
        view_keep(&e->message, view_text(f, "message"));
        view_keep(&e->hint, view_text(f, "hint"));
        view_keep(&e->object, view_text(f, "object"));
        e->t_ms = ev->t_ms;
        e->log_line = jx_int(f, "log_line", 0);
}

static void begin_step(Fold *f, ViewStep *st, const Event *ev)
{
        f->v.current = (int)(st - f->v.steps);
        st->status = ST_RUNNING;
        st->kept = false;
        st->attempt = (int)jx_int(ev->fields, "attempt", st->attempt + 1);
        st->t_start = ev->t_ms;
        st->bt_start = ev->bt_ms;
        st->t_end = st->bt_end = 0;
        st->tolerated = 0;
        view_keep(&st->note, NULL);
        view_keep(&st->undo_words, NULL);
        view_error_clear(&st->error);
        view_progress_clear(&st->progress);
        view_deed_begin(f, DEED_STEP, ev, st);
}

static void end_step(Fold *f, ViewStep *st, const Event *ev, StepStatus status, const char *note)
{
        st->status = status;
        st->t_end = ev->t_ms;
        st->bt_end = ev->bt_ms;
        view_keep(&st->note, note);
        if (f->v.current == (int)(st - f->v.steps))
                f->v.current = -1;
        view_deed_end(f, DEED_STEP, ev, st, status, note);
}

static void fail_step(Fold *f, ViewStep *st, const Event *ev, StepStatus status)
{
        view_error_set(&st->error, ev);
        end_step(f, st, ev, status, jx_str(ev->fields, "message", NULL));
        f->v.errors++;
}

static void end_undo(Fold *f, ViewStep *st, const Event *ev, StepStatus status)
{
        const char *words = jx_str(ev->fields, "words", NULL);
        st->kept = status == ST_UNDONE && jx_bool(ev->fields, "left", false);
        st->status = st->kept ? st->before_undo : status;
        st->t_end = ev->t_ms;
        st->bt_end = ev->bt_ms;
        if (words)
                view_keep(&st->undo_words, words);
        if (status == ST_UNDO_FAILED) {
                view_error_set(&st->error, ev);
                f->v.errors++;
                words = jx_str(ev->fields, "message", NULL);
        }
        if (f->v.current == (int)(st - f->v.steps))
                f->v.current = -1;
        view_deed_end(f, DEED_UNDO, ev, st, st->kept ? ST_SKIPPED : status, words);
}

static void remember(ViewStep *st, const Event *ev)
{
        json_t *data = jx_get(ev->fields, "data");
        if (!json_is_object(data))
                return;
        if (!st->remembered)
                st->remembered = json_object();
        AUTO_JSON copy = json_deep_copy(data);
        json_object_update(st->remembered, copy);
}

static void step_event(Fold *f, ViewStep *st, const Event *ev)
{
        const json_t *e = ev->fields;
        switch (ev->type) {
        case EV_STEP_INTENT:
                begin_step(f, st, ev);
                break;
        case EV_STEP_REMEMBER:
                remember(st, ev);
                break;
        case EV_PROGRESS:
                view_progress(st, ev);
                break;
        case EV_STEP_DONE:
                st->tolerated = MAX((int)jx_int(e, "tolerated", 0), st->tolerated);
                end_step(f, st, ev, st->tolerated ? ST_TOLERATED : ST_DONE,
                         jx_str(e, "note", NULL));
                break;
        case EV_STEP_FAILED:
                fail_step(f, st, ev, ST_FAILED);
                break;
        case EV_STEP_UNKNOWN:
                fail_step(f, st, ev, ST_UNKNOWN);
                break;
        case EV_STEP_SKIPPED:
                end_step(f, st, ev, ST_SKIPPED, jx_str(e, "reason", NULL));
                break;
        case EV_STEP_ALREADY:
                end_step(f, st, ev, ST_ALREADY, jx_str(e, "reason", NULL));
                break;
        case EV_UNDO_INTENT:
                f->v.current = (int)(st - f->v.steps);
                if (st->status != ST_UNDOING && st->status != ST_UNDO_FAILED)
                        st->before_undo = st->status;
                st->kept = false;
                st->status = ST_UNDOING;
                st->t_start = ev->t_ms;
                st->bt_start = ev->bt_ms;
                st->t_end = st->bt_end = 0;
                view_keep(&st->undo_words, jx_str(e, "words", NULL));
                view_progress_clear(&st->progress);
                view_deed_begin(f, DEED_UNDO, ev, st);
                break;
        case EV_UNDO_DONE:
                end_undo(f, st, ev, ST_UNDONE);
                break;
        case EV_UNDO_FAILED:
                end_undo(f, st, ev, ST_UNDO_FAILED);
                break;
        case EV_UNDO_DRIFT:
                view_error_set(&st->error, ev);
                break;
        default:
                break;
        }
}

/* ---- the run ---- */

static void open_run(Fold *f, const Event *ev)
{
        RunView *v = &f->v;
        Arena *a = v->arena;
        const json_t *e = ev->fields;
        v->t_open = ev->t_ms;
        v->bt_open = ev->bt_ms;
        v->run = arena_strdup(a, jx_str(e, "run", ""));
        v->runbook = arena_strdup(a, jx_str(e, "runbook", ""));
        v->title = arena_strdup(a, jx_str(e, "title", v->runbook));
        v->host = arena_strdup(a, jx_str(e, "host", ""));
        v->user = arena_strdup(a, jx_str(e, "user", ""));
        v->ssh = arena_strdup(a, view_text(e, "ssh"));
        v->tool = arena_strdup(a, jx_str(e, "tool", ""));
        AUTO_FREE char *version = jx_words(jx_get(e, "version"));
        v->version = jx_get(e, "version") ? arena_strdup(a, version) : NULL;
        v->undo_of = arena_strdup(a, view_text(e, "undo_of"));
        v->sha256 = arena_strdup(a, jx_str(e, "sha256", ""));
        v->plan_sha256 = arena_strdup(a, jx_str(e, "plan_sha256", ""));
        v->budget_ms = jx_int(e, "budget_ms", 0);
        v->downtime_planned_ms = jx_int(e, "downtime_ms", 0);
        json_decref(v->vars);
        v->vars = json_incref(jx_get(e, "vars"));
        free(f->boot_id);
        f->boot_id = xstrdup(jx_str(e, "boot_id", ""));
        f->engine_pid = jx_int(e, "pid", 0);
}

/* Another boot counts from another zero. Everything known is moved to the new one, the time
 * between by the wall clock, which is all there is. */
static void rebase_boot_clock(Fold *f, const Event *ev)
{
        RunView *v = &f->v;
        const char *id = jx_str(ev->fields, "boot_id", NULL);
        bool other = id && f->boot_id && *f->boot_id && !str_eq(id, f->boot_id);
        if (!other && ev->bt_ms >= v->bt_last)
                return;
        int64_t shift = ev->bt_ms - (v->bt_last + MAX(ev->t_ms - v->t_last, 0));
        int64_t *run[] = { &v->bt_open, &v->bt_last, &f->bt_close };
        for (size_t i = 0; i < LEN(run); i++)
                *run[i] += shift;
        if (v->downtime_begin)
                v->bt_downtime_begin += shift;
        if (v->downtime_end)
                v->bt_downtime_end += shift;
        for (size_t i = 0; i < v->n_steps; i++) {
                ViewStep *st = &v->steps[i];
                if (st->t_start)
                        st->bt_start += shift;
                if (st->t_end)
                        st->bt_end += shift;
        }
        if (id) {
                free(f->boot_id);
                f->boot_id = xstrdup(id);
        }
}

static void resume_run(Fold *f, const Event *ev)
{
        RunView *v = &f->v;
        const json_t *e = ev->fields;
        int64_t pid = jx_int(e, "pid", f->engine_pid);
        bool other_engine = jx_bool(e, "after_crash", false) || pid != f->engine_pid;
        v->paused = false;
        view_keep(&v->stopped_why, NULL);
        view_keep(&v->stopped_hint, NULL);
        if (v->status) { /* closed as failed, and now it is rolled back */
                view_keep(&v->status, NULL);
                view_keep(&v->close_reason, NULL);
                v->t_close = 0;
        }
        if (!other_engine)
                return;
        rebase_boot_clock(f, ev); /* nobody looks yet, nothing is asked yet */
        f->engine_pid = pid;
        v->viewers = 0;
        if (v->gate.open)
                view_gate_close(f);
}

static void downtime(Fold *f, const Event *ev)
{
        RunView *v = &f->v;
        if (ev->type == EV_DOWNTIME_BEGIN) {
                if (v->downtime_end)
                        f->downtime_before_ms += v->bt_downtime_end - v->bt_downtime_begin;
                if (!v->downtime_begin || v->downtime_end) {
                        v->downtime_begin = ev->t_ms;
                        v->bt_downtime_begin = ev->bt_ms;
                }
                v->downtime_end = v->bt_downtime_end = 0;
        } else if (v->downtime_begin && !v->downtime_end) {
                v->downtime_end = ev->t_ms;
                v->bt_downtime_end = ev->bt_ms;
        }
        v->budget_ms = jx_int(ev->fields, "budget_ms", v->budget_ms);
}

static void run_event(Fold *f, const Event *ev)
{
        RunView *v = &f->v;
        const json_t *e = ev->fields;
        switch (ev->type) {
        case EV_RUN_OPEN:
                open_run(f, ev);
                break;
        case EV_PLAN_PHASE:
                add_phase(f, ev);
                break;
        case EV_PLAN_STEP:
                add_step(f, ev);
                break;
        case EV_PLAN_ACCEPT:
                v->accepted = true;
                break;
        case EV_RUN_ATTACH:
                v->viewers++;
                if (!jx_bool(e, "watch", false))
                        view_keep(&v->attached_by, jx_str(e, "by", NULL));
                break;
        case EV_RUN_DETACH:
                v->viewers = MAX(v->viewers - 1, 0);
                v->last_detach_ms = ev->t_ms;
                view_keep(&v->last_detach_cause, jx_str(e, "cause", NULL));
                if (str_eq(jx_str(e, "by", NULL), v->attached_by))
                        view_keep(&v->attached_by, NULL);
                break;
        case EV_UNDO_START:
                v->undoing = true;
                break;
        case EV_UNDO_END:
                v->undoing = false;
                break;
        case EV_DOWNTIME_BEGIN:
        case EV_DOWNTIME_END:
                downtime(f, ev);
                break;
        case EV_RUN_PAUSE:
                v->paused = true;
                view_keep(&v->stopped_why, jx_str(e, "reason", NULL));
                view_keep(&v->stopped_hint, jx_str(e, "hint", NULL));
                break;
        case EV_RUN_RESUME:
                resume_run(f, ev);
                break;
        case EV_RUN_CLOSE:
                view_keep(&v->status, jx_str(e, "status", "done"));
                view_keep(&v->close_reason, jx_str(e, "reason", NULL));
                v->t_close = ev->t_ms;
                f->bt_close = ev->bt_ms;
                v->viewers = 0;
                view_gate_close(f);
                break;
        default:
                break;
        }
}

/* ---- phases, from what their steps are ---- */

static int phase_state(const Fold *f, const ViewPhase *p, const PhaseMark *mark)
{
        const RunView *v = &f->v;
        bool failed = false, undone = false, kept = false;
        for (size_t i = 0; i < v->n_steps; i++) {
                const ViewStep *st = &v->steps[i];
                if (!str_eq(st->phase, p->id))
                        continue;
                failed |= st->status == ST_FAILED || st->status == ST_UNKNOWN ||
                          st->status == ST_UNDO_FAILED;
                undone |= st->status == ST_UNDONE;
                kept |= st->status == ST_DONE || st->status == ST_TOLERATED ||
                        st->status == ST_RUNNING || st->status == ST_UNDOING;
                if (v->gate.open && !failed && str_eq(v->gate.step, st->id))
                        return PH_ASKING;
        }
        if (failed)
                return PH_FAILED;
        if (undone && !kept)
                return PH_UNDONE;
        if (mark->ended)
                return PH_DONE;
        return mark->started ? PH_RUNNING : PH_WAITING;
}

static void set_phases(Fold *f, const Event *ev)
{
        for (size_t i = 0; i < f->v.n_phases; i++) {
                ViewPhase *p = &f->v.phases[i];
                const char *named = jx_str(ev->fields, "phase", NULL);
                if (ev->type == EV_PHASE_START && str_eq(named, p->id))
                        f->marks[i] = (PhaseMark){ .started = true };
                if (ev->type == EV_PHASE_END && str_eq(named, p->id))
                        f->marks[i].ended = true;
                p->state = phase_state(f, p, &f->marks[i]);
        }
}

void run_view_apply(RunView *v, const Event *ev)
{
        Fold *f = (Fold *)v;
        ViewStep *st = run_view_step(v, ev->step);
        if (!st && ev->type == EV_STEP_INTENT)
                st = add_late_item(f, ev);
        run_event(f, ev);
        st = ev->step ? run_view_step(v, ev->step) : NULL;
        if (st)
                step_event(f, st, ev);
        view_records(f, ev, st);
        if (ev->type != EV_PROGRESS) {
                set_phases(f, ev);
                view_lines(f, ev, st);
        }
        v->last_seq = ev->seq;
        v->t_last = ev->t_ms;
        v->bt_last = ev->bt_ms;
        const char *hash = jx_str(ev->fields, "h", "");
        memcpy(v->head_hash, hash, MIN(strlen(hash), sizeof v->head_hash - 1));
}
