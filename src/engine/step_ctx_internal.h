/* step_ctx_internal.h: the inside of a StepCtx, for step_ctx.c and step_say.c only. */
#pragma once

#include <pthread.h>

#include "engine/step_host.h"

typedef struct CancelHook {
        void (*fn)(void *arg);
        void *arg;
} CancelHook;

struct StepCtx {
        StepHost host;
        const StepKind *kind;
        const char *id, *run_id, *run_dir;
        int attempt;
        int64_t timeout_ms;
        bool planning;
        Arena *arena;
        json_t *params, *results, *remembered;
        json_t *problems, *unseen, *warnings, *plan, *plan_undo;
        const Target *target;
        void *state;
        char *note;

        pthread_mutex_t lock; /* everything below */
        pthread_cond_t woken;
        volatile bool cancel;
        CancelHook hooks[64];
        int (*jobs)(void *arg, int delta);
        void *jobs_arg;
        int log_fd; /* -1: not opened yet */
        int64_t log_bytes, log_lines;
        bool log_full;
        int64_t last_sign_ms, last_progress_ms;
        json_t *held_progress; /* thinned away, written by step_ctx_flush() */
};
