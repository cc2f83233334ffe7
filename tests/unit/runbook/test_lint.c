/* lint/RULE.bad.yaml must be refused for that rule and no other, RULE.good.yaml not at all. */
#include <criterion/criterion.h>

#include <stdio.h>

#include "base/io.h"
#include "fake_kinds.h"
#include "runbook/explain.h"

/* Rules about reading the file at all are tested in test_load.c. */
static const char *const here[] = { "E-FENCE",  "E-UNDO",     "E-PNR",     "E-SECRET", "E-SHELL",
                                    "E-DOWN",   "E-ASKED",    "E-LIST",    "E-SPACE",  "E-SAMEVOL",
                                    "E-VERIFY", "E-TOLERATE", "E-TIMEOUT", "E-CLEAN",  "E-TYPED",
                                    "E-IDENT",  "W-RETRY",    "W-LATEST",  "W-COLL",   "W-DRY" };

/* Where each bad file goes wrong. */
static const char *const where[] = { "14:9",  "13:9", "19:13", "14:51", "13:9",  "14:9", "15:9",
                                     "15:9",  "13:9", "15:9",  "16:9",  "18:13", "13:9", "15:5",
                                     "20:21", "8:3",  "13:9",  "13:61", "13:9",  "15:9" };

static void load(const char *rule, const char *which, Problems *problems, bool *ret_loaded)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = xasprintf("%s/%s.%s.yaml", LINT_DIR, rule, which);
        Runbook *rb = runbook_load(path, NULL, fake_kinds, problems, &err);
        cr_assert_eq(err.kind, ERR_NONE, "%s", err.message);
        *ret_loaded = rb != NULL;
        runbook_free(rb);
}

Test(lint, refuses_each_bad_file_for_its_rule_at_its_place)
{
        for (size_t i = 0; i < LEN(here); i++) {
                AUTO_PROBLEMS problems = { 0 };
                bool loaded;
                load(here[i], "bad", &problems, &loaded);
                cr_expect_eq(problems.n, 1, "%s: %zu problems", here[i], problems.n);
                for (size_t j = 0; j < problems.n; j++) {
                        AUTO_FREE char *line = problem_words(&problems.list[j]);
                        AUTO_FREE char *want =
                                xasprintf("%s.bad.yaml:%s: %s ", here[i], where[i], here[i]);
                        cr_expect_not_null(strstr(line, want), "%s", line);
                        cr_expect_not_null(problems.list[j].hint || here[i][0] == 'W' ? "" : NULL,
                                           "%s does not say what to do", here[i]);
                }
                cr_expect_eq(loaded, here[i][0] == 'W', "%s: only warnings let a runbook load",
                             here[i]);
        }
}

Test(lint, is_quiet_about_each_good_file)
{
        for (size_t i = 0; i < LEN(here); i++) {
                AUTO_PROBLEMS problems = { 0 };
                bool loaded;
                load(here[i], "good", &problems, &loaded);
                for (size_t j = 0; j < problems.n; j++) {
                        AUTO_FREE char *line = problem_words(&problems.list[j]);
                        cr_expect(false, "%s", line);
                }
                cr_expect(loaded, "%s.good.yaml", here[i]);
        }
}

Test(lint, explains_every_rule_it_has)
{
        for (const char *const *rule = lint_rules(); *rule; rule++) {
                const char *words = lint_rule_explain(*rule);
                cr_assert_not_null(words);
                cr_assert(str_starts(words, *rule));
                cr_assert_gt(strlen(words), 60);
        }
        for (size_t i = 0; i < LEN(here); i++)
                cr_assert_not_null(lint_rule_explain(here[i]), "%s", here[i]);
        cr_assert_null(lint_rule_explain("E-NOTHING"));
}

Test(lint, accepts_lost_writes_only_with_a_typed_word)
{
        static const char head[] =
                "api: pgsherpa/v1\nrunbook: t\ntitle: T\nversion: 1\n"
                "targets: {a: {kind: postgres, via: {host: a}, identity: {major: 1}}, "
                "b: {kind: postgres, via: {host: b}, identity: {major: 1}}}\n"
                "phases:\n- id: one\n  steps:\n"
                "  - {id: disk, do: host.disk, with: {need: [{path: /, free: 1MB}]}}\n"
                "  - {id: copy, do: pg.copy, on: b, with: {from: a, database: d}, timeout: 1h, "
                "accept_lost_writes: a rehearsal";
        AUTO_FREE char *with = xasprintf("%s, gate: {before: {type: word, text: lose}}}\n", head);
        AUTO_FREE char *without = xasprintf("%s, gate: {before: {type: yes}}}\n", head);
        AUTO_FREE char *quiet = load_and_tell(with, NULL);
        AUTO_FREE char *loud = load_and_tell(without, NULL);
        cr_assert_str_eq(quiet, "");
        cr_assert_not_null(strstr(loud, "t.yaml:10:5: E-FENCE"), "%s", loud);
}

Test(lint, wants_what_goes_typed_by_name)
{
        static const struct {
                const char *gate, *at; /* where the complaint is; NULL: none */
        } cases[] = {
                { "", "t.yaml:10:5" },
                { ", gate: {before: {type: yes}}", "t.yaml:10:" },
                { ", gate: {before: {type: name-of, target: s}}", "t.yaml:10:" },
                { ", gate: {before: {type: after, step: up, wait: 7d}}", "t.yaml:10:" },
                { ", gate: {before: {type: word, text: yes really}}", "t.yaml:10:" },
                { ", gate: {before: {type: word, text: '${vars.other}'}}", "t.yaml:10:" },
                { ", gate: {before: {type: word, text: '${vars.volume}'}}", NULL },
                { ", gate: {before: [{type: after, step: up, wait: 7d}, {type: word, "
                  "text: 'drop ${vars.volume}'}]}",
                  NULL },
        };
        for (size_t i = 0; i < LEN(cases); i++) {
                AUTO_FREE char *text = xasprintf(
                        "api: pgsherpa/v1\nrunbook: t\ntitle: T\nversion: 1\n"
                        "vars: {volume: {type: name, default: a}, other: {type: name, default: "
                        "b}}\n"
                        "targets: {s: {kind: compose, dir: /srv/app}}\nphases:\n- id: one\n"
                        "  steps:\n"
                        "  - {id: gone, do: volume.remove, on: s, with: {volume: "
                        "'${vars.volume}'}, timeout: 1h, undo: {none: on purpose}%s}\n"
                        "  - {id: up, do: note}\n",
                        cases[i].gate);
                AUTO_FREE char *told = load_and_tell(text, NULL);
                if (cases[i].at)
                        cr_expect(strstr(told, cases[i].at) && strstr(told, "E-TYPED"), "%s: %s",
                                  cases[i].gate, told);
                else
                        cr_expect_str_eq(told, "", "%s: %s", cases[i].gate, told);
        }
}
