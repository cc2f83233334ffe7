/* test_io.c: files, frames on a socket, digests, random words. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/frame.h"
#include "base/io.h"
#include "base/jsonx.h"
#include "base/limits.h"
#include "tests/fakes/scratch.h"

Test(io, replaces_the_file_behind_a_link_and_keeps_its_mode)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *dir = scratch_dir();
        AUTO_FREE char *file = io_join(dir, "real.yml");
        AUTO_FREE char *link = io_join(dir, "link.yml");
        cr_assert(io_replace_file(file, "old", 3, 0640, &err), "%s", err.message);
        cr_assert_eq(symlink("real.yml", link), 0);
        cr_assert(io_replace_file(link, "new!", 4, 0600, &err), "%s", err.message);
        struct stat st;
        cr_assert(lstat(link, &st) == 0 && S_ISLNK(st.st_mode), "the link is still one");
        cr_assert(stat(file, &st) == 0 && (st.st_mode & 07777) == 0640);
        AUTO_FREE char *now = NULL;
        size_t n;
        cr_assert(io_read_file(file, 10, &now, &n, &err));
        cr_assert_str_eq(now, "new!");
        cr_assert_not(io_read_file(file, 3, &now, &n, &err), "more than allowed is an error");
        cr_assert(io_remove_tree(dir, &err), "%s", err.message);
        cr_assert_not(io_exists(dir));
}

Test(io, makes_directories_and_says_when_a_file_is_in_the_way)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *dir = scratch_dir();
        AUTO_FREE char *deep = io_join(dir, "a/b/c");
        AUTO_FREE char *file = io_join(dir, "file");
        AUTO_FREE char *below = io_join(file, "x");
        cr_assert(io_mkdir_p(deep, 0700, &err), "%s", err.message);
        cr_assert(io_mkdir_p(deep, 0700, &err), "twice is fine");
        cr_assert(io_replace_file(file, "", 0, 0600, &err));
        cr_assert_not(io_mkdir_p(file, 0700, &err));
        cr_assert_not(io_mkdir_p(below, 0700, &err));
        cr_assert_not(io_mkdir_p("", 0700, &err));
        cr_assert(io_remove_tree(dir, &err));
}

Test(io, removes_a_link_and_not_what_it_leads_to)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *dir = scratch_dir();
        AUTO_FREE char *other = scratch_dir();
        AUTO_FREE char *kept = io_join(other, "kept");
        AUTO_FREE char *link = io_join(dir, "link");
        cr_assert(io_replace_file(kept, "x", 1, 0600, &err));
        cr_assert_eq(symlink(other, link), 0);
        cr_assert(io_remove_tree(dir, &err), "%s", err.message);
        cr_assert(io_exists(kept));
        cr_assert(io_remove_tree(other, &err));
        cr_assert(io_remove_tree(other, &err), "nothing there is nothing to do");
}

Test(frame, reads_messages_whatever_way_they_were_cut)
{
        int pair[2];
        AUTO_ERR err = { 0 };
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        static const char wire[] = "\0\0\0\x08{\"a\": 1}\0\0\0\x02[]";
        FrameReader r = frame_reader_init();
        int seen = 0;
        for (size_t i = 0; i < sizeof wire - 1; i++) {
                bool eof;
                cr_assert_eq(write(pair[0], wire + i, 1), 1);
                cr_assert(frame_fill(&r, pair[1], &eof, &err) && !eof);
                for (;;) {
                        json_t *j = NULL;
                        cr_assert(frame_next(&r, &j, &err), "%s", err.message);
                        if (!j)
                                break;
                        seen += seen == 0 ? jx_int(j, "a", 0) == 1 : json_is_array(j);
                        json_decref(j);
                }
        }
        cr_assert_eq(seen, 2);
        frame_reader_done(&r);
        close(pair[0]);
        close(pair[1]);
}

Test(frame, refuses_a_length_that_nobody_sends)
{
        int pair[2];
        AUTO_ERR err = { 0 };
        bool eof;
        json_t *j;
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        cr_assert_eq(write(pair[0], "\xff\xff\xff\xff", 4), 4);
        FrameReader r = frame_reader_init();
        cr_assert(frame_fill(&r, pair[1], &eof, &err));
        cr_assert_not(frame_next(&r, &j, &err));
        AUTO_FREE char *big = xcalloc(1, LIMIT_FRAME + 1);
        memset(big, 'x', LIMIT_FRAME);
        AUTO_JSON text = json_string(big);
        cr_assert_not(frame_send(pair[0], text, &err));
        close(pair[0]);
        cr_assert(frame_fill(&r, pair[1], &eof, &err) && eof);
        frame_reader_done(&r);
        close(pair[1]);
}

Test(digest, is_sha256)
{
        char hex[65];
        digest_hex_of("abc", 3, hex);
        cr_assert_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

Test(digest, in_pieces_and_of_a_file_is_the_same)
{
        AUTO_ERR err = { 0 };
        char whole[65], pieces[65], file[65];
        AUTO_FREE char *dir = scratch_dir();
        AUTO_FREE char *path = io_join(dir, "x");
        static char bytes[200000];
        memset(bytes, 7, sizeof bytes);
        digest_hex_of(bytes, sizeof bytes, whole);
        AUTO_DIGEST d = digest_new();
        for (size_t i = 0; i < sizeof bytes; i += 1000)
                digest_add(d, bytes + i, 1000);
        digest_hex(d, pieces);
        int64_t size;
        cr_assert(io_replace_file(path, bytes, sizeof bytes, 0600, &err));
        cr_assert(digest_hex_of_file(path, file, &size, &err));
        cr_assert_str_eq(whole, pieces);
        cr_assert_str_eq(whole, file);
        cr_assert_eq(size, (int64_t)sizeof bytes);
        cr_assert(io_remove_tree(dir, &err));
}

Test(random, passwords_have_only_letters_and_digits_and_never_repeat)
{
        char a[33], b[33];
        random_password(32, a);
        random_password(32, b);
        cr_assert_str_neq(a, b);
        cr_assert_eq(strspn(a, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
                     32);
}
