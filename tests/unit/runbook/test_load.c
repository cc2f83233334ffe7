/* Every mistake has its file:line:col, and all of them are told at once. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <time.h>

#include "base/buf.h"
#include "base/limits.h"
#include "fake_kinds.h"
#include "runbook/plan.h"

/* Line 14 of the file is the first line of `steps`. */
static void steps_say(const char *steps, const char *want)
{
        AUTO_FREE char *text = with_steps(steps);
        AUTO_FREE char *told = load_and_tell(text, NULL);
        cr_expect_not_null(strstr(told, want), "%s\nsays: %s\nwanted: %s", steps, told, want);
}

Test(load, takes_the_smallest_runbook)
{
        AUTO_FREE char *text = with_steps("  - {id: x, do: note}\n");
        AUTO_FREE char *told = load_and_tell(text, NULL);
        cr_assert_str_eq(told, "");
}

Test(load, reports_every_mistake_in_the_order_of_the_lines)
{
        AUTO_FREE char *told = load_and_tell(
                "api: pgsherpa/v2\nrunbook: T\ntitel: x\nversion: one\nphases:\n- id: One\n"
                "  steps:\n"
                "  - {id: a-b, do: nota, whith: {}}\n"
                "  - {id: x, do: note, with: {text: \"${vars.no}\"}}\n",
                NULL);
        cr_assert_str_eq(
                told,
                "t.yaml:1:1: E-KEY a runbook needs `title`\n"
                "t.yaml:1:6: E-TYPE `pgsherpa/v2` is not an api this pgsherpa knows; write api: "
                "pgsherpa/v1\n"
                "t.yaml:2:10: E-ID `T` is no runbook's name; small letters, digits, - and _\n"
                "t.yaml:3:1: E-KEY the file has no key `titel`; did you mean `title`?\n"
                "t.yaml:4:10: E-TYPE version: `one` is not an int; write a whole number such as 4\n"
                "t.yaml:6:7: E-ID `One` is no id; begin with a small letter, then small letters, "
                "digits and _ (a hyphen would be a minus)\n"
                "t.yaml:8:10: E-ID `a-b` is no id; begin with a small letter, then small letters, "
                "digits and _ (a hyphen would be a minus)\n"
                "t.yaml:8:19: E-KIND there is no step kind `nota`; did you mean `note`?\n"
                "t.yaml:8:25: E-KEY a step has no key `whith`; did you mean `with`?\n"
                "t.yaml:9:44: E-NAME there is no variable `no`\n");
}

