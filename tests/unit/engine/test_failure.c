/* test_failure.c: rules, retries, and the question after a failure. */
#include <criterion/criterion.h>

#include "engine/engine.h"
#include "fakes/engine_kit.h"
#include "fakes/kit_yaml.h"

#define A KIT_STEP("id: a, do: fake.make, with: {name: a}, undo: auto")
#define Z KIT_STEP("id: z, do: fake.make, with: {name: z}, undo: auto")

static void effects_are(const Kit *k, const char *want)
{
        AUTO_FREE char *got = kit_effects(k);
        cr_assert_str_eq(got, want);
}

Test(failure, asks_and_tries_again)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") A KIT_STEP(
                "id: b, do: fake.make, with: {name: b, fail: 1}, undo: auto") Z);
        Answer answers[] = { { .kind = "error", .step = "b", .key = "r" }, { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_DONE);
        effects_are(k, "make a\nmake b\nmake z\n");
        cr_assert_eq(kit_events(k, "step.failed"), 1);
        cr_assert_eq(kit_events(k, "gate.open"), 1);
        kit_free(k);
}

Test(failure, a_skipped_step_is_said_to_be_skipped)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") A KIT_STEP(
                "id: b, do: fake.make, with: {name: b, fail: 9}, undo: auto") Z);
        Answer answers[] = { { .kind = "error", .key = "s" }, { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_DONE);
        effects_are(k, "make a\nmake z\n");
        AUTO_VIEW v = kit_view(k);
        cr_assert_eq(run_view_step(v, "b")->status, ST_SKIPPED);
        kit_free(k);
}

Test(failure, stopping_at_one_leaves_everything_as_it_is_and_says_why)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") A KIT_STEP(
                "id: b, do: fake.make, with: {name: b, fail: 9}, undo: auto") Z);
        Answer answers[] = { { .kind = "error", .key = "a" }, { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_FAILED);
        effects_are(k, "make a\n");
        AUTO_VIEW v = kit_view(k);
        cr_assert_str_eq(v->status, "failed");
        cr_assert(str_starts(v->close_reason, "step 2, "), "%s", v->close_reason);
        kit_free(k);
}

Test(failure, transient_errors_are_retried_without_asking)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") KIT_STEP(
                "id: b, do: fake.make, with: {name: b, fail: 2, how: link}, "
                "undo: auto, retry: {times: 3, wait: 10ms, factor: 2}"));
        cr_assert_eq(kit_run(k, NULL), ENGINE_DONE);
        effects_are(k, "make b\n");
        cr_assert_eq(kit_events(k, "gate.open"), 0);
        cr_assert_eq(kit_events(k, "step.failed"), 2);
        kit_free(k);
}

Test(failure, other_errors_are_not_retried)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one")
                                 KIT_STEP("id: b, do: fake.make, with: {name: b, fail: 1}, "
                                          "undo: auto, retry: {times: 3, wait: 10ms}"));
        Answer answers[] = { { .kind = "error", .key = "a" }, { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_FAILED);
        kit_free(k);
}

#define LOAD(n)                                                                                    \
        KIT_HEAD "phases:\n" KIT_PHASE(                                                            \
                "one") "      - id: b\n        do: fake.load\n        undo: auto\n"                \
                       "        with: {name: b, errors: " n "}\n"                                  \
                       "        on_error:\n"                                                       \
                       "          - {sqlstate: \"42501\", match: GRANT, max: 3, then: tolerate}\n" \
                       "          - {then: fail}\n"

Test(failure, tolerates_as_many_errors_as_the_rule_says)
{
        Kit *k = kit_new(LOAD("3"));
        cr_assert_eq(kit_run(k, NULL), ENGINE_DONE);
        AUTO_VIEW v = kit_view(k);
        cr_assert_eq(run_view_step(v, "b")->tolerated, 3);
        kit_free(k);
}

Test(failure, one_error_too_many_is_a_failure)
{
        Kit *k = kit_new(LOAD("4"));
        Answer answers[] = { { .kind = "error", .key = "a" }, { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_FAILED);
        effects_are(k, "");
        kit_free(k);
}

Test(failure, an_expectation_that_is_not_met_fails_the_step)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") KIT_STEP(
                "id: b, do: fake.make, with: {name: b}, undo: auto, expect: "
                "[{that: result.size == 7, else: fail, msg: too short}]"));
        Answer answers[] = { { .kind = "error", .key = "a" }, { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_FAILED);
        AUTO_VIEW v = kit_view(k);
        cr_assert(strstr(run_view_step(v, "b")->error.message, "too short"));
        cr_assert(strstr(run_view_step(v, "b")->error.message, "size = 1"));
        kit_free(k);
}

