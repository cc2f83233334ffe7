#include "base/arena.h"

#include <stdalign.h>

typedef struct Block {
        struct Block *prev;
        size_t size;
        alignas(16) char bytes[];
} Block;

struct Arena {
        Block *top;
        size_t used; /* of top */
};

enum { FIRST_BLOCK = 4096 };

static void push(Arena *a, size_t need)
{
        size_t size = a->top ? a->top->size * 2 : FIRST_BLOCK;
        if (size > 1024 * 1024)
                size = 1024 * 1024;
        if (size < need)
                size = need;
        Block *b = xmalloc(sizeof(Block) + size);
        b->prev = a->top;
        b->size = size;
        a->top = b;
        a->used = 0;
}

Arena *arena_new(void)
{
        return xcalloc(1, sizeof(Arena));
}

Arena *arena_free(Arena *a)
{
        if (!a)
                return NULL;
        arena_reset(a, (ArenaMark){ 0 });
        free(a);
        return NULL;
}

void *arena_alloc(Arena *a, size_t size)
{
        size = (size + 15) & ~(size_t)15;
        if (!size)
                size = 16;
        if (!a->top || a->top->size - a->used < size)
                push(a, size);
        void *p = a->top->bytes + a->used;
        a->used += size;
        memset(p, 0, size);
        return p;
}

char *arena_strndup(Arena *a, const char *s, size_t n)
{
        size_t len = strnlen(s, n);
        char *copy = arena_alloc(a, len + 1);
        memcpy(copy, s, len);
        return copy;
}

char *arena_strdup(Arena *a, const char *s)
{
        return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

char *arena_printf(Arena *a, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *s = xvasprintf(fmt, ap);
        va_end(ap);
        return arena_strdup(a, s);
}

ArenaMark arena_mark(Arena *a)
{
        return (ArenaMark){ .block = a->top, .used = a->used };
}

void arena_reset(Arena *a, ArenaMark mark)
{
        while (a->top && a->top != mark.block) {
                Block *prev = a->top->prev;
                free(a->top);
                a->top = prev;
        }
        a->used = a->top ? mark.used : 0;
}
