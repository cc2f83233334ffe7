/* step_say.c: what a step says: lines of its log, progress, results, what undo needs.
 *
 * Everything textual is cleaned and redacted here, once, on its way in. */
#include "engine/step_ctx_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/redact.h"
#include "base/text.h"

static char *safe_text(const char *fmt, va_list ap) PRINTF(1, 0) MUST_CHECK;

static char *safe_text(const char *fmt, va_list ap)
{
        AUTO_FREE char *raw = xvasprintf(fmt, ap);
        AUTO_FREE char *clean = text_clean_str(raw);
        return redact_text(clean);
}

static void open_log(StepCtx *c)
{
        if (c->log_fd >= 0 || !c->run_dir || c->planning)
                return;
        AUTO_FREE char *dir = xasprintf("%s/output", c->run_dir);
        AUTO_FREE char *path = xasprintf("%s/%s.log", dir, c->id);
        AUTO_ERR ignored = { 0 };
        if (io_mkdir_p(dir, 0700, &ignored))
                c->log_fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (c->log_fd < 0)
                return; /* details are a help; the journal is the truth */
        char block[16384];
        ssize_t n;
        while ((n = read(c->log_fd, block, sizeof block)) > 0) {
                c->log_bytes += n;
                for (ssize_t i = 0; i < n; i++)
                        c->log_lines += block[i] == '\n';
        }
}

static const char *level_word(SayLevel level)
{
        static const char *const words[] = { "debug", "info", "cmd", "ok", "warn", "error" };
        return words[level];
}

void step_log(StepCtx *c, SayLevel level, const char *who, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *text = safe_text(fmt, ap);
        va_end(ap);
        AUTO_FREE char *name = text_clean_str(who);
        char t[32];
        AUTO_FREE char *line = xasprintf("%s %s %s %s\n", clock_iso(clock_wall_ms(), t),
                                         level_word(level), name, text);
        size_t n = strlen(line);
        AUTO_ERR ignored = { 0 };

        pthread_mutex_lock(&c->lock);
        c->last_sign_ms = clock_boot_ms();
        open_log(c);
        if (c->log_fd >= 0 && !c->log_full) {
                if (c->log_bytes + (int64_t)n > LIMIT_OUTPUT_LOG) {
                        static const char full[] = "... this log is full, the rest is not kept\n";
                        c->log_full = true;
                        c->log_lines += io_write_all(c->log_fd, full, sizeof full - 1, &ignored);
                } else if (io_write_all(c->log_fd, line, n, &ignored)) {
                        c->log_bytes += (int64_t)n;
                        c->log_lines++;
                }
        }
        pthread_mutex_unlock(&c->lock);
}

static void say_into(json_t *array, const char *fmt, va_list ap) PRINTF(2, 0);

static void say_into(json_t *array, const char *fmt, va_list ap)
{
        AUTO_FREE char *text = safe_text(fmt, ap);
        jx_append_str(array, text);
}

void step_problem(StepCtx *c, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        say_into(c->problems, fmt, ap);
        va_end(ap);
}

void step_warn(StepCtx *c, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        say_into(c->warnings, fmt, ap);
        va_end(ap);
}

void step_unseen(StepCtx *c, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        say_into(c->unseen, fmt, ap);
        va_end(ap);
}

void step_plan(StepCtx *c, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        say_into(c->plan, fmt, ap);
        va_end(ap);
}

void step_plan_undo(StepCtx *c, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        say_into(c->plan_undo, fmt, ap);
        va_end(ap);
}

void step_report(StepCtx *c, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        free(c->note);
        c->note = safe_text(fmt, ap);
        va_end(ap);
}

/* ---- progress ---- */

static json_t *row_json(const ProgressRow *row)
{
        json_t *j = json_object();
        jx_set_str(j, "name", row->name);
        jx_set_int(j, "done", row->done);
        jx_set_int(j, "total", row->total);
        jx_set(j, "rate", json_real(row->rate));
        jx_set_int(j, "eta_ms", row->eta_ms);
        return j;
}

static json_t *progress_json(const Progress *p)
{
        json_t *j = json_object();
        jx_set_str(j, "label", p->label ? p->label : "");
        jx_set_str(j, "unit", p->unit ? p->unit : "");
        jx_set_int(j, "done", p->done);
        jx_set_int(j, "total", p->total);
        jx_set(j, "rate", json_real(p->rate));
        jx_set_int(j, "eta_ms", p->eta_ms);
        jx_set_int(j, "things_done", p->things_done);
        jx_set_int(j, "things_total", p->things_total);
        if (p->workers)
                jx_set_int(j, "workers", p->workers);
        json_t *rows = json_array();
        for (size_t i = 0; i < MIN(p->n_rows, (size_t)8); i++)
                json_array_append_new(rows, row_json(&p->rows[i]));
        jx_set(j, "rows", rows);
        return j;
}

static void say_append(StepCtx *c, EventType type, json_t *fields)
{
        AUTO_ERR ignored = { 0 }; /* the engine remembers a journal that failed */
        if (c->host.append)
                (void)c->host.append(c->host.arg, type, c->id, fields, &ignored);
        else
                json_decref(fields);
}

static void say_progress(StepCtx *c, json_t *fields)
{
        say_append(c, EV_PROGRESS, fields);
}

