#include "yaml/marks.h"

#include "base/text.h"

enum { STRIDE = 64 };

static bool forbidden(uint32_t c)
{
        if (c < 0x20)
                return c != '\n' && c != '\t';
        if (c >= 0x7f && c <= 0x9f)
                return true;
        /* Marks, embeddings, overrides and isolates of the bidi algorithm; line separators
         * that only some programs break at; the byte order mark. */
        return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
               (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

uint32_t marks_forbidden(const char *text, size_t n)
{
        for (size_t i = 0; i < n;) {
                uint32_t c = 0;
                size_t len = text_decode(text + i, n - i, &c);
                if (!len)
                        return 0xfffd;
                if (forbidden(c))
                        return c ? c : 0xfffd;
                i += len;
        }
        return 0;
}

static bool line_ends(const char *bytes, size_t n, size_t i, uint32_t c)
{
        if (c == '\r')
                return !(i + 1 < n && bytes[i + 1] == '\n');
        return c == '\n' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

bool marks_scan(Arena *a, const char *bytes, size_t n, bool strict, Marks *ret, YamlSpot *spot,
                Err *err)
{
        size_t *every = arena_new_array(a, size_t, n / STRIDE + 1);
        size_t characters = 0;
        *spot = (YamlSpot){ 1, 1 };
        for (size_t i = 0; i < n; characters++) {
                uint32_t c = 0;
                size_t len = text_decode(bytes + i, n - i, &c);
                if (!len) {
                        err_set(err, ERR_USER, "byte %zu (0x%02x) is not valid UTF-8", i + 1,
                                (unsigned char)bytes[i]);
                        return err_hint(err, "save the file as UTF-8");
                }
                if (!c)
                        return err_set(err, ERR_USER, "there is a NUL byte in the file");
                bool crlf = c == '\r' && i + 1 < n && bytes[i + 1] == '\n';
                if (strict && forbidden(c) && !crlf) {
                        err_set(err, ERR_USER,
                                "the character U+%04X must not be here: it would not show", c);
                        return err_hint(err, "delete it and type the text again");
                }
                if (characters % STRIDE == 0)
                        every[characters / STRIDE] = i;
                if (line_ends(bytes, n, i, c))
                        *spot = (YamlSpot){ spot->line + 1, 1 };
                else
                        spot->col++;
                i += len;
        }
        *ret = (Marks){ .bytes = bytes,
                        .n = n,
                        .every = every,
                        .n_every = (characters + STRIDE - 1) / STRIDE };
        return true;
}

size_t marks_byte(const Marks *m, size_t character)
{
        size_t slot = character / STRIDE;
        if (slot >= m->n_every)
                return m->n;
        size_t i = m->every[slot];
        for (size_t left = character % STRIDE; left && i < m->n; left--) {
                uint32_t c;
                i += text_decode(m->bytes + i, m->n - i, &c);
        }
        return i;
}
