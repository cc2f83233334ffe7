/* test_resume.c: the same end, wherever the engine died. tests/faults does it everywhere. */
#include <criterion/criterion.h>
#include <signal.h>
#include <unistd.h>

#include "engine/engine.h"
#include "fakes/engine_kit.h"
#include "fakes/kit_yaml.h"

#define MAKE(id) KIT_STEP("id: " id ", do: fake.make, with: {name: " id "}, undo: auto")

static void effects_are(const Kit *k, const char *want)
{
        AUTO_FREE char *got = kit_effects(k);
        cr_assert_str_eq(got, want);
}

/* Sequence number of the first event of this name about this step. */
static long seq_of(const Kit *k, const char *event, const char *step)
{
        AUTO_FREE char *j = kit_journal(k);
        AUTO_FREE char *ev = xasprintf("\"ev\":\"%s\"", event);
        AUTO_FREE char *st = xasprintf("\"step\":\"%s\"", step);
        for (char *line = strtok(j, "\n"); line; line = strtok(NULL, "\n"))
                if (strstr(line, ev) && strstr(line, st))
                        return strtol(strstr(line, "\"seq\":") + 6, NULL, 10);
        return -1;
}

/* Runs once undisturbed to learn the numbers, then again with a kill there. */
static Kit *killed_at(const char *yaml, const char *event, const char *step, const char *where,
                      Answer *answers)
{
        Kit *k = kit_new(yaml);
        kit_run(k, answers);
        long seq = seq_of(k, event, step);
        cr_assert_gt(seq, 0);
        kit_free(k);
        for (Answer *a = answers; a && a->key; a++)
                a->used = 0;
        k = kit_new(yaml);
        AUTO_FREE char *fail = xasprintf("%ld:%s:kill", seq, where);
        k->fail = fail;
        kit_run(k, answers);
        cr_assert(k->killed);
        k->fail = NULL;
        return k;
}

#define TWO KIT_HEAD "phases:\n" KIT_PHASE("one") MAKE("a") MAKE("b")

Test(resume, finds_finished_work_and_does_not_do_it_twice)
{
        Kit *k = killed_at(TWO, "step.done", "a", "before-write", NULL);
        effects_are(k, "make a\n");
        cr_assert_eq(kit_resume(k, NULL), ENGINE_DONE);
        effects_are(k, "make a\nmake b\n");
        cr_assert(kit_journal_ok(k));
        kit_free(k);
}

Test(resume, runs_again_what_never_began)
{
        Kit *k = killed_at(TWO, "step.intent", "a", "after-fsync", NULL);
        effects_are(k, "");
        cr_assert_eq(kit_resume(k, NULL), ENGINE_DONE);
        effects_are(k, "make a\nmake b\n");
        kit_free(k);
}

Test(resume, undoes_a_half_and_does_it_whole)
{
        const char *yaml = KIT_HEAD "phases:\n" KIT_PHASE("one")
                KIT_STEP("id: p, do: fake.pair, with: {name: p}, undo: auto");
        Kit *k = kit_new(yaml);
        kit_run(k, NULL);
        long first = seq_of(k, "step.remember", "p");
        kit_free(k);
        k = kit_new(yaml);
        AUTO_FREE char *fail = xasprintf("%ld:after-fsync:kill", first + 1);
        k->fail = fail;
        kit_run(k, NULL);
        cr_assert(k->killed);
        k->fail = NULL;
        effects_are(k, "make p.a\n");
        cr_assert_eq(kit_resume(k, NULL), ENGINE_DONE);
        effects_are(k, "make p.a\nunmake p.a\nmake p.a\nmake p.b\n");
        kit_free(k);
}

Test(resume, asks_when_nobody_can_know)
{
        const char *yaml = KIT_HEAD "phases:\n" KIT_PHASE("one")
                KIT_STEP("id: b, do: fake.blind, with: {name: b}, undo: {none: no}") MAKE("z");
        Kit *k = killed_at(yaml, "step.done", "b", "before-write", NULL);
        Answer done[] = { { .kind = "unknown", .step = "b", .key = "d" }, { 0 } };
        cr_assert_eq(kit_resume(k, done), ENGINE_DONE);
        effects_are(k, "blind b\nmake z\n");
        cr_assert_eq(kit_events(k, "step.unknown"), 1);
        kit_free(k);
}

