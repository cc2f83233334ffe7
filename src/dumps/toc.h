/* toc.h: the table of contents of a pg_dump -Fc, read without pg_restore.
 *
 * A schema-only dump in custom format is nothing but this table: one entry an object, with its
 * class, schema, name, owner and the SQL that makes it. Taking the entries one by one, instead
 * of splitting plain text, is what gives every error of a restore an object's name.
 *
 * Formats 1.14 to those of the newest major (base/majors.h); the layout is ReadHead()
 * and ReadToc() of pg_backup_archiver.c. Anything newer is refused by name. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

typedef enum TocSection { TOC_NONE = 1, TOC_PRE_DATA, TOC_DATA, TOC_POST_DATA } TocSection;

/* The three passes of a restore: grants come after everything they speak of, and what grants
 * can break (refreshing a view, an event trigger) after them. */
typedef enum TocPass { TOC_PASS_MAIN, TOC_PASS_ACL, TOC_PASS_POST_ACL } TocPass;

/* What an entry is in a selection (subset.h). */
typedef enum TocPart { TOC_NOT_PART, TOC_CHOSEN, TOC_NEEDED } TocPart;

typedef struct TocEntry {
        int id;
        TocSection section; /* NONE never comes out of toc_read(): a comment or grant
                               has the section of what it follows */
        TocPass pass;
        const char *class;  /* "TABLE", "FK CONSTRAINT", "ACL" */
        const char *schema; /* NULL: none */
        const char *name;   /* "orders", "orders orders_pkey", "TABLE orders" */
        const char *owner;  /* NULL or "": none */
        const char *sql, *drop;
        const char *tablespace;    /* NULL: does not have one; "": the default */
        const char *access_method; /* NULL: does not have one */
        char relkind;              /* 'p': partitioned (1.16); else 0 */
        const int *needs;          /* ids of the entries it depends on */
        size_t n_needs;
        TocPart part;
        bool later; /* not now: when the database has its name */
} TocEntry;

typedef struct Toc {
        int major, minor; /* of the archive's format: 1, 14 */
        const char *database, *server_version, *dump_version;
        TocEntry *entries;
        size_t n;
} Toc;

/* Strings live in the arena. The bytes are a whole file, or at least all of its contents. */
bool toc_read(const void *bytes, size_t n, Arena *a, Toc *ret, Err *err) MUST_CHECK;
/* The same archive with no entries but those of `kept` (and what every archive begins with:
 * encoding, strings, search path), in their order, and with their SQL. Appends to *out. Only of
 * archives without data. */
bool toc_cut(const void *bytes, size_t n, const Toc *kept, Buf *out, Err *err) MUST_CHECK;
/* Of the schema, to be executed now: not a database's own entries, settings, data, large
 * objects. */
bool toc_is_schema(const TocEntry *e);
/* "TABLE public.orders"; for a grant its own first words. Cleaned, in the arena. */
const char *toc_object(Arena *a, const TocEntry *e);
