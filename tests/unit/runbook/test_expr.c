#include <criterion/criterion.h>

#include <stdio.h>

#include "base/clock.h"
#include "base/buf.h"
#include "runbook/expr/pattern.h"
#include "runbook/runbook.h"

static const char scope_text[] =
        "{\"from\": 16, \"to\": 17, \"name\": \"db\", \"list\": [\"a\", \"b\"], \"none\": null, "
        "\"t\": true, \"sources\": [{\"name\": \"x\", \"dir\": \"/x\"}, {\"name\": \"y\", \"dir\": "
        "\"/y\"}]}";
static const char facts_text[] =
        "{\"src\": {\"version\": \"16.4\", \"size\": 1000, \"roles\": [], \"map\": {\"a\": 1}}, "
        "\"inv\": {\"x\": {\"size\": 10, \"roles\": [\"r\"]}, \"y\": {\"size\": 20, \"roles\": "
        "[]}}}";

typedef struct World {
        json_t *vars, *facts;
        Scope scope;
} World;

static World world(void)
{
        AUTO_ERR err = { 0 };
        World w = { .vars = jx_parse(scope_text, strlen(scope_text), &err),
                    .facts = jx_parse(facts_text, strlen(facts_text), &err) };
        cr_assert(w.vars && w.facts);
        w.scope = (Scope){ .vars = w.vars, .facts = w.facts };
        return w;
}

static void world_done(World *w)
{
        json_decref(w->vars);
        json_decref(w->facts);
}

/* The value as compact JSON, or "!column message" / "!message". */
static char *answer(const Scope *scope, const char *text)
{
        AUTO_ARENA a = arena_new();
        AUTO_ERR err = { 0 };
        AUTO_JSON v = NULL;
        int col;
        Expr *e = expr_parse(a, text, &col, &err);
        if (!e)
                return xasprintf("!%d %s", col, err.message);
        if (!expr_eval(e, scope, &v, &err))
                return xasprintf("!%s", err.message);
        return jx_dump(v);
}

typedef struct Case {
        const char *text, *want;
} Case;

static void check(const Case *cases, size_t n, bool planning)
{
        World w = world();
        w.scope.planning = planning;
        for (size_t i = 0; i < n; i++) {
                AUTO_FREE char *got = answer(&w.scope, cases[i].text);
                bool prefix = cases[i].want[0] == '!';
                cr_expect(prefix ? str_starts(got, cases[i].want) : str_eq(got, cases[i].want),
                          "%s is %s, not %s", cases[i].text, got, cases[i].want);
        }
        world_done(&w);
}

Test(expr, calculates_and_compares)
{
        static const Case cases[] = {
                { "1 + 2 * 3", "7" },
                { "(1 + 2) * 3", "9" },
                { "-2 - -3", "1" },
                { "7 / 2", "3.5" },
                { "6 / 2", "3" },
                { "1.5 * 2", "3.0" },
                { "500MB", "524288000" },
                { "2GiB", "2147483648" },
                { "24h", "86400000" },
                { "30s + 1m", "90000" },
                { "\"a\" == 'a'", "true" },
                { "16 != 17", "true" },
                { "1 < 2 and 2 <= 2 and 3 > 2 and 2 >= 2", "true" },
                { "1 == 1.0", "true" },
                { "not true or true", "true" },
                { "not (true or true)", "false" },
                { "\"9.6\" < \"17.2\"", "true" },
                { "\"b\" < \"a\"", "false" },
                { "null == 3", "false" },
                { "vars.none == null", "true" },
                { "\"a\" in vars.list", "true" },
                { "\"c\" in [\"c\"]", "true" },
                { "\"b\" in \"abc\"", "true" },
                { "\"a\" in facts.src.map", "true" },
                { "\"postgres:17\" matches \"^postgres:[0-9]+$\"", "true" },
                { "\"x\" matches 'y'", "false" },
                { "2.5 * facts.src.size", "2500.0" },
                { "[]", "[]" },
                { "[1, \"a\", [2]]", "[1,\"a\",[2]]" },
                { "\"a\\\\b\\\"c\\d\"", "\"a\\\\b\\\"c\\\\d\"" },
        };
        check(cases, LEN(cases), false);
}

Test(expr, follows_names)
{
        static const Case cases[] = {
                { "vars.from == major(facts.src.version)", "true" },
                { "vars.list[1]", "\"b\"" },
                { "vars.sources[0].dir", "\"/x\"" },
                { "facts.inv[vars.sources[1].name].size", "20" },
                { "facts.inv.*.size", "[10,20]" },
                { "sum(facts.inv.*.size) * 2", "60" },
                { "vars.sources.*.name", "[\"x\",\"y\"]" },
                { "max(facts.inv.*.size)", "20" },
                { "max(500, 2 * facts.src.size)", "2000" },
                { "min(3, 1, 2)", "1" },
                { "count(facts.inv)", "2" },
                { "count(vars.name)", "2" },
                { "count(vars.list)", "2" },
                { "empty(facts.src.roles)", "true" },
                { "empty(0)", "false" },
                { "empty(vars.none)", "true" },
                { "size(\"64kB\")", "65536" },
                { "size(3)", "3" },
                { "major(160004)", "16" },
                { "major(\"9.6.2\")", "9" },
                { "exists(facts.src.size)", "true" },
                { "exists(facts.no.size)", "false" },
                { "changed([1], [1])", "false" },
                { "changed(1, \"1\")", "true" },
        };
        check(cases, LEN(cases), false);
}

