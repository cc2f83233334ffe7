#include "dumps/toc.h"

#include <stdio.h>

#include "base/majors.h"
#include "base/text.h"

#define ENTRIES_MAX 2000000 /* half a million tables with indexes and grants */
/* types, columns' defaults and rows have ids, and often no entry */
#define IDS_MAX (8 * ENTRIES_MAX)

typedef struct Reader {
        const unsigned char *p, *end;
        unsigned int_size, off_size;
        bool bad;
        Arena *a;
        const unsigned char *sql, *sql_end; /* of the last entry: where it stands */
} Reader;

static int byte(Reader *r)
{
        if (r->p >= r->end) {
                r->bad = true;
                return 0;
        }
        return *r->p++;
}

/* A sign byte, then the number, lowest byte first. */
static int64_t number(Reader *r)
{
        int sign = byte(r);
        uint64_t v = 0;
        for (unsigned i = 0; i < r->int_size; i++) {
                uint64_t b = (uint64_t)byte(r);
                if (i < 8)
                        v |= b << (8 * i);
        }
        v &= INT64_MAX;
        return sign ? -(int64_t)v : (int64_t)v;
}

/* Length -1 is NULL. */
static const char *string(Reader *r)
{
        int64_t n = number(r);
        if (n < 0 || r->bad)
                return NULL;
        if (n > r->end - r->p) {
                r->bad = true;
                return NULL;
        }
        const char *s = arena_strndup(r->a, (const char *)r->p, (size_t)n);
        r->p += n;
        return s;
}

static bool head(Reader *r, Toc *toc, Err *err)
{
        if (r->end - r->p < 11 || memcmp(r->p, "PGDMP", 5) != 0)
                return err_set(err, ERR_COMMAND, "this is not what pg_dump -Fc writes");
        r->p += 5;
        toc->major = byte(r);
        toc->minor = byte(r);
        (void)byte(r);
        char known[MAJOR_ARCHIVES_SIZE];
        if (toc->major != 1 || toc->minor < 14 || major_of_archive(toc->minor) == 0)
                return err_set(err, ERR_COMMAND, "the dump has format %d.%d; %s", toc->major,
                               toc->minor, major_archives_words(known));
        r->int_size = (unsigned)byte(r);
        r->off_size = (unsigned)byte(r);
        if (byte(r) != 1 || r->int_size > 8 || r->int_size < 4)
                return err_set(err, ERR_COMMAND, "the dump is not in custom format");
        if (toc->minor >= 15)
                (void)byte(r); /* compression algorithm */
        else
                (void)number(r); /* compression level */
        for (int i = 0; i < 7; i++)
                (void)number(r); /* sec min hour mday mon year isdst */
        toc->database = string(r);
        toc->server_version = string(r);
        toc->dump_version = string(r);
        return true;
}

static bool is(const TocEntry *e, const char *class)
{
        return str_eq(e->class, class);
}

static TocPass pass_of(const TocEntry *e)
{
        if (is(e, "ACL") || is(e, "DEFAULT ACL"))
                return TOC_PASS_ACL;
        if (is(e, "EVENT TRIGGER") || is(e, "MATERIALIZED VIEW DATA"))
                return TOC_PASS_POST_ACL;
        if ((is(e, "COMMENT") || is(e, "SECURITY LABEL")) && str_starts(e->name, "EVENT TRIGGER "))
                return TOC_PASS_POST_ACL;
        if (is(e, "STATISTICS DATA") && e->section == TOC_POST_DATA)
                return TOC_PASS_POST_ACL;
        return TOC_PASS_MAIN;
}

/* Numbers as text, until a NULL. */
static void needs(Reader *r, TocEntry *e)
{
        int *list = NULL;
        size_t capacity = 0;
        for (const char *s; !r->bad && (s = string(r));) {
                if (e->n_needs == capacity) {
                        size_t more = MAX(capacity * 2, (size_t)4);
                        int *grown = arena_new_array(r->a, int, more);
                        if (list)
                                memcpy(grown, list, capacity * sizeof *list);
                        list = grown;
                        capacity = more;
                }
                list[e->n_needs++] = atoi(s);
        }
        e->needs = list;
}

static void entry(Reader *r, const Toc *toc, TocSection *section, TocEntry *e)
{
        int64_t id = number(r);
        r->bad = r->bad || id < 0 || id > IDS_MAX;
        e->id = (int)id;
        (void)number(r); /* had a data dumper */
        (void)string(r); /* catalog's OID */
        (void)string(r); /* object's OID */
        e->name = string(r);
        e->class = string(r);
        e->section = (TocSection)number(r);
        r->sql = r->p;
        e->sql = string(r);
        r->sql_end = r->p;
        e->drop = string(r);
        (void)string(r); /* COPY statement */
        e->schema = string(r);
        e->tablespace = string(r);
        e->access_method = string(r);
        if (toc->minor >= 16)
                e->relkind = (char)number(r);
        e->owner = string(r);
        (void)string(r); /* with oids: "false" for ever */
        needs(r, e);
        r->p += MIN((ptrdiff_t)r->off_size + 1, r->end - r->p); /* data state, offset */
        e->name = e->name ? e->name : "";
        e->class = e->class ? e->class : "";
        e->sql = e->sql ? e->sql : "";
        e->drop = e->drop ? e->drop : "";
        if (e->schema && !*e->schema)
                e->schema = NULL;
        if (e->section == TOC_NONE)
                e->section = *section;
        else
                *section = e->section;
        e->pass = pass_of(e);
}