void step_progress(StepCtx *c, const Progress *p)
{
        int64_t now = clock_boot_ms();
        json_t *fields = progress_json(p);
        pthread_mutex_lock(&c->lock);
        c->last_sign_ms = now;
        json_decref(c->held_progress);
        c->held_progress = NULL;
        if (c->last_progress_ms && now - c->last_progress_ms < 1000) {
                c->held_progress = fields;
                fields = NULL;
        } else {
                c->last_progress_ms = now;
        }
        pthread_mutex_unlock(&c->lock);
        if (fields)
                say_progress(c, fields);
}

void step_ctx_flush(StepCtx *c)
{
        pthread_mutex_lock(&c->lock);
        json_t *fields = c->held_progress;
        c->held_progress = NULL;
        pthread_mutex_unlock(&c->lock);
        if (fields)
                say_progress(c, fields);
}

/* ---- results ---- */

json_t *step_results(StepCtx *c)
{
        return c->results;
}

void step_result_str(StepCtx *c, const char *name, const char *text)
{
        jx_set_str(c->results, name, text);
}

void step_result_int(StepCtx *c, const char *name, int64_t n)
{
        jx_set_int(c->results, name, n);
}

void step_result_bool(StepCtx *c, const char *name, bool flag)
{
        jx_set_bool(c->results, name, flag);
}

void step_result_set(StepCtx *c, const char *name, json_t *stolen)
{
        jx_set(c->results, name, stolen);
}

bool step_result_file(StepCtx *c, const char *name, const json_t *value, const char **ret_path,
                      Err *err)
{
        if (!c->run_dir)
                return err_set(err, ERR_USER, "there is no run directory for result %s", name);
        char *dir = arena_printf(c->arena, "%s/facts", c->run_dir);
        if (!io_mkdir_p(dir, 0700, err))
                return err_wrap(err, "keeping result %s", name);
        char *path = arena_printf(c->arena, "%s/%s.%s.json", dir, c->id, name);
        AUTO_FREE char *text = jx_dump(value);
        if (!io_replace_file(path, text, strlen(text), 0600, err))
                return err_wrap(err, "keeping result %s", name);
        step_result_str(c, name, path);
        *ret_path = path;
        return true;
}

void step_artifact(StepCtx *c, const char *what, const char *path, int64_t size, const char *sha256)
{
        json_t *f = json_object();
        jx_set_str(f, "what", what);
        jx_set_str(f, "path", path);
        jx_set_int(f, "size", size);
        jx_set_str(f, "sha256", sha256 ? sha256 : "");
        say_append(c, EV_ARTIFACT, f);
}

/* ---- what undo and probe will need ---- */

/* A journal line has room for 4 KiB. What is longer goes to a file first (on disk before the
 * line that names it), whole, under a name made of its hash. */
static bool say_spill(StepCtx *c, json_t **data, Err *err)
{
        AUTO_FREE char *text = jx_dump(*data);
        if (strlen(text) < 2048 || !c->run_dir)
                return true;
        AUTO_FREE char *all = jx_dump(c->remembered);
        char hex[65];
        digest_hex_of(all, strlen(all), hex);
        AUTO_FREE char *dir = xasprintf("%s/state", c->run_dir);
        AUTO_FREE char *name = xasprintf("state/%s.%.12s.json", c->id, hex);
        AUTO_FREE char *path = io_join(c->run_dir, name);
        if (!io_mkdir_p(dir, 0700, err) || !io_replace_file(path, all, strlen(all), 0600, err))
                return false;
        json_decref(*data);
        *data = json_object();
        jx_set_str(*data, "$ref", name);
        jx_set_str(*data, "sha256", hex);
        return true;
}

bool step_remember(StepCtx *c, json_t *stolen, Err *err)
{
        AUTO_JSON data = stolen;
        if (!json_is_object(data))
                return err_set(err, ERR_USER, "%s: what is remembered must be an object",
                               c->kind->name);
        json_object_update(c->remembered, data);
        if (!c->host.append)
                return true;
        if (!say_spill(c, &data, err))
                return err_wrap(err, "remembering what %s needs for its way back", c->id);
        json_t *fields = json_object();
        jx_set(fields, "data", json_incref(data));
        if (!c->host.append(c->host.arg, EV_STEP_REMEMBER, c->id, fields, err))
                return err_wrap(err, "remembering what %s needs for its way back", c->id);
        return true;
}

const json_t *step_remembered(StepCtx *c)
{
        return c->remembered;
}

const json_t *step_remembered_of(StepCtx *c, const char *id)
{
        return c->host.remembered_of ? c->host.remembered_of(c->host.arg, id) : NULL;
}

bool step_tolerates(StepCtx *c, const char *object, const Err *error)
{
        return c->host.tolerates && c->host.tolerates(c->host.arg, object, error);
}

/* ---- for whoever holds the context ---- */

const json_t *step_ctx_problems(const StepCtx *c)
{
        return c->problems;
}

const json_t *step_ctx_plan(const StepCtx *c)
{
        return c->plan;
}

const json_t *step_ctx_plan_undo(const StepCtx *c)
{
        return c->plan_undo;
}

const char *step_ctx_note(const StepCtx *c)
{
        return c->note ? c->note : "";
}

int64_t step_ctx_log_line(StepCtx *c)
{
        pthread_mutex_lock(&c->lock);
        int64_t n = c->log_lines;
        pthread_mutex_unlock(&c->lock);
        return n;
}

int64_t step_ctx_last_sign_ms(StepCtx *c)
{
        pthread_mutex_lock(&c->lock);
        int64_t t = c->last_sign_ms;
        pthread_mutex_unlock(&c->lock);
        return t;
}
