/* test_memory.c: what is allocated: arenas, buffers, errors. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

Test(arena, gives_back_what_was_taken_after_a_mark)
{
        AUTO_ARENA a = arena_new();
        char *kept = arena_strdup(a, "kept");
        ArenaMark m = arena_mark(a);
        for (int i = 0; i < 1000; i++)
                cr_assert_not_null(arena_printf(a, "%d %0100d", i, i));
        arena_reset(a, m);
        cr_assert_str_eq(kept, "kept");
        cr_assert_str_eq(arena_strdup(a, "again"), "again");
}

Test(arena, gives_zeroed_aligned_memory_also_for_large_and_reused_pieces)
{
        AUTO_ARENA a = arena_new();
        ArenaMark m = arena_mark(a);
        static const size_t sizes[] = { 0, 1, 17, 4096, 5000, 3 * 1024 * 1024, 24 };
        for (int round = 0; round < 2; round++) {
                for (size_t i = 0; i < LEN(sizes); i++) {
                        unsigned char *p = arena_alloc(a, sizes[i]);
                        cr_assert_eq((uintptr_t)p % 16, 0);
                        for (size_t k = 0; k < sizes[i]; k++)
                                cr_assert_eq(p[k], 0);
                        memset(p, 0xff, sizes[i]);
                }
                arena_reset(a, m);
        }
        cr_assert_null(arena_strdup(a, NULL));
}

Test(buf, refuses_more_than_its_maximum_whole)
{
        AUTO_BUF b = buf_init(5);
        cr_assert(buf_adds(&b, "abc"));
        cr_assert_not(buf_adds(&b, "def"));
        cr_assert(b.overflow);
        cr_assert_str_eq(buf_str(&b), "abc");
}

Test(buf, takes_all_or_nothing_and_is_empty_after_take)
{
        AUTO_BUF b = buf_init(8);
        cr_assert_str_eq(buf_str(&b), "");
        cr_assert(buf_printf(&b, "%d", 12345678));
        cr_assert_not(buf_addc(&b, 'x'));
        size_t n;
        AUTO_FREE char *text = buf_take(&b, &n);
        cr_assert_str_eq(text, "12345678");
        cr_assert_eq(n, 8);
        cr_assert_eq(b.len, 0);
        AUTO_FREE char *nothing = buf_take(&b, NULL);
        cr_assert_str_eq(nothing, "");
}

Test(err, wraps_from_the_outside)
{
        Err err = { 0 };
        err_set(&err, ERR_SERVER, "no such table");
        err_wrap(&err, "copying %s", "a.b");
        cr_assert_str_eq(err.message, "copying a.b: no such table");
        err_clear(&err);
        err_clear(&err);
}

Test(err, may_be_set_from_its_own_message)
{
        AUTO_ERR err = { 0 };
        err_set(&err, ERR_USER, "inner");
        err_set(&err, ERR_SERVER, "outer of %s", err.message);
        cr_assert_str_eq(err.message, "outer of inner");
        err_hint(&err, "a");
        err_hint(&err, "%s and b", err.hint);
        cr_assert_str_eq(err.hint, "a and b");
        err_set_errno(&err, ENOENT, "opening %s", err.message);
        cr_assert_str_eq(err.message, "opening outer of inner: No such file or directory");
        cr_assert_null(err.hint, "a new error has no old hint");
}

Test(err, moves_without_leaving_a_copy)
{
        AUTO_ERR a = { 0 };
        AUTO_ERR b = { 0 };
        err_set(&a, ERR_LINK, "gone");
        err_set(&b, ERR_USER, "old");
        err_move(&b, &a);
        cr_assert_str_eq(b.message, "gone");
        cr_assert_eq(a.kind, ERR_NONE);
        cr_assert_null(a.message);
        cr_assert(err_is_retryable(&b));
}

Test(err, knows_which_sqlstates_may_be_tried_again)
{
        const struct {
                const char *state;
                bool again;
        } cases[] = {
                { "40001", true }, { "40P01", true },  { "53300", true },  { "08006", true },
                { "57P03", true }, { "42501", false }, { "53100", false }, { "23505", false }
        };
        for (size_t i = 0; i < LEN(cases); i++) {
                AUTO_ERR err = { 0 };
                err_set(&err, ERR_SERVER, "x");
                memcpy(err.sqlstate, cases[i].state, 6);
                cr_assert_eq(err_is_retryable(&err), cases[i].again, "%s", cases[i].state);
        }
}
