#include "host/image_next.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "base/buf.h"
#include "base/majors.h"

typedef struct Name {
        char *repository, *tag; /* tag NULL: none */
        bool digest;
        bool official; /* docker-library's: its flavours are known */
} Name;

static void name_done(Name *n)
{
        free(n->repository);
        free(n->tag);
}

/* localhost:5000/postgres:13@sha256:.. */
static void split(const char *image, Name *n)
{
        const char *at = strchr(image, '@'), *end = at ? at : image + strlen(image), *slash = image,
                   *colon = NULL;
        for (const char *p = image; p < end; p++)
                if (*p == '/')
                        slash = p;
        for (const char *p = slash; p < end && !colon; p++)
                if (*p == ':')
                        colon = p;
        n->digest = at != NULL;
        n->repository = xstrndup(image, (size_t)((colon ? colon : end) - image));
        n->tag = colon ? xstrndup(colon + 1, (size_t)(end - colon - 1)) : NULL;
        const char *rest = n->repository;
        static const char *const hubs[] = { "docker.io/", "registry-1.docker.io/", "library/" };
        for (size_t i = 0; i < LEN(hubs); i++)
                if (str_starts(rest, hubs[i]))
                        rest += strlen(hubs[i]);
        n->official = str_eq(rest, "postgres");
}

/* How many bytes of a word stand before its number: pg16, PG16, postgres16. -1: it is no word of a
 * major. 16, 16.4, 16rc1; not 16.4.0, whose third number is the image's own. */
static int before_number(const char *word, size_t n, int from)
{
        static const char *const prefixes[] = { "", "pg", "postgres", "postgresql" };
        for (size_t i = 0; i < LEN(prefixes); i++) {
                size_t k = strlen(prefixes[i]), digits = 0, minor = 0;
                if (n <= k || strncasecmp(word, prefixes[i], k) != 0)
                        continue;
                const char *p = word + k, *end = word + n;
                while (p + digits < end && isdigit((unsigned char)p[digits]))
                        digits++;
                int number = digits && digits <= 2 ? atoi(p) : 0;
                if (from ? number != from : number < 9 || number > MAJOR_NEWEST)
                        continue;
                p += digits;
                while (p + 1 + minor < end && *p == '.' && isdigit((unsigned char)p[1 + minor]))
                        minor++;
                p += minor ? minor + 1 : 0;
                static const char *const early[] = { "alpha", "beta", "rc" };
                for (size_t e = 0; e < LEN(early) && !minor; e++)
                        if ((size_t)(end - p) > strlen(early[e]) &&
                            strncasecmp(p, early[e], strlen(early[e])) == 0) {
                                p += strlen(early[e]);
                                while (p < end && isdigit((unsigned char)*p))
                                        p++;
                        }
                if (p == end)
                        return (int)k;
        }
        return -1;
}

static bool has_digit(const char *word, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (isdigit((unsigned char)word[i]))
                        return true;
        return false;
}

/* alpine3.19: the next major has it with another number, and without one. */
static bool numbered_alpine(const Name *name, const char *word, size_t n)
{
        return name->official && n > 6 && strncmp(word, "alpine", 6) == 0 && has_digit(word, n) &&
               strspn(word + 6, "0123456789.") >= n - 6;
}

typedef struct Walk {
        Buf out;
        size_t majors; /* words that name it */
        char *other;   /* the first that names another version; NULL: none */
        bool alpine;
} Walk;

static void walk(const Name *name, int from, int to, Walk *w)
{
        for (const char *p = name->tag; *p;) {
                size_t n = strcspn(p, "-_");
                int prefix = w->majors ? -1 : before_number(p, n, from);
                if (prefix >= 0) {
                        w->majors++;
                        buf_printf(&w->out, "%.*s%d", prefix, p, to);
                } else if (numbered_alpine(name, p, n)) {
                        w->alpine = true;
                        buf_adds(&w->out, "alpine");
                } else {
                        if (has_digit(p, n) && !w->other)
                                w->other = xstrndup(p, n);
                        buf_add(&w->out, p, n);
                }
                p += n;
                if (*p)
                        buf_addc(&w->out, *p++);
        }
}

/* postgres, postgres:latest, postgres:alpine: the newest there is, of that flavour. */
static char *of_the_newest(const Name *n, int to)
{
        bool plain = !n->tag || str_eq(n->tag, "latest");
        if (!n->official || (n->tag && has_digit(n->tag, strlen(n->tag))))
                return NULL;
        return plain ? xasprintf("%s:%d", n->repository, to)
                     : xasprintf("%s:%d-%s", n->repository, to, n->tag);
}

void image_next(const char *image, int from, int to, ImageNext *ret)
{
        Name CLEANUP(name_done) n = { 0 };
        Walk w = { .out = buf_init(strlen(image) + 32) };
        *ret = (ImageNext){ 0 };
        split(image, &n);
        if (n.tag)
                walk(&n, from, to, &w);
        if (w.majors && !w.other)
                ret->image = xasprintf("%s:%s", n.repository, buf_str(&w.out));
        else if (!w.majors && !w.other)
                ret->image = of_the_newest(&n, to);
        if (w.other && w.majors)
                ret->words = xasprintf("%s names another version as well (%s), which must fit: its "
                                       "publisher says which one has "
                                       "PostgreSQL %d",
                                       n.tag, w.other, to);
        else if (!ret->image)
                ret->words = xasprintf("%s does not say a major of PostgreSQL%s: its publisher "
                                       "says which one has %d",
                                       n.tag ? n.tag : image, w.other ? " by itself" : "", to);
        else if (n.digest)
                ret->words = xasprintf("the digest is left out: it is of the image there is now, "
                                       "not of PostgreSQL %d",
                                       to);
        else if (w.alpine)
                ret->words = xstrdup("Alpine's own number is left out: the next major has others");
        buf_done(&w.out);
        free(w.other);
}

void image_next_done(ImageNext *n)
{
        free(n->image);
        free(n->words);
        *n = (ImageNext){ 0 };
}
