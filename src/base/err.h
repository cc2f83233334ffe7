/* err.h: how bad news travels.
 *
 * A function that can fail returns bool, takes `Err *err` last, and on false
 * has filled *err. Nobody logs on the way up: each caller adds the one line
 * only it knows ("while copying public.orders") and returns. Whoever *handles*
 * the error, the step runner or main(), turns it into a journal event once.
 *
 *      if (!slot_create(pg, name, err))
 *              return err_wrap(err, "preparing slot %s", name);
 *
 * Printed, innermost cause last, so it reads like a sentence:
 *
 *      step 12 pg.slot.create: preparing slot mig_1: all replication slots are in use
 *      SQLSTATE 53400
 *      hint: raise max_replication_slots on the source and restart it
 *
 * An Err is a plain value. `Err err = {0};` is a clean one; err_clear() is
 * always safe, even twice. Programmer mistakes are not errors: use assert(). */
#pragma once

#include "base/base.h"

typedef enum ErrKind {
        ERR_NONE = 0,
        ERR_USER,      /* the operator can fix it: bad runbook, bad answer */
        ERR_SERVER,    /* Postgres said no; sqlstate is set */
        ERR_LINK,      /* the connection or host went away; retry may help */
        ERR_COMMAND,   /* a child process failed; exit_status is set */
        ERR_SYSTEM,    /* a system call failed; sys_errno is set */
        ERR_CANCELLED, /* somebody asked us to stop, and we did */
} ErrKind;

typedef struct Err {
        ErrKind kind;
        int sys_errno;
        int exit_status;
        char sqlstate[6];
        char *message; /* "outer: inner: cause", grows at the front */
        char *hint;    /* what to try next, or NULL */
} Err;

/* Set, wrap and hint all return false, so that the sad path is one line. */
bool err_set(Err *err, ErrKind kind, const char *fmt, ...) PRINTF(3, 4) NONNULL;
bool err_set_errno(Err *err, int sys_errno, const char *fmt, ...) PRINTF(3, 4) NONNULL;
bool err_wrap(Err *err, const char *fmt, ...) PRINTF(2, 3) NONNULL;
bool err_hint(Err *err, const char *fmt, ...) PRINTF(2, 3) NONNULL;

void err_clear(Err *err) NONNULL;
bool err_is_retryable(const Err *err) NONNULL;

#define AUTO_ERR CLEANUP(err_clear) Err

/* Moves *from into *to (clearing what was there) and leaves *from clean. */
void err_move(Err *to, Err *from) NONNULL;

/* The kind as one word for journals and JSON: "user", "server", "link" ... */
const char *err_kind_name(ErrKind kind);
