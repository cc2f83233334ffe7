/* Which format, and where to cut: decided without a server. */
#include <criterion/criterion.h>

#include "transfer/choose/content.h"
#include "transfer/read/format.h"
#include "transfer/read/part.h"
#include "transfer/read/parts_plan.h"

#define MB ((int64_t)1 << 20)

Test(format, binary_only_where_nothing_can_go_wrong)
{
        FormatSides up = { .from = 13, .to = 18, .same_types = true, .utf8 = true };
        cr_assert(format_fits(&up, 0));
        cr_assert(format_fits(&up, TYPES_OIDS | TYPES_INTERVAL));
        cr_assert_not(format_fits(&up, TYPES_OTHER));

        FormatSides latin = up, strange = up;
        latin.utf8 = false;
        strange.same_types = false;
        cr_assert_not(format_fits(&latin, 0));
        cr_assert_not(format_fits(&strange, 0));
}

Test(format, types_that_only_one_side_has_do_not_make_the_others_strange)
{
        const char *old = "bool 16 boolsend boolrecv,xid 28 xidsend xidrecv";
        const char *new =
                "bool 16 boolsend boolrecv,xid 28 xidsend xidrecv,xid8 5069 xid8send xid8recv";
        cr_assert(format_same_types(old, new));
        cr_assert(format_same_types(new, old));
        cr_assert(format_same_types(new, new));
        cr_assert_not(format_same_types(old, "bool 16 boolsend boolrecv,xid 28 xidsend xidrecv2"));
        cr_assert_not(format_same_types(old, "bool 16 boolsend boolrecv2,xid 28 xidsend xidrecv"));
        cr_assert_not(format_same_types("bool 16 boolsend boolrecv2", old));
}

Test(format, oids_of_users_types_need_14_and_infinite_intervals_17)
{
        FormatSides down = { .from = 18, .to = 13, .same_types = true, .utf8 = true };
        cr_assert(format_fits(&down, 0));
        cr_assert_not(format_fits(&down, TYPES_OIDS),
                      "13 refuses an array of another server's enum");
        cr_assert_not(format_fits(&down, TYPES_INTERVAL), "13 would take infinity for a number");
        down.to = 17;
        cr_assert(format_fits(&down, TYPES_OIDS | TYPES_INTERVAL));
}

Test(format, a_bundle_is_for_any_server)
{
        FormatSides old = { .from = 13, .to = 0, .bundle = true, .same_types = true, .utf8 = true };
        cr_assert(format_fits(&old, 0));
        cr_assert(format_fits(&old, TYPES_INTERVAL));
        cr_assert_not(format_fits(&old, TYPES_OIDS));
        FormatSides both = {
                .from = 17, .to = 18, .bundle = true, .same_types = true, .utf8 = true
        };
        cr_assert_not(format_fits(&both, TYPES_INTERVAL));
        cr_assert_not(format_fits(&both, TYPES_OIDS));
}

Test(cut, only_what_would_be_left_over_is_cut)
{
        cr_assert_eq(parts_count(1000 * MB, 1000 * MB, 1), 1, "one worker");
        cr_assert_eq(parts_count(100 * MB, 100 * MB, 4), 1, "too small");
        cr_assert_eq(parts_count(500 * MB, 1000 * MB, 2), 1, "its share");
        cr_assert_eq(parts_count(1000 * MB, 1000 * MB, 2), 4);
        cr_assert_eq(parts_count(130 * MB, 130 * MB, 8), 2, "parts of a decent size");
        cr_assert_eq(parts_count(INT64_MAX / 2, INT64_MAX / 2, 64), 128);
}

static size_t plan(Table *t, int jobs, Arena *a, Part **ret)
{
        return parts_plan(t, t->size, jobs, a, ret);
}

/* Whatever the numbers, every row belongs to exactly one part: ends meet, outer ends are open. */
static void meets(const Part *p, size_t n, int64_t low, int64_t high)
{
        cr_assert_eq(p[0].first, low);
        cr_assert_eq(p[n - 1].end, high);
        for (size_t i = 0; i < n; i++) {
                cr_assert_eq(p[i].index, (int)i);
                cr_assert_eq(p[i].of, (int)n);
                cr_assert_lt(p[i].first, p[i].end);
                cr_assert(i == 0 || p[i].first == p[i - 1].end);
        }
}

Test(cut, parts_meet_and_leave_nothing_out)
{
        AUTO_ARENA a = arena_new();
        Part *p;
        Table t = { .size = 1000 * MB, .blocks = 17 };
        cr_assert_eq(plan(&t, 4, a, &p), 8);
        meets(p, 8, 0, 17);

        Table keys = { .size = 1000 * MB, .key = "id", .key_min = INT64_MIN, .key_max = INT64_MAX };
        cr_assert_eq(plan(&keys, 3, a, &p), 6);
        meets(p, 6, INT64_MIN, INT64_MAX);
        keys.key_min = -5;
        keys.key_max = 100;
        cr_assert_eq(plan(&keys, 2, a, &p), 4);
        meets(p, 4, -5, 100);
}

Test(cut, what_cannot_be_cut_is_whole)
{
        AUTO_ARENA a = arena_new();
        Part *p;
        Table few = { .size = 1000 * MB, .blocks = 3 };
        cr_assert_eq(plan(&few, 2, a, &p), 1);
        cr_assert(p[0].of == 1 && p[0].first == 0 && p[0].end == -1);
        Table same = { .size = 1000 * MB, .key = "id", .key_min = 7, .key_max = 8 };
        cr_assert_eq(plan(&same, 2, a, &p), 1);
        Table filtered = { .size = 1000 * MB, .blocks = 100000, .condition = "WHERE a" };
        cr_assert_eq(plan(&filtered, 2, a, &p), 1);
}
