#include "engine/record/state.h"

#include "journal/ask.h"

static const char *state_keep(EngineState *s, const char *text)
{
        return arena_strdup(s->arena, text);
}

void state_init(EngineState *s)
{
        *s = (EngineState){ .arena = arena_new(),
                            .answered = json_object(),
                            .answered_by = json_object(),
                            .gates = json_object(),
                            .decisions = json_object(),
                            .facts = json_object(),
                            .phases = json_object(),
                            .fences = json_object() };
}

void state_done(EngineState *s)
{
        for (size_t i = 0; i < s->n_steps; i++) {
                StepRec *r = s->steps[i];
                json_decref(r->remembered);
                json_decref(r->ticks);
                json_decref(r->counts);
                json_decref(r->failure);
        }
        free(s->steps);
        json_decref(s->answered);
        json_decref(s->answered_by);
        json_decref(s->gates);
        json_decref(s->decisions);
        json_decref(s->facts);
        json_decref(s->phases);
        json_decref(s->fences);
        s->arena = arena_free(s->arena);
        *s = (EngineState){ 0 };
}

StepRec *state_find(const EngineState *s, const char *id)
{
        for (size_t i = 0; id && i < s->n_steps; i++)
                if (str_eq(s->steps[i]->id, id))
                        return s->steps[i];
        return NULL;
}

StepRec *state_step(EngineState *s, const char *id)
{
        StepRec *r = state_find(s, id);
        if (r)
                return r;
        if (s->n_steps == s->capacity) {
                s->capacity = s->capacity ? s->capacity * 2 : 64;
                s->steps = xrealloc(s->steps, s->capacity * sizeof *s->steps);
        }
        r = arena_new_type(s->arena, StepRec);
        r->id = state_keep(s, id);
        s->steps[s->n_steps++] = r;
        return r;
}

void state_set_fact(json_t *facts, const json_t *path, json_t *value)
{
        size_t n = json_array_size(path);
        json_t *at = facts;
        for (size_t i = 0; i + 1 < n; i++) {
                const char *key = json_string_value(json_array_get(path, i));
                json_t *next = json_object_get(at, key);
                if (!json_is_object(next)) {
                        next = json_object();
                        json_object_set_new(at, key, next);
                }
                at = next;
        }
        if (n > 0)
                json_object_set_new(at, json_string_value(json_array_get(path, n - 1)), value);
        else
                json_decref(value);
}

/* A name with dots, for journals that have no explicit path. */
static json_t *split_path(const char *name)
{
        json_t *path = json_array();
        for (const char *p = name;;) {
                const char *dot = strchrnul(p, '.');
                json_array_append_new(path, json_stringn(p, (size_t)(dot - p)));
                if (!*dot)
                        return path;
                p = dot + 1;
        }
}

static void apply_fact(EngineState *s, const json_t *f)
{
        json_t *given = jx_get(f, "path");
        json_t *path = given ? json_incref(given) : split_path(jx_str(f, "name", "?"));
        const char *ref = jx_str(f, "ref", NULL);
        json_t *value = json_incref(jx_get(f, "value"));
        if (ref)
                value = json_pack("{s:s, s:s}", "$ref", ref, "sha256", jx_str(f, "sha256", ""));
        state_set_fact(s->facts, path, value ? value : json_null());
        json_decref(path);
}

static void apply_gate_open(EngineState *s, const Event *ev)
{
        int64_t number = jx_int(ev->fields, "gate", 0);
        char key[24];
        snprintf(key, sizeof key, "%lld", (long long)number);
        json_t *g = json_object();
        jx_set_str(g, "key", jx_str(ev->fields, "key", ""));
        jx_set_str(g, "kind", jx_str(ev->fields, "kind", ""));
        jx_set_str(g, "step", ev->step ? ev->step : "");
        json_object_set_new(s->gates, key, g);
        s->last_gate = MAX(s->last_gate, number);
}

