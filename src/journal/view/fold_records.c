/* fold_records.c: what is kept for afterwards: facts, decisions, ticks, artifacts, errors,
 * deeds. */
#include "journal/view/view_impl.h"

void view_fact(RunView *v, const Event *ev)
{
        const char *name = jx_str(ev->fields, "name", NULL);
        if (!name || !*name)
                return;
        json_t *at = v->facts;
        AUTO_FREE char *path = xstrdup(name);
        char *rest = path;
        for (char *dot; (dot = strchr(rest, '.')); rest = dot + 1) {
                *dot = '\0';
                json_t *next = json_object_get(at, rest);
                if (!json_is_object(next)) {
                        next = json_object();
                        json_object_set_new(at, rest, next);
                }
                at = next;
        }
        const json_t *value = jx_get(ev->fields, "value");
        const char *ref = jx_str(ev->fields, "ref", NULL);
        if (ref) {
                json_t *link = json_object();
                jx_set_str(link, "$ref", ref);
                jx_set(at, rest, link);
        } else {
                jx_set(at, rest, value ? json_deep_copy(value) : json_null());
        }
}

/* ---- deeds ---- */

static ViewDeed *open_deed(RunView *v, int type, const Event *ev)
{
        for (size_t i = v->n_deeds; i-- > 0;) {
                ViewDeed *d = &v->deeds[i];
                bool same = type == DEED_GATE ? d->gate == jx_int(ev->fields, "gate", 0)
                                              : str_eq(d->step, ev->step);
                if ((int)d->type == type && same)
                        return d->t_end ? NULL : d;
        }
        return NULL;
}

void view_deed_begin(Fold *f, int type, const Event *ev, const ViewStep *st)
{
        RunView *v = &f->v;
        const json_t *e = ev->fields;
        ViewDeed *before = type == DEED_UNDO ? open_deed(v, type, ev) : NULL;
        if (before) /* asked about drift, now tried once more */
                view_deed_end(f, type, ev, st, ST_UNDO_FAILED, st->error.message);
        if (v->n_deeds >= VIEW_DEEDS)
                return;
        ViewDeed *d = VIEW_ADD(v->deeds, v->n_deeds, f->deeds_cap);
        d->type = type;
        d->t_start = ev->t_ms;
        d->ms = -1;
        d->n = st ? st->n : 0;
        d->attempt = type == DEED_STEP && st ? st->attempt : 0;
        d->gate = type == DEED_GATE ? jx_int(e, "gate", 0) : 0;
        d->status = type == DEED_UNDO ? ST_UNDOING : type == DEED_GATE ? ST_GATED : ST_RUNNING;
        d->step = arena_strdup(v->arena, ev->step);
        d->kind = arena_strdup(v->arena, type == DEED_GATE ? jx_str(e, "kind", "") : st->kind);
        d->title = arena_strdup(v->arena, type == DEED_GATE ? jx_str(e, "title", "") : st->title);
}

void view_deed_end(Fold *f, int type, const Event *ev, const ViewStep *st, StepStatus status,
                   const char *note)
{
        RunView *v = &f->v;
        ViewDeed *d = open_deed(v, type, ev);
        if (!d) { /* skipped or already done: it never began */
                if (v->n_deeds >= VIEW_DEEDS)
                        return;
                view_deed_begin(f, type, ev, st);
                d = &v->deeds[v->n_deeds - 1];
                d->attempt = 0;
        }
        d->status = status;
        d->t_end = ev->t_ms;
        d->ms = jx_int(ev->fields, type == DEED_GATE ? "waited_ms" : "ms", -1);
        if (d->ms < 0)
                d->ms = type != DEED_GATE && st && d->t_start != d->t_end
                                ? st->bt_end - st->bt_start
                                : MAX(d->t_end - d->t_start, 0);
        view_keep(&d->note, note);
        view_keep(&d->by, jx_str(ev->fields, "by", NULL));
}

static const char *choice_label(const RunView *v, const char *key)
{
        for (size_t i = 0; i < v->gate.n_choices; i++)
                if (str_eq(v->gate.choices[i].key, key))
                        return v->gate.choices[i].label;
        return str_eq(key, "time") ? "the time came" : str_eq(key, "given") ? "a secret" : key;
}

static void gate_event(Fold *f, const Event *ev, const ViewStep *st)
{
        if (ev->type == EV_GATE_OPEN) {
                view_gate_open(f, ev);
                view_deed_begin(f, DEED_GATE, ev, st);
                return;
        }
        const char *answer = jx_str(ev->fields, "answer", "");
        if (open_deed(&f->v, DEED_GATE, ev))
                view_deed_end(f, DEED_GATE, ev, st, ST_DONE, choice_label(&f->v, answer));
        if (f->v.gate.number == jx_int(ev->fields, "gate", 0))
                view_gate_close(f);
}

