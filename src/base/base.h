/* base.h: the words every file of pgsherpa may use without asking.
 *
 * Nothing here knows a thing about PostgreSQL, Docker or screens. Attributes are spelled
 * once, so that a reader sees MUST_CHECK instead of compiler noise, and memory is asked
 * for through functions that abort when there is none: a run that dies is resumed from
 * its journal, so the out-of-memory path would be code that nobody ever tested.
 *
 *      AUTO_FREE char *name = xasprintf("%s.%s", schema, table);
 *      AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
 */
#pragma once

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define NONNULL      __attribute__((nonnull))
#define MUST_CHECK   __attribute__((warn_unused_result))
/* unused: a guard may live for its end alone (a lock, an open end of a pipe); clang objects. */
#define CLEANUP(fn) __attribute__((cleanup(fn), unused))
#define NORETURN    __attribute__((noreturn))
#define LEN(a)      (sizeof(a) / sizeof((a)[0]))
#define LITERAL(s)  ("" s "")
#define MIN(a, b)   ((a) < (b) ? (a) : (b))
#define MAX(a, b)   ((a) > (b) ? (a) : (b))

/* Allocation that cannot fail: prints one line to stderr and aborts instead. */
void *xmalloc(size_t size) MUST_CHECK;
void *xcalloc(size_t n, size_t size) MUST_CHECK;
void *xrealloc(void *p, size_t size) MUST_CHECK;
char *xstrdup(const char *s) MUST_CHECK NONNULL;
char *xstrndup(const char *s, size_t n) MUST_CHECK NONNULL;
char *xasprintf(const char *fmt, ...) MUST_CHECK PRINTF(1, 2);
char *xvasprintf(const char *fmt, va_list ap) MUST_CHECK PRINTF(1, 0);

static inline bool str_eq(const char *a, const char *b)
{
        return a && b && strcmp(a, b) == 0;
}

static inline bool str_starts(const char *s, const char *prefix)
{
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix) NONNULL;

/* A flag that one thread raises and others look at now and then. */
static inline bool flag_up(const volatile bool *flag)
{
        return __atomic_load_n(flag, __ATOMIC_RELAXED);
}

static inline void flag_raise(volatile bool *flag)
{
        __atomic_store_n(flag, true, __ATOMIC_RELAXED);
}

static inline void flag_lower(volatile bool *flag)
{
        __atomic_store_n(flag, false, __ATOMIC_RELAXED);
}

static inline void base_freep_(void *p)
{
        free(*(void **)p);
}
void base_closep_(int *fd); /* keeps errno; -1 is fine */

#define AUTO_FREE CLEANUP(base_freep_)
#define AUTO_FD   CLEANUP(base_closep_)
