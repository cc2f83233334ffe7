#include "journal/run_view.h"

#include "journal/view/view_impl.h"

const char *step_status_word(StepStatus s)
{
        static const char *const words[] = {
                [ST_PENDING] = "waiting", [ST_GATED] = "QUESTION", [ST_RUNNING] = "running",
                [ST_DONE] = "done",       [ST_TOLERATED] = "done", [ST_ALREADY] = "already done",
                [ST_SKIPPED] = "skipped", [ST_FAILED] = "FAILED",  [ST_UNKNOWN] = "UNKNOWN",
                [ST_UNDOING] = "undoing", [ST_UNDONE] = "undone",  [ST_UNDO_FAILED] = "UNDO FAILED",
        };
        return (unsigned)s < LEN(words) ? words[s] : "?";
}

const char *view_line_level(const ViewLine *l)
{
        static const char *const words[] = {
                [LINE_INFO] = "info",   [LINE_OK] = "ok",   [LINE_WARN] = "warn",
                [LINE_ERROR] = "error", [LINE_ASK] = "ask",
        };
        return words[l->level];
}

void *view_grow(void *array, size_t *cap, size_t n, size_t size)
{
        if (n >= *cap) {
                *cap = *cap ? *cap * 2 : 16;
                array = xrealloc(array, *cap * size);
        }
        memset((char *)array + n * size, 0, size);
        return array;
}

const char *view_text(const json_t *fields, const char *key)
{
        const char *text = jx_str(fields, key, NULL);
        return text && *text ? text : NULL;
}

void view_keep(const char **slot, const char *text)
{
        if (text == *slot || str_eq(text, *slot))
                return;
        free((void *)(uintptr_t)*slot);
        *slot = text ? xstrdup(text) : NULL;
}

void view_error_clear(ViewError *e)
{
        const char **texts[] = { &e->kind, &e->sqlstate, &e->message, &e->hint, &e->object };
        for (size_t i = 0; i < LEN(texts); i++)
                view_keep(texts[i], NULL);
        *e = (ViewError){ 0 };
}

RunView *run_view_new(void)
{
        Fold *f = xcalloc(1, sizeof *f);
        f->v.arena = arena_new();
        f->gate_arena = arena_new();
        f->v.current = -1;
        f->v.facts = json_object();
        return &f->v;
}

static void free_step(ViewStep *st)
{
        view_keep(&st->note, NULL);
        view_keep(&st->undo_words, NULL);
        view_error_clear(&st->error);
        view_progress_clear(&st->progress);
        json_decref(st->remembered);
}

static void free_records(RunView *v)
{
        for (size_t i = 0; i < v->n_lines; i++) {
                view_keep(&v->lines[i].who, NULL);
                view_keep(&v->lines[i].text, NULL);
        }
        for (size_t i = 0; i < v->n_deeds; i++) {
                view_keep(&v->deeds[i].note, NULL);
                view_keep(&v->deeds[i].by, NULL);
        }
        for (size_t i = 0; i < v->n_ticks; i++)
                view_keep(&v->ticks[i].by, NULL);
        for (size_t i = 0; i < v->n_decisions; i++) {
                view_keep(&v->decisions[i].answer, NULL);
                view_keep(&v->decisions[i].by, NULL);
        }
}

RunView *run_view_free(RunView *v)
{
        if (!v)
                return NULL;
        Fold *f = (Fold *)v;
        for (size_t i = 0; i < v->n_steps; i++)
                free_step(&v->steps[i]);
        free_records(v);
        view_keep(&v->status, NULL);
        view_keep(&v->close_reason, NULL);
        view_keep(&v->stopped_why, NULL);
        view_keep(&v->stopped_hint, NULL);
        view_keep(&v->last_detach_cause, NULL);
        view_keep(&v->attached_by, NULL);
        view_keep(&v->damage, NULL);
        json_decref(v->facts);
        json_decref(v->vars);
        free(f->marks);
        free(f->boot_id);
        free(f->lines_block);
        void *arrays[] = { v->phases, v->steps, v->artifacts, v->decisions,
                           v->ticks,  v->deeds, v->issues,    v->obligations };
        for (size_t i = 0; i < LEN(arrays); i++)
                free(arrays[i]);
        arena_free(f->gate_arena);
        arena_free(v->arena);
        free(f);
        return NULL;
}

