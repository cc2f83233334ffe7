#include "journal/record.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/limits.h"

#define SUFFIX_OPEN ",\"h\":\""
enum {
        SUFFIX = sizeof SUFFIX_OPEN - 1 + RECORD_HASH + 2, /* ,"h":"..."} */
        SECTOR = 512,
};
#define RECORD_START "{\"seq\":"

Chain chain_start(void)
{
        Chain c = { .seq = 0 };
        memset(c.hash, '0', RECORD_HASH);
        return c;
}

static void hash_of(const char *bytes, size_t n, char hash[RECORD_HASH + 1])
{
        char hex[65];
        digest_hex_of(bytes, n, hex);
        memcpy(hash, hex, RECORD_HASH);
        hash[RECORD_HASH] = '\0';
}

bool record_encode(const Chain *at, EventType type, const char *step, const json_t *fields,
                   RecordTime when, Buf *out, Chain *ret)
{
        char iso[32];
        buf_reset(out);
        buf_printf(out, RECORD_START "%lld,\"prev\":\"%s\",\"t\":\"%s\",\"bt\":%lld,\"ev\":\"%s\"",
                   (long long)at->seq + 1, at->hash, clock_iso(when.wall_ms, iso),
                   (long long)when.boot_ms, event_name(type));
        if (step) {
                AUTO_JSON j = jx_text(step);
                AUTO_FREE char *text = jx_dump(j);
                buf_printf(out, ",\"step\":%s", text);
        }
        AUTO_FREE char *rest = json_object_size(fields) ? jx_dump(fields) : NULL;
        if (rest) {
                size_t n = strlen(rest);
                buf_addc(out, ',');
                buf_add(out, rest + 1, n - 2);
        }
        if (out->overflow || out->len + SUFFIX + 1 > LIMIT_RECORD)
                return false;
        ret->seq = at->seq + 1;
        hash_of(buf_str(out), out->len, ret->hash);
        buf_printf(out, SUFFIX_OPEN "%s\"}\n", ret->hash);
        return !out->overflow;
}

bool record_self_valid(const char *line, size_t n)
{
        const size_t start = strlen(RECORD_START);
        if (n < start + SUFFIX || n >= LIMIT_RECORD || memcmp(line, RECORD_START, start) != 0)
                return false;
        const char *suffix = line + n - SUFFIX;
        const size_t open = strlen(SUFFIX_OPEN);
        if (memcmp(suffix, SUFFIX_OPEN, open) != 0 || memcmp(line + n - 2, "\"}", 2) != 0)
                return false;
        char hash[RECORD_HASH + 1];
        hash_of(line, n - SUFFIX, hash);
        return memcmp(suffix + open, hash, RECORD_HASH) == 0;
}

bool record_follows(Chain *at, const char *line, size_t n)
{
        if (!record_self_valid(line, n))
                return false;
        char expected[96];
        int k = snprintf(expected, sizeof expected, RECORD_START "%lld,\"prev\":\"%s\",\"t\":\"",
                         (long long)at->seq + 1, at->hash);
        if ((size_t)k > n || memcmp(line, expected, (size_t)k) != 0)
                return false;
        at->seq++;
        memcpy(at->hash, line + n - RECORD_HASH - 2, RECORD_HASH);
        return true;
}

bool record_parse(const char *line, size_t n, Event *ev, Err *err)
{
        *ev = (Event){ 0 };
        json_t *j = jx_parse(line, n, err);
        if (!j)
                return false;
        ev->fields = j;
        ev->seq = jx_int(j, "seq", 0);
        ev->bt_ms = jx_int(j, "bt", 0);
        ev->type = event_type(jx_str(j, "ev", ""));
        ev->step = jx_str(j, "step", NULL);
        if (!clock_parse_iso(jx_str(j, "t", ""), &ev->t_ms))
                ev->t_ms = 0;
        return true;
}

bool record_is_progress(const char *line, size_t n)
{
        static const char mark[] = ",\"ev\":\"progress\"";
        return memmem(line, MIN(n, 160), mark, sizeof mark - 1) != NULL;
}

