/* arena.h: memory with one owner and one end.
 *
 * Things that live together die together: all strings of one runbook, one attempt of a
 * step, one frame of the screen. Loops over rows take a mark and give it back:
 *
 *      ArenaMark m = arena_mark(a);
 *      while (next_row(...)) {
 *              use(arena_printf(a, "%s.%s", schema, table));
 *              arena_reset(a, m);
 *      }
 *
 * Never put a Secret here: arena memory is not wiped. */
#pragma once

#include "base/base.h"

typedef struct Arena Arena;
typedef struct ArenaMark {
        void *block;
        size_t used;
} ArenaMark;

Arena *arena_new(void) MUST_CHECK;
Arena *arena_free(Arena *a); /* NULL is fine; returns NULL */

void *arena_alloc(Arena *a, size_t size) MUST_CHECK NONNULL; /* zeroed, aligned to 16 */
char *arena_strdup(Arena *a, const char *s) MUST_CHECK;      /* NULL stays NULL */
char *arena_strndup(Arena *a, const char *s, size_t n) MUST_CHECK NONNULL;
char *arena_printf(Arena *a, const char *fmt, ...) MUST_CHECK PRINTF(2, 3);

ArenaMark arena_mark(Arena *a) NONNULL;
void arena_reset(Arena *a, ArenaMark mark) NONNULL;

#define arena_new_type(a, T)     ((T *)arena_alloc((a), sizeof(T)))
#define arena_new_array(a, T, n) ((T *)arena_alloc((a), sizeof(T) * (n)))

static inline void arena_freep(Arena **a)
{
        *a = arena_free(*a);
}
#define AUTO_ARENA CLEANUP(arena_freep) Arena *