Test(load, says_where_a_step_is_wrong)
{
        static const struct {
                const char *step, *want;
        } cases[] = {
                { "do: note, with: {txet: x}",
                  "14:30: E-KEY note has no key `txet`; did you mean `text`?" },
                { "do: pg.sql", "14:5: E-KEY pg.sql needs `sql`; a thing" },
                { "do: http.check, with: {url: ftp://x}",
                  "14:41: E-TYPE url: `ftp://x`: it does not begin with http://" },
                { "do: http.check, with: {url: \"http://me@h/\"}",
                  "14:41: E-TYPE url: `http://me@h/`: a user or password" },
                { "do: http.check, with: {url: \"http://h/\", within: soon}",
                  "14:62: E-TYPE within: `soon` is not a duration; write a duration such as 30s" },
                { "do: pg.sql, with: {sql: \"select ${vars.n}\"}",
                  "14:47: E-SQL a bare ${...} in a statement would be an injection" },
                { "do: note, with: {text: \"${ident:vars.n}\"}",
                  "14:39: E-SQL ${ident:x} and ${lit:x} belong" },
                { "do: note, with: {text: \"${vars.n\"}", "14:37: E-EXPR ${ is not closed" },
                { "do: note, with: {text: \"${vars. }\"}",
                  "14:44: E-EXPR a name or * must follow" },
                { "do: note, with: {text: \"\xc3\xa4 ${vars.m}\"}",
                  "14:46: E-NAME there is no variable `m`" },
                { "do: note, with: {text: [a]}",
                  "14:36: E-TYPE `text` must be a text, not a list" },
                { "do: note, with: {text: }", "14:36: E-TYPE `text` is empty" },
                { "do: manual, with: {items: one}",
                  "14:39: E-TYPE items: `one` is not a list; write a list ([a, b])" },
                { "do: pg.compare, on: odl, with: {against: x}",
                  "14:33: E-NAME there is no target `odl`" },
                { "do: pg.copy, with: {from: odl, database: d}",
                  "14:39: E-NAME there is no target `odl`" },
                { "do: note, on: {kind: postgres, via: {host: a, container: b}}",
                  "14:49: E-TYPE `via` must name exactly one place" },
                { "do: note, on: {kind: postgres, via: {compose: nope, service: db}}",
                  "14:59: E-NAME there is no target `nope`" },
                { "do: note, on: {kind: kubernetes}",
                  "14:34: E-LATER kubernetes targets are not in this version" },
                { "do: note, on: {via: {host: a}}", "14:27: E-KEY on needs `kind`" },
                { "do: note, on: {kind: host, x: 1}", "14:40: E-KEY on has no key `x`" },
                { "do: note, on: {kind: postgres, via: {host: a}, password: hunter2}",
                  "14:70: E-SECRET a secret must not be written into a runbook" },
                { "do: note, with: {text: \"${secrets.pg}\"}",
                  "14:39: E-SECRET a secret must not be used here" },
                { "do: note, when: secrets.pg == 1",
                  "14:29: E-SECRET a secret must not be used in an expression" },
                { "do: test.many, with: {secret: secrets.gp}",
                  "14:43: E-NAME there is no secret `gp`" },
                { "do: note, when: vars.list.x == 1",
                  "14:39: E-NAME `list` is a list and its items have no names" },
                { "do: note, when: vars.n.x == 1",
                  "14:36: E-NAME `n` is of type int and has nothing inside" },
                { "do: note, when: result.x == 1",
                  "14:29: E-NAME `result` is known in expect and capture only" },
                { "do: note, when: item == 1",
                  "14:29: E-NAME `item` is known inside a foreach only" },
                { "do: note, when: nmae == 1", "14:29: E-NAME there is no name `nmae`" },
                { "do: note, when: run.di == 1",
                  "14:33: E-NAME the run has no `di`; did you mean `dir`?" },
                { "do: pg.inventory, on: {kind: host}", "14:35: E-KIND `pg.inventory` works on a "
                                                        "server, and this target is of kind host" },
                { "do: pg.inventory, on: stack", "14:35: E-KIND `pg.inventory` works on a server, "
                                                 "and this target is of kind compose" },
                { "do: compose.health, on: old",
                  "14:37: E-KIND `compose.health` works on a compose project, and this target is "
                  "of kind postgres" },
                { "do: pg.inventory, on: old, expect: [{that: result.prepared_xacts == '0', else: "
                  "fail}]",
                  "14:56: E-EXPR a number is compared with a text; numbers" },
                { "do: pg.inventory, on: old, expect: [{that: empty(result.roles) == 0, else: "
                  "fail}]",
                  "14:56: E-EXPR true or false is compared with a number" },
                { "do: note, when: vars.n == vars.dir",
                  "14:29: E-EXPR a number is compared with a text" },
                { "do: note, when: vars.list == 'a'",
                  "14:29: E-EXPR a list is compared with a text" },
                { "do: note, when: facts.y.z == 1", "14:35: E-NAME there is no step `y`" },
                { "do: note, when: vars == 1", "14:29: E-NAME `vars` needs a name: vars.name" },
                { "do: pg.inventory, expect: [{that: result.tabels == 1}]",
                  "14:54: E-NAME `pg.inventory` has no result `tabels`; did you mean `tables`?" },
                { "do: pg.inventory, expect: [{that: result.tables.x == 1}]",
                  "14:61: E-NAME `tables` is of type int and has nothing inside" },
                { "do: pg.inventory, expect: [{that: result.identity.x == 1, else: boom}]",
                  "14:77: E-TYPE `else` cannot be `boom`; one of fail, warn, ask" },
                { "do: pg.inventory, expect: [{that: result.tables == 1, first: again}]",
                  "14:74: E-KEY `first` is of a question, and nobody is asked" },
                { "do: pg.inventory, expect: [{that: result.tables == 1, else: ask, first: no}]",
                  "14:85: E-TYPE `first` cannot be `no`; did you mean `go`? one of go, again" },
                { "do: pg.inventory, expect: [{that: result.tables == 1, risk: much}]",
                  "14:73: E-KEY `risk` is of going on, and nobody is asked whether to" },
                { "do: note, undo: never", "14:29: E-TYPE `undo` cannot be `never`" },
                { "do: note, undo: {ref: nothing}", "14:5: E-NAME there is no step `nothing`" },
                { "do: note, gate: {after: {type: yes}}", "14:30: E-KEY gate has no key `after`" },
                { "do: note, gate: {before: {type: two-person}}",
                  "14:45: E-LATER gates of type two-person" },
                { "do: note, gate: {before: {type: yess}}",
                  "14:45: E-TYPE `type` cannot be `yess`; did you mean `yes`?" },
                { "do: note, gate: {before: {type: word}}",
                  "14:38: E-KEY a gate of type word needs `text`" },
                { "do: note, gate: {before: {type: after, step: x, wait: soon}}",
                  "14:67: E-TYPE wait: `soon` is not a duration" },
                { "do: note, gate: {before: {type: after, step: q, wait: 1h}}",
                  "14:38: E-NAME there is no step `q`" },
                { "do: note, gate: {before: {type: name-of, target: q}}",
                  "14:38: E-NAME there is no target `q`" },
                { "do: note, gate: {before: {type: yes, show: [pan]}}",
                  "14:57: E-TYPE a gate cannot show `pan`" },
                { "do: note, on_error: [{sqlstate: abc, then: ask}]",
                  "14:45: E-TYPE `abc` is not an SQLSTATE" },
                { "do: note, on_error: [{match: \"(\", then: ask}]",
                  "14:42: E-TYPE `(` is not a regular expression" },
                { "do: note, on_error: [{then: ask}, {then: fail}]",
                  "14:47: E-KEY this rule is never reached" },
                { "do: note, retry: {times: 1000}", "14:38: E-TYPE `times` cannot be 1000" },
                { "do: note, timeout: 5 parsecs",
                  "14:32: E-TYPE timeout: `5 parsecs` is not a duration" },
                { "do: note, downtime: start", "14:33: E-TYPE `downtime` cannot be `start`" },
                { "do: note, point_of_no_return: harder",
                  "14:43: E-TYPE `point_of_no_return` cannot be `harder`; did you mean `hard`?" },
                { "do: note, resume: sometimes", "14:31: E-TYPE `resume` cannot be `sometimes`" },
                { "do: note, tags: [a]", "14:23: E-LATER `tags` is not in this version" },
                { "do: note, foreach: {as: item}", "14:32: E-KEY foreach needs `in`" },
                { "do: note, foreach: {in: vars.list, as: x}",
                  "14:52: E-LATER the one item is always called `item`" },
                { "do: note, foreach: {in: vars.list}, when: item.name == 1",
                  "14:60: E-NAME `item` is of type name and has nothing inside" },
                { "do: note, foreach: {in: vars.services}, when: item.nmae == 1",
                  "14:64: E-NAME a service has no `nmae`; did you mean `name`?" },
                { "do: exec, with: {argv: [a]}",
                  "14:5: E-KEY `exec` runs what it is told: it needs `effect`" },
                { "do: note, pre: [{check: compose.up}]",
                  "14:37: E-KIND `compose.up` changes something and cannot be a check" },
                { "do: note, pre: [{check: disk, path: /}]", "14:29: E-KEY need needs `free`" },
                { "do: note, pre: [{check: bundle.verify}]",
                  "14:29: E-KEY bundle.verify needs `bundle`" },
                { "do: note, done_if: [{on: old}]",
                  "14:33: E-KEY done_if needs sql, compose_image, role or database" },
                { "do: host.disk, with: {need: [{path: a/b, free: 1MB}]}",
                  "14:49: E-TYPE path: `a/b`: it does not begin with /" },
                { "do: host.disk, with: {need: [{path: /, free: \"1MB +\"}]}",
                  "14:64: E-EXPR free: a value is missing" },
        };
        for (size_t i = 0; i < LEN(cases); i++) {
                AUTO_FREE char *step = xasprintf("  - {id: x, %s}\n", cases[i].step);
                AUTO_FREE char *want = xasprintf("t.yaml:%s", cases[i].want);
                steps_say(step, want);
        }
}

