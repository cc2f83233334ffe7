/* test_order.c: what runs, in which order, and what is written down about it. */
#include <criterion/criterion.h>

#include "engine/engine.h"
#include "fakes/engine_kit.h"
#include "fakes/kit_yaml.h"

#define MAKE(id)                                                                                   \
        KIT_STEP("id: " id ", title: Make " id ", do: fake.make, with: {name: " id "}, "           \
                 "undo: auto")

static void effects_are(const Kit *k, const char *want)
{
        AUTO_FREE char *got = kit_effects(k);
        cr_assert_str_eq(got, want);
}

Test(engine, runs_steps_in_order_and_closes)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") MAKE("a") MAKE("b") KIT_PHASE("two")
                                 MAKE("c"));
        cr_assert_eq(kit_run(k, NULL), ENGINE_DONE);
        effects_are(k, "make a\nmake b\nmake c\n");
        cr_assert_eq(kit_events(k, "step.intent"), 3);
        cr_assert_eq(kit_events(k, "step.done"), 3);
        cr_assert_eq(kit_events(k, "phase.start"), 2);
        cr_assert_eq(kit_events(k, "phase.end"), 2);
        cr_assert(kit_journal_ok(k));
        AUTO_VIEW v = kit_view(k);
        cr_assert_str_eq(v->status, "done");
        cr_assert_str_eq(run_view_step(v, "b")->note, "made b");
        kit_free(k);
}

Test(engine, writes_the_intent_before_the_effect)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") MAKE("a"));
        kit_run(k, NULL);
        AUTO_FREE char *j = kit_journal(k);
        const char *intent = strstr(j, "step.intent"), *remember = strstr(j, "step.remember");
        const char *done = strstr(j, "step.done");
        cr_assert(intent && remember && done);
        cr_assert(intent < remember && remember < done);
        kit_free(k);
}

Test(engine, skips_a_step_whose_condition_is_false_and_says_why)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") MAKE("a") KIT_STEP(
                "id: b, do: fake.make, with: {name: b}, undo: auto, when: 1 == 2"));
        cr_assert_eq(kit_run(k, NULL), ENGINE_DONE);
        effects_are(k, "make a\n");
        AUTO_VIEW v = kit_view(k);
        cr_assert_eq(run_view_step(v, "b")->status, ST_SKIPPED);
        cr_assert(strstr(run_view_step(v, "b")->note, "1 == 2"));
        kit_free(k);
}

Test(engine, keeps_facts_for_later_steps_large_ones_too)
{
        Kit *k = kit_new(
                KIT_HEAD "phases:\n" KIT_PHASE("one") KIT_STEP(
                        "id: a, do: fake.make, with: {name: a}, undo: auto, "
                        "capture: {size: result.size, big: result.big}")
                        KIT_STEP("id: b, do: fake.make, undo: auto, with: {name: "
                                 "'x${facts.a.size}'}, when: 'facts.a.big matches \"^x+$\"'"));
        cr_assert_eq(kit_run(k, NULL), ENGINE_DONE);
        effects_are(k, "make a\nmake x1\n");
        kit_free(k);
}

Test(engine, repeats_a_step_for_each_of_the_facts)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") KIT_STEP(
                "id: see, do: fake.look, with: {list: [p, q]}, "
                "capture: {list: result.list}") "      - id: each\n        do: fake.make\n        "
                                                "undo: auto\n"
                                                "        foreach: {in: facts.see.list, as: item, "
                                                "id: '${item}'}\n"
                                                "        with: {name: 'm${item}'}\n"
                                                "        capture: {size: result.size}\n" KIT_STEP(
                                                        "id: after, do: fake.make, with: {name: "
                                                        "z}, undo: auto, "
                                                        "when: 'facts.each[\"q\"].size == 2'"));
        int code = kit_run(k, NULL);
        AUTO_FREE char *j = kit_journal(k);
        cr_assert_eq(code, ENGINE_DONE, "%s", j);
        effects_are(k, "make mp\nmake mq\nmake z\n");
        kit_free(k);
}