/* ---- the rest, one record each ---- */

static void issue(Fold *f, const Event *ev, const ViewStep *st, int verdict)
{
        RunView *v = &f->v;
        const json_t *e = ev->fields;
        const char *message = jx_str(e, "message", NULL);
        const ViewIssue *last = v->n_issues ? &v->issues[v->n_issues - 1] : NULL;
        bool twice = f->issue_was_error && ev->type != EV_ERROR && last &&
                     str_eq(last->message, message) && str_eq(last->step, ev->step);
        f->issue_was_error = ev->type == EV_ERROR && verdict == ISSUE_STOPPED;
        if (twice)
                return; /* the error, then step.failed because of it */
        if (v->n_issues >= VIEW_ISSUES)
                return;
        ViewIssue *i = VIEW_ADD(v->issues, v->n_issues, f->issues_cap);
        i->step = arena_strdup(v->arena, ev->step);
        i->n = st ? st->n : 0;
        i->t_ms = ev->t_ms;
        i->verdict = verdict;
        i->kind = arena_strdup(v->arena, view_text(e, "kind"));
        i->sqlstate = arena_strdup(v->arena, view_text(e, "sqlstate"));
        i->message = arena_strdup(v->arena, message ? message : jx_str(e, "msg", ""));
        i->hint = arena_strdup(v->arena, view_text(e, "hint"));
        i->object = arena_strdup(v->arena, view_text(e, "object"));
        i->rule = arena_strdup(v->arena, view_text(e, "rule"));
        i->count = jx_int(e, "count", 1);
}

/* The same rule again in the same try: one issue that counts. Else a restore with a thousand
 * tolerated GRANTs would be a thousand rows. */
static ViewIssue *same_rule(RunView *v, const Event *ev, const ViewStep *st)
{
        const json_t *e = ev->fields;
        for (size_t i = v->n_issues; st && i-- > 0;) {
                ViewIssue *is = &v->issues[i];
                if (is->t_ms < st->t_start)
                        break;
                if (is->verdict == ISSUE_TOLERATED && str_eq(is->step, ev->step) &&
                    (is->rule == view_text(e, "rule") || str_eq(is->rule, view_text(e, "rule"))) &&
                    (is->sqlstate == view_text(e, "sqlstate") ||
                     str_eq(is->sqlstate, view_text(e, "sqlstate"))))
                        return is;
        }
        return NULL;
}

static void tolerated(Fold *f, const Event *ev, ViewStep *st)
{
        int64_t count = jx_int(ev->fields, "count", 1), before = 0;
        ViewIssue *is = same_rule(&f->v, ev, st);
        if (is) {
                before = is->count;
                is->count = MAX(count, before);
                f->issue_was_error = false;
        } else {
                issue(f, ev, st, ISSUE_TOLERATED);
        }
        f->v.warnings++;
        if (!st)
                return;
        st->warnings++;
        st->tolerated += (int)MAX(count - before, 0);
}

/* step.failed said it as an error; now it is known that it is tried again. */
static void retried(Fold *f, const Event *ev, ViewStep *st)
{
        RunView *v = &f->v;
        ViewIssue *last = v->n_issues ? &v->issues[v->n_issues - 1] : NULL;
        if (last && last->verdict == ISSUE_STOPPED && str_eq(last->step, ev->step) &&
            str_eq(last->message, jx_str(ev->fields, "message", NULL))) {
                last->verdict = ISSUE_RETRIED;
                v->errors = MAX(v->errors - 1, 0);
        } else {
                issue(f, ev, st, ISSUE_RETRIED);
        }
        v->warnings++;
        if (st)
                st->warnings++;
}

static void error_event(Fold *f, const Event *ev, ViewStep *st)
{
        const char *verdict = jx_str(ev->fields, "verdict", "stop");
        if (str_eq(verdict, "tolerated"))
                tolerated(f, ev, st);
        else if (str_eq(verdict, "retry"))
                retried(f, ev, st);
        else
                issue(f, ev, st, ISSUE_STOPPED); /* step.failed follows and counts */
}

static void check_event(Fold *f, const Event *ev, ViewStep *st)
{
        if (!str_eq(jx_str(ev->fields, "verdict", "ok"), "warn"))
                return;
        f->v.warnings++;
        if (st)
                st->warnings++;
        issue(f, ev, st, ISSUE_WARNING);
}

