/* internal.h: between the files of this room only. */
#pragma once

#include <errno.h>

#include <archive.h>
#include <archive_entry.h>

#include "archive/tar.h"

/* Turns libarchive's last error into ours, the text cleaned. */
bool archive_err(struct archive *a, const char *doing, Err *err);
bool tar_in_header(TarIn *in, struct archive_entry **ret, TarEntry *ret_entry, bool *ret_more,
                   Err *err);
/* The path half of tar_name_is_safe(): a volume may hold a file with a newline in its name. */
bool tar_path_is_inside(const char *name, const char **ret_why);
struct archive *tar_in_handle(TarIn *in);
