#include "ui/canvas.h"

#include <stdio.h>
#include <wchar.h>

#include "base/buf.h"
#include "base/text.h"
#include "ui/glyphs.h"

Canvas *canvas_new(int rows, int cols, Tier tier)
{
        Canvas *cv = xcalloc(1, sizeof *cv);
        cv->rows = MAX(rows, 1);
        cv->cols = MAX(cols, 1);
        cv->tier = tier;
        cv->cells = xcalloc((size_t)cv->rows * (size_t)cv->cols, sizeof(Cell));
        canvas_clear(cv);
        return cv;
}

Canvas *canvas_free(Canvas *cv)
{
        if (cv)
                free(cv->cells);
        free(cv);
        return NULL;
}

static void blank(Cell *c, Role role)
{
        *c = (Cell){ .ch = " ", .width = 1, .role = (uint8_t)role };
}

void canvas_clear(Canvas *cv)
{
        cv->clip = (Rect){ 0, 0, cv->rows, cv->cols };
        cv->cursor_y = cv->cursor_x = -1;
        for (int i = 0; i < cv->rows * cv->cols; i++)
                blank(&cv->cells[i], ROLE_TEXT);
}

static Cell *cell_at(Canvas *cv, int y, int x)
{
        Rect c = cv->clip;
        if (y < c.y || y >= c.y + c.h || x < c.x || x >= c.x + c.w)
                return NULL;
        return &cv->cells[y * cv->cols + x];
}

const Cell *canvas_cell(const Canvas *cv, int y, int x)
{
        if (y < 0 || y >= cv->rows || x < 0 || x >= cv->cols)
                return NULL;
        return &cv->cells[y * cv->cols + x];
}

char *canvas_dump(const Canvas *cv)
{
        Buf out = buf_init((size_t)cv->rows * ((size_t)cv->cols * sizeof(Cell) + 1) + 1);
        for (int y = 0; y < cv->rows; y++) {
                size_t keep = out.len;
                for (int x = 0; x < cv->cols; x++) {
                        const Cell *c = canvas_cell(cv, y, x);
                        if (c->width == 0)
                                continue;
                        buf_adds(&out, c->ch);
                        if (c->ch[0] != ' ' || c->ch[1])
                                keep = out.len;
                }
                out.len = keep;
                buf_addc(&out, '\n');
        }
        return buf_take(&out, NULL);
}

Rect rect_inter(Rect a, Rect b)
{
        int y1 = MAX(a.y, b.y), x1 = MAX(a.x, b.x);
        int y2 = MIN(a.y + a.h, b.y + b.h), x2 = MIN(a.x + a.w, b.x + b.w);
        return (Rect){ y1, x1, MAX(y2 - y1, 0), MAX(x2 - x1, 0) };
}

Rect cv_clip(Canvas *cv, Rect r)
{
        Rect old = cv->clip;
        cv->clip = rect_inter(old, r);
        return old;
}

void cv_clip_set(Canvas *cv, Rect old)
{
        cv->clip = old;
}

/* ---- text ---- */

/* The next character as this tier shows it. Bytes that are no character and controls become
 * '?': whatever is drawn, the terminal only ever gets printable characters. */
static size_t next_char(Tier tier, const char *s, char out[static 5], int *ret_width)
{
        uint32_t u = 0;
        size_t n = text_decode(s, strnlen(s, 4), &u);
        out[0] = '?';
        out[1] = '\0';
        *ret_width = 1;
        if (n == 0)
                return 1;
        if (u < 0x20 || (u >= 0x7f && u < 0xa0)) {
                out[0] = u == '\t' ? ' ' : '?';
                return n;
        }
        if (u >= 0x80)
                u = glyph_for_tier(tier, u);
        if (u < 0x80) {
                out[0] = (char)u;
                return n;
        }
        int w = wcwidth((wchar_t)u);
        if (w < 0)
                return n;
        out[text_encode(u, out)] = '\0';
        *ret_width = w;
        return n;
}

int cv_width(const Canvas *cv, const char *text)
{
        int total = 0, w;
        char ch[5];
        while (*text) {
                text += next_char(cv->tier, text, ch, &w);
                total += w;
        }
        return total;
}

static void put_char(Canvas *cv, int y, int x, Role role, const char *ch, int w)
{
        if (w == 0) { /* combines with the character before it */
                Cell *c = cell_at(cv, y, x - 1);
                if (c && strlen(c->ch) + strlen(ch) < sizeof c->ch)
                        memcpy(c->ch + strlen(c->ch), ch, strlen(ch) + 1);
                return;
        }
        Cell *c = cell_at(cv, y, x);
        if (!c)
                return;
        /* Writing over one half of a wide character leaves a blank for the other half. */
        if (c->width == 0 && x > 0)
                blank(c - 1, (Role)c[-1].role);
        if (c->width == 2 && x + 1 < cv->cols)
                blank(c + 1, (Role)c[1].role);
        if (w == 2 && !cell_at(cv, y, x + 1)) {
                blank(c, role);
                return;
        }
        *c = (Cell){ .width = (uint8_t)w, .role = (uint8_t)role };
        memcpy(c->ch, ch, strlen(ch) + 1);
        if (w == 2) {
                if (c[1].width == 2 && x + 2 < cv->cols)
                        blank(c + 2, (Role)c[2].role);
                c[1] = (Cell){ .width = 0, .role = (uint8_t)role };
        }
}

