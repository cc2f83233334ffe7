#include "host/diff.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"

#define CONTEXT  3
#define MAX_SIDE 3000 /* lines in the changed middle; more is shown as one block */

typedef struct Line {
        const char *at;
        size_t n; /* with its newline */
} Line;

static size_t split(const char *text, size_t len, Line **ret)
{
        size_t n = 0, capacity = 64;
        Line *lines = xmalloc(capacity * sizeof *lines);
        while (len) {
                const char *end = memchr(text, '\n', len);
                size_t k = end ? (size_t)(end - text) + 1 : len;
                if (n == capacity)
                        lines = xrealloc(lines, (capacity *= 2) * sizeof *lines);
                lines[n++] = (Line){ text, k };
                text += k;
                len -= k;
        }
        *ret = lines;
        return n;
}

static bool same(Line a, Line b)
{
        return a.n == b.n && memcmp(a.at, b.at, a.n) == 0;
}

/* marks[i]: ' ' kept, '-' only in a, in a's order; the same for b with '+'. */
static void compare(const Line *a, size_t na, const Line *b, size_t nb, char *ma, char *mb)
{
        memset(ma, '-', na);
        memset(mb, '+', nb);
        if (na == 0 || nb == 0 || na > MAX_SIDE || nb > MAX_SIDE)
                return;
        /* Longest common subsequence, from the end. */
        uint16_t *len = xcalloc((na + 1) * (nb + 1), sizeof *len);
        for (size_t i = na; i-- > 0;)
                for (size_t k = nb; k-- > 0;)
                        len[i * (nb + 1) + k] =
                                same(a[i], b[k]) ? (uint16_t)(len[(i + 1) * (nb + 1) + k + 1] + 1)
                                                 : MAX(len[(i + 1) * (nb + 1) + k],
                                                       len[i * (nb + 1) + k + 1]);
        for (size_t i = 0, k = 0; i < na && k < nb;) {
                if (same(a[i], b[k])) {
                        ma[i++] = ' ';
                        mb[k++] = ' ';
                } else if (len[(i + 1) * (nb + 1) + k] >= len[i * (nb + 1) + k + 1]) {
                        i++;
                } else {
                        k++;
                }
        }
        free(len);
}

static void show(Buf *out, char mark, Line line)
{
        size_t n = line.n;
        bool whole = n && line.at[n - 1] == '\n';
        if (whole)
                n--;
        if (n && line.at[n - 1] == '\r')
                n--;
        AUTO_FREE char *clean = text_clean_lines(line.at, n);
        buf_printf(out, "%c%s\n", mark, clean);
        if (!whole)
                buf_adds(out, "\\ No newline at end of file\n");
}

typedef struct Sides {
        const Line *a, *b;
        size_t na, nb;
        const char *ma, *mb;
} Sides;

/* One hunk from (i, k), up to and without (end_i, end_k). */
static void hunk(Buf *out, const Sides *s, size_t i, size_t k, size_t end_i, size_t end_k)
{
        buf_printf(out, "@@ -%zu,%zu +%zu,%zu @@\n", i + 1, end_i - i, k + 1, end_k - k);
        while (i < end_i || k < end_k) {
                if (i < end_i && s->ma[i] == '-')
                        show(out, '-', s->a[i++]);
                else if (k < end_k && s->mb[k] == '+')
                        show(out, '+', s->b[k++]);
                else {
                        show(out, ' ', s->a[i++]);
                        k++;
                }
        }
}

static bool changed_at(const Sides *s, size_t i, size_t k)
{
        return (i < s->na && s->ma[i] == '-') || (k < s->nb && s->mb[k] == '+');
}

static void hunks(Buf *out, const Sides *s)
{
        for (size_t i = 0, k = 0; i < s->na || k < s->nb;) {
                if (!changed_at(s, i, k)) {
                        i++;
                        k++;
                        continue;
                }
                size_t back = MIN(i, (size_t)CONTEXT);
                size_t from_i = i - back, from_k = k - back, calm = 0;
                while ((i < s->na || k < s->nb) && calm <= (size_t)2 * CONTEXT) {
                        if (i < s->na && s->ma[i] == '-') {
                                i++;
                                calm = 0;
                        } else if (k < s->nb && s->mb[k] == '+') {
                                k++;
                                calm = 0;
                        } else {
                                i++;
                                k++;
                                calm++;
                        }
                }
                size_t drop = calm > CONTEXT ? calm - CONTEXT : 0;
                hunk(out, s, from_i, from_k, i - drop, k - drop);
        }
}

char *diff_unified(const char *name, const char *before, size_t before_len, const char *after,
                   size_t after_len, DiffCount *count)
{
        Line *a = NULL, *b = NULL;
        size_t na = split(before, before_len, &a), nb = split(after, after_len, &b);
        size_t head = 0, tail = 0;
        while (head < na && head < nb && same(a[head], b[head]))
                head++;
        while (tail < na - head && tail < nb - head && same(a[na - 1 - tail], b[nb - 1 - tail]))
                tail++;
        char *ma = xmalloc(na + 1), *mb = xmalloc(nb + 1);
        memset(ma, ' ', na + 1);
        memset(mb, ' ', nb + 1);
        compare(a + head, na - head - tail, b + head, nb - head - tail, ma + head, mb + head);
        DiffCount n = { 0 };
        for (size_t i = 0; i < na; i++)
                n.removed += ma[i] == '-';
        for (size_t i = 0; i < nb; i++)
                n.added += mb[i] == '+';
        AUTO_BUF out = buf_init(LIMIT_COMPOSE_FILE * 4);
        if (n.removed || n.added) {
                AUTO_FREE char *clean = text_clean_str(name);
                buf_printf(&out, "--- %s\n+++ %s\n", clean, clean);
                Sides s = { a, b, na, nb, ma, mb };
                hunks(&out, &s);
        }
        free(a);
        free(b);
        free(ma);
        free(mb);
        if (count)
                *count = n;
        return xstrdup(buf_str(&out));
}
