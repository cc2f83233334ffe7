/* faults_engine.c: kill -9 at every record of a run, before it is written, after, and after it
 * is on disk; then resume. The end must be that of an undisturbed run, nothing may be made
 * twice, and the journal must be whole.
 *
 *      faults_engine [--sample N]      every N-th place (default: all of them)
 *
 * Ends with "N passed, N failed". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "engine/engine.h"
#include "fakes/engine_kit.h"
#include "fakes/kit_yaml.h"

#define MAKE(id) KIT_STEP("id: " id ", do: fake.make, with: {name: " id "}, undo: auto")

#define BODY                                                                                       \
        KIT_HEAD                                                                                   \
        "vars:\n  names: {type: 'list<name>', default: [web, worker, beat]}\n"                     \
        "targets:\n  box: {kind: host}\n"                                                          \
        "budget: {downtime: 20m}\n"                                                                \
        "decisions:\n  - {id: locale, question: Which?, choices: [keep, icu], default: keep, "     \
        "needed_before: first}\n"                                                                  \
        "phases:\n" KIT_PHASE("look") KIT_STEP(                                                    \
                "id: see, do: fake.look, with: {list: [p, q]}, capture: {list: result.list}, "     \
                "expect: [{that: empty(result.missing), else: fail}]")                             \
                KIT_STEP("id: warned, do: fake.look, with: {list: [x]}, "                          \
                         "expect: [{that: empty(result.list), else: warn, msg: mind}]")            \
                        KIT_STEP("id: last_look, do: manual, with: {items: [Announced, "           \
                                 "Silenced]}") KIT_PHASE("prepare") MAKE("first")                  \
                                KIT_STEP("id: sized, do: fake.make, with: {name: sized}, undo: "   \
                                         "auto, "                                                  \
                                         "capture: {size: result.size, big: result.big}")          \
                                        KIT_STEP(                                                  \
                                                "id: pair, do: fake.pair, with: {name: pair}, "    \
                                                "undo: auto") KIT_STEP("id: never, do: "           \
                                                                       "fake.make, with: {name: "  \
                                                                       "never}, "                  \
                                                                       "undo: auto, when: 1 == 2") \
                                                KIT_STEP("id: flaky, do: fake.make, with: {name: " \
                                                         "flaky, "                                 \
                                                         "fail: 1, how: link}, undo: auto, "       \
                                                         "retry: {times: 5, wait: 1ms}")           \
                                                        KIT_PHASE("cut") KIT_STEP(                 \
                                                                "id: begin, do: note, downtime: "  \
                                                                "begin, gate: {before: {type: "    \
                                                                "yes}}") "      - id: stop\n     " \
                                                                         "   do: fake.make\n     " \
                                                                         "   undo: auto\n"         \
                                                                         "        foreach: {in: "  \
                                                                         "vars.names, as: item, "  \
                                                                         "id: '${item}'}\n"        \
                                                                         "        with: {name: "   \
                                                                         "'stop_${item}'}\n"       \
                                                                         "        gate: {before: " \
                                                                         "{type: yes, once: "      \
                                                                         "true}}\n"                \
                                                                         "      - id: late\n     " \
                                                                         "   do: fake.make\n     " \
                                                                         "   undo: auto\n"         \
                                                                         "        foreach: {in: "  \
                                                                         "facts.see.list, as: "    \
                                                                         "item, id: '${item}'}\n"  \
                                                                         "        with: {name: "   \
                                                                         "'late_${item}'}\n"       \
                                                                         "      - id: load\n     " \
                                                                         "   do: fake.load\n     " \
                                                                         "   undo: auto\n"         \
                                                                         "        with: {name: "   \
                                                                         "load, errors: 2}\n"      \
                                                                         "        on_error:\n    " \
                                                                         "      - {sqlstate: "     \
                                                                         "\"42501\", max: 9, "     \
                                                                         "then: "                  \
                                                                         "tolerate}\n" KIT_STEP(   \
                                                                                 "id: named, do: " \
                                                                                 "fake.make, "     \
                                                                                 "with: {name: "   \
                                                                                 "'n${facts."      \
                                                                                 "sized.size}'}, " \
                                                                                 "undo: auto, "    \
                                                                                 "gate: {before: " \
                                                                                 "{type: word, "   \
                                                                                 "text: "          \
                                                                                 "pgdata13}}")     \
                                                                                 MAKE("last")

#define GOOD BODY KIT_STEP("id: up, do: note, with: {text: up}, downtime: end")
#define BAD                                                                                        \
        BODY KIT_STEP("id: bad, do: fake.make, with: {name: bad, fail: 99}, undo: auto, "          \
                      "on_error: [{then: ask}]")                                                   \
                KIT_STEP("id: up, do: note, with: {text: up}, downtime: end")

static int passed, failed;

/* Rules are stateless here: the same question always gets the same answer. */
static void answers(Answer *list, bool undo)
{
        size_t n = 0;
        list[n++] = (Answer){ .kind = "word", .key = "y", .text = "pgdata13" };
        list[n++] = (Answer){ .kind = "decision", .key = "1" };
        list[n++] = (Answer){ .kind = "error", .key = undo ? "u" : "r" };
        list[n++] = (Answer){ .kind = "unknown", .key = "r" };
        list[n] = (Answer){ 0 };
}

