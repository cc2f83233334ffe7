/* tar.h: plain pax tar, written member by member and read with suspicion.
 *
 *      TarOut *out;
 *      tar_out_open(write_fn, arg, &out, err);
 *      tar_out_member(out, "db/data/0001.copy.zst", bytes, n, mtime_s, &offset, err);
 *      tar_out_close(out, err);                // two zero blocks; 512 bytes each
 *
 * A member's size must be known before its header, so members are handed over whole. No
 * filter, no owner names, mode 0600, whole seconds: two runs over the same input are the
 * same bytes, and `tar` of any age reads them.
 *
 * Reading: only format_tar and no filter are enabled (the other formats of libarchive 3.6.2
 * are where its security record lies). tar_in_next() refuses a name that could leave the
 * directory (absolute, `..`, empty parts) and, unless asked for a whole volume, control
 * characters and everything that is not a regular file. */
#pragma once

#include "base/err.h"

/* ---- writing ---- */
typedef struct TarOut TarOut;
typedef bool (*TarWriteFn)(void *arg, const void *bytes, size_t n, Err *err);

bool tar_out_open(TarWriteFn write, void *arg, TarOut **ret, Err *err) MUST_CHECK;
/* *ret_offset: where the member's first byte lies in the file; may be NULL. */
bool tar_out_member(TarOut *out, const char *name, const void *bytes, size_t n, int64_t mtime_s,
                    int64_t *ret_offset, Err *err) MUST_CHECK;
/* In pieces: exactly `size` bytes must follow. */
bool tar_out_begin(TarOut *out, const char *name, int64_t size, int64_t mtime_s,
                   int64_t *ret_offset, Err *err) MUST_CHECK;
bool tar_out_write(TarOut *out, const void *bytes, size_t n, Err *err) MUST_CHECK;
bool tar_out_end(TarOut *out, Err *err) MUST_CHECK;
/* Writes the end of the archive. */
bool tar_out_close(TarOut *out, Err *err) MUST_CHECK;
TarOut *tar_out_free(TarOut *out);

/* ---- reading ---- */
typedef enum TarType { TAR_FILE, TAR_DIR, TAR_SYMLINK, TAR_HARDLINK, TAR_OTHER } TarType;

typedef struct TarLimits {
        int64_t members; /* 0: as many as there are */
        int64_t member_size, total_size;
        size_t name;   /* bytes of a name; 0: 1024 */
        bool any_type; /* also directories and links (volumes); else refuse */
} TarLimits;

typedef struct TarEntry {
        const char *name; /* valid until the next tar_in_next() */
        TarType type;
        int64_t size, mtime_s;
        int64_t header_offset;
        unsigned mode;
} TarEntry;

typedef struct TarIn TarIn;
/* Reads from the descriptor's position; the descriptor stays the caller's. */
bool tar_in_open(int fd, const TarLimits *limits, TarIn **ret, Err *err) MUST_CHECK;
bool tar_in_next(TarIn *in, TarEntry *ret, bool *ret_more, Err *err) MUST_CHECK;
/* *ret_n is 0 at the end of the member. */
bool tar_in_read(TarIn *in, void *bytes, size_t n, size_t *ret_n, Err *err) MUST_CHECK;
TarIn *tar_in_free(TarIn *in);

/* May this name be created below a directory? *ret_why (may be NULL) says what is wrong. */
bool tar_name_is_safe(const char *name, const char **ret_why);

/* ---- unpacking ---- */
enum {
        TAR_KEEP_OWNER = 1 << 0, /* owner, mode, ACLs, attributes: a volume */
        TAR_LINKS = 1 << 1,      /* symbolic and hard links that stay inside */
};
/* Unpacks below `dir`, which must exist. No member can land outside it: absolute names and
 * `..` are refused by name, libarchive's SECURE_SYMLINKS, SECURE_NODOTDOT and UNLINK are on. */
bool tar_extract(int fd, const char *dir, unsigned flags, const TarLimits *limits,
                 int64_t *ret_members, Err *err) MUST_CHECK;

static inline void tar_out_freep(TarOut **t)
{
        *t = tar_out_free(*t);
}
static inline void tar_in_freep(TarIn **t)
{
        *t = tar_in_free(*t);
}
#define AUTO_TAROUT CLEANUP(tar_out_freep) TarOut *
#define AUTO_TARIN  CLEANUP(tar_in_freep) TarIn *