/* Draws at most max columns of text; returns the columns drawn. */
static int put_text(Canvas *cv, int y, int x, int max, Role role, const char *text, size_t len)
{
        int used = 0, w;
        char ch[5];
        const char *end = text + len;
        while (text < end && *text) {
                size_t n = next_char(cv->tier, text, ch, &w);
                if (used + w > max)
                        break;
                put_char(cv, y, x + used, role, ch, w);
                used += w;
                text += n;
        }
        return used;
}

int cv_text(Canvas *cv, int y, int x, Role role, const char *text)
{
        return put_text(cv, y, x, INT16_MAX, role, text ? text : "", text ? strlen(text) : 0);
}

int cv_printf(Canvas *cv, int y, int x, Role role, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *s = xvasprintf(fmt, ap);
        va_end(ap);
        return cv_text(cv, y, x, role, s);
}

int cv_cut(Canvas *cv, int y, int x, int w, Role role, const char *text)
{
        if (w <= 0 || !text)
                return 0;
        size_t len = strlen(text);
        if (cv_width(cv, text) <= w)
                return put_text(cv, y, x, w, role, text, len);
        if (w <= 4)
                return put_text(cv, y, x, w, role, text, len);
        int used = put_text(cv, y, x, w - 2, role, text, len);
        return used + cv_text(cv, y, x + used, role, "..");
}

int cv_cut_middle(Canvas *cv, int y, int x, int w, Role role, const char *text)
{
        int full = cv_width(cv, text);
        if (full <= w || w < 8)
                return cv_cut(cv, y, x, w, role, text);
        int tail = (w - 2) / 2, head = w - 2 - tail, skip = full - tail, pos = 0, cw;
        int used = put_text(cv, y, x, head, role, text, strlen(text));
        used += cv_text(cv, y, x + used, role, "..");
        char ch[5];
        while (*text && pos < skip) {
                text += next_char(cv->tier, text, ch, &cw);
                pos += cw;
        }
        return used + put_text(cv, y, x + used, w - used, role, text, strlen(text));
}

int cv_right(Canvas *cv, int y, int x_end, Role role, const char *text)
{
        int w = cv_width(cv, text);
        cv_text(cv, y, x_end - w, role, text);
        return w;
}

int cv_rightf(Canvas *cv, int y, int x_end, Role role, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *s = xvasprintf(fmt, ap);
        va_end(ap);
        return cv_right(cv, y, x_end, role, s);
}

/* One line of at most w columns: its length in bytes, and where the next begins. */
static size_t wrap_line(const Canvas *cv, int w, const char *s, const char **ret_next)
{
        int used = 0, cw;
        char ch[5];
        const char *p = s, *space = NULL;
        while (*p && *p != '\n') {
                size_t n = next_char(cv->tier, p, ch, &cw);
                if (used + cw > w)
                        break;
                if (*p == ' ')
                        space = p;
                used += cw;
                p += n;
        }
        if (*p == '\0' || *p == '\n' || *p == ' ') {
                *ret_next = *p ? p + 1 : p;
                return (size_t)(p - s);
        }
        if (space && space > s) {
                *ret_next = space + 1;
                return (size_t)(space - s);
        }
        if (p == s) /* one character wider than the line: skip it */
                p += next_char(cv->tier, p, ch, &cw);
        *ret_next = p;
        return (size_t)(p - s);
}

int cv_wrap(Canvas *cv, Rect r, Role role, const char *text)
{
        int row = 0;
        if (!text || r.w <= 0)
                return 0;
        while (*text) {
                const char *next;
                size_t n = wrap_line(cv, r.w, text, &next);
                if (row < r.h)
                        put_text(cv, r.y + row, r.x, r.w, role, text, n);
                row++;
                text = next;
        }
        return row;
}

int cv_wrap_rows(const Canvas *cv, int w, const char *text)
{
        int row = 0;
        while (w > 0 && text && *text) {
                wrap_line(cv, w, text, &text);
                row++;
        }
        return row;
}

/* ---- shapes ---- */

void cv_fill(Canvas *cv, Rect r, Role role)
{
        for (int y = r.y; y < r.y + r.h; y++)
                for (int x = r.x; x < r.x + r.w; x++)
                        put_char(cv, y, x, role, " ", 1);
}

