/* proc.h: children: started without a shell, watched to their end, never lost.
 *
 *      ProcResult r = {0};
 *      if (!proc_run(&argv, &(ProcOptions){ .cancel = flag }, &r, err))
 *              ...             // could not start, timed out, was cancelled, or exited != 0
 *
 * The child gets its own process group and session-less stdio, only the environment it needs
 * (PATH, HOME, LANG, TERM and what .env adds; PG* is cleared), closed descriptors, default
 * signals. An execvp() failure comes back as itself ("docker: command not found"), through a
 * close-on-exec pipe. Secrets go in by stdin (.input_secret) or by a descriptor, never by argv
 * or environment. A child of proc_run() gets TERM when we die: a resumed run must not meet
 * the children of its predecessor. */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "proc/argv.h"

typedef struct ProcOptions {
        const char *const *env; /* "NAME=value", NULL-terminated; added to the base set */
        const char *cwd;
        const char *input; /* bytes for stdin, or NULL: /dev/null */
        size_t input_len;
        const Secret *input_secret;   /* stdin from a secret, with a final newline */
        int64_t timeout_ms;           /* 0: none; then the group gets TERM, later KILL */
        const volatile bool *cancel;  /* polled; NULL: not cancellable */
        const volatile bool *also[2]; /* the same, for other reasons */
        bool any_exit;                /* a non-zero exit is not an error; look at r->status */
        size_t max_output;            /* of stdout kept; 0: LIMIT_CAPTURE */
        /* Each line as it comes (cleaned, without newline); from stdout (fd 1) or stderr (2). */
        void (*line)(void *arg, int fd, const char *line);
        void *line_arg;
        int stdout_fd; /* > 0: the child writes here instead of being captured */
        int stdin_fd;  /* > 0: the child reads from here; not with .input */
} ProcOptions;

typedef struct ProcResult {
        int status;   /* exit status, 128 + signal when killed */
        Buf out, err; /* captured */
        pid_t pid;
} ProcResult;

bool proc_run(const Argv *argv, const ProcOptions *options, ProcResult *r, Err *err) MUST_CHECK;
void proc_result_done(ProcResult *r) NONNULL;
#define AUTO_PROC CLEANUP(proc_result_done) ProcResult

/* Takes PG* out of our own environment, all but PGSHERPA_*: libpq fills what a connection does
 * not name from it, and PGHOSTADDR would win over its `host`. First thing in main(): no thread
 * may be there yet. */
void proc_forget_pg(void);

/* Start and leave running in a session of its own (the engine, so it gets our whole environment):
 * double fork, stdio to log_path, `keep_fd` inherited (or -1). Returns its pid. */
bool proc_daemon(const Argv *argv, const char *log_path, int keep_fd, pid_t *ret_pid,
                 Err *err) MUST_CHECK;
/* Start time of a process (field 22 of /proc/PID/stat): pid + starttime is an identity. */
bool proc_starttime(pid_t pid, unsigned long long *ret) MUST_CHECK;
/* Gives the operator's terminal to a command for its duration (a shell, ansible --ask..). */
bool proc_foreground(const Argv *argv, const char *cwd, int *ret_status, Err *err) MUST_CHECK;
/* Full path of a program in PATH, malloc()ed, or NULL. */
char *proc_which(const char *name) MUST_CHECK;