void run_view_hold_against_head(RunView *v, const char *run_dir)
{
        AUTO_ERR ignored = { 0 };
        AUTO_FREE char *words = NULL;
        JournalState state;
        int64_t records;
        if (journal_verify(run_dir, &state, &records, &words, &ignored) && state == JOURNAL_CORRUPT)
                view_keep(&v->damage, words);
}

bool run_view_load(const char *run_dir, RunView **ret, Err *err)
{
        JournalReader *r = journal_reader_open(run_dir, err);
        if (!r)
                return false;
        AUTO_ERR damage = { 0 };
        RunView *v = run_view_new();
        Event ev;
        bool ok;
        while ((ok = journal_next(r, &ev, &damage)) && ev.type != EV_NONE)
                run_view_apply(v, &ev);
        journal_reader_close(r);
        if (!ok && damage.kind != ERR_USER) {
                run_view_free(v);
                err_move(err, &damage);
                return err_wrap(err, "reading the journal of %s", run_dir);
        }
        if (!ok)
                view_keep(&v->damage, damage.message);
        else
                run_view_hold_against_head(v, run_dir);
        *ret = v;
        return true;
}

ViewStep *run_view_step(RunView *v, const char *id)
{
        for (size_t i = 0; id && i < v->n_steps; i++)
                if (str_eq(v->steps[i].id, id))
                        return &v->steps[i];
        return NULL;
}

void run_view_count(const RunView *v, const char *phase, int *ret_done, int *ret_total)
{
        *ret_done = *ret_total = 0;
        for (size_t i = 0; i < v->n_steps; i++) {
                const ViewStep *st = &v->steps[i];
                if (st->loop || (phase && !str_eq(st->phase, phase)))
                        continue;
                ++*ret_total;
                *ret_done += st->status == ST_DONE || st->status == ST_TOLERATED ||
                             st->status == ST_ALREADY || st->status == ST_SKIPPED;
        }
}

int64_t run_view_elapsed_ms(const RunView *v, int64_t now_boot_ms)
{
        const Fold *f = (const Fold *)v;
        if (!v->t_open)
                return 0;
        int64_t end = v->status ? f->bt_close : MAX(now_boot_ms, v->bt_last);
        return MAX(end - v->bt_open, 0);
}

int64_t run_view_downtime_ms(const RunView *v, int64_t now_boot_ms)
{
        const Fold *f = (const Fold *)v;
        if (!v->downtime_begin)
                return -1;
        int64_t end = v->bt_downtime_end;
        if (!v->downtime_end)
                end = v->status ? f->bt_close : MAX(now_boot_ms, v->bt_last);
        return f->downtime_before_ms + MAX(end - v->bt_downtime_begin, 0);
}

char *run_view_undo_words(const char *undo)
{
        if (str_starts(undo, "yes, until "))
                return xasprintf("can be undone without loss until step %s",
                                 undo + strlen("yes, until "));
        return xstrdup(str_eq(undo, "yes")    ? "can be undone"
                       : str_eq(undo, "NO")   ? "cannot be undone"
                       : str_eq(undo, "kept") ? "what it makes stays, and is in nobody's way"
                                              : "nothing to undo: it changes nothing");
}

const char *run_view_sentence(const json_t *lines)
{
        size_t i;
        json_t *line;
        json_array_foreach(lines, i, line)
                if (json_is_string(line) && str_starts(json_string_value(line), "# "))
                        return json_string_value(line) + 2;
        return json_string_value(json_array_get(lines, 0));
}
