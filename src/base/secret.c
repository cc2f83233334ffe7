#include "base/secret.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/redact.h"

struct Secret {
        char *name;
        char *block; /* own pages: locked, not dumped */
        size_t block_size;
        size_t len;
};

char *secret_pages_new(size_t n, size_t *ret_size)
{
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        *ret_size = (n + page - 1) / page * page;
        char *p = mmap(NULL, *ret_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
                abort();
        (void)mlock(p, *ret_size);
        (void)madvise(p, *ret_size, MADV_DONTDUMP);
        return p;
}

void secret_pages_free(char *pages, size_t size)
{
        explicit_bzero(pages, size);
        munmap(pages, size);
}

Secret *secret_take(const char *name, char *bytes, size_t len)
{
        Secret *s = xcalloc(1, sizeof *s);
        s->name = xstrdup(name);
        s->len = len;
        s->block = secret_pages_new(len + 1, &s->block_size);
        memcpy(s->block, bytes, len);
        s->block[len] = '\0';
        explicit_bzero(bytes, len);
        redact_register(s);
        return s;
}

Secret *secret_free(Secret *s)
{
        if (!s)
                return NULL;
        redact_forget(s);
        secret_pages_free(s->block, s->block_size);
        free(s->name);
        free(s);
        return NULL;
}

const char *secret_name(const Secret *s)
{
        return s->name;
}

const char *secret_expose(const Secret *s)
{
        return s->block;
}

bool secret_equal(const Secret *a, const Secret *b)
{
        unsigned diff = a->len != b->len;
        for (size_t i = 0; i < MIN(a->len, b->len); i++)
                diff |= (unsigned char)(a->block[i] ^ b->block[i]);
        return diff == 0;
}
