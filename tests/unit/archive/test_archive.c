#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "archive/plain.h"
#include "archive/tar.h"
#include "archive/zframe.h"
#include "base/buf.h"
#include "base/io.h"
#include "tests/fakes/scratch.h"

static bool into_fd(void *arg, const void *bytes, size_t n, Err *err)
{
        return io_write_all(*(int *)arg, bytes, n, err);
}

static bool into_buf(void *arg, const void *bytes, size_t n, Err *err)
{
        return buf_add(arg, bytes, n) || err_set(err, ERR_SYSTEM, "full");
}

Test(tar, gives_back_what_was_written_at_the_offset_it_named)
{
        Err err = { 0 };
        AUTO_FD int fd = memfd_create("t", MFD_CLOEXEC);
        AUTO_TAROUT out = NULL;
        cr_assert(tar_out_open(into_fd, &fd, &out, &err));
        char long_name[400];
        snprintf(long_name, sizeof long_name, "%0200d/%0180d", 1, 2);
        int64_t a, b;
        cr_assert(tar_out_member(out, "README.txt", "hello", 5, 1000, &a, &err));
        cr_assert(tar_out_member(out, long_name, "world!", 6, 1000, &b, &err));
        cr_assert(tar_out_close(out, &err));
        char piece[7] = { 0 };
        cr_assert_eq(pread(fd, piece, 5, a), 5);
        cr_assert_str_eq(piece, "hello");
        cr_assert_eq(pread(fd, piece, 6, b), 6);
        cr_assert_str_eq(piece, "world!");

        lseek(fd, 0, SEEK_SET);
        AUTO_TARIN in = NULL;
        cr_assert(tar_in_open(fd, &(TarLimits){ 0 }, &in, &err));
        TarEntry e;
        bool more;
        cr_assert(tar_in_next(in, &e, &more, &err) && more);
        cr_assert_str_eq(e.name, "README.txt");
        cr_assert_eq(e.mode, 0600);
        cr_assert(tar_in_next(in, &e, &more, &err) && more);
        cr_assert_str_eq(e.name, long_name);
        size_t n;
        cr_assert(tar_in_read(in, piece, sizeof piece, &n, &err));
        cr_assert_eq(n, 6);
        cr_assert(tar_in_next(in, &e, &more, &err));
        cr_assert_not(more);
}

Test(tar, refuses_names_that_could_leave_the_directory)
{
        const char *const bad[] = { "/etc/passwd", "../x", "a/../b", "a//b", ".",
                                    "a/.",         "",     "a\nb",   "a\\b" };
        for (size_t i = 0; i < LEN(bad); i++)
                cr_assert_not(tar_name_is_safe(bad[i], NULL), "%s", bad[i]);
        cr_assert(tar_name_is_safe("a/b.c/0001.copy.zst", NULL));
        cr_assert(tar_name_is_safe("..a/b..", NULL));
}

/* One member made with libarchive's own writer, which writes any name. */
static int hostile(const char *name, int type, const char *target)
{
        int fd = memfd_create("h", MFD_CLOEXEC);
        struct archive *a = archive_write_new();
        archive_write_set_format_pax_restricted(a);
        archive_write_open_fd(a, fd);
        struct archive_entry *e = archive_entry_new();
        archive_entry_set_pathname(e, name);
        archive_entry_set_perm(e, 0644);
        archive_entry_set_filetype(e, (unsigned)type);
        if (type == AE_IFLNK)
                archive_entry_set_symlink(e, target);
        else if (target)
                archive_entry_set_hardlink(e, target);
        else
                archive_entry_set_size(e, 4);
        archive_write_header(a, e);
        if (!target)
                archive_write_data(a, "evil", 4);
        archive_entry_free(e);
        archive_write_free(a);
        lseek(fd, 0, SEEK_SET);
        return fd;
}

static bool extracts(int fd, const char *dir, unsigned flags)
{
        AUTO_ERR err = { 0 };
        int64_t n;
        bool ok = tar_extract(fd, dir, flags, &(TarLimits){ .any_type = true }, &n, &err);
        cr_assert(ok || err.message);
        close(fd);
        return ok;
}