/* Ids are keys of the journal and names of files; what an item is called may be anything. */
Test(engine, gives_items_ids_that_are_names_of_files_and_each_once)
{
        static const char each[] =
                "      - id: each\n        do: fake.make\n        undo: auto\n"
                "        foreach: {in: facts.see.list, as: item, id: '${item}'}\n"
                "        with: {name: m}\n";
        AUTO_FREE char *one =
                xasprintf(KIT_HEAD "phases:\n" KIT_PHASE("one")
                                  KIT_STEP("id: see, do: fake.look, with: {list: ['../x $(rm)']}, "
                                           "capture: {list: result.list}") "%s",
                          each);
        AUTO_FREE char *two = xasprintf(KIT_HEAD "phases:\n" KIT_PHASE("one") KIT_STEP(
                                                "id: see, do: fake.look, with: {list: [a b, a.b]}, "
                                                "capture: {list: result.list}") "%s",
                                        each);
        Kit *k = kit_new(one);
        cr_assert_eq(kit_run(k, NULL), ENGINE_DONE);
        AUTO_FREE char *j = kit_journal(k);
        cr_assert_not_null(strstr(j, "\"each.___x___rm_\""), "%s", j);
        kit_free(k);
        k = kit_new(two);
        cr_assert_neq(kit_run(k, NULL), ENGINE_DONE);
        AUTO_FREE char *twice = kit_journal(k);
        cr_assert_null(strstr(twice, "each.a_b\",\"n\":2,\"attempt\":2"), "%s", twice);
        kit_free(k);
}

Test(engine, leaves_out_what_is_done_already)
{
        Kit *k = kit_new(KIT_HEAD "targets:\n  box: {kind: host}\nphases:\n" KIT_PHASE(
                "one") KIT_STEP("id: a, do: fake.make, on: box, with: {name: a}, undo: auto, "
                                "done_if: [{database: there}]"));
        kit_touch(k, "there", "x");
        cr_assert_eq(kit_run(k, NULL), ENGINE_DONE);
        effects_are(k, "");
        cr_assert_eq(kit_events(k, "step.already"), 1);
        kit_free(k);
}

Test(engine, measures_downtime_between_its_marks)
{
        Kit *k = kit_new(
                KIT_HEAD "budget: {downtime: 20m}\nphases:\n" KIT_PHASE("one") MAKE("a") KIT_STEP(
                        "id: b, do: fake.make, with: {name: b}, undo: auto, "
                        "downtime: begin, gate: {before: {type: yes}}")
                        KIT_STEP("id: c, do: fake.make, with: {name: c}, undo: auto, downtime: end")
                                MAKE("d"));
        cr_assert_eq(kit_run(k, NULL), ENGINE_DONE);
        cr_assert_eq(kit_events(k, "downtime.begin"), 1);
        cr_assert_eq(kit_events(k, "downtime.end"), 1);
        AUTO_FREE char *j = kit_journal(k);
        cr_assert(strstr(j, "downtime.begin") < strstr(j, "step.intent\",\"step\":\"b\""));
        kit_free(k);
}

Test(engine, a_secret_is_in_no_file_of_the_run)
{
        Kit *k = kit_new(KIT_HEAD "secrets:\n  pw: {from: prompt}\nphases:\n" KIT_PHASE("one")
                                 KIT_STEP("id: a, do: fake.make, undo: auto, "
                                          "with: {name: a, password: secrets.pw}"));
        Answer answers[] = { { .kind = "secret", .key = "given", .text = "canary-7f3a" }, { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_DONE);
        AUTO_FREE char *cmd = xasprintf("%s/output/a.log", k->run_dir);
        AUTO_FREE char *j = kit_journal(k);
        cr_assert(strstr(j, "\"kind\":\"secret\""));
        cr_assert_null(strstr(j, "canary-7f3a"));
        FILE *f = fopen(cmd, "r");
        cr_assert_not_null(f);
        char log[4096] = "";
        size_t n = fread(log, 1, sizeof log - 1, f);
        fclose(f);
        log[n] = '\0';
        cr_assert(strstr(log, "the secret is"), "%s", log);
        cr_assert_null(strstr(log, "canary-7f3a"));
        kit_free(k);
}