static bool state_passes(const char *answer)
{
        return str_eq(answer, "y") || str_eq(answer, "time");
}

static void apply_gate_answer(EngineState *s, const Event *ev)
{
        char number[24];
        snprintf(number, sizeof number, "%lld", (long long)jx_int(ev->fields, "gate", 0));
        const json_t *g = json_object_get(s->gates, number);
        const char *answer = jx_str(ev->fields, "answer", "");
        const char *key = jx_str(g, "key", "");
        if (*key && state_passes(answer)) {
                jx_set_str(s->answered, key, answer);
                jx_set_str(s->answered_by, key, jx_str(ev->fields, "by", ""));
        }
        AskKind kind = ask_kind_of(jx_str(g, "kind", NULL));
        const char *step = jx_str(g, "step", "");
        if (*step && ask_kind_kept(kind))
                state_step(s, step)->answer = answer[0];
}

/* After an undo a step's gates are asked again, should it be run again. */
static void forget_gates(EngineState *s, const char *id)
{
        const char *key;
        json_t *value;
        void *next;
        json_object_foreach_safe(s->answered, next, key, value)
        {
                size_t n = strcspn(key, "#");
                bool mine = strncmp(id, key, n) == 0 && (id[n] == '\0' || id[n] == '.');
                if (mine) /* also the `once` of the loop it is an item of */
                        json_object_del(s->answered, key);
        }
}

static void state_verdict(StepRec *r, RecState state, const Event *ev)
{
        r->state = state;
        r->t_done = ev->t_ms;
        r->answer = 0;
        if (state != REC_FAILED)
                r->tries = 0;
}

static void merge_remembered(json_t **into, const json_t *data)
{
        if (!*into)
                *into = json_object();
        if (jx_get(data, "$ref")) /* the file holds everything remembered so far */
                json_object_clear(*into);
        json_t *copy = json_deep_copy(data);
        if (json_is_object(copy))
                json_object_update(*into, copy);
        json_decref(copy);
}

static void apply_tick(StepRec *r, const json_t *f)
{
        char item[24];
        snprintf(item, sizeof item, "%lld", (long long)jx_int(f, "item", 0));
        if (!r->ticks)
                r->ticks = json_object();
        if (jx_bool(f, "ticked", true))
                jx_set_str(r->ticks, item, jx_str(f, "by", ""));
        else
                json_object_del(r->ticks, item);
}

static void apply_error(StepRec *r, const json_t *f)
{
        if (!str_eq(jx_str(f, "verdict", ""), "tolerated"))
                return;
        char rule[24];
        snprintf(rule, sizeof rule, "%lld", (long long)jx_int(f, "rule_index", 0));
        if (!r->counts)
                r->counts = json_object();
        jx_set_int(r->counts, rule, jx_int(r->counts, rule, 0) + 1);
        r->tolerated++;
}

static void apply_step(EngineState *s, const Event *ev)
{
        StepRec *r = state_step(s, ev->step);
        const json_t *f = ev->fields;
        switch (ev->type) {
        case EV_STEP_INTENT:
                r->state = REC_INTENT;
                r->attempt = (int)jx_int(f, "attempt", r->attempt + 1);
                r->intent_seq = ev->seq;
                r->answer = 0;
                r->tolerated = 0; /* a new attempt counts its own errors */
                if (r->counts)
                        json_object_clear(r->counts);
                break;
        case EV_STEP_REMEMBER:
                merge_remembered(&r->remembered, jx_get(f, "data"));
                break;
        case EV_STEP_DONE:
                state_verdict(r, REC_DONE, ev);
                break;
        case EV_STEP_SKIPPED:
                state_verdict(r, REC_SKIPPED, ev);
                break;
        case EV_STEP_ALREADY:
                state_verdict(r, REC_ALREADY, ev);
                break;
        case EV_STEP_UNKNOWN:
                state_verdict(r, REC_UNKNOWN, ev);
                break;
        case EV_STEP_FAILED:
                state_verdict(r, REC_FAILED, ev);
                r->tries++;
                json_decref(r->failure);
                r->failure = json_deep_copy(f);
                break;
        case EV_MANUAL_TICK:
                apply_tick(r, f);
                break;
        case EV_ERROR:
                apply_error(r, f);
                break;
        case EV_UNDO_INTENT:
                if (r->state != REC_UNDO_INTENT && r->state != REC_UNDO_FAILED &&
                    r->state != REC_UNDO_DRIFT)
                        r->before_undo = r->state;
                r->state = REC_UNDO_INTENT;
                break;
        case EV_UNDO_DONE:
                r->state = jx_bool(f, "left", false) ? REC_UNDO_LEFT : REC_UNDONE;
                forget_gates(s, r->id);
                break;
        case EV_UNDO_FAILED:
                r->state = REC_UNDO_FAILED;
                break;
        case EV_UNDO_DRIFT:
                r->state = REC_UNDO_DRIFT;
                break;
        default:
                break;
        }
}