Test(expr, says_what_is_wrong_and_at_which_column)
{
        static const Case cases[] = {
                { "", "!1 a value is missing" },
                { "1 +", "!4 a value is missing" },
                { "(1", "!3 expected `)`" },
                { "1 = 2", "!3 write == and" },
                { "a && b", "!3 write == and" },
                { "1 < 2 < 3", "!7 comparisons do not chain" },
                { "\"abc", "!1 the text is not closed" },
                { "\xc3\xa4 == 1", "!1 a value must stand" },
                { "\"\xc3\xa4\" = 1", "!5 write ==" },
                { "16.4.1", "!1 a version is written in quotes" },
                { "5parsecs", "!2 not a unit" },
                { "foo(1)", "!1 there is no function `foo`" },
                { "size()", "!1 size() takes one value" },
                { "exists(1)", "!1 exists() takes one name" },
                { "facts..x", "!7 a name or * must follow" },
                { "vars.list[0", "!12 expected `]`" },
                { "1 2", "!3 nothing more was expected" },
                { "not", "!4 a value is missing" },
                { "99999999999999999999", "!1 the number is too large" },
                { "facts.nothing", "!`facts.nothing`: there is no such value" },
                { "vars.list[7]", "!`vars.list[7]`: there is no such value" },
                { "16 == \"16\"", "!`16 == \"16\"`: a number cannot be compared with a text" },
                { "true < false", "!`true < false`: only numbers and texts have an order" },
                { "1 / 0", "!`1 / 0`: division by zero" },
                { "1 and true", "!`1`: must be true or false" },
                { "9223372036854775807 + 1",
                  "!`9223372036854775807 + 1`: the result is too large" },
                { "\"a\" + \"b\"", "!`\"a\" + \"b\"`: only numbers" },
                { "sum(3)", "!`sum(3)`: sum() needs a list" },
                { "max([])", "!`max([])`: max() of an empty list" },
                { "-\"a\"", "!`-\"a\"`: only a number has a sign" },
                { "\"a\" matches \"(\"", "!`(` is not a regular expression" },
                { "\"a\" matches \"(a)\\1\"", "!a pattern must not refer back" },
                { "\"a\" matches \"((a{99}){99}){99}\"", "!a pattern must not repeat" },
        };
        check(cases, LEN(cases), false);
}

Test(expr, leaves_open_what_only_the_run_will_know)
{
        static const Case cases[] = {
                { "facts.new.size", "\"\\u2039facts.new.size\\u203A\"" },
                { "max(500MB, 2 * facts.new.size)",
                  "\"\\u2039max(500MB, 2 * facts.new.size)\\u203A\"" },
                { "false and facts.new.x == 1", "false" },
                { "true or facts.new.x == 1", "true" },
                { "run.id", "\"\\u2039run.id\\u203A\"" },
                { "exists(facts.new.x)", "\"\\u2039exists(facts.new.x)\\u203A\"" },
                { "facts.src.size", "1000" },
                { "vars.nothing", "!`vars.nothing`: there is no such value" },
        };
        check(cases, LEN(cases), true);
}

Test(expr, stays_small_however_long_it_is)
{
        World w = world();
        AUTO_BUF deep = buf_init(8192);
        for (int i = 0; i < 3000; i++)
                buf_addc(&deep, '(');
        AUTO_FREE char *got = answer(&w.scope, buf_str(&deep));
        cr_assert_not_null(strstr(got, "nested too deep"), "%s", got);
        AUTO_BUF chain = buf_init(8192);
        buf_addc(&chain, '1');
        for (int i = 0; i < 2000; i++)
                buf_adds(&chain, "+1");
        AUTO_FREE char *sum = answer(&w.scope, buf_str(&chain));
        cr_assert_str_eq(sum, "2001");
        buf_adds(&chain, "                                                                         "
                         "                      ");
        for (int i = 0; i < 100; i++)
                buf_adds(&chain, "+1");
        AUTO_FREE char *lengthy = answer(&w.scope, buf_str(&chain));
        cr_assert_not_null(strstr(lengthy, "at most 4096 bytes"), "%s", lengthy);
        world_done(&w);
}

Test(pattern, refuses_what_would_take_forever)
{
        static const char *const bad[] = { "(a{1000}){2}", "a{1001}", "((x{30}){30}){2}",
                                           "(.)\\1",       "[",       "(" };
        static const char *const good[] = { "a{1000}",        "[{]{2}",         "\\{99999\\}",
                                            "[[:alpha:]]{3}", "^GRANT|^REVOKE", "[]{99999}]" };
        for (size_t i = 0; i < LEN(bad); i++) {
                AUTO_ERR err = { 0 };
                cr_expect_not(pattern_check(bad[i], &err), "%s", bad[i]);
        }
        for (size_t i = 0; i < LEN(good); i++) {
                AUTO_ERR err = { 0 };
                cr_expect(pattern_check(good[i], &err), "%s: %s", good[i], err.message);
        }
}