static void decision_event(Fold *f, const Event *ev)
{
        RunView *v = &f->v;
        const json_t *e = ev->fields;
        const char *id = jx_str(e, "id", "");
        ViewDecision *d = NULL;
        for (size_t i = 0; i < v->n_decisions; i++)
                if (str_eq(v->decisions[i].id, id))
                        d = &v->decisions[i];
        if (!d) {
                d = VIEW_ADD(v->decisions, v->n_decisions, f->decisions_cap);
                d->id = arena_strdup(v->arena, id);
        }
        d->t_ms = ev->t_ms;
        if (jx_str(e, "question", NULL))
                d->question = arena_strdup(v->arena, jx_str(e, "question", NULL));
        if (ev->type != EV_DECISION_ANSWER)
                return;
        AUTO_FREE char *words = jx_words(jx_get(e, "answer"));
        view_keep(&d->answer, words);
        view_keep(&d->by, jx_str(e, "by", NULL));
}

static void tick_event(Fold *f, const Event *ev)
{
        RunView *v = &f->v;
        const json_t *e = ev->fields;
        int item = (int)jx_int(e, "item", 0);
        ViewTick *t = NULL;
        for (size_t i = 0; i < v->n_ticks; i++)
                if (v->ticks[i].item == item && str_eq(v->ticks[i].step, ev->step))
                        t = &v->ticks[i];
        if (!t) {
                t = VIEW_ADD(v->ticks, v->n_ticks, f->ticks_cap);
                t->step = arena_strdup(v->arena, ev->step);
                t->item = item;
                t->text = arena_strdup(v->arena, jx_str(e, "text", ""));
        }
        t->ticked = jx_bool(e, "ticked", true);
        t->t_ms = ev->t_ms;
        view_keep(&t->by, jx_str(e, "by", NULL));
}

static void artifact_event(Fold *f, const Event *ev)
{
        RunView *v = &f->v;
        const json_t *e = ev->fields;
        ViewArtifact *a = VIEW_ADD(v->artifacts, v->n_artifacts, f->artifacts_cap);
        a->step = arena_strdup(v->arena, ev->step);
        a->what = arena_strdup(v->arena, jx_str(e, "what", ""));
        a->path = arena_strdup(v->arena, jx_str(e, "path", ""));
        a->sha256 = arena_strdup(v->arena, view_text(e, "sha256"));
        a->size = jx_int(e, "size", -1);
}

static void obligation_event(Fold *f, const Event *ev)
{
        RunView *v = &f->v;
        const char *id = jx_str(ev->fields, "id", "");
        if (ev->type == EV_OBLIGE_ADD) {
                ViewObligation *o = VIEW_ADD(v->obligations, v->n_obligations, f->obligations_cap);
                o->id = arena_strdup(v->arena, id);
                o->text = arena_strdup(v->arena, jx_str(ev->fields, "text", id));
                o->t_add = ev->t_ms;
                return;
        }
        for (size_t i = 0; i < v->n_obligations; i++)
                if (!v->obligations[i].t_met && str_eq(v->obligations[i].id, id))
                        v->obligations[i].t_met = ev->t_ms;
}

void view_records(Fold *f, const Event *ev, const ViewStep *step)
{
        ViewStep *st = step ? &f->v.steps[step - f->v.steps] : NULL;
        switch (ev->type) {
        case EV_FACT:
                view_fact(&f->v, ev);
                break;
        case EV_GATE_OPEN:
        case EV_GATE_ANSWER:
                gate_event(f, ev, st);
                break;
        case EV_ERROR:
                error_event(f, ev, st);
                break;
        case EV_CHECK:
                check_event(f, ev, st);
                break;
        case EV_STEP_FAILED:
        case EV_STEP_UNKNOWN:
        case EV_UNDO_FAILED:
        case EV_IO_ERROR:
                issue(f, ev, st, ISSUE_STOPPED);
                f->v.errors += ev->type == EV_IO_ERROR;
                break;
        case EV_UNDO_DRIFT:
        case EV_CLOCK_JUMP:
                f->v.warnings++;
                break;
        case EV_FENCE_CLOSE:
                f->v.warnings += !str_eq(jx_str(ev->fields, "verdict", "clean"), "clean");
                break;
        case EV_DECISION_OPEN:
        case EV_DECISION_ANSWER:
                decision_event(f, ev);
                break;
        case EV_MANUAL_TICK:
                tick_event(f, ev);
                break;
        case EV_ARTIFACT:
                artifact_event(f, ev);
                break;
        case EV_OBLIGE_ADD:
        case EV_OBLIGE_MET:
                obligation_event(f, ev);
                break;
        default:
                break;
        }
}