Test(load, checks_facts_in_the_order_of_the_run)
{
        static const char before[] = "  - {id: a, do: note, when: facts.b.version == 1}\n"
                                     "  - {id: b, do: pg.inventory, capture: {version: "
                                     "result.version}}\n"
                                     "  - {id: c, do: note, when: facts.b.versoin == 1}\n"
                                     "  - {id: d, do: note, when: facts.b.version.x == 1}\n"
                                     "  - {id: e, do: note, when: facts.b.version == \"1\"}\n";
        steps_say(before, "t.yaml:14:35: E-NAME the step `b` has not run yet here");
        steps_say(
                before,
                "t.yaml:16:37: E-NAME the step `b` captures no `versoin`; did you mean `version`?");
        steps_say(before,
                  "t.yaml:17:45: E-NAME `version` is of type version and has nothing inside");
        AUTO_FREE char *text = with_steps(before);
        AUTO_FREE char *told = load_and_tell(text, NULL);
        cr_assert_null(strstr(told, "t.yaml:18:"), "%s", told);
}

Test(load, knows_that_a_foreach_has_facts_for_each_item)
{
        static const char each[] =
                "  - {id: a, do: pg.inventory, foreach: {in: vars.list}, capture: {size: "
                "result.size}}\n"
                "  - {id: b, do: note, when: \"sum(facts.a.*.size) > 1\"}\n"
                "  - {id: c, do: note, foreach: {in: vars.list}, when: \"facts.a[item].size > "
                "1\"}\n"
                "  - {id: d, do: note, when: facts.a.size > 1}\n"
                "  - {id: e, do: note, when: \"sum(facts.a.*.sise) > 1\"}\n";
        steps_say(each, "t.yaml:17:37: E-NAME `a` ran once for each item");
        steps_say(each,
                  "t.yaml:18:44: E-NAME the step `a` captures no `sise`; did you mean `size`?");
        AUTO_FREE char *text = with_steps(each);
        AUTO_FREE char *told = load_and_tell(text, NULL);
        cr_assert_null(strstr(told, "t.yaml:15:"), "%s", told);
        cr_assert_null(strstr(told, "t.yaml:16:"), "%s", told);
}

