/* outcome.c: after run() returned: is it what was expected, what is worth knowing, verdict. */
#include "engine/step/one_step.h"

#include <ctype.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/fmt.h"
#include "base/text.h"

/* ---- expect ---- */

enum { LIST_LINES = 16, LIST_BYTES = 1500 }; /* a record of the journal is 4 KiB at most */

/* The next result.NAME an expression speaks of; *ret NULL when that result is absent. */
static char *next_result(const char **p, const json_t *results, json_t **ret)
{
        size_t n = 0;
        *p = strstr(*p, "result.");
        if (!*p)
                return NULL;
        *p += strlen("result.");
        while (isalnum((unsigned char)(*p)[n]) || (*p)[n] == '_')
                n++;
        char *name = xstrndup(*p, n);
        *ret = jx_get(results, name);
        return name;
}

static bool speaks_of(const PlanStep *p, const char *result)
{
        for (size_t i = 0; i < p->def->n_expect; i++) {
                json_t *ignored;
                for (const char *at = expr_text(p->def->expect[i].that);;) {
                        AUTO_FREE char *name = next_result(&at, NULL, &ignored);
                        if (!name)
                                break;
                        if (str_eq(name, result))
                                return true;
                }
        }
        return false;
}

bool outcome_no_bad_news(const StepKind *kind, const char *as, const json_t *results, Err *err)
{
        for (size_t i = 0; kind->verdict && kind->verdict[i]; i++) {
                const json_t *list = jx_get(results, kind->verdict[i]);
                if (json_array_size(list) == 0 && json_object_size(list) == 0)
                        continue;
                AUTO_FREE char *words = jx_words(list);
                return err_set(err, ERR_USER, "%s: %s: %.600s", as, kind->verdict[i], words);
        }
        return true;
}

/* Damage or a difference is no success because nobody wrote an expect. */
static bool unspoken_verdict(Engine *e, const PlanStep *p, const json_t *results, Err *ret_why)
{
        AUTO_ERR ignored = { 0 };
        const StepKind *kind = step_kind_find(p->def->kind->name, &ignored);
        if (!kind || !kind->verdict || (kind->traits & STEP_ONLY_REPORTS))
                return true;
        for (size_t i = 0; kind->verdict[i]; i++)
                if (speaks_of(p, kind->verdict[i]))
                        return true;
        if (outcome_no_bad_news(kind, kind->name, results, ret_why))
                return true;
        return err_hint(ret_why,
                        "an `expect:` on result.%s says in the runbook what is to happen then",
                        kind->verdict[0]);
}

/* Their values: "tables = 61, bad = []". */
static void actual_of(const char *that, const json_t *results, Buf *out)
{
        json_t *v;
        for (const char *p = that;;) {
                AUTO_FREE char *name = next_result(&p, results, &v);
                if (!name)
                        return;
                AUTO_FREE char *words = v ? jx_words(v) : xstrdup("absent");
                buf_printf(out, "%s%s = %.300s", out->len ? ", " : "", name, words);
        }
}

/* What is in the lists an expression speaks of, an item a line: what a person has to decide on, or
 * to repair. NULL: it speaks of none that holds words. */
static json_t *items_of(const char *that, const json_t *results)
{
        json_t *lines = json_array(), *v, *item;
        size_t i, bytes = 0, left = 0;
        for (const char *p = that;;) {
                AUTO_FREE char *name = next_result(&p, results, &v);
                if (!name)
                        break;
                json_array_foreach(v, i, item) {
                        AUTO_FREE char *words = jx_words(item);
                        bytes += strlen(words);
                        if (bytes > LIST_BYTES || json_array_size(lines) == LIST_LINES)
                                left++;
                        else
                                jx_append_str(lines, words);
                }
        }
        if (left) {
                AUTO_FREE char *more = xasprintf("and %zu more: all are in the step's log", left);
                jx_append_str(lines, more);
        }
        if (json_array_size(lines))
                return lines;
        json_decref(lines);
        return NULL;
}

/* "these cannot go: view a; view b"; NULL: no lists are spoken of. */
static char *with_items(const Expect *x, const json_t *results)
{
        AUTO_JSON items = items_of(expr_text(x->that), results);
        AUTO_BUF text = buf_init(LIST_BYTES);
        size_t i;
        json_t *item;
        json_array_foreach(items, i, item)
                buf_printf(&text, "%s%s", i ? "; " : ": ", json_string_value(item));
        return items ? xasprintf("%s%s", x->msg, buf_str(&text)) : NULL;
}

/* Where going on has a price, it comes last. */
static json_t *ask_choices(const Expect *x)
{
        static const char look[] = "runs this step once more", undo[] = "shows you the list first",
                          stop[] = "everything stays as it is";
        if (x->risk)
                return gate_choices("r", "Look again", look, "u", "Undo", undo, "a", "Stop the run",
                                    stop, "y", "Go on", x->risk, NULL);
        return x->again_first ? gate_choices("r", "Look again", look, "y", "Go on", "as it is", "u",
                                             "Undo", undo, "a", "Stop the run", stop, NULL)
                              : gate_choices("y", "Go on", "as it is", "r", "Look again", look, "u",
                                             "Undo", undo, "a", "Stop the run", stop, NULL);
}

