/* term_kind.c: what is known of a terminal without ncurses (term_kind.h). */
#include "ui/term_kind.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <strings.h>
#include <unistd.h>

#include "ui/term.h"

enum { WRITE_PATIENCE_MS = 2000 };

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1 /* clang's way of saying what gcc says with this */
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
/* ncurses keeps what it read of terminfo until the end, on purpose. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
        return "leak:libtinfo\nleak:libncurses\n";
}

/* A suppression that was used is no report. */
const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
        return "print_suppressions=0";
}
#endif

static bool env_says_utf8(void)
{
        const char *v[] = { getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG") };
        for (size_t i = 0; i < LEN(v); i++)
                if (v[i] && *v[i])
                        return strcasestr(v[i], "UTF-8") || strcasestr(v[i], "utf8");
        return false;
}

/* en_US.UTF-8 that was never generated, or macOS sending LC_CTYPE=UTF-8: both mean UTF-8. */
void term_pick_locale(void)
{
        if (!setlocale(LC_ALL, "") || strcmp(nl_langinfo(CODESET), "UTF-8"))
                if (env_says_utf8())
                        setlocale(LC_CTYPE, "C.UTF-8");
        setlocale(LC_NUMERIC, "C");
}

bool term_wants_plain(void)
{
        const char *t = getenv("TERM"), *plain = getenv("PGSHERPA_PLAIN");
        return (plain && *plain && strcmp(plain, "0")) || !isatty(0) || !isatty(1) || !t || !*t ||
               str_eq(t, "dumb");
}

const char *term_alike(const char *name)
{
        static const char *const same[][2] = {
                { "xterm-kitty", "xterm-256color" }, { "xterm-ghostty", "xterm-256color" },
                { "alacritty", "xterm-256color" },   { "foot", "xterm-256color" },
                { "wezterm", "xterm-256color" },     { "rio", "xterm-256color" },
                { "contour", "xterm-256color" },     { "st-", "xterm-256color" },
                { "konsole", "xterm-256color" },     { "putty", "xterm-256color" },
                { "tmux", "screen-256color" },       { "screen", "screen-256color" },
        };
        for (size_t i = LEN(same); i-- > 0;)
                if (str_starts(name, same[i][0]))
                        return same[i][1];
        return "xterm";
}

/* A stalled link must not hold us: after the deadline the frame is given up, and the next one
 * is a full one. */
bool term_write(const char *p, size_t n)
{
        while (n > 0) {
                ssize_t w = write(1, p, n);
                if (w >= 0) {
                        p += w;
                        n -= (size_t)w;
                        continue;
                }
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return false;
                struct pollfd q = { .fd = 1, .events = POLLOUT };
                if (poll(&q, 1, WRITE_PATIENCE_MS) <= 0)
                        return false;
        }
        return true;
}

char *term_base64(const char *bytes, size_t n)
{
        static const char b64[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        char *out = xmalloc(n / 3 * 4 + 5), *p = out;
        for (size_t i = 0; i < n; i += 3) {
                unsigned v = (unsigned)(unsigned char)bytes[i] << 16;
                v |= i + 1 < n ? (unsigned)(unsigned char)bytes[i + 1] << 8 : 0;
                v |= i + 2 < n ? (unsigned char)bytes[i + 2] : 0;
                *p++ = b64[v >> 18 & 63];
                *p++ = b64[v >> 12 & 63];
                *p++ = i + 1 < n ? b64[v >> 6 & 63] : '=';
                *p++ = i + 2 < n ? b64[v & 63] : '=';
        }
        *p = '\0';
        return out;
}
