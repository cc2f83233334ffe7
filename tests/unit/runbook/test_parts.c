/* Parts of runbooks: what comes in the place of `use:`, and every way in which it cannot. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/io.h"
#include "base/limits.h"
#include "fake_kinds.h"
#include "runbook/explain.h"
#include "runbook/plan.h"

/* A directory with t.yaml and parts/. */
static char *dir;

static void begin(void)
{
        AUTO_ERR err = { 0 };
        char template[] = "/tmp/parts.XXXXXX";
        dir = xstrdup(mkdtemp(template));
        AUTO_FREE char *parts = io_join(dir, "parts");
        cr_assert(io_mkdir_p(parts, 0700, &err));
}

static void end(void)
{
        AUTO_ERR err = { 0 };
        cr_expect(io_remove_tree(dir, &err), "%s", err.message);
        free(dir);
}

static void put(const char *name, const char *text)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = io_join(dir, name);
        cr_assert(io_replace_file(path, text, strlen(text), 0600, &err), "%s", err.message);
}

static void put_part(const char *name, const char *params, const char *steps)
{
        AUTO_FREE char *file = xasprintf("parts/%s.yaml", name);
        AUTO_FREE char *text = xasprintf("api: pgsherpa/v1\npart: %s\ntitle: T\nparams: %s\n%s",
                                         name, params, steps);
        put(file, text);
}

/* The problems of t.yaml, without the directory, a line for each. */
static char *tell(Runbook **ret)
{
        AUTO_PROBLEMS problems = { 0 };
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = io_join(dir, "t.yaml");
        Runbook *rb = runbook_load(path, NULL, fake_kinds, &problems, &err);
        AUTO_BUF b = buf_init(1 << 20);
        for (size_t i = 0; i < problems.n; i++) {
                AUTO_FREE char *line = problem_words(&problems.list[i]);
                for (const char *s = line; *s; s++)
                        if (str_starts(s, dir))
                                s += strlen(dir);
                        else
                                buf_addc(&b, *s);
                buf_addc(&b, '\n');
        }
        cr_expect(rb || problems.errors, "%s",
                  err.message ? err.message : "refused without a word");
        if (ret)
                *ret = rb;
        else
                runbook_free(rb);
        return xstrdup(buf_str(&b));
}

/* Line 14 of the file is the first line of `steps`. */
static void put_steps(const char *steps)
{
        AUTO_FREE char *text = with_steps(steps);
        put("t.yaml", text);
}

static void says(const char *steps, const char *want)
{
        put_steps(steps);
        AUTO_FREE char *told = tell(NULL);
        cr_expect_str_eq(told, want, "%s\nsays:   %s\nwanted: %s", steps, told, want);
}

static json_t *plan_of(void)
{
        AUTO_ERR err = { 0 };
        AUTO_PROBLEMS problems = { 0 };
        AUTO_JSON vars = NULL;
        Runbook *rb = NULL;
        AUTO_FREE char *told = tell(&rb);
        cr_assert_not_null(rb, "%s", told);
        cr_assert(runbook_vars(rb, NULL, &vars, &problems));
        Plan *plan = plan_new(rb, vars, NULL, &err);
        cr_assert_not_null(plan, "%s", err.message);
        json_t *j = plan_json(plan);
        plan_free(plan);
        runbook_free(rb);
        return j;
}

TestSuite(parts, .init = begin, .fini = end);

Test(parts, stand_as_if_they_were_written_there)
{
        put_part("notes",
                 "{each: {help: x, default: ~}, text: {help: x}, more: {help: x, default: ~}}",
                 "steps:\n- id: a\n  foreach: \"${part.each}\"\n  do: note\n"
                 "  with: {text: \"so: ${part.text}${part.more}!\"}\n"
                 "- {id: b, do: note, with: {text: \"${part.text}\"}}\n");
        put_steps("  - {id: first, do: note, with: {text: x}}\n"
                  "  - use: {part: notes, with: {text: \"${vars.dir}\", each: {in: vars.list, id: "
                  "\"${item}\"}}}\n"
                  "  - {id: last, do: note, with: {text: y}}\n");
        AUTO_JSON used = plan_of();
        put_steps("  - {id: first, do: note, with: {text: x}}\n"
                  "  - {id: a, foreach: {in: vars.list, id: \"${item}\"}, do: note, with: {text: "
                  "\"so: ${vars.dir}!\"}}\n"
                  "  - {id: b, do: note, with: {text: \"${vars.dir}\"}}\n"
                  "  - {id: last, do: note, with: {text: y}}\n");
        AUTO_JSON written = plan_of();
        cr_expect_eq(json_array_size(jx_get(used, "steps")), 5);
        cr_expect(json_equal(jx_get(used, "steps"), jx_get(written, "steps")));
        cr_expect_str_neq(jx_str(used, "sha256", ""), jx_str(written, "sha256", ""));
}

