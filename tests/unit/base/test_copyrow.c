#include <criterion/criterion.h>

#include <stdio.h>

#include "base/copyrow.h"

#define ERRTEXT(err) ((err).message ? (err).message : "no words")

/* Three rows: (1, null), (), and one field of 300 bytes. */
static void sample(Buf *b)
{
        char long_field[300];
        memset(long_field, '\n', sizeof long_field);
        buf_add(b, COPY_HEADER, COPY_HEADER_LEN);
        buf_add(b, "\0\2\0\0\0\4\0\0\0\1\377\377\377\377", 14);
        buf_add(b, "\0\0", 2);
        buf_add(b, "\0\1\0\0\1\54", 6);
        buf_add(b, long_field, sizeof long_field);
        buf_add(b, COPY_TRAILER, COPY_TRAILER_LEN);
}

typedef struct Seen {
        Buf rows;
        size_t n, lengths[8];
} Seen;

static bool see(void *arg, const char *bytes, const uint32_t *ends, size_t rows, Err *err)
{
        Seen *s = arg;
        for (size_t i = 0; i < rows && s->n < LEN(s->lengths); i++)
                s->lengths[s->n++] = ends[i] - (i > 0 ? ends[i - 1] : 0);
        buf_add(&s->rows, bytes, ends[rows - 1]);
        return true;
}

/* Fed in pieces of `piece` bytes; true when all of it was accepted. */
static bool feed(bool binary, const char *p, size_t n, size_t piece, Seen *ret, bool *ret_over)
{
        AUTO_ERR err = { 0 };
        AUTO_ROWFEED f = rowfeed_init(binary);
        *ret = (Seen){ .rows = buf_init(1 << 20) };
        for (size_t at = 0; at < n; at += piece)
                if (!rowfeed_add(&f, p + at, MIN(piece, n - at), see, ret, &err))
                        return false;
        *ret_over = f.over;
        return rowfeed_end(&f, &err);
}

Test(copyrow, binary_rows_come_out_whole_and_undressed_however_they_are_cut)
{
        AUTO_BUF b = buf_init(10000);
        sample(&b);
        for (size_t piece = 1; piece <= b.len; piece++) {
                Seen s;
                bool over;
                cr_assert(feed(true, b.data, b.len, piece, &s, &over), "in pieces of %zu", piece);
                cr_assert(over);
                cr_assert_eq(s.n, 3, "in pieces of %zu: %zu rows", piece, s.n);
                cr_assert(s.lengths[0] == 14 && s.lengths[1] == 2 && s.lengths[2] == 306);
                cr_assert_eq(s.rows.len, b.len - COPY_HEADER_LEN - COPY_TRAILER_LEN);
                cr_assert_eq(memcmp(s.rows.data, b.data + COPY_HEADER_LEN, s.rows.len), 0);
                buf_done(&s.rows);
        }
}

Test(copyrow, rows_without_header_and_trailer_are_the_middle_of_a_stream)
{
        AUTO_BUF b = buf_init(10000);
        sample(&b);
        Seen s;
        bool over;
        cr_assert(feed(true, b.data + COPY_HEADER_LEN, b.len - COPY_HEADER_LEN - COPY_TRAILER_LEN,
                       7, &s, &over));
        cr_assert_eq(s.n, 3);
        cr_assert_not(over);
        buf_done(&s.rows);
}

Test(copyrow, every_cut_short_binary_stream_is_noticed)
{
        AUTO_BUF b = buf_init(10000);
        sample(&b);
        for (size_t n = 1; n < b.len; n++) {
                Seen s;
                bool over = false;
                bool whole = feed(true, b.data, n, 64, &s, &over);
                cr_assert(!whole || !over, "%zu bytes of %zu look like all", n, b.len);
                buf_done(&s.rows);
        }
}

Test(copyrow, what_is_not_copy_data_is_refused)
{
        Seen s;
        bool over;
        cr_assert_not(feed(true, "PGDMP and so on, which is no COPY", 33, 5, &s, &over));
        buf_done(&s.rows);
        cr_assert_not(feed(true, "\0\1\377\377\377\376", 6, 6, &s, &over), "a length of -2");
        buf_done(&s.rows);
        cr_assert_not(feed(true, "\377\376", 2, 2, &s, &over), "-2 fields");
        buf_done(&s.rows);
        cr_assert_not(feed(true, "\377\377\0\0", 4, 4, &s, &over), "rows behind the trailer");
        buf_done(&s.rows);
        cr_assert_not(feed(true, "\377\377\0\0", 4, 2, &s, &over), "rows behind the trailer");
        buf_done(&s.rows);
}

Test(copyrow, text_rows_end_at_newlines)
{
        const char *text = "1\t\\N\n\n\\.\\n\tx\nlast";
        for (size_t piece = 1; piece <= strlen(text); piece++) {
                Seen s;
                bool over;
                cr_assert_not(feed(false, text, strlen(text), piece, &s, &over),
                              "the last row has no end");
                cr_assert_eq(s.n, 3);
                cr_assert(s.lengths[0] == 5 && s.lengths[1] == 1 && s.lengths[2] == 7);
                buf_done(&s.rows);
        }
}

Test(copyrow, a_header_may_have_an_extension_and_no_critical_flag)
{
        char bytes[] = COPY_HEADER "xyz";
        cr_assert_eq(copy_header(bytes, COPY_HEADER_LEN), COPY_HEADER_LEN);
        cr_assert_eq(copy_header(bytes, COPY_HEADER_LEN - 1), 0);
        bytes[18] = 3;
        cr_assert_eq(copy_header(bytes, COPY_HEADER_LEN), 0);
        cr_assert_eq(copy_header(bytes, COPY_HEADER_LEN + 3), COPY_HEADER_LEN + 3);
        bytes[12] = 1; /* bit 16: rows with OIDs */
        cr_assert_eq(copy_header(bytes, COPY_HEADER_LEN + 3), -1);
}