void cv_flag(Canvas *cv, Rect r, uint8_t flags)
{
        for (int y = r.y; y < r.y + r.h; y++)
                for (int x = r.x; x < r.x + r.w; x++) {
                        Cell *c = cell_at(cv, y, x);
                        if (c)
                                c->flags |= flags;
                }
}

void cv_rule(Canvas *cv, int y, int x, int w, const char *left, const char *right)
{
        for (int i = 0; i < w; i++)
                cv_text(cv, y, x + i, ROLE_FRAME, "─");
        int at = x + 2, end = x + w - 2;
        if (left && *left && end - at > 4) {
                cv_text(cv, y, at, ROLE_FRAME, " ");
                int used = cv_cut(cv, y, at + 1, end - at - 2, ROLE_STRONG, left);
                cv_text(cv, y, at + 1 + used, ROLE_FRAME, " ");
                at += used + 3;
        }
        if (right && *right && end - at > 6) {
                int rw = MIN(cv_width(cv, right), end - at - 3);
                cv_text(cv, y, end - rw - 2, ROLE_FRAME, " ");
                cv_cut(cv, y, end - rw - 1, rw, ROLE_TEXT, right);
                cv_text(cv, y, end - 1, ROLE_FRAME, " ");
        }
}

void cv_vline(Canvas *cv, int y, int x, int h)
{
        for (int i = 0; i < h; i++)
                cv_text(cv, y + i, x, ROLE_FRAME, "│");
}

Rect cv_box(Canvas *cv, Rect r, const char *title)
{
        cv_fill(cv, (Rect){ r.y, r.x - 1, r.h, r.w + 2 }, ROLE_TEXT);
        for (int x = 1; x < r.w - 1; x++) {
                cv_text(cv, r.y, r.x + x, ROLE_FRAME, "─");
                cv_text(cv, r.y + r.h - 1, r.x + x, ROLE_FRAME, "─");
        }
        cv_vline(cv, r.y + 1, r.x, r.h - 2);
        cv_vline(cv, r.y + 1, r.x + r.w - 1, r.h - 2);
        cv_text(cv, r.y, r.x, ROLE_FRAME, "┌");
        cv_text(cv, r.y, r.x + r.w - 1, ROLE_FRAME, "┐");
        cv_text(cv, r.y + r.h - 1, r.x, ROLE_FRAME, "└");
        cv_text(cv, r.y + r.h - 1, r.x + r.w - 1, ROLE_FRAME, "┘");
        if (title && *title) {
                cv_text(cv, r.y, r.x + 2, ROLE_FRAME, " ");
                int used = cv_cut(cv, r.y, r.x + 3, r.w - 7, ROLE_STRONG, title);
                cv_text(cv, r.y, r.x + 3 + used, ROLE_FRAME, " ");
        }
        return (Rect){ r.y + 1, r.x + 2, MAX(r.h - 2, 0), MAX(r.w - 4, 0) };
}

void cv_bar(Canvas *cv, int y, int x, int w, double part)
{
        if (part < 0 || part != part)
                part = 0;
        if (part > 1)
                part = 1;
        int full = (int)(part * w);
        bool ascii = cv->tier == TIER_ASCII;
        for (int i = 0; i < w; i++)
                cv_text(cv, y, x + i, i < full ? ROLE_ACCENT : ROLE_DIM,
                        i < full ? "━"
                        : ascii  ? "."
                                 : "─");
}

void cv_spark(Canvas *cv, int y, int x, int w, const double *values, size_t n)
{
        static const char *const steps[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
        double top = 0;
        if (w <= 0)
                return;
        size_t from = n > (size_t)w ? n - (size_t)w : 0;
        for (size_t i = from; i < n; i++)
                top = MAX(top, values[i]);
        for (size_t i = from; i < n; i++) {
                int level = top > 0 ? (int)(values[i] / top * 7.0 + 0.5) : 0;
                cv_text(cv, y, x + (int)(i - from), ROLE_ACCENT, steps[MIN(MAX(level, 0), 7)]);
        }
}

Role mark_role(Mark mark)
{
        static const Role roles[] = {
                [MARK_NONE] = ROLE_TEXT,      [MARK_DONE] = ROLE_OK,
                [MARK_RUNNING] = ROLE_ACCENT, [MARK_WAITING] = ROLE_DIM,
                [MARK_ASKS] = ROLE_WARN,      [MARK_FAILED] = ROLE_FAIL,
                [MARK_SKIPPED] = ROLE_DIM,    [MARK_ATTENTION] = ROLE_WARN,
                [MARK_CURSOR] = ROLE_ACCENT,
        };
        return roles[mark];
}

void cv_mark(Canvas *cv, int y, int x, Mark mark)
{
        static const char *const shapes[] = { " ", "✓", "▸", "·", "■", "✗", "–", "!", "›" };
        cv_text(cv, y, x, mark_role(mark), shapes[mark]);
}