Test(parts, leave_alone_what_is_written_with_two_dollars)
{
        put_part("a", "{x: {help: x}}",
                 "steps:\n- {id: a, do: note, title: \"$${part.x} ${part.x}\"}\n");
        put_steps("  - use: {part: a, with: {x: y}}\n");
        AUTO_JSON plan = plan_of();
        cr_expect_str_eq(jx_str(json_array_get(jx_get(plan, "steps"), 0), "title", ""),
                         "${part.x} y");
}

Test(parts, go_into_lists_item_by_item_and_leave_out_what_is_not_given)
{
        put_part("checked", "{also: {help: x, default: ~}}",
                 "steps:\n- id: src\n  do: pg.inventory\n  on: old\n  expect:\n"
                 "  - {that: result.prepared_xacts == 0}\n  - \"${part.also}\"\n");
        Runbook *rb = NULL;
        put_steps("  - use: checked\n");
        AUTO_FREE char *told = tell(&rb);
        cr_assert_not_null(rb, "%s", told);
        cr_expect_eq(rb->phases[0].steps[0].n_expect, 1);
        runbook_free(rb);
        put_steps("  - use: {part: checked, with: {also: [{that: true}, {that: empty([])}]}}\n");
        AUTO_FREE char *again = tell(&rb);
        cr_assert_null(rb, "%s", again);
        put_steps(
                "  - use: {part: checked, with: {also: [{that: true}, {that: \"empty([])\"}]}}\n");
        AUTO_FREE char *third = tell(&rb);
        cr_assert_not_null(rb, "%s", third);
        cr_expect_eq(rb->phases[0].steps[0].n_expect, 3);
        runbook_free(rb);
}

Test(parts, hold_phases_and_use_each_other)
{
        put_part("note", "{text: {help: x}}",
                 "steps: [{id: n, do: note, with: {text: \"${part.text}\"}}]\n");
        put_part("phase", "{text: {help: x}}",
                 "phases:\n- id: p\n  steps:\n  - use: {part: note, with: {text: "
                 "\"${part.text}\"}}\n");
        put("t.yaml", "api: pgsherpa/v1\nrunbook: t\ntitle: T\nversion: 1\nphases:\n"
                      "- use: {part: phase, with: {text: hello}}\n");
        Runbook *rb = NULL;
        AUTO_FREE char *told = tell(&rb);
        cr_assert_not_null(rb, "%s", told);
        cr_expect_eq(rb->n_phases, 1);
        cr_expect_eq(rb->n_parts, 2);
        cr_expect_str_eq(rb->phases[0].steps[0].id, "n");
        runbook_free(rb);
}

Test(parts, say_their_own_place_and_who_used_them)
{
        put_part("a", "{}", "steps:\n- {id: x, do: note, with: {text: \"${vars.no}\"}}\n");
        put_part("b", "{}", "steps:\n- use: a\n");
        says("  - use: b\n",
             "parts/a.yaml:6:42: E-NAME there is no variable `no` (in a part used at "
             "parts/b.yaml:6:8, used at t.yaml:14:10); did you mean `n`?\n");
        put_part("a", "{t: {help: x}}",
                 "steps:\n- {id: x, do: note, with: {text: \"${part.t}\"}}\n");
        says("  - use: {part: a, with: {t: \"${vars.nope}\"}}\n",
             "t.yaml:14:38: E-NAME there is no variable `nope`\n");
}

Test(parts, are_told_apart_by_use_and_after_the_runbook_itself)
{
        put_part("a", "{}", "steps:\n- {id: x, do: nota}\n");
        says("  - use: a\n  - {id: y, do: notb}\n",
             "t.yaml:15:17: E-KIND there is no step kind `notb`; did you mean `note`?\n"
             "parts/a.yaml:6:15: E-KIND there is no step kind `nota` (in a part used at "
             "t.yaml:14:10); did you mean `note`?\n");
}