Test(failure, an_expectation_may_ask_and_the_answer_is_kept)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one")
                                 KIT_STEP("id: b, do: fake.look, "
                                          "expect: [{that: empty(result.list), else: ask}], "
                                          "with: {list: [x]}") Z);
        cr_assert_eq(kit_run(k, NULL), ENGINE_DONE);
        cr_assert_eq(kit_events(k, "gate.open"), 1);
        effects_are(k, "make z\n");
        kit_free(k);
}

Test(failure, what_is_in_a_list_is_named_item_by_item_and_the_rest_counted)
{
        Kit *k = kit_new(
                KIT_HEAD "phases:\n" KIT_PHASE("one") KIT_STEP(
                        "id: a, do: fake.look, with: {list: [one x, two x]}, expect: "
                        "[{that: empty(result.list), else: ask, msg: is it right}, "
                        "{that: empty(result.list), else: warn, msg: look at these}]")
                        KIT_STEP("id: b, do: fake.look, with: {list: [q1, q2, q3, q4, q5, q6, q7, "
                                 "q8, q9, q10, q11, q12, q13, q14, q15, q16, q17, q18]}, expect: "
                                 "[{that: empty(result.list), else: fail, msg: bad ones}]"));
        Answer answers[] = { { .kind = "ask", .key = "y" },
                             { .kind = "error", .key = "a" },
                             { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_FAILED);
        AUTO_FREE char *j = kit_journal(k);
        cr_assert(strstr(j, "\"lines\":[\"one x\",\"two x\"]"), "%s", j);
        cr_assert(strstr(j, "look at these: one x; two x"), "%s", j);
        AUTO_VIEW v = kit_view(k);
        const char *why = run_view_step(v, "b")->error.message;
        cr_assert(strstr(why, "bad ones: q1; q2") && strstr(why, "q16; and 2 more"), "%s", why);
        kit_free(k);
}

static void password_gates(const char *rb, int gates)
{
        Kit *k = kit_new(rb);
        Answer answers[] = { { .kind = "secret", .key = "given", .text = "mistyped" },
                             { .kind = "error", .key = "r" },
                             { .kind = "secret", .key = "given", .text = "right" },
                             { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_DONE);
        cr_expect_eq(kit_events(k, "gate.open"), gates);
        kit_free(k);
}

#define PASSWORD_STEP(how)                                                                         \
        KIT_HEAD "secrets:\n  pw: {from: prompt}\nphases:\n" KIT_PHASE("one")                      \
                KIT_STEP("id: a, do: fake.make, undo: auto, "                                      \
                         "with: {name: a, fail: 1, how: \"" how "\", password: secrets.pw}")

Test(failure, a_typed_password_that_a_server_refused_is_asked_for_again)
{
        password_gates(PASSWORD_STEP("28P01"), 3);
        password_gates(PASSWORD_STEP("42501"), 2); /* another reason: what was typed stays */
}

Test(failure, a_check_names_every_problem_and_nothing_starts)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") KIT_STEP(
                "id: b, do: fake.make, with: {name: impossible}, undo: auto"));
        Answer answers[] = { { .kind = "error", .key = "a" }, { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_FAILED);
        cr_assert_eq(kit_events(k, "step.intent"), 0);
        AUTO_FREE char *j = kit_journal(k);
        cr_assert(strstr(j, "it is impossible") && strstr(j, "and forbidden"));
        kit_free(k);
}

Test(failure, a_check_before_the_step_that_finds_bad_news_stops_it)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one")
                                 KIT_STEP("id: b, do: fake.make, with: {name: b}, undo: auto, "
                                          "pre: [{check: fake.look, name: nowhere}]"));
        Answer answers[] = { { .kind = "error", .key = "a" }, { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_FAILED);
        effects_are(k, "");
        kit_free(k);
}

/* `check: disk` is host.disk with one need: what is asked must reach it. */
Test(failure, room_on_a_disk_is_asked_before_the_step)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") KIT_STEP(
                "id: a, do: fake.make, with: {name: a}, undo: auto, "
                "pre: [{check: disk, path: /room, free: 1MB}]")
                                 KIT_STEP("id: b, do: fake.make, with: {name: b}, undo: auto, "
                                          "pre: [{check: disk, path: /full, free: 1MB}]"));
        Answer answers[] = { { .kind = "error", .key = "a" }, { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_FAILED);
        effects_are(k, "make a\n");
        AUTO_FREE char *j = kit_journal(k);
        cr_assert_not_null(strstr(j, "disk: short: /full has no room"), "%s", j);
        kit_free(k);
}

