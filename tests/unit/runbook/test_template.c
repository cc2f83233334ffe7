#include <criterion/criterion.h>

#include <stdio.h>

#include "fake_kinds.h"

/* `with:` of one step, evaluated; "!message" when it fails. */
static char *eval(const char *kind, const char *with, Scope scope)
{
        AUTO_ERR err = { 0 };
        AUTO_JSON v = NULL;
        AUTO_JSON vars = json_pack("{s:s, s:i, s:[s,s], s:n, s:b, s:s}", "dir", "/srv/a", "n", 3,
                                   "list", "a", "b", "none", "yes", 1, "evil", "x'; drop \\ \"t\"");
        Runbook *rb = NULL;
        AUTO_FREE char *steps =
                xasprintf("  - {id: x, do: %s, effect: read, with: %s}\n", kind, with);
        AUTO_FREE char *plain = with_steps(steps);
        char *at = strstr(plain, "services: {type");
        AUTO_FREE char *text = xasprintf("%.*snone: {type: string, default: a}, yes: {type: bool, "
                                         "default: true}, evil: {type: string, default: b}, %s",
                                         (int)(at - plain), plain, at);
        AUTO_FREE char *told = load_and_tell(text, &rb);
        if (!rb)
                return xasprintf("!%s", told);
        scope.vars = vars;
        const Step *s = &rb->phases[0].steps[0];
        char *out = template_eval(s->with, s->kind->params, &scope, &v, &err)
                            ? jx_dump(v)
                            : xasprintf("!%s", err.message);
        runbook_free(rb);
        return out;
}

typedef struct Case {
        const char *kind, *with, *want;
} Case;

static void check(const Case *cases, size_t n, Scope scope)
{
        for (size_t i = 0; i < n; i++) {
                AUTO_FREE char *got = eval(cases[i].kind, cases[i].with, scope);
                cr_expect_not_null(strstr(got, cases[i].want), "%s gives %s, not %s", cases[i].with,
                                   got, cases[i].want);
        }
}

Test(template, resolves_by_the_type_of_the_field)
{
        static const Case cases[] = {
                { "note", "{text: \"in ${vars.dir}, ${vars.n} times\"}", "\"in /srv/a, 3 times\"" },
                { "note", "{text: \"$${not} and ${vars.n}\"}", "\"${not} and 3\"" },
                { "note", "{text: \"${vars.n}\"}", "{\"text\":\"3\"}" },
                { "note", "{text: no}", "{\"text\":\"no\"}" },
                { "note", "{text: \"${'}'}\"}", "{\"text\":\"}\"}" },
                { "test.many", "{n: \"${vars.n}\"}", "\"n\":3" },
                { "test.many", "{n: 2 * vars.n}", "\"n\":6" },
                { "test.many", "{size: 1GB}", "\"size\":1073741824" },
                { "test.many", "{size: \"max(1MB, 2kB)\"}", "\"size\":1048576" },
                { "test.many", "{list: \"${vars.list}\"}", "\"list\":[\"a\",\"b\"]" },
                { "test.many", "{list: [\"${vars.n}\", \"x${vars.n}\"]}",
                  "\"list\":[\"3\",\"x3\"]" },
                { "test.many", "{any: {a: 1, b: \"1\", c: 022, d: true}}",
                  "{\"a\":1,\"b\":\"1\",\"c\":\"022\",\"d\":true}" },
                { "test.many", "{any: \"${vars.list}\"}", "\"any\":[\"a\",\"b\"]" },
                { "test.many", "{secret: secrets.pg}", "\"secret\":{\"$secret\":\"pg\"}" },
                { "test.many", "{secret: \"${secrets.pg}\"}", "\"secret\":{\"$secret\":\"pg\"}" },
                { "test.many", "{path: \"${vars.dir}/x\"}", "\"path\":\"/srv/a/x\"" },
                { "test.many", "{url: \"http://h/${vars.evil}\"}",
                  "\"url\":\"http://h/x%27%3B%20drop%20%5C%20%22t%22\"" },
                { "pg.sql", "{sql: \"select ${lit:vars.evil} from ${ident:vars.evil}\"}",
                  "select  E'x''; drop \\\\\\\\ \\\"t\\\"' from \\\"x'; drop \\\\ "
                  "\\\"\\\"t\\\"\\\"\\\"" },
                { "exec", "{argv: [a, \"b c ${vars.evil}\"], env: {P: \"${secrets.pg}\"}}",
                  "\"env\":{\"P\":{\"$secret\":\"pg\"}}" },
                { "pg.roles.copy", "{from: old}", "\"from\":{\"$target\":\"old\"}" },
                { "pg.roles.copy", "{from: {kind: postgres, via: {host: h, port: 5433}}}",
                  "\"from\":{\"kind\":\"postgres\",\"via\":{\"host\":\"h\",\"port\":5433}}" },
        };
        check(cases, LEN(cases), (Scope){ 0 });
}

Test(template, fills_in_what_was_left_out)
{
        static const Case cases[] = {
                { "test.many", "{}",
                  "{\"n\":3,\"size\":1024,\"list\":[\"a\",\"b\"],\"map\":{\"a\":1},\"path\":\"/"
                  "x\",\"url\":\"\"}" },
                { "compose.up", "{}", "\"services\":[],\"grace\":30000" },
        };
        check(cases, LEN(cases), (Scope){ 0 });
}

Test(template, refuses_values_that_do_not_fit)
{
        static const Case cases[] = {
                { "test.many", "{n: \"${vars.dir}\"}", "`/srv/a` is not an int" },
                { "test.many", "{path: \"${vars.dir}/../x\"}", "it goes up with .." },
                { "test.many", "{list: \"${vars.n}\"}", "`3` is not a list" },
                { "note", "{text: \"x ${vars.list}\"}", "`${vars.list}` is a list or a map" },
                { "note", "{text: \"x ${vars.none}\"}", "`${vars.none}` is empty" },
                { "test.many", "{n: \"${facts.x.y}\"}", "the step `x` has not run yet here" },
        };
        check(cases, LEN(cases), (Scope){ 0 });
}

Test(template, keeps_placeholders_whatever_the_type_while_planning)
{
        static const Case cases[] = {
                { "test.many", "{n: \"${run.id}\", path: \"/x/${run.id}\"}",
                  "{\"n\":\"\\u2039run.id\\u203A\",\"path\":\"/x/\\u2039run.id\\u203A\"" },
                { "test.many", "{list: \"${targets.stack.config_files}\"}",
                  "\"list\":\"\\u2039targets.stack.config_files\\u203A\"" },
        };
        check(cases, LEN(cases), (Scope){ .planning = true });
}