/* NULs as a power cut leaves them, see record.h. */
static bool nuls_of_a_power_cut(const char *bytes, size_t n, size_t offset)
{
        for (size_t i = 0; i < n;) {
                if (bytes[i]) {
                        i++;
                        continue;
                }
                size_t from = i;
                while (i < n && !bytes[i])
                        i++;
                bool starts = from == 0 || (offset + from) % SECTOR == 0;
                bool ends = i == n || (offset + i) % SECTOR == 0;
                if (i - from < 2 || !starts || !ends)
                        return false;
        }
        return true;
}

/* The tail may hold a whole record whose newline is gone, with or without garbage behind it
 * (a flipped newline, NULs of a power cut). Its length, or 0. */
static size_t record_in_tail(const Chain *at, const char *bytes, size_t n)
{
        for (size_t i = 0; i + 1 < n && i < LIMIT_RECORD; i++) {
                Chain try = *at;
                if (bytes[i] == '"' && bytes[i + 1] == '}' && record_follows(&try, bytes, i + 2))
                        return i + 2;
        }
        return 0;
}

static bool any_self_valid_line(const char *bytes, size_t n)
{
        while (n > 0) {
                const char *end = memchr(bytes, '\n', n);
                size_t len = end ? (size_t)(end - bytes) : n;
                if (record_self_valid(bytes, len))
                        return true;
                size_t step = MIN(len + 1, n);
                bytes += step;
                n -= step;
        }
        return false;
}

/* What is the stretch that starts at the first bad line? Sets s->state, good, no_newline. */
static void judge(Scan *s, const char *bytes, size_t n, size_t offset)
{
        const char *end = memchr(bytes, '\n', n);
        size_t len = end ? (size_t)(end - bytes) : n;
        s->state = JOURNAL_CORRUPT;
        if (end && record_self_valid(bytes, len)) {
                s->why = "does not follow the line before it (a line is missing, added or moved)";
                return;
        }
        if (end && any_self_valid_line(end + 1, n - len - 1)) {
                s->why = "was changed after it was written (its checksum does not fit)";
                return;
        }
        if (n > 1 && memmem(bytes + 1, n - 1, RECORD_START, strlen(RECORD_START))) {
                s->why = "is damaged, and more records come after it";
                return;
        }
        size_t whole = record_in_tail(&s->chain, bytes, len);
        if (whole && (!end || memchr(bytes, '\0', len))) {
                bool moved = record_follows(&s->chain, bytes, whole);
                assert(moved);
                s->good += whole;
                s->no_newline = true;
                s->state = whole == n ? JOURNAL_OK : JOURNAL_TORN;
                s->why = whole == n ? "lacks only its newline" : "is followed by garbage";
                return;
        }
        if (end && !memchr(bytes, '\0', len)) {
                s->why = "was changed after it was written (its checksum does not fit)";
                return;
        }
        if (end && !nuls_of_a_power_cut(bytes, len, offset)) {
                s->why = "holds a NUL that no power cut leaves";
                return;
        }
        s->state = JOURNAL_TORN;
        s->why = "was not written to its end (power cut or full disk)";
}

Scan record_scan(const Chain *at, const char *bytes, size_t n, size_t offset, int64_t want_seq)
{
        Scan s = { .state = JOURNAL_OK, .chain = *at };
        while (s.good < n) {
                const char *line = bytes + s.good;
                const char *end = memchr(line, '\n', n - s.good);
                s.line++;
                if (!end || !record_follows(&s.chain, line, (size_t)(end - line))) {
                        judge(&s, line, n - s.good, offset + s.good);
                        if (s.no_newline && s.chain.seq == want_seq)
                                memcpy(s.head_hash, s.chain.hash, sizeof s.head_hash);
                        break;
                }
                s.good += (size_t)(end - line) + 1;
                if (s.chain.seq == want_seq)
                        memcpy(s.head_hash, s.chain.hash, sizeof s.head_hash);
        }
        return s;
}