/* Tried again is: its items are looked for again. The step alone, without an item, is never run. */
Test(failure, a_loop_without_a_list_never_runs_as_one_step)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") KIT_STEP(
                "id: see, do: fake.look, with: {list: 5}, capture: {list: "
                "result.list}") "      - id: each\n        do: fake.make\n"
                                "        undo: auto\n"
                                "        foreach: {in: facts.see.list, as: item}\n"
                                "        with: {name: fixed}\n");
        Answer answers[] = { { .kind = "error", .key = "r", .times = 1 },
                             { .kind = "error", .key = "a" },
                             { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_FAILED);
        effects_are(k, "");
        cr_assert_eq(kit_events(k, "gate.open"), 2);
        kit_free(k);
}

/* A kind with a verdict: its bad news is a failure unless the runbook speaks of it. */
Test(failure, a_bad_verdict_that_nobody_expected_stops_the_step)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") KIT_STEP(
                "id: spoken, do: fake.look, with: {name: nowhere}, "
                "expect: [{that: not result.there, else: fail}]")
                                 KIT_STEP("id: unspoken, do: fake.look, with: {name: nowhere}, "
                                          "expect: [{that: empty(result.list), else: fail}]"));
        Answer answers[] = { { .kind = "error", .key = "a" }, { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_FAILED);
        AUTO_FREE char *j = kit_journal(k);
        cr_assert_not_null(strstr(j, "fake.look: missing: "));
        cr_assert_eq(kit_events(k, "step.done"), 1);
        kit_free(k);
}

Test(failure, a_step_that_takes_too_long_is_stopped)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one")
                                 KIT_STEP("id: b, do: fake.look, with: {ms: 60s}, timeout: 300ms"));
        Answer answers[] = { { .kind = "error", .key = "a" }, { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_FAILED);
        AUTO_VIEW v = kit_view(k);
        cr_assert(strstr(run_view_step(v, "b")->error.message, "timeout"));
        kit_free(k);
}

Test(failure, a_phase_may_stop_the_run_by_itself)
{
        Kit *k = kit_new(
                KIT_HEAD
                "phases:\n"
                "  - id: one\n    title: One\n    on_failure: stop\n    steps:\n" A KIT_STEP(
                        "id: b, do: fake.make, with: {name: b, fail: 9}, undo: auto"));
        cr_assert_eq(kit_run(k, NULL), ENGINE_FAILED);
        AUTO_VIEW v = kit_view(k);
        cr_assert_str_eq(v->status, "failed");
        kit_free(k);
}

Test(failure, a_target_that_is_somebody_else_is_refused)
{
        Kit *k = kit_new(KIT_HEAD
                         "targets:\n  old: {kind: postgres, via: {host: h, port: 5432}, user: u, "
                         "database: d, identity: {system: \"S1\"}}\n"
                         "phases:\n" KIT_PHASE("one") KIT_STEP(
                                 "id: b, do: fake.make, on: old, with: {name: b}, undo: auto"));
        kit_touch(k, ".system.old", "S2");
        Answer answers[] = { { .kind = "error", .key = "a" }, { 0 } };
        int code = kit_run(k, answers);
        cr_assert_eq(code, ENGINE_FAILED, "%d", code);
        effects_are(k, "");
        AUTO_FREE char *j = kit_journal(k);
        cr_assert(strstr(j, "is S2, not S1"), "%s", j);
        kit_free(k);
}

/* No question can be made of it: what only the run knows turns out to be no time. */
Test(failure, an_engine_that_ends_by_an_error_says_so_in_its_journal)
{
        Kit *k = kit_new(KIT_HEAD "start_at: \"${run.dir}\"\nphases:\n" KIT_PHASE("one") A);
        cr_assert_eq(kit_run(k, NULL), ENGINE_FAILED);
        effects_are(k, "");
        AUTO_VIEW v = kit_view(k);
        cr_assert_null(v->status, "it can be resumed");
        cr_assert_not_null(v->stopped_why);
        cr_assert(str_starts(v->stopped_why, "start_at: `"), "%s", v->stopped_why);
        cr_assert_not_null(v->stopped_hint);
        kit_free(k);
}
