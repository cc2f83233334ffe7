#include "proc/argv.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/redact.h"
#include "base/text.h"

static void argv_take(Argv *a, char *word)
{
        if (a->n + 2 > a->capacity) {
                a->capacity = a->capacity ? a->capacity * 2 : 16;
                a->v = xrealloc(a->v, a->capacity * sizeof *a->v);
        }
        a->v[a->n++] = word;
        a->v[a->n] = NULL;
}

void argv_add(Argv *a, const char *word)
{
        argv_take(a, xstrdup(word));
}

void argv_addf(Argv *a, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        argv_take(a, xvasprintf(fmt, ap));
        va_end(ap);
}

void argv_add_all(Argv *a, const char *const *words)
{
        for (; *words; words++)
                argv_add(a, *words);
}

void argv_done(Argv *a)
{
        for (size_t i = 0; i < a->n; i++)
                free(a->v[i]);
        free(a->v);
        *a = (Argv){ 0 };
}

/* Words of these characters read the same with and without quotes in every shell. */
static bool plain(const char *word)
{
        static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 "_-./:=,@%+";
        return *word && word[strspn(word, ok)] == '\0';
}

char *argv_for_humans(const Argv *a)
{
        AUTO_BUF b = buf_init(1024 * 1024);
        for (size_t i = 0; i < a->n; i++) {
                if (i)
                        buf_addc(&b, ' ');
                AUTO_FREE char *word = text_clean_str(a->v[i]);
                if (plain(word)) {
                        buf_adds(&b, word);
                        continue;
                }
                buf_addc(&b, '\'');
                for (const char *p = word; *p; p++) {
                        if (*p == '\'')
                                buf_adds(&b, "'\\''");
                        else
                                buf_addc(&b, *p);
                }
                buf_addc(&b, '\'');
        }
        return redact_text(buf_str(&b));
}
