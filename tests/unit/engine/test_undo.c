/* test_undo.c: the way back: newest first, from what was remembered, never over drift. */
#include <criterion/criterion.h>
#include <unistd.h>

#include "engine/engine.h"
#include "fakes/engine_kit.h"
#include "fakes/kit_yaml.h"

#define MAKE(id) KIT_STEP("id: " id ", do: fake.make, with: {name: " id "}, undo: auto")
#define BAD      KIT_STEP("id: bad, do: fake.make, with: {name: bad, fail: 9}, undo: auto")
#define THREE    KIT_HEAD "phases:\n" KIT_PHASE("one") MAKE("a") MAKE("b") MAKE("c") BAD

static void effects_are(const Kit *k, const char *want)
{
        AUTO_FREE char *got = kit_effects(k);
        cr_assert_str_eq(got, want);
}

static Answer undo_at_error[] = { { .kind = "error", .step = "bad", .key = "u", .times = 1 },
                                  { 0 } };

Test(undo, goes_backwards_through_everything_that_was_begun)
{
        Kit *k = kit_new(THREE);
        cr_assert_eq(kit_run(k, undo_at_error), ENGINE_FAILED);
        effects_are(k, "make a\nmake b\nmake c\nunmake c\nunmake b\nunmake a\n");
        AUTO_VIEW v = kit_view(k);
        cr_assert_str_eq(v->status, "undone");
        cr_assert_eq(run_view_step(v, "a")->status, ST_UNDONE);
        cr_assert_eq(kit_events(k, "undo.intent"), 4);
        cr_assert_eq(kit_events(k, "undo.done"), 4);
        cr_assert(kit_journal_ok(k));
        kit_free(k);
}

Test(undo, shows_the_list_first_and_takes_no_for_an_answer)
{
        Kit *k = kit_new(THREE);
        Answer answers[] = { { .kind = "error", .key = "u", .times = 1 },
                             { .kind = "undo", .key = "n", .times = 1 },
                             { .kind = "error", .key = "a" },
                             { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_FAILED);
        effects_are(k, "make a\nmake b\nmake c\n");
        AUTO_FREE char *j = kit_journal(k);
        cr_assert(strstr(j, "$ unmake b"), "the undo gate names what is done");
        kit_free(k);
}

Test(undo, asks_about_drift_and_touches_nothing_of_it)
{
        Kit *k = kit_new(THREE);
        kit_start(k);
        cr_assert(kit_connect(k));
        while (kit_events(k, "gate.open") == 0)
                ;
        kit_touch(k, "b", "somebody was here");
        Answer answers[] = { { .kind = "error", .key = "u", .times = 1 },
                             { .kind = "unknown", .step = "b", .key = "s" },
                             { 0 } };
        cr_assert_eq(kit_wait(k, answers), ENGINE_FAILED);
        effects_are(k, "make a\nmake b\nmake c\nunmake c\nunmake a\n");
        cr_assert(kit_there(k, "b"));
        cr_assert_eq(kit_events(k, "undo.drift"), 1);
        kit_free(k);
}

Test(undo, a_failing_undo_can_be_tried_again)
{
        Kit *k = kit_new(THREE);
        kit_touch(k, ".stuck.b", "");
        Answer answers[] = { { .kind = "error", .step = "bad", .key = "u", .times = 1 },
                             { .kind = "error", .step = "b", .key = "r", .times = 2 },
                             { .kind = "error", .step = "b", .key = "s" },
                             { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_FAILED);
        effects_are(k, "make a\nmake b\nmake c\nunmake c\nunmake a\n");
        cr_assert_eq(kit_events(k, "undo.failed"), 3);
        AUTO_FREE char *j = kit_journal(k);
        cr_assert(strstr(j, "1 step stayed as it was"), "%s", j);
        kit_free(k);
}

Test(undo, runs_the_steps_that_the_runbook_wrote_for_it)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") MAKE(
                "a") "      - id: b\n        do: fake.blind\n        with: {name: b}\n"
                     "        undo:\n          - {do: fake.blind, with: {name: back}}\n" BAD);
        cr_assert_eq(kit_run(k, undo_at_error), ENGINE_FAILED);
        effects_are(k, "make a\nblind b\nblind back\nunmake a\n");
        kit_free(k);
}

Test(undo, says_what_stays)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") MAKE("a")
                                 KIT_STEP("id: b, do: fake.blind, with: {name: b}, "
                                          "undo: {none: an image more does no harm}") BAD);
        cr_assert_eq(kit_run(k, undo_at_error), ENGINE_FAILED);
        effects_are(k, "make a\nblind b\nunmake a\n");
        AUTO_FREE char *j = kit_journal(k);
        cr_assert(strstr(j, "stays: an image more does no harm"));
        kit_free(k);
}

