/* desk.h: where the engine waits, and where people reach it.
 *
 *      loop.c       poll: signals, wake-ups, whoever registered; work in another thread
 *      control.c    the socket: many viewers
 *      commands.c   what may be said over it
 *      question.c   one question, its answer; "not now"
 *      clocks.c     downtime, its budget, a wall clock that jumps
 *
 * The run itself is straight code on the main thread; wherever it must wait it calls one of these,
 * and the socket, the signals and the clocks are served meanwhile. */
#pragma once

#include <poll.h>

#include "engine/record/record.h"

/* In engine_init() and engine_done(). */
void desk_new(Engine *e);
void desk_free(Engine *e);

/* ---- loop.c ---- */
bool loop_open(Engine *e, Err *err) MUST_CHECK;
void loop_close(Engine *e);
/* Somebody whom poll() is to serve. Any function may be NULL. */
typedef struct LoopUser {
        /* Before poll(): what to wait for, at most `room` of them; how many. Also called when
         * nothing happened: the place for what is due by itself. */
        size_t (*wants)(Engine *e, struct pollfd *fds, size_t room);
        void (*ready)(Engine *e, const struct pollfd *fds, size_t n); /* the same ones, after it */
        void (*tick)(Engine *e);                                      /* after everybody's ready */
} LoopUser;
/* `user` must outlive the loop; they are served in the order they came. */
void loop_serve(Engine *e, const LoopUser *user);
/* One round of poll(), at most max_ms long. */
bool loop_pump(Engine *e, int64_t max_ms, Err *err) MUST_CHECK;
/* Sleeps, serving the socket; false when the run is to stop. */
bool loop_sleep(Engine *e, int64_t ms, Err *err) MUST_CHECK;
/* Runs fn in a thread of its own until it returns. ctx (may be NULL) is cancelled on timeout,
 * abort and rollback. */
typedef bool (*WorkFn)(void *arg, Err *err);
bool loop_work(Engine *e, StepCtx *ctx, int64_t timeout_ms, WorkFn fn, void *arg,
               Err *err) MUST_CHECK;

/* ---- control.c ---- */
bool control_open(Engine *e, Err *err) MUST_CHECK; /* in e->dir_fd; needs loop_open() */
void control_close(Engine *e);                     /* hangs up on everybody, removes the socket */

/* ---- clocks.c ---- */
void clocks_open(Engine *e); /* from now on budget and wall clock are watched */
bool clocks_downtime(Engine *e, bool begin, Err *err) MUST_CHECK;
int64_t clocks_downtime_ms(const Engine *e); /* -1: none running or run */

/* ---- question.c ---- */
/* Asks, and waits for the answer, which is in the journal when it returns. `ret` is emptied first;
 * answer_done() it. False: stop. */
bool gate_ask(Engine *e, Question *q, Answer *ret, Err *err) MUST_CHECK;
json_t *gate_choices(const char *first_key, const char *label, const char *consequence,
                     ...) MUST_CHECK; /* triples, ended by NULL */
/* The price of an answer, said and typed. `key` is answered by going on only; false in *ret_sure:
 * back. */
bool gate_going_on(Engine *e, const char *step, const char *key, const char *risk, bool *ret_sure,
                   Err *err) MUST_CHECK;
/* Paused until somebody continues. `by`: who answered "not now"; NULL: a pause was asked for. */
bool gate_not_now(Engine *e, const char *by, Err *err) MUST_CHECK;
