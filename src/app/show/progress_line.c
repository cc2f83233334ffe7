#include "app/show/progress_line.h"

#include <stdio.h>

#include "base/fmt.h"
#include "base/text.h"

static void put(char *to, size_t max, const char *from)
{
        AUTO_FREE char *clean = text_clean_str(from);
        size_t n = MIN(strlen(clean), max - 1);
        while (n && ((unsigned char)clean[n] & 0xc0) == 0x80)
                n--; /* not in the middle of a character */
        memcpy(to, clean, n);
        to[n] = '\0';
}

void progress_line_of(const Progress *p, ProgressLine *ret)
{
        *ret = (ProgressLine){ .done = p->done,
                               .total = p->total,
                               .eta_ms = p->eta_ms,
                               .row_count = p->row_count,
                               .rate = p->rate,
                               .things_done = p->things_done,
                               .things_total = p->things_total,
                               .workers = p->workers,
                               .n_parts = MIN(p->n_rows, LEN(ret->parts)) };
        put(ret->stage, sizeof ret->stage, p->label ? p->label : "");
        put(ret->unit, sizeof ret->unit, p->unit ? p->unit : "");
        for (size_t i = 0; i < ret->n_parts; i++) {
                const ProgressRow *r = &p->rows[i];
                put(ret->parts[i].name, sizeof ret->parts[i].name, r->name ? r->name : "");
                ret->parts[i].fraction =
                        r->total > 0 ? (double)MIN(r->done, r->total) / (double)r->total : -1;
        }
}

static void amounts(const ProgressLine *l, Buf *b)
{
        char done[32], total[32], rate[32], left[24];
        if (!str_eq(l->unit, "bytes")) {
                if (l->total > 0)
                        buf_printf(b, "  %s of %s %s", fmt_count(l->done, done),
                                   fmt_count(l->total, total), l->unit);
                return;
        }
        buf_printf(b, "  %s", fmt_bytes(l->done, done));
        if (l->total > 0)
                buf_printf(b, " of %s  %d %%", fmt_bytes(l->total, total),
                           (int)(100.0 * (double)MIN(l->done, l->total) / (double)l->total));
        if (l->rate > 0)
                buf_printf(b, "  %s", fmt_rate(l->rate, rate));
        if (l->eta_ms >= 0)
                buf_printf(b, "  %s left", fmt_clock(l->eta_ms, left));
}

void progress_line_text(const ProgressLine *l, size_t width, Buf *out)
{
        AUTO_BUF b = buf_init(4096);
        buf_adds(&b, l->stage);
        amounts(l, &b);
        if (l->n_parts && l->parts[0].name[0])
                buf_printf(&b, "  %s", l->parts[0].name);
        const char *text = buf_str(&b);
        size_t n = 0, characters = 0;
        while (text[n] && characters < width) {
                uint32_t c;
                size_t step = text_decode(text + n, b.len - n, &c);
                n += step ? step : 1;
                characters++;
        }
        buf_add(out, text, n);
}