static void apply_run(EngineState *s, const Event *ev)
{
        const json_t *f = ev->fields;
        switch (ev->type) {
        case EV_RUN_OPEN:
                s->run = state_keep(s, jx_str(f, "run", ""));
                s->tag = state_keep(s, jx_str(f, "tag", jx_str(f, "run", "")));
                s->plan_sha256 = state_keep(s, jx_str(f, "plan_sha256", ""));
                s->boot_id = state_keep(s, jx_str(f, "boot_id", ""));
                s->t_open = ev->t_ms;
                break;
        case EV_PLAN_ACCEPT:
                s->accepted = true;
                break;
        case EV_RUN_PAUSE:
                s->paused = true;
                break;
        case EV_RUN_RESUME:
                s->paused = false;
                s->closed = NULL; /* a stopped run may be reopened to be undone */
                break;
        case EV_RUN_CLOSE:
                s->closed = state_keep(s, jx_str(f, "status", "done"));
                break;
        case EV_UNDO_START:
                s->undoing = true;
                s->undo_to = state_keep(s, jx_str(f, "to", ""));
                s->undo_by = state_keep(s, jx_str(f, "by", ""));
                break;
        case EV_UNDO_END:
                s->undoing = false;
                break;
        case EV_DOWNTIME_BEGIN:
                s->downtime_begin_bt = ev->bt_ms;
                s->downtime_begin_t = ev->t_ms;
                s->downtime_end_bt = s->downtime_end_t = 0;
                break;
        case EV_DOWNTIME_END:
                s->downtime_end_bt = ev->bt_ms;
                s->downtime_end_t = ev->t_ms;
                break;
        default:
                break;
        }
}

void state_apply(EngineState *s, const Event *ev)
{
        const json_t *f = ev->fields;
        s->last_seq = ev->seq;
        switch (ev->type) {
        case EV_FACT:
                apply_fact(s, f);
                break;
        case EV_GATE_OPEN:
                apply_gate_open(s, ev);
                break;
        case EV_GATE_ANSWER:
                apply_gate_answer(s, ev);
                break;
        case EV_DECISION_ANSWER:
                jx_set_str(s->decisions, jx_str(f, "id", "?"), jx_str(f, "answer", ""));
                break;
        case EV_PHASE_START:
                jx_set_str(s->phases, jx_str(f, "phase", "?"), "started");
                break;
        case EV_PHASE_END:
                jx_set_str(s->phases, jx_str(f, "phase", "?"), "ended");
                break;
        case EV_FENCE_OPEN:
                jx_set_str(s->fences, jx_str(f, "target", "?"), "open");
                break;
        case EV_FENCE_CLOSE:
                jx_set_str(s->fences, jx_str(f, "target", "?"), "closed");
                break;
        default:
                apply_run(s, ev);
                if (ev->step)
                        apply_step(s, ev);
                break;
        }
}
