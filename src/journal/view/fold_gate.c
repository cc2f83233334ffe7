/* fold_gate.c: the question that is open. */
#include "journal/view/view_impl.h"

static void set_lines(ViewGate *g, Arena *a, const json_t *lines)
{
        g->n_lines = json_array_size(lines);
        g->lines = arena_new_array(a, const char *, g->n_lines);
        for (size_t i = 0; i < g->n_lines; i++) {
                const char *text = json_string_value(json_array_get(lines, i));
                g->lines[i] = arena_strdup(a, text ? text : "");
        }
}

static void set_choices(ViewGate *g, Arena *a, const json_t *choices)
{
        g->n_choices = json_array_size(choices);
        g->choices = arena_new_array(a, ViewChoice, g->n_choices);
        for (size_t i = 0; i < g->n_choices; i++) {
                const json_t *c = json_array_get(choices, i);
                g->choices[i] = (ViewChoice){
                        .key = arena_strdup(a, jx_str(c, "key", "")),
                        .label = arena_strdup(a, jx_str(c, "label", "")),
                        .consequence = arena_strdup(a, jx_str(c, "consequence", "")),
                };
        }
}

void view_gate_open(Fold *f, const Event *ev)
{
        Arena *a = f->gate_arena;
        const json_t *e = ev->fields;
        arena_reset(a, (ArenaMark){ 0 });
        f->v.gate = (ViewGate){
                .open = true,
                .number = jx_int(e, "gate", 0),
                .opened_seq = ev->seq,
                .t_ms = ev->t_ms,
                .until_ms = jx_int(e, "until_ms", 0),
                .kind = arena_strdup(a, jx_str(e, "kind", "yes")),
                .step = arena_strdup(a, ev->step),
                .title = arena_strdup(a, jx_str(e, "title", "")),
                .text = arena_strdup(a, jx_str(e, "text", NULL)),
                .suggested = arena_strdup(a, jx_str(e, "suggested", NULL)),
        };
        set_lines(&f->v.gate, a, jx_get(e, "lines"));
        set_choices(&f->v.gate, a, jx_get(e, "choices"));
        ViewStep *st = run_view_step(&f->v, ev->step);
        if (st && st->status == ST_PENDING)
                st->status = ST_GATED;
}

void view_gate_close(Fold *f)
{
        f->v.gate.open = false;
        ViewStep *st = run_view_step(&f->v, f->v.gate.step);
        if (st && st->status == ST_GATED)
                st->status = ST_PENDING;
}
