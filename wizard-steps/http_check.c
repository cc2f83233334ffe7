/* http_check.c: does this page answer as it should, within a time? */
#include <regex.h>

#include "base/clock.h"
#include "base/text.h"
#include "engine/step_ctx.h"
#include "host/http.h"

static const ParamSpec params[] = {
        { .name = "url", .type = PARAM_URL, .help = "page to ask for" },
        { .name = "status",
          .type = PARAM_INT,
          .fallback = "200",
          .help = "HTTP status it must answer with" },
        { .name = "body_matches",
          .type = PARAM_STRING,
          .fallback = "",
          .help = "regular expression (POSIX ERE) its body must match" },
        { .name = "within",
          .type = PARAM_DURATION,
          .fallback = "60s",
          .help = "time to become so" },
        { 0 },
};
static const ParamSpec results[] = {
        { .name = "status", .type = PARAM_INT, .help = "HTTP status" },
        { .name = "ms", .type = PARAM_INT, .help = "how long the answer took" },
        { .name = "url", .type = PARAM_STRING, .help = "where it came from, after redirects" },
        { .name = "tries", .type = PARAM_INT, .help = "how often it was asked" },
        { 0 },
};

typedef struct State {
        regex_t re;
        bool wanted;
} State;

static bool http_check_check(StepCtx *ctx, void *state, Err *err);
static bool http_check_plan(StepCtx *ctx, void *state, Err *err);
static bool http_check_run(StepCtx *ctx, void *state, Err *err);

const StepKind step_http_check = {
        .name = "http.check",
        .summary = "Ask for a page until it answers as it should",
        .traits = STEP_READ_ONLY | STEP_IDEMPOTENT,
        .params = params,
        .results = results,
        .state_size = sizeof(State),
        .check = http_check_check,
        .plan = http_check_plan,
        .run = http_check_run,
};

#define MAX_PATTERN 512

static bool http_check_compile(StepCtx *ctx, State *s, Err *err)
{
        const char *pattern = step_str(ctx, "body_matches");
        char why[200];
        if (!*pattern || s->wanted)
                return true;
        if (strlen(pattern) > MAX_PATTERN)
                return err_set(err, ERR_USER, "body_matches is longer than %d characters",
                               MAX_PATTERN);
        int code = regcomp(&s->re, pattern, REG_EXTENDED | REG_NOSUB);
        if (code) {
                regerror(code, &s->re, why, sizeof why);
                return err_set(err, ERR_USER, "body_matches: %s", why);
        }
        s->wanted = true;
        return true;
}

static bool http_check_check(StepCtx *ctx, void *state, Err *err)
{
        AUTO_ERR why = { 0 };
        State *s = state;
        if (!http_check_compile(ctx, s, &why))
                step_problem(ctx, "%s", why.message);
        else if (s->wanted)
                regfree(&s->re);
        s->wanted = false;
        return true;
}

static bool http_check_plan(StepCtx *ctx, void *state, Err *err)
{
        step_plan(ctx, "$ curl --fail --max-time 10 '%s'", step_words(ctx, "url"));
        return true;
}

/* One try; why it is not good yet is malloc()ed. */
static bool http_check_ask(StepCtx *ctx, State *s, char **ret_why, Err *err)
{
        HttpAnswer a = { 0 };
        AUTO_ERR why = { 0 };
        HttpRequest r = { .url = step_str(ctx, "url"),
                          .timeout_ms = 10000,
                          .cancel = step_cancel_flag(ctx) };
        bool ok = http_get(&r, &a, &why);
        *ret_why = NULL;
        if (!ok && why.kind != ERR_LINK) { /* a wrong URL does not become right by waiting */
                http_answer_done(&a);
                err_move(err, &why);
                return false;
        }
        if (!ok)
                *ret_why = xstrdup(why.message);
        else if (a.status != step_int(ctx, "status"))
                *ret_why = xasprintf("it answers with HTTP status %ld, not %lld", a.status,
                                     (long long)step_int(ctx, "status"));
        else if (s->wanted && regexec(&s->re, buf_str(&a.body), 0, NULL, 0) != 0)
                *ret_why = xasprintf("its body does not match %s", step_str(ctx, "body_matches"));
        step_result_int(ctx, "status", a.status);
        step_result_int(ctx, "ms", a.ms);
        step_result_str(ctx, "url", a.url ? a.url : step_str(ctx, "url"));
        if (!*ret_why)
                step_report(ctx, "HTTP %ld after %lld ms", a.status, (long long)a.ms);
        http_answer_done(&a);
        return true;
}

static bool http_check_run(StepCtx *ctx, void *state, Err *err)
{
        State *s = state;
        int64_t start = clock_boot_ms(), tries = 0;
        bool ok = http_check_compile(ctx, s, err);
        while (ok) {
                AUTO_FREE char *why = NULL;
                ok = http_check_ask(ctx, s, &why, err);
                step_result_int(ctx, "tries", ++tries);
                if (!ok || !why)
                        break;
                if (clock_boot_ms() - start >= step_int(ctx, "within")) {
                        ok = err_set(err, ERR_LINK, "%s is not well after %lld s: %s",
                                     step_str(ctx, "url"),
                                     (long long)step_int(ctx, "within") / 1000, why);
                        break;
                }
                if (tries == 1)
                        step_say(ctx, "%s; asking again", why);
                if (!step_sleep(ctx, 500))
                        ok = err_set(err, ERR_CANCELLED, "asking %s was stopped",
                                     step_str(ctx, "url"));
        }
        if (s->wanted)
                regfree(&s->re);
        s->wanted = false;
        return ok;
}
