/* test_gates.c: nothing happens before somebody said yes, and yes is said only in one way. */
#include <criterion/criterion.h>
#include <unistd.h>

#include "engine/engine.h"
#include "fakes/engine_kit.h"
#include "fakes/kit_yaml.h"

#define ONE(gate)                                                                                  \
        KIT_HEAD "phases:\n" KIT_PHASE("one") KIT_STEP(                                            \
                "id: a, do: fake.make, with: {name: a}, undo: auto, gate: {before: " gate "}")

/* Starts, waits until a gate is open, hands back {"gate": .., "gate_kind": ..}. */
static json_t *at_gate(Kit *k)
{
        kit_start(k);
        cr_assert(kit_connect(k));
        for (int i = 0; i < 5000; i++) {
                json_t *status = kit_ask(k, "{\"cmd\": \"status\"}");
                cr_assert_not_null(status);
                if (jx_int(status, "gate", 0) > 0)
                        return status;
                json_decref(status);
                usleep(500);
        }
        cr_assert_fail("no gate was opened");
        return NULL;
}

static bool send_ok(Kit *k, const char *json)
{
        AUTO_JSON reply = kit_ask(k, json);
        return jx_bool(reply, "ok", false);
}

Test(gates, hold_until_somebody_says_yes)
{
        Kit *k = kit_new(ONE("{type: yes}"));
        AUTO_JSON status = at_gate(k);
        cr_assert_str_eq(jx_str(status, "gate_kind", ""), "yes");
        cr_assert_not(kit_there(k, "a"));
        cr_assert_eq(kit_wait(k, NULL), ENGINE_DONE);
        cr_assert(kit_there(k, "a"));
        kit_free(k);
}

Test(gates, compare_the_typed_word_in_the_engine)
{
        Kit *k = kit_new(ONE("{type: word, text: pgdata13}"));
        AUTO_JSON status = at_gate(k);
        cr_assert_not(send_ok(k, "{\"cmd\":\"answer\",\"gate\":1,\"answer\":\"y\"}"));
        cr_assert_not(send_ok(k, "{\"cmd\":\"answer\",\"gate\":1,\"answer\":\"y\","
                                 "\"text\":\"pgdata1\"}"));
        cr_assert_not(kit_there(k, "a"));
        cr_assert(send_ok(k, "{\"cmd\":\"answer\",\"gate\":1,\"answer\":\"y\","
                             "\"text\":\"pgdata13\"}"));
        cr_assert_eq(kit_wait(k, NULL), ENGINE_DONE);
        kit_free(k);
}

Test(gates, refuse_an_answer_to_another_question)
{
        Kit *k = kit_new(ONE("{type: yes}"));
        AUTO_JSON status = at_gate(k);
        cr_assert_not(send_ok(k, "{\"cmd\":\"answer\",\"gate\":7,\"answer\":\"y\"}"));
        cr_assert_not(send_ok(k, "{\"cmd\":\"answer\",\"gate\":1,\"seq\":1,\"answer\":\"y\"}"));
        cr_assert_not(send_ok(k, "{\"cmd\":\"answer\",\"gate\":1,\"answer\":\"perhaps\"}"));
        cr_assert_not(kit_there(k, "a"));
        cr_assert_eq(kit_wait(k, NULL), ENGINE_DONE);
        kit_free(k);
}

Test(gates, not_now_pauses_and_continue_asks_again)
{
        Kit *k = kit_new(ONE("{type: yes}"));
        AUTO_JSON status = at_gate(k);
        cr_assert(send_ok(k, "{\"cmd\":\"answer\",\"gate\":1,\"answer\":\"n\"}"));
        usleep(50000);
        cr_assert_eq(kit_events(k, "run.pause"), 1);
        cr_assert_not(kit_there(k, "a"));
        cr_assert(send_ok(k, "{\"cmd\":\"continue\"}"));
        cr_assert_eq(kit_wait(k, NULL), ENGINE_DONE);
        cr_assert_eq(kit_events(k, "gate.open"), 2);
        kit_free(k);
}

Test(gates, once_is_one_answer_for_all_items)
{
        Kit *k = kit_new(
                KIT_HEAD
                "vars:\n  names: {type: 'list<name>', default: [a, b, c]}\n"
                "phases:\n" KIT_PHASE(
                        "one") "      - id: each\n        do: fake.make\n        undo: auto\n"
                               "        foreach: {in: vars.names, as: item, id: '${item}'}\n"
                               "        with: {name: '${item}'}\n"
                               "        gate: {before: {type: yes, once: true}}\n");
        cr_assert_eq(kit_run(k, NULL), ENGINE_DONE);
        cr_assert_eq(kit_events(k, "gate.open"), 1);
        cr_assert_eq(kit_events(k, "step.done"), 3);
        kit_free(k);
}

