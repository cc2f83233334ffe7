/* losses.c: before the way back is taken, the server that is left behind is asked once more what
 * was written there since it was opened for applications. */
#include "engine/drive/drive.h"

#include "base/clock.h"
#include "base/fmt.h"
#include "base/text.h"

#define SHOWN 5 /* tables by name; the rest is counted */

typedef struct Ask {
        Engine *e;
        const char *target;
        json_t *then, *since;
} Ask;

static bool ask_server(void *arg, Err *err)
{
        Ask *a = arg;
        AUTO_JSON spec = json_object();
        jx_set_str(spec, "$target", a->target);
        const Target *t = targets_use(a->e, a->e->arena, spec, NULL, err);
        return t && a->e->ops->writes_since(a->e->ops->app, t, a->then, &a->since, err);
}

/* The last step that counted, and has not been gone back behind. */
static const PlanStep *losses_counted(Engine *e)
{
        const PlanStep *last = NULL;
        for (size_t i = 0; i < e->plan->n; i++) {
                const PlanStep *p = &e->plan->steps[i];
                const StepRec *r = state_find(&e->state, p->id);
                if ((p->def->kind->traits & STEP_COUNTS) && r && r->state == REC_DONE)
                        last = p;
        }
        return last;
}

static void losses_line(json_t *lines, const char *fmt, ...) PRINTF(2, 3);

static void losses_line(json_t *lines, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *raw = xvasprintf(fmt, ap);
        va_end(ap);
        AUTO_FREE char *text = text_clean_str(raw);
        jx_append_str(lines, text);
}

static char *losses_counts(const json_t *of)
{
        char i[32], u[32], d[32];
        return xasprintf(
                "%s inserted, %s updated, %s deleted", fmt_count(jx_int(of, "inserted", 0), i),
                fmt_count(jx_int(of, "updated", 0), u), fmt_count(jx_int(of, "deleted", 0), d));
}

static void tell_tables(const json_t *since, json_t *lines)
{
        const json_t *tables = jx_get(since, "tables");
        size_t n = json_array_size(tables);
        for (size_t i = 0; i < n && i < SHOWN; i++) {
                const json_t *t = json_array_get(tables, i);
                const char *what = jx_str(t, "what", "");
                AUTO_FREE char *words = losses_counts(t);
                losses_line(lines, "  %.60s: %s%s%s", jx_str(t, "table", "?"), words,
                            *what ? "; it " : "", what);
        }
        if (n > SHOWN)
                losses_line(lines, "  and %zu more tables", n - SHOWN);
}

/* It may take some seconds: a server counts late. */
static bool say_looking(Engine *e, const PlanStep *p, Err *err)
{
        AUTO_FREE char *text = xasprintf("Asking the server what was written there since step %d: "
                                         "it may take a quarter of a minute until its clients have "
                                         "reported.",
                                         p->n);
        return record_note(e, text, "pgsherpa", err);
}

static void tell_clients(const json_t *since, json_t *lines)
{
        int n = (int)jx_int(since, "clients", 0);
        if (n)
                losses_line(lines, "%d client%s connected there: what %s from now on will be lost.",
                            n, n == 1 ? " is" : "s are", n == 1 ? "it writes" : "they write");
}

static void tell_unsure(const PlanStep *p, const char *when, const json_t *since, const char *why,
                        json_t *lines)
{
        AUTO_FREE char *sum = losses_counts(since);
        if (json_array_size(jx_get(since, "tables")) == 0)
                losses_line(lines, "What was written since step %d (%s) cannot be counted: %s.",
                            p->n, when, why);
        else
                losses_line(
                        lines,
                        "Written since step %d (%s), so far: at least %s. There may be more: %s.",
                        p->n, when, sum, why);
        losses_line(lines, "Whatever was written there will be lost.");
}

static void tell_counted(const PlanStep *p, const char *when, const json_t *since, json_t *lines,
                         char **ret_word)
{
        AUTO_FREE char *sum = losses_counts(since);
        int64_t rows = jx_int(since, "inserted", 0) + jx_int(since, "updated", 0) +
                       jx_int(since, "deleted", 0);
        losses_line(lines, "Written since step %d (%s), so far: %s. It will be lost:", p->n, when,
                    sum);
        *ret_word = rows ? xasprintf("lose %lld row%s", (long long)rows, rows == 1 ? "" : "s")
                         : xstrdup("lose writes");
}

bool losses_tell(Engine *e, const PlanStep *to, json_t *lines, char **ret_word)
{
        const PlanStep *p = losses_counted(e);
        *ret_word = NULL;
        if (!p || !e->ops || !e->ops->writes_since || (to && to->n > p->n))
                return false;
        const StepRec *r = state_find(&e->state, p->id);
        Ask a = { .e = e };
        AUTO_ERR why = { 0 };
        char when[24];
        bool ok = facts_remembered(e, r, &a.then, &why);
        a.target = jx_str(a.then, "target", "");
        ok = ok && say_looking(e, p, &why) && loop_work(e, NULL, 0, ask_server, &a, &why);
        AUTO_JSON then = a.then;
        AUTO_JSON since = a.since;
        clock_day_hm(r->t_done, when);
        if (!ok || !jx_bool(since, "sure", false)) {
                tell_unsure(p, when, since,
                            ok            ? jx_str(since, "why", "")
                            : why.message ? why.message
                                          : "nobody answers",
                            lines);
                *ret_word = xstrdup("lose writes");
        } else if (json_array_size(jx_get(since, "tables")) == 0) {
                bool clients = jx_int(since, "clients", 0) > 0;
                losses_line(lines, "Nothing was written since step %d, %s (%s)%s.", p->n, p->title,
                            when, clients ? ", so far" : ": no row will be lost");
        } else {
                tell_counted(p, when, since, lines, ret_word);
        }
        tell_tables(since, lines);
        tell_clients(since, lines);
        return true;
}
