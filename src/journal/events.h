/* events.h: the fields of every event: the contract between engine (writes) and view (reads).
 *
 * Every line also has seq, prev, t, bt, ev, h and, where it concerns one, "step" (the plan
 * step's id). Times in fields are milliseconds. "by" is a person ("anna", from the peer's uid).
 *
 * run.open      run, runbook, title, version, tool, sha256, plan_sha256, host, boot_id, user,
 *               uid, pid, ssh, tty, vars{}, secrets[{name,from}], n_steps, budget_ms,
 *               downtime_ms (by the estimates), undo_of?
 * plan.phase    id, title, users_see, cleanup
 * plan.step     n, id, phase, title, why, kind, touches, undo, asks, hard, cleanup, downtime,
 *               estimate_ms                (commands stay in plan.json)
 * plan.accept   sha256, by
 * run.attach    by, uid, pid, tty, watch     run.detach  by, pid, cause
 * phase.start   phase                        phase.end   phase
 * step.intent   n, attempt, kind, effect, resume, timeout_ms, late_item?
 * step.remember data{}                       merged into what is remembered of the step
 * proc.spawn    pid, starttime, argv         sql.begin   target, backend, xid
 * progress      label, unit, done, total, rate, eta_ms, things_done, things_total,
 *               rows[{name,done,total,rate,eta_ms}], workers? (absent: they cannot be changed)
 * check         that, expected, actual, verdict ("ok" "fail" "warn" "ask"), msg
 * fact          name ("src.size"), value | ref + sha256 (file in the run directory)
 * gate.open     gate (number), kind (a name of journal/ask.h), title, lines[], text (to be
 *               typed), until_ms, choices[{key, label, consequence}], suggested, secret?, key?
 * gate.answer   gate, answer (a choice's key), text?, by, waited_ms
 * decision.open id, question, choices[], default   decision.answer  id, answer, by
 * manual.tick   item (index), text, by, ticked
 * note          text, by
 * error         kind, sqlstate, message, hint, object, verdict ("tolerated" "stop" "retry"),
 *               rule, count (how many by this rule in this try, this one included)
 * step.done     note, ms, tolerated (count)  step.failed  kind, sqlstate, message, hint, ms,
 *               log_line, attempt
 * step.skipped  reason                       step.already reason
 * step.unknown  message
 * artifact      what, path, size, sha256
 * undo.start    from (step id), to (step id), n_steps, by    undo.end ok, message
 * undo.intent   kind, words                  undo.done  words, ms, left? (stays as it is)
 * undo.failed   message, hint                undo.drift message
 * oblige.add    id, text                     oblige.met id
 * downtime.begin / downtime.end              budget_ms
 * fence.open    target, connections          fence.close target, message,
 *                                            verdict ("clean" "written" "unknown")
 * clock.jump    by_ms                        journal.recovered  bytes
 * io.error      message
 * run.pause     cause ("asked" "shutdown" "error" ..), by; of an error reason, hint
 *                                            run.resume  by, after_crash, boot_id, pid
 * run.abort     by                           run.close   status ("done" "failed" "aborted"
 *               "undone" "refused"), reason
 *
 * The journal makes every line fit 4 KiB: people's texts are cut with a visible mark, a `data`
 * of step.remember is split over several records, a fact's large value goes to a file
 * (ref + sha256), large vars become {"$ref": "plan.json"}. Integers beyond 2^53 become strings.
 * Texts are cleaned and redacted (values that are read back: base/redact.h, redact_data()).
 * Keys of the line itself (seq prev t bt ev step h) get a "_" behind them.
 */
#pragma once
