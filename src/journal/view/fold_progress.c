/* fold_progress.c: how far a step is. Called 10^5 times in a long run: nothing here may grow. */
#include "journal/view/view_impl.h"

static double number(const json_t *object, const char *key)
{
        const json_t *v = jx_get(object, key);
        return json_is_number(v) ? json_number_value(v) : 0;
}

void view_progress_clear(ViewProgress *p)
{
        view_keep(&p->label, NULL);
        view_keep(&p->unit, NULL);
        for (size_t i = 0; i < LEN(p->rows); i++)
                view_keep(&p->rows[i].name, NULL);
        *p = (ViewProgress){ 0 };
}

static void set_rows(ViewProgress *p, const json_t *rows)
{
        p->n_rows = MIN(json_array_size(rows), LEN(p->rows));
        for (size_t i = 0; i < LEN(p->rows); i++) {
                const json_t *row = json_array_get(rows, i);
                ProgressRow *r = &p->rows[i];
                view_keep(&r->name, i < p->n_rows ? jx_str(row, "name", "") : NULL);
                r->done = jx_int(row, "done", 0);
                r->total = jx_int(row, "total", 0);
                r->rate = number(row, "rate");
                r->eta_ms = jx_int(row, "eta_ms", -1);
        }
}

void view_progress(ViewStep *st, const Event *ev)
{
        ViewProgress *p = &st->progress;
        const json_t *e = ev->fields;
        p->set = true;
        p->t_ms = ev->t_ms;
        view_keep(&p->label, jx_str(e, "label", NULL));
        view_keep(&p->unit, jx_str(e, "unit", NULL));
        p->done = jx_int(e, "done", 0);
        p->total = jx_int(e, "total", 0);
        p->eta_ms = jx_int(e, "eta_ms", -1);
        p->rate = number(e, "rate");
        p->things_done = (int)jx_int(e, "things_done", 0);
        p->things_total = (int)jx_int(e, "things_total", 0);
        p->workers = (int)jx_int(e, "workers", 0);
        set_rows(p, jx_get(e, "rows"));
        if (p->n_history == LEN(p->history)) {
                memmove(p->history, p->history + 1, sizeof p->history - sizeof p->history[0]);
                p->n_history--;
        }
        p->history[p->n_history++] = p->rate;
}
