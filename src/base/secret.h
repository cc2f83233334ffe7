/* secret.h: a string that does not want to be read.
 *
 * Secret is a struct, not a char *, so the compiler is the guard:
 * printf("%s", s) fails -Wformat, strlen(s) fails to compile, and the
 * journal's field macro turns one into a redaction mark by type. The only
 * door out is secret_expose(), and its name is the audit:
 *
 *      git grep -n secret_expose        # every place a password is touched
 *
 * Bytes live in one mlock()ed block (best effort), are excluded from core
 * dumps, and are wiped before free. Never put a Secret in an Arena. */
#pragma once

#include "base/err.h"

typedef struct Secret Secret;

/* Own pages of at least `n` zeroed bytes, locked (best effort: RLIMIT_MEMLOCK) and excluded from
 * core dumps: the only places where a secret may lie. *ret_size goes to secret_pages_free(), which
 * wipes them first. */
char *secret_pages_new(size_t n, size_t *ret_size) MUST_CHECK;
void secret_pages_free(char *pages, size_t size);

/* Takes a copy and wipes the caller's buffer, so that one copy is left, not two. */
Secret *secret_take(const char *name, char *bytes, size_t len);

/* Wipes, then frees. NULL is fine. Returns NULL: `s = secret_free(s);` */
Secret *secret_free(Secret *s);

/* The name ("source password"), safe to print anywhere. */
const char *secret_name(const Secret *s) NONNULL;

/* The bytes, NUL-terminated, valid until secret_free(). Pass them straight to
 * the one call that needs them; do not store or copy the pointer. */
const char *secret_expose(const Secret *s) NONNULL;

/* Constant-time, for "type it again to confirm". */
bool secret_equal(const Secret *a, const Secret *b) NONNULL;

static inline void secret_freep(Secret **s)
{
        secret_free(*s);
}
#define AUTO_SECRET CLEANUP(secret_freep) Secret *
