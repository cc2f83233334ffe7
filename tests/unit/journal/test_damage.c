/* Damage, tried everywhere: nothing wrong is ever accepted, nothing acknowledged ever lost.
 *
 * The unit suite tries a sample of it; all of it (every byte, every bit) is the soak suite:
 * PGSHERPA_SOAK=1. The last line says how much was tried. */
#include "base/clock.h"
#include "journal/record.h"
#include "scratch.h"

enum { RECORDS = 60 };

typedef struct Sample {
        char bytes[64 * 1024];
        size_t n;
        size_t ends[RECORDS + 1];  /* offset behind the newline of record i */
        Chain chains[RECORDS + 1]; /* after record i */
} Sample;

static Sample sample;

static size_t stride(size_t sampled)
{
        return getenv("PGSHERPA_SOAK") ? 1 : sampled;
}

/* The kinds of bytes a real journal holds: blanks and @ (one bit from NUL), escapes, numbers. */
static void setup(void)
{
        Chain at = chain_start();
        AUTO_BUF line = buf_init(4096);
        sample.n = 0;
        sample.chains[0] = at;
        for (int i = 1; i <= RECORDS; i++) {
                AUTO_FREE char *json = xasprintf(
                        "{\"n\":%d,\"text\":\"from anna@vault: \\u00e4 \\\"x\\\" {%0*d}\"}", i,
                        i % 13 * 11 + 1, i);
                AUTO_JSON fields = fields_of(json);
                Chain next;
                cr_assert(record_encode(&at, i % 4 ? EV_NOTE : EV_STEP_DONE, i % 3 ? "copy" : NULL,
                                        fields, (RecordTime){ 1795207260000 + i, 1000 + i }, &line,
                                        &next));
                memcpy(sample.bytes + sample.n, buf_str(&line), line.len);
                sample.n += line.len;
                sample.ends[i] = sample.n;
                sample.chains[i] = at = next;
        }
        cr_assert(sample.n < sizeof sample.bytes);
}

/* Which record does byte `at` belong to? From 1. */
static int record_of(size_t at)
{
        int i = 1;
        while (sample.ends[i] <= at)
                i++;
        return i;
}

/* Starts from the untouched records before `at`: that they are fine is tested elsewhere. */
static Scan scan_from(const char *bytes, size_t n, size_t at)
{
        int before = record_of(MIN(at, sample.n - 1)) - 1;
        size_t skip = sample.ends[before];
        Scan s = record_scan(&sample.chains[before], bytes + skip, n - skip, skip, 0);
        s.good += skip;
        return s;
}

Test(damage, none_is_none, .init = setup)
{
        Chain start = chain_start();
        Scan s = record_scan(&start, sample.bytes, sample.n, 0, 7);
        cr_assert_eq(s.state, JOURNAL_OK);
        cr_assert_eq(s.chain.seq, RECORDS);
        cr_assert_eq(s.good, sample.n);
        cr_assert_str_eq(s.head_hash, sample.chains[7].hash);
}

Test(damage, a_cut_anywhere_keeps_exactly_the_whole_records, .init = setup)
{
        for (size_t n = 0; n <= sample.n; n++) {
                Chain start = chain_start();
                Scan s = record_scan(&start, sample.bytes, n, 0, 0);
                int whole = 0;
                while (whole < RECORDS && sample.ends[whole + 1] - 1 <= n)
                        whole++;
                cr_assert_eq(s.chain.seq, whole, "cut at %zu", n);
                bool clean = n == sample.ends[whole] || n == sample.ends[whole] - 1;
                cr_assert_eq(s.state, clean || n == 0 ? JOURNAL_OK : JOURNAL_TORN, "cut at %zu", n);
                cr_assert_eq(s.no_newline, whole && n == sample.ends[whole] - 1);
        }
}

Test(damage, no_flipped_bit_is_accepted_or_costs_a_record, .init = setup, .timeout = 300)
{
        size_t tried = 0, torn = 0;
        for (size_t bit = 0; bit < sample.n * 8; bit += stride(11)) {
                size_t at = bit / 8;
                sample.bytes[at] ^= (char)(1 << (bit & 7));
                Scan s = scan_from(sample.bytes, sample.n, at);
                sample.bytes[at] ^= (char)(1 << (bit & 7));
                tried++;
                if (s.state == JOURNAL_CORRUPT) {
                        cr_assert_eq(s.chain.seq,
                                     record_of(at) - 1 + (at == sample.ends[record_of(at)]),
                                     "bit %zu", bit);
                        continue;
                }
                torn++;
                cr_assert_eq(s.state, JOURNAL_TORN, "bit %zu of byte %zu was accepted", bit & 7,
                             at);
                cr_assert_eq(at, sample.n - 1, "byte %zu is no final newline", at);
                cr_assert_eq(s.chain.seq, RECORDS, "a record was lost");
        }
        cr_assert_leq(torn, 8);
        fprintf(stderr, "%zu bits flipped: %zu CORRUPT, %zu TORN with all records kept\n", tried,
                tried - torn, torn);
}

Test(damage, two_flipped_bits_are_not_accepted_either, .init = setup, .timeout = 300)
{
        unsigned seed = 20261120;
        int rounds = getenv("PGSHERPA_SOAK") ? 50000 : 3000;
        for (int i = 0; i < rounds; i++) {
                size_t a = (size_t)rand_r(&seed) % (sample.n * 8);
                size_t b = (size_t)rand_r(&seed) % (sample.n * 8);
                if (a == b)
                        continue;
                sample.bytes[a / 8] ^= (char)(1 << (a & 7));
                sample.bytes[b / 8] ^= (char)(1 << (b & 7));
                Scan s = scan_from(sample.bytes, sample.n, MIN(a, b) / 8);
                sample.bytes[a / 8] ^= (char)(1 << (a & 7));
                sample.bytes[b / 8] ^= (char)(1 << (b & 7));
                cr_assert_neq(s.state, JOURNAL_OK, "bits %zu and %zu", a, b);
                if (s.state == JOURNAL_TORN)
                        cr_assert_geq(s.chain.seq, RECORDS - 1, "bits %zu and %zu", a, b);
        }
}

