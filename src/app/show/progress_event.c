#include "app/show/progress_event.h"

static json_t *begin(const char *event, int64_t ms)
{
        json_t *j = json_object();
        jx_set_str(j, "event", event);
        jx_set(j, "seconds", json_real((double)ms / 1000.0));
        return j;
}

/* Three digits behind the point say enough, and keep the line short. */
static json_t *fraction(double f)
{
        return f < 0 ? json_null() : json_real((double)(int64_t)(f * 1000.0 + 0.5) / 1000.0);
}

json_t *progress_event_of(const ProgressLine *l, int64_t ms)
{
        json_t *j = begin("progress", ms), *parts = json_array();
        jx_set_str(j, "stage", l->stage);
        jx_set_str(j, "unit", l->unit);
        jx_set_int(j, "done", l->done);
        jx_set(j, "total", l->total > 0 ? json_integer(l->total) : json_null());
        jx_set_int(j, "rows", l->row_count);
        jx_set_int(j, "rate", (int64_t)l->rate);
        jx_set(j, "seconds_left",
               l->eta_ms < 0 ? json_null() : json_real((double)l->eta_ms / 1000.0));
        jx_set_int(j, "things_done", l->things_done);
        jx_set_int(j, "things_total", l->things_total);
        jx_set_int(j, "workers", MAX(l->workers, 1));
        for (size_t i = 0; i < l->n_parts; i++) {
                json_t *part = json_object();
                jx_set_str(part, "name", l->parts[i].name);
                jx_set(part, "fraction", fraction(l->parts[i].fraction));
                json_array_append_new(parts, part);
        }
        jx_set(j, "parts", parts);
        return j;
}

char *progress_event_line(const json_t *event)
{
        char *text = json_dumps(event, JSON_ENSURE_ASCII | JSON_COMPACT | JSON_REAL_PRECISION(9));
        if (!text)
                abort(); /* it was made of clean text: no memory */
        return text;
}

json_t *progress_event_note(const char *text, int64_t ms)
{
        json_t *j = begin("note", ms);
        jx_set(j, "text", jx_text(text));
        return j;
}

json_t *progress_event_done(int64_t ms)
{
        return begin("done", ms);
}

json_t *progress_event_failed(const Err *err, int exit_code, int64_t ms)
{
        json_t *j = begin("failed", ms);
        jx_set(j, "message", jx_text(err->message ? err->message : ""));
        jx_set_str(j, "sqlstate", err->sqlstate[0] ? err->sqlstate : NULL);
        jx_set(j, "hint", err->hint ? jx_text(err->hint) : json_null());
        jx_set_int(j, "exit_code", exit_code);
        return j;
}
