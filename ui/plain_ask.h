/* plain_ask.h: questions as numbered lines; Enter alone changes nothing.
 *
 * Answers come from stdin, or line by line from a file (tests, the demo). The end of the input
 * is "nobody is here": the run goes on waiting and pgsherpa leaves. */
#pragma once

#include "ui/model.h"
#include "ui/ui.h"

typedef struct Input {
        int fd; /* 0, or the file of answers */
        bool file, eof;
        Buf line;
        char rest[4096];
        size_t n_rest;
} Input;

int64_t plain_now_ms(void); /* monotonic; PGSHERPA_CLOCK does not stop it */
bool input_open(Input *in, const UiOptions *o, Err *err) MUST_CHECK;
void input_done(Input *in);
/* One line without its end, in in->line. False: nobody is here, or `m`'s open question was
 * answered by somebody else meanwhile (then in->eof is false). m may be NULL. */
bool input_line(Input *in, RunModel *m);
/* The same without echo. */
bool input_secret(Input *in);

typedef struct Option {
        const char *key, *label, *consequence;
} Option;
/* Lists the options and asks until one is chosen: its index; fallback on Enter alone; -1 when
 * nobody is here. */
int ask_options(Input *in, RunModel *m, const Option *options, size_t n, int fallback);

typedef enum Asked { ASKED_SENT, ASKED_LATER, ASKED_GONE } Asked;
/* Shows and answers the open gate of the run. */
Asked plain_gate(Input *in, RunModel *m, const UiOptions *o);

/* Follows a run to its end with this input (plain.c). */
int plain_run_with(const UiApp *app, const UiOptions *o, const char *run_dir, Input *in);
