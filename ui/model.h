/* model.h: the run on the screen: its directory, its view, its engine.
 *
 * The journal is the truth; the socket only says "look again" sooner. A dead engine, a missing
 * plan.json and a damaged journal are states to be shown, not reasons to leave. */
#pragma once

#include "journal/run_view.h"
#include "ui/client.h"

typedef void (*ModelEvent)(void *ctx, const Event *ev, const RunView *before_after);

typedef struct RunModel {
        char *dir;
        const char *who; /* "alice@vault" */
        JournalReader *reader;
        RunView *view;
        json_t *plan; /* plan.json, or NULL */
        Client client;
        bool alive;          /* its engine holds the lock */
        char *damage;        /* the journal cannot be read further, in words */
        bool held;           /* against `head`, once all was read */
        int64_t looked_ms;   /* when liveness was last looked at */
        ModelEvent on_event; /* plain and JSON frontends; else NULL */
        void *ctx;
} RunModel;

bool model_open(const char *dir, const char *who, bool watch, RunModel **ret, Err *err) MUST_CHECK;
RunModel *model_close(RunModel *m);
/* Reads what is new. True when something changed. boot_ms: a clock that runs. */
bool model_poll(RunModel *m, int64_t boot_ms);

/* The plan's step with that id (object with commands), or NULL. Borrowed. */
const json_t *model_plan_step(const RunModel *m, const char *id);
/* A fact of a step: "docker", "servers". Long ones stand in a file of the run directory. New
 * reference or NULL. */
json_t *model_fact(const RunModel *m, const char *step, const char *name);

/* Commands. The answer carries the gate's number and the sequence it was seen at, so a stale
 * screen cannot answer a newer question. */
bool model_answer(RunModel *m, const char *answer, const char *text);
bool model_secret(RunModel *m, const char *value);
bool model_tick(RunModel *m, const char *step, int item, bool ticked);
bool model_command(RunModel *m, const char *cmd);
bool model_jobs(RunModel *m, int delta); /* workers of the running step, more or fewer */

/* Time left of the whole run in ms, -1 unknown: estimates of what waits, and what the running
 * step says of itself. */
int64_t model_left_ms(const RunModel *m, int64_t now_wall);
/* Share of the whole run that is done, by estimated time; 0..1. */
double model_part(const RunModel *m);
/* Share of one step, from its progress; -1 when its total is unknown. */
double step_part(const ViewStep *s);