Test(load, refuses_ids_that_are_there_twice)
{
        steps_say("  - {id: a, do: note}\n  - {id: a, do: note}\n",
                  "t.yaml:15:5: E-ID the id `a` is here twice");
}

Test(load, says_where_the_head_is_wrong)
{
        static const struct {
                const char *head, *want;
        } cases[] = {
                { "vars: {n: {type: nit}}", "5:18: E-TYPE there is no type `nit`" },
                { "vars: {n: {type: secret}}",
                  "5:18: E-TYPE a variable cannot be of type `secret`" },
                { "vars: {n: {type: int, default: x}}", "5:32: E-TYPE n: `x` is not an int" },
                { "vars: {n: {type: int, defualt: 1}}",
                  "5:23: E-KEY n has no key `defualt`; did you mean `default`?" },
                { "vars: {n: {type: string, min: 1}}",
                  "5:11: E-TYPE min and max belong to numbers only" },
                { "vars: {n: {pattern: \"[\"}}", "5:21: E-TYPE `[` is not a regular expression" },
                { "vars: {n: {type: path, default: \"${vars.x}\"}}",
                  "5:33: E-TYPE `n` is given before the run" },
                { "vars: {n-m: {}}", "5:8: E-ID `n-m` is no variable's name" },
                { "vars: {s: {type: list<service>, default: [{nam: x}]}}",
                  "5:44: E-KEY service has no key `nam`; did you mean `name`?" },
                { "secrets: {a: {from: fiel}}",
                  "5:21: E-TYPE `from` cannot be `fiel`; did you mean `file`?" },
                { "secrets: {a: {from: file}}", "5:14: E-KEY a needs `path`" },
                { "secrets: {a: {from: compose_env, target: x, service: db, key: K}}",
                  "5:42: E-NAME there is no target `x`" },
                { "start_at: tomorrow maybe",
                  "5:11: E-TYPE start_at: `tomorrow maybe` is not a time; write 22:00" },
                { "start_at: \"25:00\"", "5:11: E-TYPE start_at: `25:00` is not a time" },
                { "start_at: \"${facts.x.y}\"", "5:20: E-NAME the step `x` has not run yet here" },
                { "vars: {p: {type: int, default: 70000, max: 65535}}",
                  "5:8: E-VAR the variable `p`: its default: it must be at most 65535" },
                { "vars: {p: {type: int, default: 0, min: 1}}",
                  "5:8: E-VAR the variable `p`: its default: it must be at least 1" },
                { "vars: {p: {type: string, default: x, choices: [a, b]}}",
                  "5:8: E-VAR the variable `p`: its default: it is not one of the choices" },
                { "vars: {p: {type: string, default: X, pattern: \"^[a-z]+$\"}}",
                  "5:8: E-VAR the variable `p`: its default: `X` does not match" },
                { "targets: {a: {kind: postgers, via: {host: x}}}",
                  "5:21: E-KIND there is no kind of target `postgers`; did you mean `postgres`?" },
                { "targets: {a: {kind: postgres, via: {compose: b}}}",
                  "5:36: E-KEY via needs `service`" },
                { "targets: {a: {kind: postgres, via: {host: x}, identity: {mayor: 1}}}",
                  "5:58: E-KEY identity has no key `mayor`; did you mean `major`?" },
                { "budget: {downtime: 20m, warn_at: 70}",
                  "5:34: E-TYPE `70` is not a share of the budget; write 70%" },
                { "decisions: [{id: a, question: q, needed_before: y}]",
                  "5:13: E-NAME there is no step `y`" },
                { "decisions: [{id: a, question: q, choices: [b], default: c}]",
                  "5:57: E-TYPE `c` is not among the choices" },
                { "rollback: {steps: [{do: note}]}", "5:19: E-LATER a rollback of its own steps" },
                { "rollback: {steps: undo-in-reverse, from: nowhere}",
                  "5:11: E-NAME there is no phase `nowhere`" },
                { "rollback: {steps: undo-in-reverse, verify: [{do: compose.up}]}",
                  "5:45: E-KIND `compose.up` changes something" },
                { "modes: [a]", "5:1: E-LATER `modes` is not in this version" },
                { "defaults: {resume: ask}", "5:12: E-KEY defaults has no key `resume`" },
        };
        for (size_t i = 0; i < LEN(cases); i++) {
                AUTO_FREE char *text = xasprintf("api: pgsherpa/v1\nrunbook: t\ntitle: T\n"
                                                 "version: 1\n%s\n"
                                                 "phases: [{id: one, steps: [{id: x, do: "
                                                 "note}]}]\n",
                                                 cases[i].head);
                AUTO_FREE char *told = load_and_tell(text, NULL);
                AUTO_FREE char *want = xasprintf("t.yaml:%s", cases[i].want);
                cr_expect_not_null(strstr(told, want), "%s\nsays: %s\nwanted: %s", cases[i].head,
                                   told, want);
        }
}