Test(damage, a_missing_moved_or_doubled_line_is_found, .init = setup)
{
        static char bytes[sizeof sample.bytes * 2];
        for (int i = 1; i <= RECORDS; i++) {
                size_t from = sample.ends[i - 1], to = sample.ends[i], len = to - from;
                Chain start = chain_start();
                memcpy(bytes, sample.bytes, from);
                memcpy(bytes + from, sample.bytes + to, sample.n - to);
                Scan s = record_scan(&start, bytes, sample.n - len, 0, 0);
                /* Nothing but `head` knows that the last line is gone. */
                cr_assert_eq(s.state, i == RECORDS ? JOURNAL_OK : JOURNAL_CORRUPT, "without %d", i);
                memcpy(bytes, sample.bytes, to);
                memcpy(bytes + to, sample.bytes + from, sample.n - from);
                s = record_scan(&start, bytes, sample.n + len, 0, 0);
                cr_assert_eq(s.state, JOURNAL_CORRUPT, "%d twice", i);
        }
}

Test(damage, garbage_behind_the_end_is_never_a_record, .init = setup)
{
        static char bytes[sizeof sample.bytes + 8192];
        unsigned seed = 7;
        memcpy(bytes, sample.bytes, sample.n);
        for (int round = 0; round < 300; round++) {
                size_t len = (size_t)rand_r(&seed) % 4096 + 1;
                int fill = round % 4;
                for (size_t i = 0; i < len; i++)
                        bytes[sample.n + i] = (char)(fill == 0   ? 0
                                                     : fill == 1 ? 0xff
                                                                 : rand_r(&seed));
                Chain start = chain_start();
                Scan s = record_scan(&start, bytes, sample.n + len, 0, 0);
                cr_assert_neq(s.state, JOURNAL_OK);
                cr_assert_eq(s.chain.seq, RECORDS);
                cr_assert_eq(s.good, sample.n);
                if (fill < 2)
                        cr_assert_eq(s.state, JOURNAL_TORN, "%zu bytes of %d", len, fill);
                /* the same behind a record whose newline is gone */
                memmove(bytes + sample.n - 1, bytes + sample.n, len);
                s = record_scan(&start, bytes, sample.n - 1 + len, 0, 0);
                cr_assert_neq(s.state, JOURNAL_OK);
                if (s.state == JOURNAL_TORN)
                        cr_assert_eq(s.chain.seq, RECORDS, "an acknowledged record was lost");
                bytes[sample.n - 1] = '\n';
        }
}

/* A power cut: the file has its length, the last sectors never came. */
Test(damage, sectors_lost_at_the_end_are_a_torn_tail, .init = setup)
{
        static char bytes[sizeof sample.bytes];
        static const size_t sizes[] = { 512, 4096 };
        for (size_t k = 0; k < LEN(sizes); k++)
                for (size_t from = 0; from < sample.n; from += sizes[k]) {
                        memcpy(bytes, sample.bytes, sample.n);
                        memset(bytes + from, 0, sample.n - from);
                        Chain start = chain_start();
                        Scan s = record_scan(&start, bytes, sample.n, 0, 0);
                        int whole = 0;
                        while (sample.ends[whole + 1] - 1 <= from)
                                whole++;
                        cr_assert_eq(s.state, JOURNAL_TORN, "from %zu", from);
                        cr_assert_eq(s.chain.seq, whole, "from %zu", from);
                }
}

/* One lost sector in the middle, with good records behind it: never cut. */
Test(damage, a_hole_in_the_middle_is_corruption, .init = setup)
{
        static char bytes[sizeof sample.bytes];
        for (size_t from = 0; from + 512 < sample.ends[RECORDS - 1]; from += 512) {
                memcpy(bytes, sample.bytes, sample.n);
                memset(bytes + from, 0, 512);
                Chain start = chain_start();
                Scan s = record_scan(&start, bytes, sample.n, 0, 0);
                cr_assert_eq(s.state, JOURNAL_CORRUPT, "at %zu", from);
        }
}

/* The same through the door that the engine uses: open, go on, verify. */
Test(damage, after_any_cut_the_run_goes_on, .init = setup, .timeout = 300)
{
        AUTO_DIR dir = scratch_dir();
        AUTO_ERR err = { 0 };
        for (size_t n = 0; n < sample.n; n += stride(97)) {
                spit(dir, "journal.jsonl", sample.bytes, n);
                Journal *j = must_open(dir);
                must_append(j, EV_NOTE, NULL, "{\"text\":\"on\"}");
                int64_t seq = journal_seq(j);
                journal_close(j);
                JournalState state;
                AUTO_FREE char *words = NULL;
                int64_t records = 0;
                cr_assert(journal_verify(dir, &state, &records, &words, &err), "%s", err.message);
                cr_assert_eq(state, JOURNAL_OK, "cut at %zu: %s", n, words);
                cr_assert_eq(records, seq);
                size_t m;
                AUTO_FREE char *now = slurp(dir, "journal.jsonl", &m);
                size_t kept = sample.ends[record_of(n) - 1];
                cr_assert(m > kept && memcmp(now, sample.bytes, kept) == 0, "cut at %zu", n);
        }
}
