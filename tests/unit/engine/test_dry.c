/* test_dry.c: the later steps, tried before anything is made. */
#include <criterion/criterion.h>
#include <time.h>

#include "engine/engine.h"
#include "fakes/engine_kit.h"
#include "fakes/kit_yaml.h"

#define LOOK KIT_STEP("id: see, do: fake.look, with: {list: [p, q]}, capture: {list: result.list}")
#define TRY                                                                                        \
        KIT_STEP(                                                                                  \
                "id: tried, title: Try, do: effects.try, capture: {n: result.tried}, expect: "     \
                "[{that: "                                                                         \
                "empty(result.problems), else: fail}, {that: empty(result.warnings), else: ask}]")
#define MAKE(id, rest) KIT_STEP("id: " id ", title: Make " id ", do: fake.make, undo: auto, " rest)
#define EACH                                                                                       \
        "      - id: each\n        title: 'Make ${item}'\n        do: fake.make\n        undo: "   \
        "auto\n"                                                                                   \
        "        foreach: {in: facts.see.list, as: item, id: '${item}'}\n        with: {name: "    \
        "'m${item}'}\n"                                                                            \
        "        capture: {size: result.size}\n"

static void stopped_with(Kit *k, const char *const *words, size_t n, const char *never)
{
        Answer answers[] = { { .kind = "error", .key = "a" }, { 0 } };
        cr_assert_neq(kit_run(k, answers), ENGINE_DONE);
        AUTO_FREE char *effects = kit_effects(k);
        cr_assert_str_eq(effects, "");
        AUTO_FREE char *journal = kit_journal(k);
        for (size_t i = 0; i < n; i++)
                cr_expect_not_null(strstr(journal, words[i]), "%s is not said:\n%s", words[i],
                                   journal);
        if (never)
                cr_expect_null(strstr(journal, never), "%s was said:\n%s", never, journal);
}

Test(dry, says_everything_at_once_before_anything_is_made)
{
        Kit *k = kit_new(
                KIT_HEAD "phases:\n" KIT_PHASE("look") LOOK TRY KIT_PHASE("go") EACH MAKE(
                        "never", "with: {name: impossible}, when: 1 == 2")
                        MAKE("c", "with: {name: impossible}") MAKE(
                                "perhaps",
                                "with: {name: impossible}, when: 'facts.each[\"p\"].size == 7'")
                                MAKE("later", "with: {name: 'x${facts.each[\"p\"].size}'}"));
        kit_touch(k, "mq", "somebody's");
        stopped_with(k,
                     (const char *const[]){ "Make q: mq is there already",
                                            "Make c: it is impossible", "Make c: and forbidden" },
                     3, "Make never:");
        kit_free(k);
}

/* What an earlier step will have done by then is seen, whatever the world says now. */
Test(dry, sees_what_an_earlier_step_makes)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("look") TRY KIT_PHASE("go")
                                 MAKE("a", "with: {name: one}") MAKE("b", "with: {name: one}"));
        stopped_with(k, (const char *const[]){ "Make b: one is there already" }, 1, "Make a:");
        kit_free(k);
}

Test(dry, of_what_is_not_known_yet_nothing_is_a_problem)
{
        Kit *k = kit_new(
                KIT_HEAD "phases:\n" KIT_PHASE("look") TRY KIT_PHASE("go") MAKE(
                        "a",
                        "with: {name: one}, "
                        "capture: {size: result.size}") MAKE("b",
                                                             "with: {name: 'x${facts.a.size}'}")
                        MAKE("c", "with: {name: impossible}, when: facts.a.size == 7") KIT_STEP(
                                "id: blind, do: fake.blind, with: {name: e}, undo: {none: no}"));
        cr_assert_eq(kit_run(k, NULL), ENGINE_DONE);
        AUTO_FREE char *effects = kit_effects(k);
        cr_assert_str_eq(effects, "make one\nmake x3\nblind e\n");
        AUTO_VIEW v = kit_view(k);
        cr_assert_str_eq(
                run_view_step(v, "tried")->note,
                "4 later steps tried, 3 only as far as known now: nothing stands in the way");
        kit_free(k);
}

/* Room is as little then as it is now; what other checks find may be otherwise by then. */
Test(dry, room_that_lacks_for_a_later_step_is_said_now)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("look") TRY KIT_PHASE("go")
                                 MAKE("a", "with: {name: a}, pre: [{check: disk, path: /full, "
                                           "free: 1MB}, {check: fake.look, name: nowhere}]"));
        stopped_with(k, (const char *const[]){ "Make a: disk: short: /full has no room" }, 1,
                     "fake.look: missing");
        kit_free(k);
}

Test(dry, a_price_is_asked_for)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("look") TRY KIT_PHASE("go")
                                 MAKE("a", "with: {name: dear}"));
        Answer answers[] = { { .kind = "ask", .step = "tried", .key = "y" }, { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_DONE);
        AUTO_FREE char *journal = kit_journal(k);
        cr_expect_not_null(strstr(journal, "Make a: it costs something"), "%s", journal);
        kit_free(k);
}

Test(dry, is_stopped_while_it_tries)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("look") TRY KIT_PHASE("go")
                                 MAKE("a", "with: {name: slow}"));
        k->command_at = "tried";
        k->command = "{\"cmd\": \"rollback\", \"to\": \"\"}";
        time_t began = time(NULL);
        cr_assert_neq(kit_run(k, NULL), ENGINE_DONE);
        cr_expect_lt(time(NULL) - began, 15);
        AUTO_FREE char *effects = kit_effects(k);
        cr_assert_str_eq(effects, "");
        kit_free(k);
}
