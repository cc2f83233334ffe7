/* state.h: what the engine must know of its own past, as a pure fold over the journal.
 *
 * The run loop never asks "did I crash?". It asks the state of a step and does what that state
 * calls for; a live run and a resumed one are the same code:
 *
 *      pending   try it            intent    (only after a crash) ask the world, then decide
 *      failed    rules, then ask   done, skipped, already: next step
 *
 * record_append() folds every event it wrote; resume folds the whole journal first. */
#pragma once

#include "base/arena.h"
#include "journal/journal.h"

typedef enum RecState {
        REC_PENDING,
        REC_INTENT,
        REC_DONE,
        REC_SKIPPED,
        REC_ALREADY,
        REC_FAILED,
        REC_UNKNOWN,
        REC_UNDO_INTENT,
        REC_UNDONE,
        REC_UNDO_FAILED,
        REC_UNDO_DRIFT,
        REC_UNDO_LEFT,
} RecState;

typedef struct StepRec {
        const char *id;
        RecState state, before_undo;
        int attempt;        /* of the last intent */
        int tries;          /* failures in a row, for retry.times */
        int64_t intent_seq; /* of the last intent; 0: it never touched anything */
        int64_t t_done;     /* wall clock of its verdict */
        char answer;        /* of its error gate, after its last failure; 0 */
        json_t *remembered; /* object, or NULL */
        json_t *ticks;      /* of a manual step: {"0": "anna"} */
        json_t *counts;     /* tolerated errors per rule: {"0": 3} */
        int tolerated;
        json_t *failure; /* fields of the last step.failed */
} StepRec;

typedef struct EngineState {
        Arena *arena;
        int64_t last_seq;
        const char *run, *tag, *plan_sha256, *closed; /* closed: run.close's status, or NULL */
        int64_t t_open;
        StepRec **steps;
        size_t n_steps, capacity;
        json_t *answered;    /* gate key ("copy#0") -> answer that lets it pass */
        json_t *answered_by; /* the same key -> who gave it */
        json_t *gates;       /* number -> {"key", "step", "kind"} of gates seen */
        int64_t last_gate;
        json_t *decisions; /* id -> answer */
        json_t *facts;     /* refs ({"$ref": "facts/x.json"}) not loaded yet */
        json_t *phases;    /* id -> "started" | "ended" */
        json_t *fences;    /* target -> "open" | "closed" */
        int64_t downtime_begin_bt, downtime_end_bt, downtime_begin_t, downtime_end_t;
        const char *boot_id; /* of the last open or resume */
        bool undoing, accepted, paused;
        const char *undo_to; /* "" : everything */
        const char *undo_by;
} EngineState;

void state_init(EngineState *s);
void state_done(EngineState *s);
void state_apply(EngineState *s, const Event *ev);
StepRec *state_step(EngineState *s, const char *id);       /* made when it is not there yet */
StepRec *state_find(const EngineState *s, const char *id); /* or NULL */

/* Facts live in a tree: path "inventory", "gitea", "size". Steals value. */
void state_set_fact(json_t *facts, const json_t *path, json_t *value);