Test(parts, that_use_each_other_in_a_circle_are_refused)
{
        put_part("a", "{}", "steps:\n- use: b\n");
        put_part("b", "{}", "steps:\n- use: a\n");
        says("  - use: a\n",
             "parts/b.yaml:6:8: E-PART the part `a` uses itself: it is used by `b`, used by `a` "
             "(in "
             "a part used at parts/a.yaml:6:8, used at t.yaml:14:10); take one of them apart\n");
        put_part("c", "{}", "steps:\n- use: c\n");
        says("  - use: c\n", "parts/c.yaml:6:8: E-PART the part `c` uses itself: it is used by "
                             "`c` (in a part used "
                             "at t.yaml:14:10); take one of them apart\n");
}

Test(parts, that_are_not_there_or_have_no_name_are_refused)
{
        static const char *const hostile[] = { "\"../x\"",   "\"a\\nb\"", "/etc/passwd",
                                               "A",          "\"\"",      "\"$(rm)\"",
                                               "\"a.yaml\"", "\".\"",     "\"\\\"; drop\"",
                                               "\"a/b\"" };
        AUTO_FREE char *missing =
                xasprintf("t.yaml:14:10: E-PART there is no part `no`; looked for "
                          "no.yaml in parts\n");
        says("  - use: no\n", missing);
        put("x.yaml", "api: pgsherpa/v1\npart: x\ntitle: T\nsteps: [{id: x, do: note}]\n");
        for (size_t i = 0; i < LEN(hostile); i++) {
                AUTO_FREE char *steps = xasprintf("  - use: %s\n", hostile[i]);
                put_steps(steps);
                AUTO_FREE char *told = tell(NULL);
                cr_expect(str_starts(told, "t.yaml:14:10: E-PART `"), "%s: %s", hostile[i], told);
                cr_expect_not_null(strstr(told, "is no part's name; a part is called by its name"),
                                   "%s: %s", hostile[i], told);
                cr_expect_eq(strchr(told, '\n')[1], '\0', "%s: %s", hostile[i], told);
        }
        char name[LIMIT_NAME + 2];
        memset(name, 'a', sizeof name - 1);
        name[sizeof name - 1] = '\0';
        AUTO_FREE char *steps = xasprintf("  - use: %s\n", name);
        put_steps(steps);
        AUTO_FREE char *told = tell(NULL);
        cr_expect_not_null(strstr(told, "is no part's name"), "%s", told);
}

Test(parts, take_what_they_say_and_nothing_else)
{
        put_part("a", "{text: {help: what is said}, each: {help: x, default: ~}}",
                 "steps:\n- {id: x, do: note, with: {text: \"a ${part.text}\"}}\n");
        says("  - use: a\n", "t.yaml:14:10: E-PART the part `a` needs `text`; what is said\n");
        says("  - use: {part: a, with: {text: ~}}\n",
             "t.yaml:14:10: E-PART the part `a` needs `text`; what is said\n");
        says("  - use: {part: a, with: {text: t, eahc: y}}\n",
             "t.yaml:14:36: E-PART the part `a` has no parameter `eahc`; did you mean `each`?\n");
        says("  - use: {part: a, with: {text: [t]}}\n",
             "parts/a.yaml:6:34: E-PART `text` is a list, and stands inside of a text (in a part "
             "used at t.yaml:14:10); let it stand alone: \"${part.name}\"\n");
        says("  - {use: {part: a, with: {text: t}}, id: z}\n",
             "t.yaml:14:39: E-PART `use` stands alone, without `id`; what differs from use to use "
             "goes into its `with`\n");
        says("  - use: {with: {text: t}}\n",
             "t.yaml:14:10: E-PART `use` names no part; use: NAME, or use: {part: NAME, with: "
             "{..}}\n");
        says("  - use: {part: a, with: [t]}\n",
             "t.yaml:14:26: E-TYPE `with` must be a map, not a list\n");
        put_part("b", "{text: {help: x}}",
                 "steps:\n- {id: x, do: note, with: {text: \"${part.txet} ${part.text + 1}\"}}\n");
        says("  - use: {part: b, with: {text: t}}\n",
             "parts/b.yaml:6:34: E-PART the part `b` has no parameter `txet` (in a part used at "
             "t.yaml:14:10); did you mean `text`?\n"
             "parts/b.yaml:6:34: E-PART this is no parameter (in a part used at t.yaml:14:10); "
             "write ${part.name}, and nothing else in it\n");
        says("  - {id: x, do: note, with: {text: \"${part.text}\"}}\n",
             "t.yaml:14:39: E-NAME there is no name `part`; did you mean `vars`?\n");
}

