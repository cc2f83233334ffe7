/* internal.h: what the two halves of proc share: the environment, and the child's last
 * moments before exec. Not for other rooms. */
#pragma once

#include "proc/proc.h"

/* "NAME=value" of the base set plus `extra`, NULL-terminated; strings and vector are
 * malloc()ed. */
char **proc_env_new(const char *const *extra) MUST_CHECK;
void proc_env_free(char **env);

/* What a child does between fork and exec. Only async-signal-safe calls. */
typedef struct ChildSetup {
        int in, out, err; /* become 0, 1, 2 */
        int keep_fd;      /* stays open, or -1 */
        int errno_fd;     /* gets the errno of a failed exec; close-on-exec */
        const char *cwd;
        bool new_group, new_session;
        bool die_with_us; /* TERM when the engine is killed, so that a resumed one
                             does not meet its predecessor's children */
        pid_t parent;
        char *const *argv, *const *env;
        const char *path; /* what to execute, already looked up */
} ChildSetup;

NORETURN void proc_child(const ChildSetup *c);

/* Reads what a child's errno_fd said: 0 when it became the program. */
int proc_child_errno(int errno_fd);
/* "docker: command not found" and what to do about it. Returns false. */
bool proc_cannot_start(Err *err, const char *name, const char *cwd, int why);