Test(load, says_where_phases_are_wrong)
{
        static const struct {
                const char *phases, *want;
        } cases[] = {
                { "phases: []", "5:9: E-KEY a runbook needs a phase" },
                { "phases: {a: b}", "5:9: E-TYPE `phases` must be a list, not a map" },
                { "phases: [{id: a, steps: []}]", "5:10: E-KEY the phase `a` has no steps" },
                { "phases: [{id: cleanup, steps: [{id: x, do: note}]}]",
                  "5:10: E-ID a phase cannot be called `cleanup`" },
                { "phases: [{id: a, fence: {services: [b]}, steps: [{id: x, do: note}]}]",
                  "5:25: E-KEY fence needs `targets`" },
                { "phases: [{id: a, fence: {targets: [b]}, steps: [{id: x, do: note}]}]",
                  "5:36: E-NAME there is no target `b`" },
                { "title: again", "5:1: E-YAML the key `title` is here twice; first on line 3" },
        };
        for (size_t i = 0; i < LEN(cases); i++) {
                AUTO_FREE char *text =
                        xasprintf("api: pgsherpa/v1\nrunbook: t\ntitle: T\nversion: 1\n%s\n",
                                  cases[i].phases);
                AUTO_FREE char *told = load_and_tell(text, NULL);
                AUTO_FREE char *want = xasprintf("t.yaml:%s", cases[i].want);
                cr_expect_not_null(strstr(told, want), "%s\nsays: %s\nwanted: %s", cases[i].phases,
                                   told, want);
        }
}