Test(tar, unpacks_nothing_outside_the_directory)
{
        AUTO_FREE char *dir = scratch_dir();
        Err err = { 0 };
        AUTO_FREE char *inside = io_join(dir, "in");
        cr_assert_eq(mkdir(inside, 0700), 0);
        AUTO_FREE char *outside = io_join(dir, "evil");
        unsigned all = TAR_LINKS | (geteuid() == 0 ? TAR_KEEP_OWNER : 0);

        cr_assert_not(extracts(hostile("../evil", AE_IFREG, NULL), inside, all));
        cr_assert_not(extracts(hostile(outside, AE_IFREG, NULL), inside, all));
        cr_assert_not(extracts(hostile("l", AE_IFREG, "/etc/hostname"), inside, all));
        cr_assert_not(extracts(hostile("l", AE_IFLNK, dir), inside, 0));
        /* A link out of the directory may exist in a volume; nothing is written through it. */
        cr_assert(extracts(hostile("l", AE_IFLNK, dir), inside, all));
        (void)extracts(hostile("l/evil", AE_IFREG, NULL), inside, all);
        cr_assert_not(io_exists(outside));
        cr_assert(extracts(hostile("good", AE_IFREG, NULL), inside, 0));
        cr_assert(io_remove_tree(dir, &err));
}

Test(tar, holds_to_its_limits)
{
        Err err = { 0 };
        AUTO_FD int fd = hostile("a", AE_IFREG, NULL);
        AUTO_TARIN in = NULL;
        cr_assert(tar_in_open(fd, &(TarLimits){ .member_size = 3 }, &in, &err));
        TarEntry e;
        bool more;
        cr_assert_not(tar_in_next(in, &e, &more, &err));
        err_clear(&err);
}

static char *pack(const char *text, size_t n, size_t *ret_n)
{
        Err err = { 0 };
        AUTO_ZSTD z = zstd_new(3);
        const void *bytes;
        cr_assert(zstd_add(z, text, n, &err));
        cr_assert(zstd_finish(z, &bytes, ret_n, &err));
        char *copy = xmalloc(*ret_n);
        memcpy(copy, bytes, *ret_n);
        return copy;
}

static bool unpack(const char *bytes, size_t n, int64_t max, Buf *plain)
{
        AUTO_ERR err = { 0 };
        AUTO_UNZSTD u = unzstd_new(max);
        return unzstd_add(u, bytes, n, into_buf, plain, &err) && unzstd_finish(u, &err);
}

Test(zstd, frames_end_to_end_are_one_stream)
{
        size_t n;
        AUTO_FREE char *frame = pack("abc", 3, &n);
        AUTO_FREE char *two = xmalloc(2 * n);
        memcpy(two, frame, n);
        memcpy(two + n, frame, n);
        AUTO_BUF plain = buf_init(100);
        cr_assert(unpack(two, 2 * n, 6, &plain));
        cr_assert_str_eq(buf_str(&plain), "abcabc");
        buf_reset(&plain);
        cr_assert_not(unpack(two, 2 * n, 5, &plain), "more than was claimed");
        buf_reset(&plain);
        cr_assert_not(unpack(two, 2 * n - 1, 6, &plain), "cut in the middle");
}

Test(zstd, carries_a_checksum_so_every_flip_of_content_shows)
{
        size_t n, len = 4000;
        AUTO_FREE char *text = xmalloc(len);
        for (size_t i = 0; i < len; i++)
                text[i] = (char)(i * 2654435761u >> 13);
        AUTO_FREE char *frame = pack(text, len, &n);
        size_t refused = 0, tried = 0;
        for (size_t bit = 0; bit < n * 8; bit += 7, tried++) {
                frame[bit / 8] ^= (char)(1 << (bit % 8));
                AUTO_BUF plain = buf_init(len * 2);
                /* A flip in a spare header bit may change nothing; wrong content never passes. */
                bool accepted = unpack(frame, n, (int64_t)len, &plain);
                bool same = plain.len == len && memcmp(plain.data, text, len) == 0;
                cr_assert(!accepted || same, "bit %zu came out as wrong content", bit);
                refused += !accepted;
                frame[bit / 8] ^= (char)(1 << (bit % 8));
        }
        cr_assert_gt(refused, tried * 9 / 10);
}