Test(undo, warns_after_a_soft_point_of_no_return)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") MAKE("a")
                                 KIT_STEP("id: b, do: fake.make, with: {name: b}, undo: auto, "
                                          "point_of_no_return: soft") BAD);
        cr_assert_eq(kit_run(k, undo_at_error), ENGINE_FAILED);
        AUTO_FREE char *j = kit_journal(k);
        cr_assert(strstr(j, "will be lost"));
        kit_free(k);
}

Test(undo, is_refused_after_a_hard_point_of_no_return)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") MAKE("a") KIT_STEP(
                "id: b, do: fake.make, with: {name: b}, undo: {none: gone}, "
                "point_of_no_return: hard") BAD);
        Answer answers[] = { { .kind = "error", .key = "u", .times = 1 },
                             { .kind = "error", .key = "a" },
                             { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_FAILED);
        effects_are(k, "make a\nmake b\n");
        AUTO_FREE char *j = kit_journal(k);
        cr_assert(strstr(j, "There is no way back"));
        kit_free(k);
}

Test(undo, looks_afterwards_whether_all_is_as_it_was)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") MAKE("a") BAD
                         "rollback:\n  title: Back\n  from: one\n  gate: {before: {type: yes}}\n"
                         "  steps: undo-in-reverse\n"
                         "  verify: [{do: fake.look, with: {name: origin}}]\n");
        Answer answers[] = { { .kind = "error", .step = "bad", .key = "u", .times = 1 },
                             { .kind = "error", .key = "s" },
                             { 0 } };
        int code = kit_run(k, answers);
        cr_assert_eq(code, ENGINE_FAILED, "%d", code);
        AUTO_FREE char *j = kit_journal(k);
        cr_assert(strstr(j, "after the way back"));
        cr_assert(strstr(j, "\"verdict\":\"fail\""));
        kit_free(k);
}

Test(undo, downtime_ends_when_the_way_back_is_complete)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") MAKE("a")
                                 KIT_STEP("id: b, do: fake.make, with: {name: b}, undo: auto, "
                                          "downtime: begin, gate: {before: {type: yes}}")
                                         BAD KIT_STEP("id: e, do: note, downtime: end"));
        cr_assert_eq(kit_run(k, undo_at_error), ENGINE_FAILED);
        AUTO_FREE char *j = kit_journal(k);
        const char *end = strstr(j, "downtime.end"), *last = strstr(j, "unmade a");
        cr_assert(end && last && last < end);
        kit_free(k);
}

Test(undo, can_be_asked_for_of_a_run_that_has_stopped)
{
        Kit *k = kit_new(THREE);
        Answer stop[] = { { .kind = "error", .key = "a" }, { 0 } };
        cr_assert_eq(kit_run(k, stop), ENGINE_FAILED);
        k->rollback = true;
        cr_assert_eq(kit_resume(k, NULL), ENGINE_FAILED);
        effects_are(k, "make a\nmake b\nmake c\nunmake c\nunmake b\nunmake a\n");
        AUTO_VIEW v = kit_view(k);
        cr_assert_str_eq(v->status, "undone");
        kit_free(k);
}

Test(undo, a_part_of_the_way_back_stops_there_and_the_run_can_go_on)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") MAKE("a") MAKE("b") MAKE("c")
                                 KIT_STEP("id: slow, do: fake.look, with: {ms: 20s}"));
        kit_start(k);
        cr_assert(kit_connect(k));
        k->command_at = "slow";
        k->command = "{\"cmd\": \"rollback\", \"to\": \"b\"}";
        Answer answers[] = { { 0 } };
        for (int i = 0; i < 20000 && kit_events(k, "undo.end") == 0; i++) {
                usleep(500);
                AUTO_JSON s = kit_ask(k, "{\"cmd\": \"status\"}");
                if (k->command && jx_bool(s, "running", false) &&
                    str_eq(jx_str(s, "step", ""), "slow")) {
                        AUTO_JSON r = kit_ask(k, k->command);
                        k->command = NULL;
                } else if (jx_int(s, "gate", 0) > 0) {
                        AUTO_FREE char *m = xasprintf("{\"cmd\": \"answer\", \"gate\": %lld, "
                                                      "\"answer\": \"y\"}",
                                                      (long long)jx_int(s, "gate", 0));
                        AUTO_JSON r = kit_ask(k, m);
                }
        }
        effects_are(k, "make a\nmake b\nmake c\nunmake c\nunmake b\n");
        AUTO_JSON r = kit_ask(k, "{\"cmd\": \"abort\", \"run\": \"p7\"}");
        cr_assert(jx_bool(r, "ok", false));
        cr_assert_eq(kit_wait(k, answers), ENGINE_ABORTED);
        kit_free(k);
}
