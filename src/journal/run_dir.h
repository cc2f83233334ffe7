/* run_dir.h: where runs live: $XDG_STATE_HOME/pgsherpa/runs/<id>/ (root: /var/lib/pgsherpa).
 *
 * PGSHERPA_STATE overrides the root (tests). A run's id is p and a number; its tag ("p42-1a2b")
 * adds four random hex digits, so that labels of two state directories never meet. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

char *run_dir_root(void) MUST_CHECK; /* ".../runs", malloc()ed */
/* Makes the next run directory (0700, with output/, state/, saved/). */
bool run_dir_create(char **ret_dir, char **ret_id, Err *err) MUST_CHECK;
/* "p42-1a2b": made once with the directory and kept in its file "tag". malloc()ed. */
bool run_dir_tag(const char *run_dir, char **ret_tag, Err *err) MUST_CHECK;
/* "p42", "42", "latest" or a path -> directory; error names the runs there are. */
bool run_dir_find(const char *name, char **ret_dir, Err *err) MUST_CHECK;

typedef struct RunSummary {
        const char *dir, *id, *title, *runbook;
        const char *status; /* engine alive: "running" "waiting" (for a person)
                             * "paused"; gone: "stopped" (can be resumed); closed:
                             * "done" "failed" "aborted" "undone" "refused";
                             * "empty": nothing was journaled */
        int64_t t_open, t_close, elapsed_ms;
        bool engine_alive; /* its lock is held */
        bool damaged;
} RunSummary;
/* Newest first, in the arena. Damaged journals are listed as such, never skipped. */
bool runs_list(Arena *a, RunSummary **ret, size_t *ret_n, Err *err) MUST_CHECK;

/* The run's lock: held (by flock) while its engine lives. -1 in *ret_fd: somebody has it. */
bool run_lock_try(const char *run_dir, int *ret_fd, Err *err) MUST_CHECK;
bool run_lock_held(const char *run_dir);
/* Who says so in the lock file ("anna, pid 4711 on vault, since 22:41"), for an error message;
 * information only. malloc()ed, never NULL. */
char *run_lock_words(const char *run_dir) MUST_CHECK;
