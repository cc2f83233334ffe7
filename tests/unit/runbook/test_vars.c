#include <criterion/criterion.h>

#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "fake_kinds.h"

static const char text[] = "api: pgsherpa/v1\nrunbook: t\ntitle: T\nversion: 1\nvars:\n"
                           "  dir: {type: path, ask: Where is it}\n"
                           "  n: {type: int, default: 4, min: 1, max: 8}\n"
                           "  within: {type: duration, default: 5m, max: 1h}\n"
                           "  free: {type: size, default: 500MB, min: 1MB}\n"
                           "  mode: {type: string, default: fast, choices: [fast, safe]}\n"
                           "  db: {type: name, default: app, pattern: \"^[a-z]+$\"}\n"
                           "  flag: {type: bool, default: no}\n"
                           "  image: {type: image, default: \"postgres:17.2\"}\n"
                           "  order: {type: \"list<name>\", default: [web, api]}\n"
                           "  services: {type: list<service>, default: [{name: web}]}\n"
                           "phases:\n- id: one\n  steps: [{id: x, do: note}]\n";

static char *resolve(const char *answers)
{
        AUTO_ERR err = { 0 };
        AUTO_PROBLEMS problems = { 0 };
        AUTO_JSON given = jx_parse(answers, strlen(answers), &err);
        cr_assert_not_null(given, "%s", err.message);
        AUTO_JSON vars = NULL;
        Runbook *rb =
                runbook_load_text("t.yaml", text, strlen(text), NULL, fake_kinds, &problems, &err);
        cr_assert_not_null(rb);
        char *out;
        if (runbook_vars(rb, given, &vars, &problems)) {
                out = jx_dump(vars);
        } else {
                AUTO_BUF b = buf_init(1 << 16);
                for (size_t i = 0; i < problems.n; i++)
                        buf_printf(&b, "%d:%d %s (%s)\n", problems.list[i].loc.line,
                                   problems.list[i].loc.col, problems.list[i].text,
                                   problems.list[i].hint ? problems.list[i].hint : "");
                out = xstrdup(buf_str(&b));
        }
        runbook_free(rb);
        return out;
}

static void has(const char *answers, const char *want)
{
        AUTO_FREE char *got = resolve(answers);
        cr_expect_not_null(strstr(got, want), "%s: got %s, wanted %s", answers, got, want);
}

Test(vars, types_what_was_typed_and_fills_in_the_rest)
{
        has("{\"dir\": \"/srv/app\"}",
            "{\"dir\":\"/srv/"
            "app\",\"n\":4,\"within\":300000,\"free\":524288000,\"mode\":\"fast\",\"db\":\"app\","
            "\"flag\":false,\"image\":\"postgres:17.2\",\"order\":[\"web\",\"api\"],\"services\":[{"
            "\"name\":\"web\",\"health\":\"container\",\"within\":60000}]}");
        has("{\"dir\": \"/s\", \"n\": \"7\"}", "\"n\":7");
        has("{\"dir\": \"/s\", \"n\": 7}", "\"n\":7");
        has("{\"dir\": \"/s\", \"within\": \"30s\"}", "\"within\":30000");
        has("{\"dir\": \"/s\", \"flag\": \"yes\"}", "\"flag\":true");
        has("{\"dir\": \"/s\", \"order\": \"a, b\"}", "\"order\":[\"a\",\"b\"]");
        has("{\"dir\": \"/s\", \"order\": []}", "\"order\":[]");
        has("{\"dir\": \"/s\", \"services\": \"[{name: api, within: 2m}]\"}",
            "\"services\":[{\"name\":\"api\",\"health\":\"container\",\"within\":120000}]");
}

Test(vars, makes_a_typed_path_whole)
{
        char cwd[4096];
        cr_assert_not_null(getcwd(cwd, sizeof cwd));
        AUTO_FREE char *here = xasprintf("\"dir\":\"%s\"", cwd);
        AUTO_FREE char *below = xasprintf("\"dir\":\"%s/a/b\"", cwd);
        has("{\"dir\": \".\"}", here);
        has("{\"dir\": \"./a/b\"}", below);
        has("{\"dir\": \"../x\"}", "6:3 the variable `dir`: ");
}

Test(vars, names_the_variable_and_what_to_type)
{
        has("{}", "6:3 the variable `dir` has no value: Where is it (give it with --var dir=.., a "
                  "whole path");
        has("{\"dir\": \"/s\", \"n\": \"many\"}",
            "7:3 the variable `n`: `many` is not an int (write a whole number");
        has("{\"dir\": \"/s\", \"n\": 9}", "7:3 the variable `n`: it must be at most 8");
        has("{\"dir\": \"/s\", \"n\": 0}", "7:3 the variable `n`: it must be at least 1");
        has("{\"dir\": \"/s\", \"within\": \"2h\"}",
            "8:3 the variable `within`: it must be at most 60 min");
        has("{\"dir\": \"/s\", \"free\": \"1kB\"}",
            "9:3 the variable `free`: it must be at least 1.0 MB");
        has("{\"dir\": \"/s\", \"mode\": \"slow\"}",
            "10:3 the variable `mode`: it is not one of the choices (choose one of "
            "[\"fast\",\"safe\"])");
        has("{\"dir\": \"/s\", \"db\": \"App1\"}",
            "11:3 the variable `db`: `App1` does not match ^[a-z]+$");
        has("{\"dir\": \"/s\", \"image\": \"--rm\"}",
            "13:3 the variable `image`: `--rm`: an image begins with");
        has("{\"dir\": \"/s\", \"order\": [\"-x\"]}",
            "14:3 the variable `order`: item 1: `-x`: a name must not begin");
        has("{\"dir\": \"/s\", \"services\": \"[{nam: a}]\"}",
            "15:3 the variable `services`: item 1: there is no field `nam`");
        has("{\"dir\": \"/s\", \"services\": \"[{health: a}]\"}", "item 1: `name` is missing");
        has("{\"dir\": \"/s\", \"dirr\": 1}",
            "1:1 this runbook has no variable `dirr` (did you mean `dir`?)");
        has("{\"n\": 99, \"mode\": \"x\"}", "10:3");
}