/* Every effect as often as it was taken back, plus one at most; never twice in a row. */
static bool nothing_twice(const char *effects, char *ret, size_t size)
{
        AUTO_FREE char *copy = xstrdup(effects);
        char *lines[512];
        size_t n = 0;
        for (char *l = strtok(copy, "\n"); l && n < LEN(lines); l = strtok(NULL, "\n"))
                lines[n++] = l;
        for (size_t i = 0; i < n; i++) {
                if (!str_starts(lines[i], "make "))
                        continue;
                for (size_t j = i + 1; j < n; j++) {
                        if (str_starts(lines[j], "unmake ") && str_eq(lines[j] + 2, lines[i]))
                                break;
                        if (str_eq(lines[j], lines[i])) {
                                snprintf(ret, size, "%s twice", lines[i]);
                                return false;
                        }
                }
        }
        return true;
}

static void complain(const char *what, long seq, const char *where, const char *detail)
{
        failed++;
        printf("FAILED at %ld:%s: %s\n%s\n", seq, where, what, detail);
}

static void judge(Kit *k, const char *want, long seq, const char *where)
{
        AUTO_FREE char *got = kit_final_state(k);
        AUTO_FREE char *effects = kit_effects(k);
        char twice[128];
        if (!str_eq(got, want))
                complain("another end than undisturbed", seq, where, got);
        else if (!nothing_twice(effects, twice, sizeof twice))
                complain("done twice", seq, where, twice);
        else if (!kit_journal_ok(k))
                complain("the journal is not whole", seq, where, "");
        else
                passed++;
}

/* False: the place was never reached. */
static bool one(const char *yaml, bool undo, const char *want, long seq, const char *where)
{
        Answer list[8];
        Kit *k = kit_new(yaml);
        AUTO_FREE char *fail = xasprintf("%ld:%s:kill", seq, where);
        k->fail = fail;
        answers(list, undo);
        kit_run(k, list);
        bool reached = k->killed;
        k->fail = NULL;
        if (reached) {
                AUTO_FREE char *before = kit_journal(k);
                answers(list, undo);
                /* Died before it was a run at all: it is begun anew. */
                bool began = strstr(before, "run.open") != NULL;
                if (began)
                        kit_resume(k, list);
                else
                        kit_run(k, list);
                judge(k, want, seq, where);
        }
        kit_free(k);
        return reached;
}

static long count_records(const Kit *k)
{
        AUTO_FREE char *j = kit_journal(k);
        long n = 0;
        for (const char *p = j; *p; p++)
                n += *p == '\n';
        return n;
}

static void everywhere(const char *name, const char *yaml, bool undo, long sample)
{
        static const char *const places[] = { "before-write", "after-write", "after-fsync" };
        Answer list[8];
        Kit *k = kit_new(yaml);
        answers(list, undo);
        int code = kit_run(k, list);
        AUTO_FREE char *want = kit_final_state(k);
        long records = count_records(k), killed = 0, i = 0;
        if (code != (undo ? ENGINE_FAILED : ENGINE_DONE))
                complain("the undisturbed run does not end well", 0, name, want);
        kit_free(k);
        /* A few records more than there were: order of ticks and notes may differ. */
        for (long seq = 1; seq <= records; seq++)
                for (size_t p = 0; p < LEN(places); p++)
                        if (i++ % sample == 0)
                                killed += one(yaml, undo, want, seq, places[p]);
        printf("%s: %ld records, killed at %ld places\n", name, records, killed);
        if (killed == 0)
                complain("nothing was ever killed", 0, name, "");
}

int main(int argc, char **argv)
{
        long sample = argc == 3 && str_eq(argv[1], "--sample") ? strtol(argv[2], NULL, 10) : 1;
        everywhere("forward", GOOD, false, MAX(sample, 1));
        everywhere("and back", BAD, true, MAX(sample, 1));
        printf("%d passed, %d failed\n", passed, failed);
        return failed ? 1 : 0;
}
