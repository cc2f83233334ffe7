/* desk_impl.h: what the files of the desk share, and nobody else sees. */
#pragma once

#include "base/frame.h"
#include "engine/desk/desk.h"

typedef struct Client {
        int fd; /* -1: free place */
        FrameReader in;
        Buf out;
        bool greeted, told;
        Viewer who;
        int64_t sent_seq;
} Client;

/* The question that is open, of question.c. */
typedef struct OpenGate {
        const Question *q; /* NULL: none is */
        Answer *answer;    /* the asker's, filled by gate_answer() */
        bool answered;
        int64_t number, seq, opened_bt;
} OpenGate;

enum { LOOP_USERS = 4, DESK_CLIENTS = 16 };

struct Desk {
        int listen_fd, signal_fd;
        Client clients[DESK_CLIENTS];
        const LoopUser *users[LOOP_USERS];
        size_t n_users;
        StepCtx *ctx; /* of the step that works, while loop_work() waits for it */
        OpenGate gate;
        int64_t clock_skew_ms, last_tick_bt;
        bool budget_warned, budget_over;
};

/* Answers in `reply`: {"ok": true, ..} or {"ok": false, "error", "hint"}. */
void control_command(Engine *e, Client *cl, const json_t *message, json_t *reply);
/* Writes the answer down and lets the asker go on. Steals what is in *a, also on failure. */
bool gate_answer(Engine *e, Answer *a, Err *err) MUST_CHECK;