bool toc_read(const void *bytes, size_t n, Arena *a, Toc *ret, Err *err)
{
        Reader r = { .p = bytes, .end = (const unsigned char *)bytes + n, .a = a };
        *ret = (Toc){ 0 };
        if (!head(&r, ret, err))
                return false;
        int64_t count = number(&r);
        if (r.bad || count < 0 || count > ENTRIES_MAX || count > r.end - r.p)
                return err_set(err, ERR_COMMAND, "the dump's table of contents is damaged");
        ret->entries = arena_new_array(a, TocEntry, (size_t)count + 1);
        TocSection section = TOC_PRE_DATA;
        for (int64_t i = 0; i < count && !r.bad; i++)
                entry(&r, ret, &section, &ret->entries[ret->n++]);
        if (r.bad)
                return err_set(err, ERR_COMMAND,
                               "the dump is cut short or damaged: its table of "
                               "contents cannot be "
                               "read beyond entry "
                               "%zu of %lld",
                               ret->n, (long long)count);
        return true;
}

/* ---- a part of it ---- */

static void put_number(Buf *b, unsigned int_size, uint64_t v)
{
        buf_addc(b, 0);
        for (unsigned i = 0; i < int_size; i++)
                buf_addc(b, (char)(i < 8 ? v >> (8 * i) & 0xff : 0));
}

static int id_order(const void *x, const void *y)
{
        const TocEntry *const *a = x, *const *b = y;
        return (*a)->id < (*b)->id ? -1 : (*a)->id > (*b)->id;
}

static bool every_archive_has(const TocEntry *e)
{
        return is(e, "ENCODING") || is(e, "STDSTRINGS") || is(e, "SEARCHPATH");
}

/* As it stands, but for SQL that was changed. */
static void put_entry(Buf *b, const Reader *r, const unsigned char *start, const TocEntry *was,
                      const TocEntry *now)
{
        bool same = !now || str_eq(was->sql, now->sql);
        const unsigned char *until = same ? r->p : r->sql;
        buf_add(b, start, (size_t)(until - start));
        if (same)
                return;
        put_number(b, r->int_size, strlen(now->sql));
        buf_adds(b, now->sql);
        buf_add(b, r->sql_end, (size_t)(r->p - r->sql_end));
}

bool toc_cut(const void *bytes, size_t n, const Toc *kept, Buf *out, Err *err)
{
        AUTO_ARENA a = arena_new();
        Reader r = { .p = bytes, .end = (const unsigned char *)bytes + n, .a = a };
        Toc toc = { 0 };
        if (!head(&r, &toc, err))
                return false;
        const TocEntry **sorted = arena_new_array(a, const TocEntry *, kept->n + 1);
        for (size_t i = 0; i < kept->n; i++)
                sorted[i] = &kept->entries[i];
        qsort(sorted, kept->n, sizeof *sorted, id_order);
        AUTO_BUF entries = buf_init(out->max);
        buf_add(out, bytes, (size_t)(r.p - (const unsigned char *)bytes));
        int64_t count = number(&r), left = 0;
        TocSection section = TOC_PRE_DATA;
        for (int64_t i = 0; i < count && !r.bad; i++) {
                TocEntry e = { 0 };
                const TocEntry *key = &e, **found;
                const unsigned char *start = r.p;
                entry(&r, &toc, &section, &e);
                found = kept->n ? bsearch(&key, sorted, kept->n, sizeof *sorted, id_order) : NULL;
                if (!found && !every_archive_has(&e))
                        continue;
                put_entry(&entries, &r, start, &e, found ? *found : NULL);
                left++;
        }
        if (r.bad)
                return err_set(err, ERR_COMMAND, "the dump's table of contents is damaged");
        put_number(out, r.int_size, (uint64_t)left);
        buf_add(out, entries.data, entries.len);
        return !out->overflow && !entries.overflow
                       ? true
                       : err_set(err, ERR_USER, "the schema is too large");
}

bool toc_is_schema(const TocEntry *e)
{
        static const char *const not [] = {
                "ENCODING",      "STDSTRINGS",   "SEARCHPATH", "DATABASE", "DATABASE PROPERTIES",
                "TABLE DATA",    "SEQUENCE SET", "BLOB",       "BLOBS",    "BLOB METADATA",
                "BLOB COMMENTS", "<Init>"
        };
        for (size_t i = 0; i < LEN(not ); i++)
                if (is(e, not [i]))
                        return false;
        bool about = is(e, "ACL") || is(e, "COMMENT") || is(e, "SECURITY LABEL");
        if (about && (str_starts(e->name, "DATABASE ") || str_starts(e->name, "LARGE OBJECT")))
                return false;
        return *e->sql != '\0' && !e->later;
}

const char *toc_object(Arena *a, const TocEntry *e)
{
        AUTO_FREE char *text = NULL;
        if (e->pass == TOC_PASS_ACL) {
                size_t n = strcspn(e->sql, "\n");
                text = text_clean(e->sql, MIN(n, 200));
        } else {
                AUTO_FREE char *whole = xasprintf("%s %s%s%s", e->class, e->schema ? e->schema : "",
                                                  e->schema ? "." : "", e->name);
                text = text_clean_str(whole);
        }
        return arena_strdup(a, text);
}