Test(load, says_what_it_cannot_read)
{
        AUTO_PROBLEMS problems = { 0 };
        AUTO_ERR err = { 0 };
        cr_assert_null(runbook_load("/nowhere/x.yaml", NULL, fake_kinds, &problems, &err));
        cr_assert_not_null(strstr(err.message, "/nowhere/x.yaml"), "%s", err.message);
        cr_assert_eq(problems.n, 0);
}

Test(load, stays_quick_when_everything_is_wrong)
{
        AUTO_BUF b = buf_init(LIMIT_YAML_BYTES);
        for (int i = 0; i < 900; i++)
                buf_printf(&b,
                           "  - {id: s%d, do: nothing.%d, when: facts.q%d.x + facts.w%d.y == "
                           "vars.z%d}\n",
                           i, i, i, i, i);
        AUTO_FREE char *text = with_steps(buf_str(&b));
        clock_t began = clock(); /* of this process: others may be busy */
        AUTO_FREE char *told = load_and_tell(text, NULL);
        cr_assert_lt(clock() - began, CLOCKS_PER_SEC);
        cr_assert_not_null(strstr(told, "E-KIND"));
}

Test(plan, numbers_are_the_same_and_the_seal_differs_with_the_answers)
{
        AUTO_ERR err = { 0 };
        Runbook *rb = NULL;
        AUTO_FREE char *text = with_steps("  - {id: x, do: note, foreach: {in: vars.list}, title: "
                                          "\"say ${item}\"}\n"
                                          "  - {id: y, do: note, foreach: {in: vars.services}}\n"
                                          "  - {id: z, do: pg.inventory, capture: {roles: "
                                          "result.roles}}\n"
                                          "  - {id: late, do: note, foreach: {in: "
                                          "facts.z.roles}}\n");
        AUTO_FREE char *told = load_and_tell(text, &rb);
        cr_assert_not_null(rb, "%s", told);
        AUTO_JSON one = json_pack("{s:s, s:i, s:[s,s], s:[{s:s}]}", "dir", "/a", "n", 1, "list",
                                  "a/b", "c", "services", "name", "web");
        AUTO_JSON run = json_pack("{s:s}", "id", "p42");
        Plan *p = plan_new(rb, one, NULL, &err);
        cr_assert_not_null(p, "%s", err.message);
        Plan *again = plan_new(rb, one, &(Scope){ .run = run }, &err);
        json_object_set_new(one, "n", json_integer(2));
        Plan *other = plan_new(rb, one, NULL, &err);
        cr_assert_eq(p->n, 5);
        cr_assert_str_eq(p->steps[0].id, "x.a_b");
        cr_assert_str_eq(p->steps[0].title, "say a/b");
        cr_assert_str_eq(p->steps[2].id, "y.web");
        cr_assert_eq(plan_find(p, "y.web")->n, 3);
        cr_assert(plan_find(p, "late")->late);
        cr_assert_str_eq(p->sha256, again->sha256);
        cr_assert_str_neq(p->sha256, other->sha256);
        json_object_set_new(one, "list", json_pack("[s,s]", "a/b", "a_b"));
        cr_assert_null(plan_new(rb, one, NULL, &err));
        cr_assert_not_null(strstr(err.message, "two items of `x` are both called `a_b`"), "%s",
                           err.message);
        err_clear(&err);
        plan_free(p);
        plan_free(again);
        plan_free(other);
        runbook_free(rb);
}