/* What a user gives is checked where it arrives: it cannot smuggle a bare value into a statement.
 */
Test(parts, do_not_loosen_a_rule)
{
        put_part("q", "{x: {help: x}}",
                 "steps:\n- {id: x, do: pg.sql, on: old, with: {sql: \"select ${part.x}\"}}\n");
        put_steps("  - use: {part: q, with: {x: \"${vars.dir}\"}}\n");
        AUTO_FREE char *told = tell(NULL);
        cr_expect_not_null(strstr(told, "E-SQL"), "%s", told);
        put_part("s", "{x: {help: x}}",
                 "steps:\n- {id: x, do: note, with: {text: \"${part.x}\"}}\n");
        put_steps("  - use: {part: s, with: {x: \"${secrets.pg}\"}}\n");
        AUTO_FREE char *secret = tell(NULL);
        cr_expect_not_null(strstr(secret, "E-SECRET"), "%s", secret);
}

Test(parts, with_a_wrong_head_are_refused)
{
        put("parts/a.yaml", "api: pgsherpa/v1\npart: b\ntitle: T\nsteps: [{id: x, do: note}]\n");
        says("  - use: a\n", "parts/a.yaml:2:7: E-PART the file is a.yaml, and the part in it "
                             "says another name (in "
                             "a part used at t.yaml:14:10); call both the same\n");
        put("parts/a.yaml", "api: pgsherpa/v1\npart: a\ntitle: T\nvars: {}\n");
        says("  - use: a\n",
             "parts/a.yaml:1:1: E-KEY a part needs `steps` or `phases` (in a part used at "
             "t.yaml:14:10)\n"
             "parts/a.yaml:4:1: E-KEY a part has no key `vars` (in a part used at t.yaml:14:10); "
             "did you mean `part`?\n");
        put("parts/a.yaml", "api: pgsherpa/v1\npart: a\ntitle: T\nphases: [{id: x}]\n");
        says("  - use: a\n",
             "t.yaml:14:10: E-PART the part `a` holds phases, and cannot stand among "
             "steps\n");
        put("parts/a.yaml", "api: [\n");
        put_steps("  - use: a\n");
        AUTO_FREE char *yaml = tell(NULL);
        cr_expect(str_starts(yaml, "parts/a.yaml:2:1: E-YAML"), "%s", yaml);
        cr_expect_not_null(strstr(yaml, "(in a part used at t.yaml:14:10)"), "%s", yaml);
        put("t.yaml", "api: pgsherpa/v1\npart: t\ntitle: T\nsteps: [{id: x, do: note}]\n");
        AUTO_FREE char *part = tell(NULL);
        cr_expect(str_starts(part, "t.yaml:2:7: E-PART this is a part"), "%s", part);
}

/* Each uses the next ten times: a million steps from eight small files. */
Test(parts, that_would_never_end_are_refused, .timeout = 10)
{
        for (char c = 'a'; c <= 'g'; c++) {
                char name[] = { c, '\0' };
                AUTO_BUF b = buf_init(4096);
                buf_adds(&b, "steps:\n");
                for (int i = 0; i < 10; i++)
                        buf_printf(&b, "- use: %c\n", c + 1);
                put_part(name, "{}", buf_str(&b));
        }
        put_part("h", "{}", "steps: [{id: x, do: note, with: {text: x}}]\n");
        put_steps("  - use: a\n");
        AUTO_FREE char *told = tell(NULL);
        cr_expect_not_null(strstr(told, "E-PART more than 200 parts"), "%s", told);
        /* One value, given on and doubled each time. */
        for (char c = 'a'; c <= 'g'; c++) {
                char name[] = { c, '\0' };
                AUTO_FREE char *use =
                        xasprintf("steps:\n- use: {part: %c, with: {x: [[\"${part.x}\", "
                                  "\"${part.x}\", \"${part.x}\", \"${part.x}\", "
                                  "\"${part.x}\", \"${part.x}\", \"${part.x}\"]]}}\n",
                                  c + 1);
                put_part(name, "{x: {help: x}}", use);
        }
        put_part("h", "{x: {help: x}}",
                 "steps: [{id: x, do: note, with: {text: \"${part.x}\"}}]\n");
        put_steps("  - use: {part: a, with: {x: [1, 2, 3, 4, 5, 6, 7, 8]}}\n");
        AUTO_FREE char *doubled = tell(NULL);
        cr_expect_not_null(strstr(doubled, "with its parts the runbook has more than"), "%s",
                           doubled);
}

