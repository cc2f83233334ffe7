/* usage.c: a verb's words for people: a line for each form, none wider than a terminal. */
#include <stdio.h>
#include <string.h>

#include "app/cli/verb.h"

#define WIDTH  80
#define INDENT 6

/* Bytes of the first form: up to a " | " that stands in no bracket. *ret_next: the next form. */
static size_t form(const char *s, const char **ret_next)
{
        int depth = 0;
        for (const char *p = s; *p; p++) {
                depth += (*p == '[' || *p == '(') - (*p == ']' || *p == ')');
                if (depth == 0 && strncmp(p, " | ", 3) == 0) {
                        *ret_next = p + 3;
                        return (size_t)(p - s);
                }
        }
        *ret_next = NULL;
        return strlen(s);
}

/* Bytes up to a space where a line may end. What stands in brackets stays together while it fits,
 * and an option is not parted from its value. */
static size_t piece(const char *s, size_t n)
{
        int depth = 0;
        size_t fits = 0;
        bool option = s[0] == '-';
        for (size_t i = 0; i < n; i++) {
                depth += (s[i] == '[' || s[i] == '(') - (s[i] == ']' || s[i] == ')');
                if (s[i] != ' ')
                        continue;
                if (fits > 0 && i > WIDTH - INDENT - 1)
                        return fits;
                if (depth == 0 && !(option && strchr("[(-", s[i + 1]) == NULL))
                        return i;
                option = false;
                fits = i;
        }
        return fits > 0 && n > WIDTH - INDENT - 1 ? fits : n;
}

static void print_form(FILE *to, const char *verb, const char *s, size_t n)
{
        size_t column = (size_t)fprintf(to, "  pgsherpa %s", verb);
        while (n > 0) {
                size_t len = piece(s, n);
                if (column + 1 + len > WIDTH)
                        column = (size_t)fprintf(to, "\n%*s", INDENT, "") - 1;
                column += (size_t)fprintf(to, " %.*s", (int)len, s);
                len += len < n; /* the space */
                s += len;
                n -= len;
        }
        fputc('\n', to);
}

static bool begins_with(const char *s, size_t n, const char *word)
{
        size_t len = strlen(word);
        return n >= len && memcmp(s, word, len) == 0 && (n == len || s[len] == ' ');
}

void usage_print(FILE *to, const Verb *v, const char *word)
{
        const char *next;
        bool known = false;
        for (const char *s = v->args; word && s && !known; s = next)
                known = begins_with(s, form(s, &next), word);
        fputs("usage:\n", to);
        for (const char *s = v->args; s; s = next) {
                size_t n = form(s, &next);
                if (!known || begins_with(s, n, word))
                        print_form(to, v->name, s, n);
        }
}
