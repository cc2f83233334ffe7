/* A sum of row hashes stands for a table: whatever moves between rows must change it. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/base.h"
#include "base/rowhash.h"

enum { ROWS = 6, COLUMNS = 4, LONGEST = 24, PLANTS = 10000 };

typedef struct Rows {
        char v[ROWS][COLUMNS][LONGEST];
} Rows;

static uint64_t state = 1;

static uint64_t next(void)
{
        return row_hash_mix(state += 0x9e3779b97f4a7c15ULL);
}

/* Values as tables have them: small numbers, money, dates, words; all of one column different. */
static void make(Rows *t)
{
        for (int r = 0; r < ROWS; r++) {
                unsigned long long n = next() % 1000 * ROWS + (unsigned)r;
                snprintf(t->v[r][0], LONGEST, "%llu", n);
                snprintf(t->v[r][1], LONGEST, "%llu.%02llu", n / 7 * ROWS + (unsigned)r, n % 100);
                snprintf(t->v[r][2], LONGEST, "2024-01-%02llu 10:00:%02d", n % 28 + 1, r);
                snprintf(t->v[r][3], LONGEST, "user %llu", n);
        }
}

/* As COPY would send them, in parts that are added up. */
static uint64_t sum(const Rows *t, uint64_t seed)
{
        uint64_t parts[2] = { 0 };
        for (int r = 0; r < ROWS; r++) {
                char line[COLUMNS * (LONGEST + 1)];
                int n = snprintf(line, sizeof line, "%s\t%s\t%s\t%s\n", t->v[r][0], t->v[r][1],
                                 t->v[r][2], t->v[r][3]);
                parts[r % 2] += row_hash(seed, line, (size_t)n);
        }
        return parts[0] + parts[1];
}

static void exchange(char *a, char *b)
{
        char keep[LONGEST];
        memcpy(keep, a, LONGEST);
        memcpy(a, b, LONGEST);
        memcpy(b, keep, LONGEST);
}

static void plant(Rows *t, int kind)
{
        int c = (int)(next() % COLUMNS), d = (c + 1) % COLUMNS;
        switch (kind) {
        case 0: /* two rows exchange a value */
                exchange(t->v[0][c], t->v[3][c]);
                return;
        case 1: /* two columns of one row do */
                exchange(t->v[1][c], t->v[1][d]);
                return;
        case 2: /* across both */
                exchange(t->v[1][c], t->v[2][d]);
                return;
        case 3: /* three rows in a circle */
                exchange(t->v[0][c], t->v[2][c]);
                exchange(t->v[2][c], t->v[4][c]);
                return;
        case 4: /* one becomes NULL, another one's NULL gets its value */
                exchange(t->v[1][c], t->v[5][c]);
                memcpy(t->v[5][c], "\\N", 3);
                return;
        case 5: /* one row twice, another one not at all */
                memcpy(t->v[2], t->v[4], sizeof t->v[2]);
                return;
        case 6: /* money moves from one account to another */
                snprintf(t->v[0][0], LONGEST, "%d", atoi(t->v[0][0]) + 5);
                snprintf(t->v[1][0], LONGEST, "%d", atoi(t->v[1][0]) - 5);
                return;
        default: /* one digit */
                t->v[3][1][0] ^= 1;
        }
}

static int missed(uint64_t (*seed)(void))
{
        int n = 0;
        state = 1;
        for (int i = 0; i < PLANTS; i++) {
                Rows a;
                memset(&a, 0, sizeof a);
                make(&a);
                Rows b = a;
                plant(&b, i % 8);
                uint64_t s = seed();
                n += memcmp(&a, &b, sizeof a) != 0 && sum(&a, s) == sum(&b, s);
        }
        return n;
}

Test(rowhash, no_exchange_of_values_in_10000_leaves_the_sum_as_it_was)
{
        cr_assert_eq(missed(row_hash_seed), 0);
}

static uint64_t linear(const Rows *t)
{
        uint64_t s = 0;
        for (int r = 0; r < ROWS; r++)
                for (int c = 0; c < COLUMNS; c++)
                        s += (uint64_t)(c * 31 + 1) * row_hash(1, t->v[r][c], strlen(t->v[r][c]));
        return s;
}

/* The same plants against hashes that are linear in the columns: the test can see what it looks
 * for. */
Test(rowhash, the_plants_are_seen_to_be_missed_by_a_linear_sum)
{
        int n = 0;
        state = 1;
        for (int i = 0; i < PLANTS; i++) {
                Rows a;
                memset(&a, 0, sizeof a);
                make(&a);
                Rows b = a;
                plant(&b, i % 8);
                n += memcmp(&a, &b, sizeof a) != 0 && linear(&a) == linear(&b);
        }
        cr_assert_gt(n, PLANTS / 5, "%d", n);
}

Test(rowhash, the_order_of_rows_is_nothing_and_another_seed_is_another_sum)
{
        Rows a;
        memset(&a, 0, sizeof a);
        make(&a);
        Rows b = a;
        memcpy(b.v[0], a.v[5], sizeof a.v[0]);
        memcpy(b.v[5], a.v[0], sizeof a.v[0]);
        cr_assert_eq(sum(&a, 7), sum(&b, 7));
        cr_assert_neq(sum(&a, 7), sum(&a, 8));
        cr_assert_neq(row_hash_seed(), ROW_HASH_OLDER);
}

/* Bundles are kept for years: their hash is what it was when they were written. */
Test(rowhash, the_older_hash_is_what_it_was)
{
        cr_assert_eq(row_hash(ROW_HASH_OLDER, "1\tabc\n", 6), 0x9db31d8650b469e4ULL);
        cr_assert_eq(row_hash(ROW_HASH_OLDER, "12345\tthe quick brown fox jumps\t\\N\n", 34),
                     0x62977c23ea24f060ULL);
}
