/* mem.c: allocation that cannot fail, and two cleanup helpers. */
#include "base/base.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static NORETURN void out_of_memory(size_t size)
{
        fprintf(stderr, "pgsherpa: out of memory (%zu bytes); the run can be resumed\n", size);
        abort();
}

void *xmalloc(size_t size)
{
        void *p = malloc(size ? size : 1);
        if (!p)
                out_of_memory(size);
        return p;
}

void *xcalloc(size_t n, size_t size)
{
        void *p = calloc(n ? n : 1, size ? size : 1);
        if (!p)
                out_of_memory(n * size);
        return p;
}

void *xrealloc(void *p, size_t size)
{
        void *q = realloc(p, size ? size : 1);
        if (!q)
                out_of_memory(size);
        return q;
}

char *xstrdup(const char *s)
{
        return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t n)
{
        size_t len = strnlen(s, n);
        char *copy = xmalloc(len + 1);
        memcpy(copy, s, len);
        copy[len] = '\0';
        return copy;
}

char *xvasprintf(const char *fmt, va_list ap)
{
        char *s = NULL;
        if (vasprintf(&s, fmt, ap) < 0)
                out_of_memory(0);
        return s;
}

char *xasprintf(const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        char *s = xvasprintf(fmt, ap);
        va_end(ap);
        return s;
}

bool str_ends(const char *s, const char *suffix)
{
        size_t n = strlen(s), k = strlen(suffix);
        return n >= k && memcmp(s + n - k, suffix, k) == 0;
}

void base_closep_(int *fd)
{
        int saved = errno;
        if (*fd >= 0)
                close(*fd);
        errno = saved;
}
