#include "base/fmt.h"

#include <math.h>
#include <stdio.h>
#include <ctype.h>

static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB", "PB" };

char *fmt_bytes(int64_t bytes, char buf[static 24])
{
        double v = (double)bytes;
        size_t u = 0;
        /* One decimal from MB on; a tenth of a kB is noise. What would round up to 1024 is one
         * of the next unit. */
        static const double full[] = { 1024, 1023.5, 1023.95 };
        while (u + 1 < LEN(units) && fabs(v) >= full[MIN(u, LEN(full) - 1)]) {
                v /= 1024;
                u++;
        }
        if (u < 2)
                snprintf(buf, 24, "%.0f %s", v, units[u]);
        else
                snprintf(buf, 24, "%.1f %s", v, units[u]);
        return buf;
}

char *fmt_rate(double bytes_per_s, char buf[static 32])
{
        char size[24];
        bool sane = isfinite(bytes_per_s) && fabs(bytes_per_s) < 9e18;
        snprintf(buf, 32, "%s/s", fmt_bytes(sane ? (int64_t)bytes_per_s : 0, size));
        return buf;
}

char *fmt_count(int64_t n, char buf[static 32])
{
        char digits[24];
        unsigned long long u = n < 0 ? -(unsigned long long)n : (unsigned long long)n;
        int len = snprintf(digits, sizeof digits, "%llu", u);
        char *p = buf;
        if (n < 0)
                *p++ = '-';
        for (int i = 0; i < len; i++) {
                if (i && (len - i) % 3 == 0)
                        *p++ = ',';
                *p++ = digits[i];
        }
        *p = '\0';
        return buf;
}

char *fmt_things(int64_t n, const char *thing, char buf[static 64])
{
        char count[32];
        snprintf(buf, 64, "%s %s%s", fmt_count(n, count), thing, n == 1 ? "" : "s");
        return buf;
}

char *fmt_clock(int64_t ms, char buf[static 24])
{
        long long s = (ms < 0 ? 0 : ms) / 1000;
        if (s >= 3600)
                snprintf(buf, 24, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
        else
                snprintf(buf, 24, "%lld:%02lld", s / 60, s % 60);
        return buf;
}

char *fmt_duration(int64_t ms, char buf[static 24])
{
        long long s = ((ms < 0 ? 0 : ms) + 500) / 1000;
        if (ms < 1000)
                snprintf(buf, 24, "%lld ms", (long long)(ms < 0 ? 0 : ms));
        else if (s < 120)
                snprintf(buf, 24, "%lld s", s);
        else if (s < 7200)
                snprintf(buf, 24, "%lld min", (s + 30) / 60);
        else if (s < 2 * 86400)
                snprintf(buf, 24, "%lld h %lld min", s / 3600, s / 60 % 60);
        else
                snprintf(buf, 24, "%lld days", s / 86400);
        return buf;
}

static bool parse_number(const char *text, double *ret, const char **ret_unit)
{
        char *end;
        if (!isdigit((unsigned char)*text))
                return false;
        *ret = strtod(text, &end);
        if ((size_t)(end - text) != strspn(text, "0123456789."))
                return false; /* 0x10 and 1e3 are not how people write sizes */
        while (*end == ' ')
                end++;
        *ret_unit = end;
        return isfinite(*ret);
}

bool fmt_parse_size(const char *text, int64_t *ret_bytes)
{
        static const struct {
                const char *unit;
                int shift;
        } known[] = { { "", 0 },    { "B", 0 },    { "bytes", 0 }, { "kB", 10 },
                      { "KB", 10 }, { "KiB", 10 }, { "MB", 20 },   { "MiB", 20 },
                      { "GB", 30 }, { "GiB", 30 }, { "TB", 40 },   { "TiB", 40 } };
        double v;
        const char *unit;
        if (!parse_number(text, &v, &unit))
                return false;
        for (size_t i = 0; i < LEN(known); i++) {
                if (!str_eq(unit, known[i].unit))
                        continue;
                v *= (double)((int64_t)1 << known[i].shift);
                if (v >= 9.2e18)
                        return false;
                *ret_bytes = (int64_t)v;
                return true;
        }
        return false;
}

bool fmt_parse_duration(const char *text, int64_t *ret_ms)
{
        static const struct {
                const char *unit;
                int64_t ms;
        } known[] = { { "ms", 1 },      { "s", 1000 },    { "m", 60000 },
                      { "min", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
        double v;
        const char *unit;
        if (!parse_number(text, &v, &unit))
                return false;
        for (size_t i = 0; i < LEN(known); i++) {
                if (!str_eq(unit, known[i].unit))
                        continue;
                v *= (double)known[i].ms;
                if (v >= 9.2e18)
                        return false;
                *ret_ms = (int64_t)v;
                return true;
        }
        return false;
}
