#include <criterion/criterion.h>

#include "base/rowhash.h"
#include "bundle/rowwalk.h"

#define SEED 42

/* ---- streams to walk ---- */

static void field(Buf *b, const void *bytes, uint32_t n)
{
        unsigned char len[4] = { (unsigned char)(n >> 24), (unsigned char)(n >> 16),
                                 (unsigned char)(n >> 8), (unsigned char)n };
        buf_add(b, len, 4);
        buf_add(b, bytes, n);
}

static void fields(Buf *b, int n)
{
        buf_add(b, (unsigned char[]){ (unsigned char)(n >> 8), (unsigned char)n }, 2);
}

/* Rows of every shape: no field, nulls, empty ones, long ones. What they add up to: *ret. */
static void rows(Buf *b, bool binary, int n, uint64_t *ret)
{
        static char noise[70000];
        memset(noise, 'x', sizeof noise);
        for (int i = 0; i < n; i++) {
                size_t before = b->len;
                uint32_t size = (uint32_t)(i * 7919 % (i % 50 == 0 ? 70000 : 40));
                if (!binary) {
                        buf_add(b, noise, size);
                        buf_adds(b, "\n");
                } else if (i % 11 == 3) {
                        fields(b, 0);
                } else {
                        fields(b, 3);
                        field(b, noise, size);
                        buf_add(b, "\377\377\377\377", 4);
                        field(b, "", 0);
                }
                *ret += row_hash(SEED, b->data + before, b->len - before);
        }
}

static bool in_pieces(RowWalk *w, const Buf *b, size_t piece)
{
        for (size_t i = 0; i < b->len; i += piece)
                if (!rowwalk_add(w, b->data + i, MIN(piece, b->len - i)))
                        return false;
        return true;
}

static const size_t sizes[] = { 1, 2, 3, 7, 64, 4096, 65536, 131072, 1 << 24 };

Test(rowwalk, sees_the_same_rows_in_pieces_of_any_size)
{
        for (int binary = 0; binary < 2; binary++)
                for (size_t i = 0; i < LEN(sizes); i++) {
                        AUTO_BUF b = buf_init(1 << 25);
                        uint64_t hash = 0;
                        RowWalk CLEANUP(rowwalk_done) w = rowwalk_init(binary, SEED);
                        if (binary)
                                buf_add(&b, COPY_HEADER, COPY_HEADER_LEN);
                        rows(&b, binary, 300, &hash);
                        if (binary)
                                buf_add(&b, COPY_TRAILER, COPY_TRAILER_LEN);
                        cr_assert(in_pieces(&w, &b, sizes[i]), "%zu", sizes[i]);
                        cr_assert(rowwalk_whole(&w));
                        cr_assert_eq(w.rows, 300, "%lld with %zu", (long long)w.rows, sizes[i]);
                        cr_assert_eq(w.hash, hash);
                        cr_assert_eq(w.unhashed, 0);
                        cr_assert_eq(w.header, binary);
                        cr_assert_eq(w.over, binary);
                }
}

Test(rowwalk, a_stream_from_the_middle_has_no_dress)
{
        AUTO_BUF b = buf_init(1 << 25);
        uint64_t hash = 0;
        RowWalk CLEANUP(rowwalk_done) w = rowwalk_init(true, SEED);
        rows(&b, true, 40, &hash);
        cr_assert(in_pieces(&w, &b, 5));
        cr_assert_eq(w.rows, 40);
        cr_assert_eq(w.hash, hash);
        cr_assert_not(w.header || w.over);
}

/* Three rows, the middle one of three fields longer than is kept; the pieces end anywhere. */
Test(rowwalk, counts_rows_that_are_too_long_and_keeps_none)
{
        size_t huge = ROWWALK_KEEP + 212345;
        AUTO_FREE char *noise = xcalloc(1, huge);
        for (int binary = 0; binary < 2; binary++)
                for (size_t i = 3; i < LEN(sizes); i++) {
                        AUTO_BUF b = buf_init((size_t)1 << 28);
                        uint64_t hash = 0;
                        RowWalk CLEANUP(rowwalk_done) w = rowwalk_init(binary, SEED);
                        rows(&b, binary, 1, &hash);
                        for (int k = 0; binary && k < 3; k++) {
                                if (k == 0)
                                        fields(&b, 3);
                                field(&b, noise, (uint32_t)huge);
                        }
                        if (!binary) {
                                buf_add(&b, noise, huge);
                                buf_adds(&b, "\n");
                        }
                        rows(&b, binary, 1, &hash);
                        cr_assert(in_pieces(&w, &b, sizes[i]));
                        cr_assert(rowwalk_whole(&w));
                        cr_assert_eq(w.rows, 3, "%lld with %zu, %d", (long long)w.rows, sizes[i],
                                     binary);
                        cr_assert_eq(w.unhashed, 1);
                        cr_assert_eq(w.hash, hash);
                        cr_assert_lt(w.row.capacity, 2 * ROWWALK_KEEP + (1 << 20));
                }
}

Test(rowwalk, says_when_it_is_no_copy_and_when_it_ends_within)
{
        static const struct {
                const char *bytes;
                size_t n;
        } bad[] = { { "\377\376", 2 },       /* -2 fields */
                    { "\0\1\200\0\0\0", 6 }, /* a length of -2^31 */
                    { "PGCOPX\n\377\r\n\0\0\0\0\0\0\0\0\0", 19 },
                    { "\377\377\0\0", 4 } }; /* something behind the trailer */
        for (size_t i = 0; i < LEN(bad); i++)
                for (size_t piece = 1; piece < 20; piece++) {
                        Buf b = { .data = (char *)bad[i].bytes, .len = bad[i].n };
                        RowWalk CLEANUP(rowwalk_done) w = rowwalk_init(true, SEED);
                        cr_assert_not(in_pieces(&w, &b, piece), "%zu in pieces of %zu", i, piece);
                }
        RowWalk CLEANUP(rowwalk_done) w = rowwalk_init(true, SEED);
        cr_assert(rowwalk_add(&w, "\0\1\0\0\0\5abcd", 10));
        cr_assert_not(rowwalk_whole(&w));
        RowWalk CLEANUP(rowwalk_done) t = rowwalk_init(false, SEED);
        cr_assert(rowwalk_add(&t, "one\ntw", 6));
        cr_assert_not(rowwalk_whole(&t));
        cr_assert_eq(t.rows, 1);
}