Test(resume, opens_an_open_question_again_and_keeps_answered_ones)
{
        const char *yaml = KIT_HEAD "phases:\n" KIT_PHASE("one")
                KIT_STEP("id: a, do: fake.make, with: {name: a}, undo: auto, "
                         "gate: {before: {type: yes}}")
                        KIT_STEP("id: b, do: fake.make, with: {name: b}, undo: auto, "
                                 "gate: {before: {type: yes}}");
        Kit *k = killed_at(yaml, "gate.open", "b", "after-fsync", NULL);
        cr_assert_eq(kit_resume(k, NULL), ENGINE_DONE);
        effects_are(k, "make a\nmake b\n");
        cr_assert_eq(kit_events(k, "gate.open"), 3);
        cr_assert_eq(kit_events(k, "gate.answer"), 2);
        kit_free(k);
}

Test(resume, an_undo_that_was_cut_in_two_goes_on)
{
        const char *yaml = KIT_HEAD "phases:\n" KIT_PHASE("one") MAKE("a") MAKE("b") MAKE("c")
                KIT_STEP("id: bad, do: fake.make, with: {name: bad, fail: 9}, undo: auto");
        Answer undo[] = { { .kind = "error", .step = "bad", .key = "u", .times = 1 }, { 0 } };
        Kit *k = killed_at(yaml, "undo.done", "b", "before-write", undo);
        cr_assert_eq(kit_resume(k, NULL), ENGINE_FAILED);
        effects_are(k, "make a\nmake b\nmake c\nunmake c\nunmake b\nunmake a\n");
        AUTO_VIEW v = kit_view(k);
        cr_assert_str_eq(v->status, "undone");
        cr_assert_eq(kit_events(k, "undo.start"), 1);
        kit_free(k);
}

Test(resume, facts_are_there_again)
{
        const char *yaml = KIT_HEAD "phases:\n" KIT_PHASE("one")
                KIT_STEP("id: a, do: fake.make, with: {name: a}, undo: auto, "
                         "capture: {size: result.size, big: result.big}")
                        KIT_STEP("id: b, do: fake.make, with: {name: 'n${facts.a.size}'}, "
                                 "undo: auto, when: 'facts.a.big matches \"^x+$\"'");
        Kit *k = killed_at(yaml, "step.intent", "b", "before-write", NULL);
        cr_assert_eq(kit_resume(k, NULL), ENGINE_DONE);
        effects_are(k, "make a\nmake n1\n");
        kit_free(k);
}

Test(resume, refuses_another_plan)
{
        Kit *k = killed_at(TWO, "step.intent", "b", "before-write", NULL);
        free(k->yaml);
        k->yaml = xstrdup(KIT_HEAD "phases:\n" KIT_PHASE("one") MAKE("a") MAKE("c"));
        cr_assert_eq(kit_resume(k, NULL), ENGINE_REFUSED);
        effects_are(k, "make a\n");
        kit_free(k);
}

Test(resume, a_finished_run_is_not_run_again)
{
        Kit *k = kit_new(TWO);
        cr_assert_eq(kit_run(k, NULL), ENGINE_DONE);
        cr_assert_eq(kit_resume(k, NULL), ENGINE_REFUSED);
        effects_are(k, "make a\nmake b\n");
        kit_free(k);
}

Test(resume, a_shutdown_waits_for_the_step_and_pauses)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") MAKE("a")
                                 KIT_STEP("id: slow, do: fake.look, with: {ms: 400ms}") MAKE("b"));
        kit_start(k);
        cr_assert(kit_connect(k));
        while (!kit_there(k, "a"))
                usleep(1000);
        usleep(100000);
        kill(k->pid, SIGTERM);
        cr_assert_eq(kit_wait(k, NULL), ENGINE_PAUSED);
        cr_assert_eq(kit_events(k, "step.done"), 2);
        AUTO_FREE char *j = kit_journal(k);
        cr_assert(strstr(j, "\"cause\":\"shutdown\""));
        cr_assert_eq(kit_resume(k, NULL), ENGINE_DONE);
        effects_are(k, "make a\nmake b\n");
        kit_free(k);
}
