#include "journal/event_table.h"

enum {
        D = EVENT_DURABLE,
        H = EVENT_DURABLE | EVENT_HEAD,
        R = EVENT_DURABLE | EVENT_HEAD | EVENT_DIR,
};

/* One row per type, in the order of the enum (checked below). Everything is durable except
 * progress, which may come 10^5 times and is worth nothing after a crash. */
static const struct {
        const char *name;
        unsigned traits;
} events[EV_COUNT_] = {
        [EV_NONE] = { "", 0 },
        [EV_RUN_OPEN] = { "run.open", R },
        [EV_PLAN_PHASE] = { "plan.phase", D },
        [EV_PLAN_STEP] = { "plan.step", D },
        [EV_PLAN_ACCEPT] = { "plan.accept", H },
        [EV_RUN_ATTACH] = { "run.attach", D },
        [EV_RUN_DETACH] = { "run.detach", D },
        [EV_PHASE_START] = { "phase.start", H },
        [EV_PHASE_END] = { "phase.end", H },
        [EV_STEP_INTENT] = { "step.intent", D },
        [EV_STEP_REMEMBER] = { "step.remember", D },
        [EV_PROC_SPAWN] = { "proc.spawn", D },
        [EV_SQL_BEGIN] = { "sql.begin", D },
        [EV_PROGRESS] = { "progress", 0 },
        [EV_CHECK] = { "check", D },
        [EV_FACT] = { "fact", D },
        [EV_GATE_OPEN] = { "gate.open", H },
        [EV_GATE_ANSWER] = { "gate.answer", H },
        [EV_DECISION_OPEN] = { "decision.open", D },
        [EV_DECISION_ANSWER] = { "decision.answer", D },
        [EV_MANUAL_TICK] = { "manual.tick", D },
        [EV_NOTE] = { "note", D },
        [EV_ERROR] = { "error", D },
        [EV_STEP_DONE] = { "step.done", D },
        [EV_STEP_FAILED] = { "step.failed", D },
        [EV_STEP_SKIPPED] = { "step.skipped", D },
        [EV_STEP_ALREADY] = { "step.already", D },
        [EV_STEP_UNKNOWN] = { "step.unknown", D },
        [EV_ARTIFACT] = { "artifact", D },
        [EV_UNDO_START] = { "undo.start", D },
        [EV_UNDO_INTENT] = { "undo.intent", D },
        [EV_UNDO_DONE] = { "undo.done", D },
        [EV_UNDO_FAILED] = { "undo.failed", D },
        [EV_UNDO_DRIFT] = { "undo.drift", D },
        [EV_UNDO_END] = { "undo.end", D },
        [EV_OBLIGE_ADD] = { "oblige.add", D },
        [EV_OBLIGE_MET] = { "oblige.met", D },
        [EV_DOWNTIME_BEGIN] = { "downtime.begin", D },
        [EV_DOWNTIME_END] = { "downtime.end", D },
        [EV_FENCE_OPEN] = { "fence.open", D },
        [EV_FENCE_CLOSE] = { "fence.close", D },
        [EV_CLOCK_JUMP] = { "clock.jump", D },
        [EV_JOURNAL_RECOVERED] = { "journal.recovered", D },
        [EV_IO_ERROR] = { "io.error", D },
        [EV_RUN_PAUSE] = { "run.pause", R },
        [EV_RUN_RESUME] = { "run.resume", R },
        [EV_RUN_ABORT] = { "run.abort", R },
        [EV_RUN_CLOSE] = { "run.close", R },
};

const char *event_name(EventType type)
{
        return (unsigned)type < EV_COUNT_ ? events[type].name : "";
}

EventType event_type(const char *name)
{
        for (int i = EV_NONE + 1; i < EV_COUNT_; i++)
                if (str_eq(events[i].name, name))
                        return (EventType)i;
        return EV_NONE;
}

unsigned event_traits(EventType type)
{
        return (unsigned)type < EV_COUNT_ ? events[type].traits : 0;
}