static bool ask_about(Engine *e, const PlanStep *p, size_t i, const json_t *results,
                      const char *actual, bool *ret_again, Err *err)
{
        const Expect *x = &p->def->expect[i];
        AUTO_FREE char *key = xasprintf("%s#expect%zu", p->id, i);
        if (jx_get(e->state.answered, key))
                return true;
        AUTO_JSON lines = items_of(expr_text(x->that), results);
        if (!lines) {
                lines = json_array();
                AUTO_FREE char *expected = xasprintf("expected   %s", expr_text(x->that));
                AUTO_FREE char *found = xasprintf("found      %s", actual);
                if (!x->msg)
                        jx_append_str(lines, expected);
                jx_append_str(lines, found);
        }
        if (jx_str(results, "hint", NULL)) {
                AUTO_FREE char *hint = xasprintf("hint       %s", jx_str(results, "hint", ""));
                jx_append_str(lines, hint);
        }
        AUTO_ANSWER answer = { .key = "y" };
        for (bool sure = false; answer.key[0] == 'y' && !sure;) {
                Question q = { .kind = ASK_ASK,
                               .step = p->id,
                               .key = x->risk ? NULL : key,
                               .lines = json_incref(lines),
                               .title = x->msg ? x->msg : p->title,
                               .choices = ask_choices(x) };
                if (!gate_ask(e, &q, &answer, err))
                        return false;
                sure = !x->risk;
                if (answer.key[0] == 'y' && x->risk &&
                    !gate_going_on(e, p->id, key, x->risk, &sure, err))
                        return false;
        }
        char a = answer.key[0];
        if (a == 'r')
                *ret_again = true;
        if (a == 'u')
                return record_stop(e, STOP_ROLLBACK, answer.by, NULL, err);
        AUTO_FREE char *why = xasprintf("step %d, %s: %s: found %.600s", p->n, p->title,
                                        x->msg ? x->msg : expr_text(x->that), actual);
        if (a == 'a')
                return record_stop(e, STOP_FAIL, answer.by, why, err);
        return true;
}

/* One expectation. *ret_why set: the step failed by it. */
static bool expect_one(Engine *e, const PlanStep *p, size_t i, const json_t *results,
                       bool *ret_again, Err *ret_why, Err *err)
{
        const Expect *x = &p->def->expect[i];
        AUTO_SCOPE scope = { 0 };
        bool yes = false;
        scope_of(e, p, results, &scope);
        if (!expr_true(x->that, &scope, &yes, ret_why)) {
                err_wrap(ret_why, "expectation `%s`", expr_text(x->that));
                return true;
        }
        AUTO_BUF actual = buf_init(1000);
        actual_of(expr_text(x->that), results, &actual);
        static const char *const words[] = { "fail", "warn", "ask" };
        AUTO_FREE char *named = yes || !x->msg ? NULL : with_items(x, results);
        const char *msg = named && x->otherwise == VERDICT_WARN ? named : x->msg;
        Check check = { .step = p,
                        .that = expr_text(x->that),
                        .expected = "true",
                        .actual = buf_str(&actual),
                        .verdict = yes ? "ok" : words[x->otherwise],
                        .msg = msg };
        if (!record_check(e, &check, err))
                return false;
        if (yes || x->otherwise == VERDICT_WARN)
                return true;
        if (x->otherwise == VERDICT_ASK)
                return ask_about(e, p, i, results, buf_str(&actual), ret_again, err);
        if (named)
                err_set(ret_why, ERR_USER, "%s", named);
        else if (x->msg)
                err_set(ret_why, ERR_USER, "%s (found %s)", x->msg, buf_str(&actual));
        else
                err_set(ret_why, ERR_USER, "expected %s, found %s", expr_text(x->that),
                        buf_str(&actual));
        /* a kind that found bad news may give one */
        const char *hint = jx_str(results, "hint", NULL);
        if (hint) {
                AUTO_FREE char *clean = text_clean_str(hint);
                err_hint(ret_why, "%s", clean);
        }
        return true;
}

/* ---- verdicts ---- */

bool outcome_fail(Engine *e, const PlanStep *p, StepCtx *ctx, int64_t ms, const Err *why, Err *err)
{
        int64_t line = NOT_SAID;
        if (ctx) {
                step_log(ctx, SAY_ERROR, "pgsherpa", "%s", why->message ? why->message : "failed");
                if (why->hint)
                        step_log(ctx, SAY_INFO, "hint", "%s", why->hint);
                line = step_ctx_log_line(ctx);
        }
        return record_step_failed(e, p, why, ms, line, err);
}

static bool open_fence(Engine *e, const PlanStep *p, StepCtx *ctx, Err *err)
{
        if (!(p->def->kind->traits & STEP_FENCES))
                return true;
        const Target *t = step_target(ctx);
        const json_t *n = jx_get(step_results(ctx), "connections");
        return record_fence_open(e, p->id, t && t->name ? t->name : p->id,
                                 json_is_integer(n) ? json_integer_value(n) : 0, err);
}

bool outcome_settle(Engine *e, const PlanStep *p, StepCtx *ctx, int64_t ms, bool *ret_again,
                    Err *err)
{
        const json_t *results = step_results(ctx);
        for (size_t i = 0; i < p->def->n_expect; i++) {
                AUTO_ERR why = { 0 };
                if (!expect_one(e, p, i, results, ret_again, &why, err))
                        return false;
                if (why.kind)
                        return outcome_fail(e, p, ctx, ms, &why, err);
                if (*ret_again)
                        return true;
        }
        AUTO_ERR why = { 0 };
        if (!unspoken_verdict(e, p, results, &why))
                return outcome_fail(e, p, ctx, ms, &why, err);
        if (!facts_capture(e, p, results, &why)) {
                if (e->io_failed) {
                        err_move(err, &why);
                        return false;
                }
                return outcome_fail(e, p, ctx, ms, &why, err);
        }
        return open_fence(e, p, ctx, err) &&
               record_step_done(e, p, step_ctx_note(ctx), ms,
                                state_step(&e->state, p->id)->tolerated, err);
}
