#include "base/text.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/limits.h"

size_t text_decode(const char *bytes, size_t n, uint32_t *ret)
{
        const unsigned char *s = (const unsigned char *)bytes;
        if (n == 0)
                return 0;
        if (s[0] < 0x80) {
                *ret = s[0];
                return 1;
        }
        size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
        if (!len || s[0] > 0xf4 || n < len)
                return 0;
        uint32_t c = s[0] & (0xffu >> (len + 1));
        for (size_t i = 1; i < len; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (s[i] & 0x3fu);
        }
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return 0;
        *ret = c;
        return len;
}

size_t text_encode(uint32_t c, char out[static 4])
{
        if (c < 0x80) {
                out[0] = (char)c;
                return 1;
        }
        if (c < 0x800) {
                out[0] = (char)(0xc0 | c >> 6);
                out[1] = (char)(0x80 | (c & 63));
                return 2;
        }
        if (c < 0x10000) {
                out[0] = (char)(0xe0 | c >> 12);
                out[1] = (char)(0x80 | (c >> 6 & 63));
                out[2] = (char)(0x80 | (c & 63));
                return 3;
        }
        out[0] = (char)(0xf0 | c >> 18);
        out[1] = (char)(0x80 | (c >> 12 & 63));
        out[2] = (char)(0x80 | (c >> 6 & 63));
        out[3] = (char)(0x80 | (c & 63));
        return 4;
}

bool text_is_utf8(const char *bytes, size_t n)
{
        for (size_t i = 0; i < n;) {
                uint32_t c;
                size_t len = text_decode(bytes + i, n - i, &c);
                if (!len)
                        return false;
                i += len;
        }
        return true;
}

/* Characters that move the cursor, hide, or turn the reading direction around. */
static bool is_invisible(uint32_t c)
{
        return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
               (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
               (c >= 0x2060 && c <= 0x2069) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
               (c >= 0xe0000 && c <= 0xe007f);
}

static char *clean(const char *bytes, size_t n, bool keep_lines)
{
        Buf b = buf_init(SIZE_MAX / 2);
        for (size_t i = 0; i < n;) {
                uint32_t c = 0;
                size_t len = text_decode(bytes + i, n - i, &c);
                if (!len) {
                        buf_printf(&b, "\\x%02x", (unsigned char)bytes[i]);
                        i++;
                        continue;
                }
                if (c == '\n' && !keep_lines)
                        buf_adds(&b, "\\n");
                else if (c == '\t' && !keep_lines)
                        buf_adds(&b, "\\t");
                else if (c == '\r')
                        buf_adds(&b, "\\r");
                else if (is_invisible(c) && !(keep_lines && (c == '\n' || c == '\t')))
                        (void)(c < 0x100 ? buf_printf(&b, "\\x%02x", c)
                                         : buf_printf(&b, "\\u%04x", c));
                else
                        buf_add(&b, bytes + i, len);
                i += len;
        }
        return buf_take(&b, NULL);
}

char *text_clean(const char *bytes, size_t n)
{
        return clean(bytes, n, false);
}

char *text_clean_str(const char *s)
{
        return s ? clean(s, strlen(s), false) : xstrdup("");
}

char *text_clean_lines(const char *bytes, size_t n)
{
        return clean(bytes, n, true);
}

static size_t distance(const char *a, const char *b)
{
        size_t n = strlen(b), row[128];
        if (n >= LEN(row) || strlen(a) >= LEN(row))
                return SIZE_MAX;
        for (size_t j = 0; j <= n; j++)
                row[j] = j;
        for (size_t i = 1; a[i - 1]; i++) {
                size_t diagonal = row[0];
                row[0] = i;
                for (size_t j = 1; j <= n; j++) {
                        size_t above = row[j];
                        size_t best = diagonal + (a[i - 1] != b[j - 1]);
                        best = MIN(best, above + 1);
                        best = MIN(best, row[j - 1] + 1);
                        row[j] = best;
                        diagonal = above;
                }
        }
        return row[n];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t n)
{
        const char *best = NULL;
        size_t best_distance = strlen(word) / 2 + 1;
        for (size_t i = 0; i < n; i++) {
                size_t d = candidates[i] ? distance(word, candidates[i]) : SIZE_MAX;
                if (d < best_distance) {
                        best = candidates[i];
                        best_distance = d;
                }
        }
        return best;
}
