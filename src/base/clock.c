#include "base/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static bool frozen(int64_t *ms)
{
        const char *text = getenv("PGSHERPA_CLOCK");
        if (!text || !*text)
                return false;
        *ms = strtoll(text, NULL, 10);
        return true;
}

static int64_t read_clock(clockid_t id)
{
        int64_t ms;
        if (frozen(&ms))
                return ms;
        struct timespec ts;
        clock_gettime(id, &ts);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void)
{
        return read_clock(CLOCK_REALTIME);
}

int64_t clock_boot_ms(void)
{
        return read_clock(CLOCK_BOOTTIME);
}

char *clock_iso(int64_t wall_ms, char buf[static 32])
{
        time_t s = (time_t)(wall_ms / 1000);
        struct tm tm;
        gmtime_r(&s, &tm);
        size_t n = strftime(buf, 32, "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(buf + n, 32 - n, ".%03dZ", (int)(wall_ms % 1000));
        return buf;
}

static char *local(int64_t wall_ms, const char *format, char *buf, size_t n)
{
        time_t s = (time_t)(wall_ms / 1000);
        struct tm tm;
        localtime_r(&s, &tm);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* three callers below, all literal */
        strftime(buf, n, format, &tm);
#pragma GCC diagnostic pop
        return buf;
}

char *clock_hms(int64_t wall_ms, char buf[static 16])
{
        return local(wall_ms, "%H:%M:%S", buf, 16);
}

char *clock_hm(int64_t wall_ms, char buf[static 16])
{
        return local(wall_ms, "%H:%M", buf, 16);
}

char *clock_day_hm(int64_t wall_ms, char buf[static 24])
{
        return local(wall_ms, "%e %b %H:%M", buf, 24);
}

bool clock_parse_iso(const char *text, int64_t *ret_wall_ms)
{
        struct tm tm = { 0 };
        int ms = 0;
        if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &ms) < 6)
                return false;
        tm.tm_year -= 1900;
        tm.tm_mon -= 1;
        *ret_wall_ms = (int64_t)timegm(&tm) * 1000 + ms;
        return true;
}

bool clock_parse_start(const char *text, int64_t *ret_wall_ms)
{
        int h = 0, m = 0, used = 0;
        if (clock_parse_iso(text, ret_wall_ms))
                return true;
        if (sscanf(text, "%2d:%2d%n", &h, &m, &used) != 2 || text[used] || h < 0 || h > 23 ||
            m < 0 || m > 59)
                return false;
        time_t now = (time_t)(clock_wall_ms() / 1000);
        struct tm tm;
        localtime_r(&now, &tm);
        tm.tm_mday += h < tm.tm_hour || (h == tm.tm_hour && m <= tm.tm_min);
        tm.tm_hour = h;
        tm.tm_min = m;
        tm.tm_sec = 0;
        tm.tm_isdst = -1;
        *ret_wall_ms = (int64_t)mktime(&tm) * 1000;
        return true;
}

const char *clock_boot_id(void)
{
        static char id[40];
        if (!id[0]) {
                int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
                ssize_t n = fd >= 0 ? read(fd, id, sizeof id - 1) : -1;
                if (fd >= 0)
                        close(fd);
                id[n > 0 ? n : 0] = '\0';
                id[strcspn(id, "\n")] = '\0';
                if (!id[0])
                        memcpy(id, "unknown", 8);
        }
        return id;
}

void clock_cond_init(pthread_cond_t *c)
{
        pthread_condattr_t attr;
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(c, &attr);
        pthread_condattr_destroy(&attr);
}

struct timespec clock_cond_after(int64_t ms)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        t.tv_sec += (time_t)(ms / 1000);
        t.tv_nsec += (long)(ms % 1000) * 1000000;
        if (t.tv_nsec >= 1000000000) {
                t.tv_sec++;
                t.tv_nsec -= 1000000000;
        }
        return t;
}