Test(parts, are_in_the_digest_and_kept_with_the_run)
{
        AUTO_ERR err = { 0 };
        AUTO_PROBLEMS problems = { 0 };
        AUTO_FREE char *path = io_join(dir, "t.yaml");
        AUTO_FREE char *kept = io_join(dir, "kept");
        AUTO_FREE char *kept_yaml = io_join(dir, "kept/runbook.yaml");
        AUTO_FREE char *kept_parts = io_join(dir, "kept/parts");
        AUTO_FREE char *text = NULL;
        const char *const dirs[] = { kept_parts, NULL };
        size_t n = 0;
        char hex[65];
        put_part("a", "{}", "steps: [{id: x, do: note, with: {text: one}}]\n");
        put_steps("  - use: a\n");
        cr_assert(io_mkdir_p(kept, 0700, &err));
        Runbook *rb = runbook_load(path, NULL, fake_kinds, &problems, &err);
        cr_assert_not_null(rb);
        cr_assert(runbook_save(rb, kept, &err), "%s", err.message);
        digest_hex_of(rb->text, rb->text_len, hex);
        cr_expect_str_neq(rb->sha256, hex, "the text alone");
        put_part("a", "{}", "steps: [{id: x, do: note, with: {text: two}}]\n");
        Runbook *changed = runbook_load(path, NULL, fake_kinds, &problems, &err);
        cr_expect_str_neq(changed->sha256, rb->sha256);
        cr_assert(io_read_file(kept_yaml, LIMIT_YAML_BYTES, &text, &n, &err));
        Runbook *again = runbook_load_text("t", text, n, dirs, fake_kinds, &problems, &err);
        cr_assert_not_null(again);
        cr_expect_str_eq(again->sha256, rb->sha256);
        cr_expect_null(runbook_load_text("t", text, n, NULL, fake_kinds, &problems, &err));
        runbook_free(again);
        runbook_free(changed);
        runbook_free(rb);
}

Test(parts, are_explained)
{
        AUTO_ERR err = { 0 };
        AUTO_BUF b = buf_init(1 << 16);
        AUTO_FREE char *parts = io_join(dir, "parts");
        const char *const dirs[] = { parts, NULL };
        put_part("a", "{text: {help: what is said}, each: {help: how often, default: ~}}",
                 "steps:\n- {id: x, do: note, title: Say it}\n- use: b\n");
        cr_assert(runbook_explain_part("a", dirs, &b, &err), "%s", err.message);
        cr_expect_not_null(strstr(buf_str(&b), "a, a part: T\n"), "%s", buf_str(&b));
        cr_expect_not_null(strstr(buf_str(&b), "text             what is said; must be given\n"));
        cr_expect_not_null(strstr(buf_str(&b), "each             how often; else left out\n"));
        cr_expect_not_null(strstr(buf_str(&b), "x                note                 Say it\n"));
        cr_expect_not_null(strstr(buf_str(&b), "the part b\n"));
        AUTO_BUF none = buf_init(100);
        cr_expect(runbook_explain_part("../parts/a", dirs, &none, &err));
        cr_expect_eq(none.len, 0);
        put("parts/c.yaml", "api: pgsherpa/v1\n");
        cr_expect_not(runbook_explain_part("c", dirs, &none, &err));
        cr_expect_not_null(strstr(err.message, "c.yaml:1:1: E-KEY"), "%s", err.message);
}

/* A file that was cut or hurt anywhere: refused with words, or a runbook; never a crash. */
static void hurt(const char *into, const char *seed)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *text = NULL;
        AUTO_FREE char *path = xasprintf(SEEDS "/%s.yaml", seed);
        static const char bytes[] = "\n:[{}\"$\x1b\xff";
        size_t n = 0;
        cr_assert(io_read_file(path, LIMIT_YAML_BYTES, &text, &n, &err), "%s", err.message);
        for (size_t i = 0; i < n; i++) {
                char kept = text[i];
                text[i] = i % 2 ? bytes[i / 2 % (sizeof bytes - 1)] : '\0';
                put(into, text);
                free(tell(NULL)); /* it says why, or it loads: asserted there */
                text[i] = kept;
        }
}

Test(parts, that_are_hurt_anywhere_never_crash, .timeout = 60)
{
        put_steps("  - use: {part: p, with: {id: a, each: {in: [a, b]}}}\n");
        hurt("parts/p.yaml", "part-steps");
        hurt("parts/p.yaml", "part-phases");
        hurt("t.yaml", "part-user");
}
