/* io.h: files written so that a power cut leaves the old one or the new one.
 *
 * io_replace_file() is the only way pgsherpa overwrites a file: temporary name in the same
 * directory, all bytes, fsync, same mode and owner, rename, fsync of the directory. A symbolic
 * link stays one: the file it leads to is replaced. */
#pragma once

#include "base/err.h"

bool io_write_all(int fd, const void *bytes, size_t n, Err *err) MUST_CHECK;
/* Whole file, at most `max` bytes (more is an error), NUL-terminated, malloc()ed. */
bool io_read_file(const char *path, size_t max, char **ret, size_t *ret_len, Err *err) MUST_CHECK;
/* New file with mode; an existing one is replaced atomically, keeping its mode and owner. */
bool io_replace_file(const char *path, const void *bytes, size_t n, unsigned mode,
                     Err *err) MUST_CHECK;
bool io_fsync_dir(const char *dir, Err *err) MUST_CHECK;
bool io_mkdir_p(const char *path, unsigned mode, Err *err) MUST_CHECK;
bool io_exists(const char *path);
/* Removes what an operator would call an empty or our own scratch directory; not recursive
 * through symbolic links. */
bool io_remove_tree(const char *path, Err *err) MUST_CHECK;
/* "a/b" + "c" -> "a/b/c", malloc()ed. */
char *io_join(const char *dir, const char *name) MUST_CHECK NONNULL;
