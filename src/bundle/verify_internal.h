/* verify_internal.h: between verify.c, which reads every member, and verify_tables.c, which adds
 * them up. */
#pragma once

#include <stdatomic.h>

#include "bundle/internal.h"
#include "bundle/rowwalk.h"

typedef struct Member {
        const char *name;
        const json_t *m;
        int64_t before; /* where the gap before its content begins */
        bool rows_of;   /* it is rows of a table, and they were walked: */
        bool whole, header, over;
        int64_t rows, unhashed;
        uint64_t hash;
        char *why; /* what is wrong with it; NULL: nothing */
        bool odd_header;
} Member;

typedef struct Verify {
        Bundle *b;
        const BundleVerifyHooks *hooks;
        BundleReport *r;
        Member *members;
        size_t n;
        int64_t total, mtime_s;
        uint64_t seed; /* of the rows' hashes */
        atomic_size_t next;
        atomic_bool stop;
        pthread_mutex_t lock; /* of the report, and of the caller's progress */
        Err failed;
} Verify;

/* Reads one member on; with a walk its rows, which becomes NULL when what came were none. */
typedef struct VerifyReading {
        Verify *v;
        RowWalk *walk;
        int64_t bytes;
} VerifyReading;

static inline bool verify_is_binary(const char *name)
{
        return str_ends(name, ".bin.zst");
}

/* ---- verify.c ---- */
bool verify_read_on(void *reading, const void *bytes, size_t n, Err *err) MUST_CHECK;
void verify_found_bad(BundleReport *r, const char *member, const char *why);
void verify_note(Verify *v, const char *text);

/* ---- verify_tables.c ---- */
/* The rows of every table of one database against its manifest. */
bool verify_tables(Verify *v, const json_t *database, Err *err) MUST_CHECK;
