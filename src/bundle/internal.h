/* internal.h: between the files of this room only. */
#pragma once

#include <pthread.h>

#include "archive/tar.h"
#include "base/digest.h"
#include "bundle/bundle.h"

#define BUNDLE_SUFFIX ".pgs.tar"
#define MANIFEST_NAME "manifest.json"
#define TAR_BLOCK     512
#define TAR_END       1024 /* two empty blocks */
#define HEX_ZERO      "0000000000000000000000000000000000000000000000000000000000000000"

struct BundleWriter {
        char *path, *part;
        int fd;
        TarOut *tar;
        Digest *whole; /* of every byte of the file, in order */
        json_t *manifest, *members;
        int64_t mtime_s, written, on_its_way; /* bytes; how far the disk was told */
        int level;
        size_t chunk;
        int64_t described; /* about so many bytes of manifest the members take */
        bool finished, failed;
        Err why; /* of the first failure: everybody after it is told the same */
        pthread_mutex_t lock;
};

/* A member's content before it was compressed. */
typedef struct BundlePlain {
        char sha256[65];
        int64_t size;
} BundlePlain;

/* Appends one stored member; `plain` NULL: it is stored as it is. Takes the lock. */
bool bundle_append(BundleWriter *w, const char *kind, const char *name, const void *bytes, size_t n,
                   const BundlePlain *plain, Err *err);
/* Plain bytes the next member of a stream is to have: more the fuller the manifest is, and the
 * fewer numbers are left. Takes the lock. */
size_t bundle_chunk(BundleWriter *w, int members, int room);
/* manifest.json with its tail filled in: what lies before it, its own header, itself. */
bool bundle_manifest_text(BundleWriter *w, char **ret, size_t *ret_len, Err *err);
/* Is `text` the manifest it claims to be? Checks the "self" hash. */
bool bundle_manifest_check(const char *text, size_t n, Err *err);

struct Bundle {
        char *path;
        int fd;
        int64_t size, manifest_header; /* where the manifest's tar header begins */
        size_t manifest_size;
        json_t *manifest;
        const char **names; /* of all members, sorted; text is the manifest's */
        size_t n_names;
        char header_sha256[65]; /* as found */
};

/* read.c: exactly these bytes of the file; ERR_USER: it ends before. */
bool bundle_read_at(const Bundle *b, int64_t offset, void *to, size_t n, Err *err) MUST_CHECK;

/* check.c: nothing in the manifest leads outside the file, a directory, or memory. */
/* bundle_open(); *ret_other: it is not damaged, it never was a bundle. */
bool bundle_open_or_other(const char *path, Bundle **ret, bool *ret_other, Err *err) MUST_CHECK;
bool bundle_manifest_sane(const Bundle *b, Err *err) MUST_CHECK;

/* gaps.c */
/* When the members were written: the mtime in every header. */
int64_t bundle_mtime(const Bundle *b);
typedef struct BundleHeader {
        const char *name;
        int64_t offset, size, mtime_s; /* of its content in the file */
} BundleHeader;

/* Is [from, offset) the padding and the header our writer makes for this member? */
bool bundle_gap(const Bundle *b, int64_t from, const BundleHeader *member, bool *ret_as_written,
                Err *err) MUST_CHECK;
bool bundle_only_zeros(const Bundle *b, int64_t from, int64_t to, bool *ret, Err *err) MUST_CHECK;
/* Has everything before the manifest's header the hash the manifest says? */
bool bundle_whole_hash(const Bundle *b, const volatile bool *cancel, bool *ret_same,
                       Err *err) MUST_CHECK;
