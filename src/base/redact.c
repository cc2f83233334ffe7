#include "base/redact.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "base/buf.h"
#include "base/jsonx.h"
#include "base/text.h"

enum { FORMS = 6, SHORTEST = 4 };

typedef struct Entry {
        const Secret *secret;
        bool like_a_name;   /* see redact_data() */
        char *forms[FORMS]; /* as is, URL-encoded, base64, JSON-, shell-, SQL-escaped */
        size_t lens[FORMS];
        char *pages; /* they all lie there, as the secret does: locked, not dumped */
        size_t size;
        struct Entry *next;
} Entry;

static Entry *entries;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void url_encoded(const char *s, Buf *out)
{
        for (; *s; s++) {
                if (isalnum((unsigned char)*s) || strchr("-_.~", *s)) {
                        buf_addc(out, *s);
                } else {
                        char code[4];
                        snprintf(code, sizeof code, "%%%02X", (unsigned char)*s);
                        buf_adds(out, code);
                }
        }
}

static void base64(const char *s, Buf *out)
{
        size_t n = strlen(s), size = n * 4 / 3 + 8;
        char *text = xcalloc(1, size);
        EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)s, (int)n);
        buf_adds(out, text);
        explicit_bzero(text, size);
        free(text);
}

static void json_escaped(const char *s, Buf *out)
{
        size_t len = strlen(s);
        bool text = text_is_utf8(s, len);
        char *clean = text ? NULL : text_clean(s, len); /* as a journal would hold it */
        AUTO_JSON j = json_string(text ? s : clean);
        char *quoted = jx_dump(j);
        if (clean)
                explicit_bzero(clean, strlen(clean));
        free(clean);
        size_t n = strlen(quoted);
        if (n >= 2)
                buf_add(out, quoted + 1, n - 2);
        explicit_bzero(quoted, n);
        free(quoted);
}

/* Each ' of s as the language writes it inside quotes: '\'' for a shell, '' in SQL. */
static void quotes_escaped(const char *s, const char *quote, Buf *out)
{
        for (; *s; s++)
                (void)(*s == '\'' ? buf_adds(out, quote) : buf_addc(out, *s));
}

/* Words of every run: the default user, database and image, and what tutorials say. */
static bool in_every_journal(const char *s)
{
        static const char *const words[] = { "postgres", "postgresql", "password", "pgsherpa",
                                             "database", "docker",     "compose",  "admin",
                                             "root",     "test",       "user",     "true" };
        for (size_t i = 0; i < LEN(words); i++)
                if (str_eq(words[i], s))
                        return true;
        return false;
}

static bool like_a_name(const char *s)
{
        size_t n = strlen(s);
        return n < 16 && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789_-./") == n;
}

static void add_form(int i, const char *s, Buf *out)
{
        switch (i) {
        case 0:
                buf_adds(out, s);
                break;
        case 1:
                url_encoded(s, out);
                break;
        case 2:
                base64(s, out);
                break;
        case 3:
                json_escaped(s, out);
                break;
        case 4:
                quotes_escaped(s, "'\\''", out);
                break;
        default:
                quotes_escaped(s, "''", out);
                break;
        }
}

void redact_register(const Secret *s)
{
        const char *bytes = secret_expose(s);
        if (strlen(bytes) < SHORTEST || in_every_journal(bytes))
                return;
        Entry *e = xcalloc(1, sizeof *e);
        e->secret = s;
        e->like_a_name = like_a_name(bytes);
        AUTO_BUF all = buf_secret(1 << 20);
        size_t from[FORMS];
        for (int i = 0; i < FORMS; i++) {
                from[i] = all.len;
                add_form(i, bytes, &all);
                e->lens[i] = all.len - from[i];
                buf_addc(&all, '\0');
        }
        e->pages = secret_pages_new(all.len, &e->size);
        memcpy(e->pages, all.data, all.len);
        for (int i = 0; i < FORMS; i++)
                e->forms[i] = e->pages + from[i];
        pthread_mutex_lock(&lock);
        e->next = entries;
        entries = e;
        pthread_mutex_unlock(&lock);
}

void redact_forget(const Secret *s)
{
        pthread_mutex_lock(&lock);
        for (Entry **p = &entries; *p;) {
                Entry *e = *p;
                if (e->secret != s) {
                        p = &e->next;
                        continue;
                }
                *p = e->next;
                secret_pages_free(e->pages, e->size);
                free(e);
        }
        pthread_mutex_unlock(&lock);
}

static size_t known_secret_at(const char *s, bool data)
{
        size_t longest = 0;
        for (const Entry *e = entries; e; e = e->next)
                for (size_t i = 0; i < FORMS && !(data && e->like_a_name); i++) {
                        if (e->lens[i] > longest && strncmp(s, e->forms[i], e->lens[i]) == 0)
                                longest = e->lens[i];
                }
        return longest;
}

static size_t hex_run(const char *s)
{
        size_t n = 0;
        while (isxdigit((unsigned char)s[n]))
                n++;
        return n;
}

/* Length of what to hide at s, and how much of it to keep visible. */
static size_t pattern_at(const char *s, size_t *ret_keep)
{
        *ret_keep = 0;
        if (strncmp(s, "SCRAM-SHA-256$", 14) == 0)
                return strcspn(s, " '\"\n");
        if (strncmp(s, "md5", 3) == 0 && hex_run(s + 3) == 32)
                return 35;
        if (strncasecmp(s, "password=", 9) == 0) {
                *ret_keep = 9;
                size_t n = s[9] == '\'' ? 2 + strcspn(s + 10, "'") : strcspn(s + 9, " &\n\"',;");
                return n ? 9 + n : 0;
        }
        if (strncmp(s, "://", 3) == 0) {
                /* up to the last @: a password may hold one that nobody encoded */
                size_t n = strcspn(s + 3, "/ \n\"'");
                const char *at = memrchr(s + 3, '@', n);
                const char *colon = at ? memchr(s + 3, ':', (size_t)(at - s - 3)) : NULL;
                if (colon) {
                        *ret_keep = (size_t)(colon - s) + 1;
                        return (size_t)(at - s);
                }
        }
        return 0;
}

static char *redact(const char *text, bool data)
{
        Buf b = buf_init(SIZE_MAX / 2);
        pthread_mutex_lock(&lock);
        while (*text) {
                size_t keep = 0, n = known_secret_at(text, data);
                if (!n)
                        n = pattern_at(text, &keep);
                if (!n) {
                        buf_addc(&b, *text++);
                        continue;
                }
                buf_add(&b, text, keep);
                buf_adds(&b, "(hidden)");
                text += n;
        }
        pthread_mutex_unlock(&lock);
        return buf_take(&b, NULL);
}

char *redact_text(const char *text)
{
        return redact(text, false);
}

char *redact_data(const char *text)
{
        return redact(text, true);
}