Test(gates, a_time_gate_opens_by_itself_and_only_then)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") KIT_STEP(
                "id: a, do: fake.make, with: {name: a}, undo: auto")
                                 KIT_STEP("id: b, do: fake.make, with: {name: b}, undo: auto, "
                                          "gate: {before: {type: after, step: a, wait: 300ms}}"));
        Answer nobody[] = { { .kind = "after", .key = "leave" }, { 0 } };
        cr_assert_eq(kit_run(k, nobody), ENGINE_DONE);
        AUTO_FREE char *j = kit_journal(k);
        cr_assert(strstr(j, "\"answer\":\"time\""));
        kit_free(k);
}

Test(gates, clean_up_can_be_declined_for_good)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one")
                                 KIT_STEP("id: a, do: fake.make, with: {name: a}, undo: "
                                          "auto") "cleanup:\n"
                                                  "  - {id: tidy, do: fake.make, with: "
                                                  "{name: t}, effect: destroy, "
                                                  "undo: {none: gone}, gate: {before: "
                                                  "[{type: after, step: a, wait: 24h}, "
                                                  "{type: word, text: t}]}}\n");
        Answer keep[] = { { .kind = "after", .key = "k" }, { 0 } };
        int code = kit_run(k, keep);
        cr_assert_eq(code, ENGINE_DONE, "%d", code);
        cr_assert_not(kit_there(k, "t"));
        cr_assert_eq(kit_events(k, "step.skipped"), 1);
        kit_free(k);
}

Test(gates, a_pause_at_a_time_gate_lets_the_engine_go_and_resume_waits_again)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one")
                                 KIT_STEP("id: a, do: fake.make, with: {name: a}, undo: "
                                          "auto") "cleanup:\n"
                                                  "  - {id: tidy, do: fake.make, with: "
                                                  "{name: t}, effect: destroy, "
                                                  "undo: {none: gone}, gate: {before: "
                                                  "[{type: after, step: a, wait: 24h}, "
                                                  "{type: word, text: t}]}}\n");
        AUTO_JSON status = at_gate(k);
        cr_assert(send_ok(k, "{\"cmd\":\"pause\"}"));
        cr_assert_eq(kit_wait(k, (Answer[]){ { .key = "leave" }, { 0 } }), ENGINE_PAUSED);
        Answer keep[] = { { .kind = "after", .key = "k" }, { 0 } };
        cr_assert_eq(kit_resume(k, keep), ENGINE_DONE);
        cr_assert_eq(kit_events(k, "step.done"), 1);
        kit_free(k);
}

Test(gates, a_checklist_wants_every_line_ticked)
{
        Kit *k = kit_new(KIT_HEAD "phases:\n" KIT_PHASE("one") KIT_STEP(
                "id: last_look, do: manual, with: {items: [Announced, Silenced]}")
                                 KIT_STEP("id: a, do: fake.make, with: {name: a}, undo: auto"));
        AUTO_JSON status = at_gate(k);
        cr_assert_str_eq(jx_str(status, "gate_kind", ""), "manual");
        cr_assert_not(send_ok(k, "{\"cmd\":\"answer\",\"gate\":1,\"answer\":\"y\"}"));
        cr_assert(send_ok(k, "{\"cmd\":\"tick\",\"step\":\"last_look\",\"item\":0}"));
        cr_assert_not(send_ok(k, "{\"cmd\":\"answer\",\"gate\":1,\"answer\":\"y\"}"));
        cr_assert_not(send_ok(k, "{\"cmd\":\"tick\",\"step\":\"last_look\",\"item\":2}"));
        cr_assert_eq(kit_wait(k, NULL), ENGINE_DONE);
        AUTO_VIEW v = kit_view(k);
        cr_assert_eq(v->n_ticks, 2);
        cr_assert(strstr(run_view_step(v, "last_look")->note, "2 of 2"));
        kit_free(k);
}

Test(gates, decisions_are_asked_before_the_step_that_needs_them)
{
        Kit *k = kit_new(KIT_HEAD
                         "decisions:\n"
                         "  - {id: locale, question: Which locale?, choices: [keep, icu], "
                         "default: keep, needed_before: b}\n"
                         "  - {id: window, question: When?, type: text, needed_before: b}\n"
                         "phases:\n" KIT_PHASE("one") KIT_STEP(
                                 "id: a, do: fake.make, with: {name: a}, undo: auto")
                                 KIT_STEP("id: b, do: fake.make, with: {name: b}, undo: auto"));
        Answer answers[] = { { .kind = "decision", .key = "2", .times = 1 },
                             { .kind = "decision", .key = "y", .text = "Wed 00:00" },
                             { 0 } };
        cr_assert_eq(kit_run(k, answers), ENGINE_DONE);
        AUTO_VIEW v = kit_view(k);
        cr_assert_eq(v->n_decisions, 2);
        cr_assert_str_eq(v->decisions[0].answer, "icu");
        cr_assert_str_eq(v->decisions[1].answer, "Wed 00:00");
        kit_free(k);
}
