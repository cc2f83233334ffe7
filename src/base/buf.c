#include "base/buf.h"

void buf_done(Buf *b)
{
        if (b->secret && b->data)
                explicit_bzero(b->data, b->capacity);
        free(b->data);
        *b = (Buf){ .max = b->max, .secret = b->secret };
}

void buf_cut(Buf *b, size_t n)
{
        assert(n <= b->len);
        if (!b->data)
                return;
        memmove(b->data, b->data + n, b->len - n);
        b->len -= n;
        if (b->secret)
                explicit_bzero(b->data + b->len, b->capacity - b->len);
        b->data[b->len] = '\0';
}

/* realloc() would leave a copy behind in freed memory. */
static void buf_grow(Buf *b, size_t capacity)
{
        if (!b->secret) {
                b->data = xrealloc(b->data, capacity);
        } else {
                char *data = xcalloc(1, capacity);
                if (b->data) {
                        memcpy(data, b->data, b->len);
                        explicit_bzero(b->data, b->capacity);
                        free(b->data);
                }
                b->data = data;
        }
        b->capacity = capacity;
}

void buf_reset(Buf *b)
{
        if (b->secret && b->data)
                explicit_bzero(b->data, b->capacity);
        b->len = 0;
        b->overflow = false;
        if (b->data)
                b->data[0] = '\0';
}

bool buf_add(Buf *b, const void *bytes, size_t n)
{
        assert(b->max > 0);
        if (n > b->max - b->len) {
                b->overflow = true;
                return false;
        }
        if (b->len + n + 1 > b->capacity) {
                size_t capacity = b->capacity ? b->capacity : 64;
                while (capacity < b->len + n + 1)
                        capacity *= 2;
                buf_grow(b, capacity);
        }
        if (n)
                memcpy(b->data + b->len, bytes, n);
        b->len += n;
        b->data[b->len] = '\0';
        return true;
}

bool buf_adds(Buf *b, const char *s)
{
        return buf_add(b, s, strlen(s));
}

bool buf_addc(Buf *b, char c)
{
        return buf_add(b, &c, 1);
}

bool buf_printf(Buf *b, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *s = xvasprintf(fmt, ap);
        va_end(ap);
        return buf_adds(b, s);
}

const char *buf_str(const Buf *b)
{
        return b->data ? b->data : "";
}

char *buf_take(Buf *b, size_t *ret_len)
{
        if (ret_len)
                *ret_len = b->len;
        char *data = b->data ? b->data : xstrdup("");
        *b = (Buf){ .max = b->max, .secret = b->secret };
        return data;
}
