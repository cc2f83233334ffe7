#include "host/compose/compose_vars.h"

#include <ctype.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"

#define MAX_USES 8

typedef struct Use {
        size_t start, end; /* of the whole ${..} */
        size_t name, name_len;
        size_t def, def_len; /* the text after :- or - */
        bool has_def;
} Use;

static bool is_name(char c)
{
        return isalnum((unsigned char)c) || c == '_';
}

/* The byte after the brace that closes the one before `at`; 0: none does. */
static size_t after_brace(const char *text, size_t at)
{
        for (int depth = 1; text[at]; at++) {
                if (text[at] == '{' && at > 0 && text[at - 1] == '$')
                        depth++;
                if (text[at] == '}' && --depth == 0)
                        return at + 1;
        }
        return 0;
}

static bool read_use(const char *text, size_t at, Use *u)
{
        bool braced = text[at + 1] == '{';
        *u = (Use){ .start = at, .name = at + 1 + braced };
        while (is_name(text[u->name + u->name_len]))
                u->name_len++;
        u->end = braced ? after_brace(text, u->name) : u->name + u->name_len;
        if (!u->name_len || !u->end)
                return false;
        size_t p = u->name + u->name_len;
        p += braced && text[p] == ':';
        if (braced && text[p] == '-') {
                u->def = p + 1;
                u->def_len = u->end - 1 - u->def;
                u->has_def = !memchr(text + u->def, '$', u->def_len);
        }
        return true;
}

static size_t uses_of(const char *text, Use *uses)
{
        size_t n = 0;
        for (const char *p = strchr(text, '$'); p && n < MAX_USES; p = strchr(p, '$')) {
                if (p[1] == '$')
                        p += 2;
                else if (read_use(text, (size_t)(p - text), &uses[n]))
                        p = text + uses[n++].end;
                else
                        p++;
        }
        return n;
}

bool vars_any(const char *text)
{
        Use uses[MAX_USES];
        return uses_of(text, uses) > 0;
}

size_t vars_cut_colon(const char *text)
{
        size_t at = 0;
        while (text[at] && text[at] != ':') {
                size_t end = text[at] == '$' && text[at + 1] == '{' ? after_brace(text, at + 2) : 0;
                at = end ? end : at + 1;
        }
        return at;
}

/* ---- .env ---- */

typedef struct EnvLine {
        size_t value, len; /* without its quotes */
        size_t start, end; /* of the whole line, without its newline */
} EnvLine;

static void cut_value(const char *bytes, size_t at, size_t end, EnvLine *l)
{
        while (at < end && strchr(" \t", bytes[at]))
                at++;
        while (end > at && strchr(" \t\r", bytes[end - 1]))
                end--;
        char quote = at < end && strchr("'\"", bytes[at]) ? bytes[at] : 0;
        const char *close = quote ? memchr(bytes + at + 1, quote, end - at - 1) : NULL;
        if (close) {
                l->value = at + 1;
                l->len = (size_t)(close - bytes) - l->value;
                return;
        }
        l->value = at;
        for (size_t p = at; p < end; p++) /* " #" begins a comment */
                if (bytes[p] == '#' && (p == at || strchr(" \t", bytes[p - 1])))
                        end = p;
        while (end > at && strchr(" \t", bytes[end - 1]))
                end--;
        l->len = end - at;
}

static bool find_line(const EnvFile *f, const char *name, EnvLine *ret)
{
        bool found = false;
        size_t n = strlen(name);
        for (size_t at = 0; at < f->n;) {
                const char *nl = memchr(f->bytes + at, '\n', f->n - at);
                size_t end = nl ? (size_t)(nl - f->bytes) : f->n, p = at;
                while (p < end && strchr(" \t", f->bytes[p]))
                        p++;
                if (end - p > 7 && memcmp(f->bytes + p, "export ", 7) == 0)
                        p += 7;
                if (end - p > n && memcmp(f->bytes + p, name, n) == 0) {
                        size_t q = p + n;
                        while (q < end && strchr(" \t", f->bytes[q]))
                                q++;
                        if (q < end && f->bytes[q] == '=') {
                                *ret = (EnvLine){ .start = at, .end = end };
                                cut_value(f->bytes, q + 1, end, ret);
                                found = true;
                        }
                }
                at = end + 1;
        }
        return found;
}

const EnvFile *env_file_of(const EnvFiles *files, const char *name)
{
        EnvLine l;
        for (size_t i = files->n; i-- > 0;)
                if (find_line(&files->f[i], name, &l))
                        return &files->f[i];
        return NULL;
}

char *env_file_set(const EnvFile *f, const char *name, const char *value, size_t *ret_len,
                   char **ret_diff)
{
        EnvLine l;
        if (!find_line(f, name, &l))
                return NULL;
        Buf b = buf_init(2 * LIMIT_COMPOSE_FILE);
        buf_add(&b, f->bytes, l.value);
        buf_adds(&b, value);
        buf_add(&b, f->bytes + l.value + l.len, f->n - l.value - l.len);
        AUTO_FREE char *old = text_clean(f->bytes + l.value, l.len);
        AUTO_FREE char *new = text_clean_str(value);
        *ret_diff = xasprintf("--- %s\n+++ %s\n-%s=%s\n+%s=%s\n", f->path, f->path, name, old, name,
                              new);
        return buf_take(&b, ret_len);
}

/* ---- which variable, and what it must say ---- */

static void fill_in(const char *text, size_t from, size_t to, const Use *uses, size_t n,
                    const EnvFiles *files, Buf *b)
{
        for (size_t i = 0; i < n; i++) {
                const Use *u = &uses[i];
                if (u->start < from || u->end > to)
                        continue;
                buf_add(b, text + from, u->start - from);
                AUTO_FREE char *name = xstrndup(text + u->name, u->name_len);
                const EnvFile *f = env_file_of(files, name);
                EnvLine l;
                if (f && find_line(f, name, &l))
                        buf_add(b, f->bytes + l.value, l.len);
                else if (u->has_def)
                        buf_add(b, text + u->def, u->def_len);
                from = u->end;
        }
        buf_add(b, text + from, to - from);
}

bool vars_solve(const char *text, const char *wanted, const EnvFiles *files, char **ret_name,
                char **ret_value)
{
        Use uses[MAX_USES];
        size_t n = uses_of(text, uses), len = strlen(text), all = strlen(wanted);
        for (size_t k = n; k-- > 0;) {
                AUTO_BUF before = buf_init(LIMIT_COMPOSE_FILE);
                AUTO_BUF after = buf_init(LIMIT_COMPOSE_FILE);
                fill_in(text, 0, uses[k].start, uses, n, files, &before);
                fill_in(text, uses[k].end, len, uses, n, files, &after);
                if (before.len + after.len >= all ||
                    strncmp(wanted, buf_str(&before), before.len) != 0 ||
                    strcmp(wanted + all - after.len, buf_str(&after)) != 0)
                        continue;
                *ret_name = xstrndup(text + uses[k].name, uses[k].name_len);
                *ret_value = xstrndup(wanted + before.len, all - before.len - after.len);
                return true;
        }
        return false;
}

char *vars_with_default(const char *text, const char *name, const char *value)
{
        Use uses[MAX_USES];
        size_t n = uses_of(text, uses);
        for (size_t i = 0; i < n; i++) {
                const Use *u = &uses[i];
                if (u->has_def && u->name_len == strlen(name) &&
                    strncmp(text + u->name, name, u->name_len) == 0)
                        return xasprintf("%.*s%s%s", (int)u->def, text, value,
                                         text + u->def + u->def_len);
        }
        return NULL;
}