/* ---- plain ---- */

/* What comes out of these bytes; NULL: an error. */
static char *unpacked(const void *bytes, size_t n, PlainPacking *ret, Err *err)
{
        AUTO_FD int fd = memfd_create("t", MFD_CLOEXEC);
        AUTO_BUF out = buf_init(1 << 24);
        cr_assert(io_write_all(fd, bytes, n, err));
        lseek(fd, 0, SEEK_SET);
        AUTO_PLAININ in = plain_in_new(fd);
        char piece[777];
        for (size_t got = 1; got > 0; buf_add(&out, piece, got))
                if (!plain_in_read(in, piece, sizeof piece, &got, err))
                        return NULL;
        cr_assert_eq(plain_in_position(in), (int64_t)n);
        if (ret)
                *ret = plain_in_packing(in);
        return out.len ? buf_take(&out, NULL) : xstrdup("");
}

/* gzip of "hello\n", and of nothing. */
static const char gz[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\xe7\x02\x00"
                         "\x20\x30\x3a\x36\x06\x00\x00\x00";
static const char nothing[] =
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00";

Test(plain, members_end_to_end_are_one_stream)
{
        AUTO_ERR err = { 0 };
        PlainPacking how;
        char two[200];
        memcpy(two, gz, sizeof gz - 1);
        memcpy(two + sizeof gz - 1, nothing, sizeof nothing - 1);
        memcpy(two + sizeof gz + sizeof nothing - 2, gz, sizeof gz - 1);
        AUTO_FREE char *text = unpacked(two, 2 * (sizeof gz - 1) + sizeof nothing - 1, &how, &err);
        cr_assert_str_eq(text, "hello\nhello\n", "%s", err.message);
        cr_assert_eq(how, PLAIN_GZIP);
        AUTO_FREE char *none = unpacked("", 0, &how, &err);
        AUTO_FREE char *one = unpacked("x", 1, &how, &err);
        cr_assert(str_eq(none, "") && str_eq(one, "x") && how == PLAIN_AS_IT_IS);
}

Test(plain, every_cut_and_every_flip_of_gzip_shows)
{
        for (size_t n = 2; n < sizeof gz - 1; n++) {
                AUTO_ERR err = { 0 };
                AUTO_FREE char *text = unpacked(gz, n, NULL, &err);
                cr_assert(!text && strstr(err.message, "cut off"), "%zu bytes: %s", n, err.message);
        }
        for (size_t i = 10; i < sizeof gz - 1; i++) {
                AUTO_ERR err = { 0 };
                char bent[sizeof gz];
                memcpy(bent, gz, sizeof gz);
                bent[i] ^= 0x20;
                AUTO_FREE char *text = unpacked(bent, sizeof gz - 1, NULL, &err);
                /* The last byte of the data has bits that mean nothing. */
                cr_assert(!text || (i == 17 && str_eq(text, "hello\n")), "byte %zu", i);
        }
        AUTO_ERR err = { 0 };
        AUTO_FREE char *more = unpacked(gz, sizeof gz, NULL, &err); /* with its final NUL */
        cr_assert(!more && strstr(err.message, "not gzip"), "%s", err.message);
}

Test(plain, zstd_that_was_cut_or_has_a_tail_shows)
{
        AUTO_ERR err = { 0 };
        AUTO_ZSTD z = zstd_new(3);
        const void *bytes;
        size_t n;
        cr_assert(zstd_add(z, "hello\n", 6, &err) && zstd_finish(z, &bytes, &n, &err));
        AUTO_FREE char *whole = unpacked(bytes, n, NULL, &err);
        cr_assert_str_eq(whole, "hello\n");
        for (size_t k = 4; k < n; k++) {
                AUTO_ERR cut = { 0 };
                AUTO_FREE char *text = unpacked(bytes, k, NULL, &cut);
                cr_assert(!text && strstr(cut.message, "cut off"), "%zu: %s", k, cut.message);
        }
        char tail[100];
        memcpy(tail, bytes, n);
        memcpy(tail + n, "tail", 4);
        AUTO_FREE char *text = unpacked(tail, n + 4, NULL, &err);
        cr_assert(!text && strstr(err.message, "damaged"), "%s", err.message);
}
