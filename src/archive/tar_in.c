/* tar_in.c: the reading half, with limits. */
#include "archive/internal.h"

#include "base/text.h"

struct TarIn {
        struct archive *a;
        TarLimits limits;
        int64_t members, total;
        char *name;
};

bool tar_in_open(int fd, const TarLimits *limits, TarIn **ret, Err *err)
{
        TarIn *in = xcalloc(1, sizeof *in);
        in->limits = *limits;
        if (in->limits.name == 0)
                in->limits.name = 1024;
        in->a = archive_read_new();
        if (!in->a)
                abort();
        if (archive_read_support_format_tar(in->a) != ARCHIVE_OK ||
            archive_read_open_fd(in->a, fd, 256 * 1024) != ARCHIVE_OK) {
                archive_err(in->a, "opening a tar", err);
                tar_in_free(in);
                return false;
        }
        *ret = in;
        return true;
}

static TarType type_of(struct archive_entry *e)
{
        if (archive_entry_hardlink(e))
                return TAR_HARDLINK;
        switch (archive_entry_filetype(e)) {
        case AE_IFREG:
                return TAR_FILE;
        case AE_IFDIR:
                return TAR_DIR;
        case AE_IFLNK:
                return TAR_SYMLINK;
        default:
                return TAR_OTHER;
        }
}

static bool allowed(TarIn *in, struct archive_entry *e, TarEntry *entry, Err *err)
{
        const char *why = NULL, *name = archive_entry_pathname(e);
        AUTO_FREE char *clean = text_clean_str(name);
        if (!name)
                return err_set(err, ERR_USER, "a tar member has no readable name");
        /* "./" is how `tar -C dir -c .` begins; a volume may have it. */
        if (in->limits.any_type)
                while (str_starts(name, "./"))
                        name += 2;
        if (strlen(name) > in->limits.name)
                return err_set(err, ERR_USER, "a tar member's name is longer than %zu bytes",
                               in->limits.name);
        entry->type = type_of(e);
        bool root = in->limits.any_type && entry->type == TAR_DIR && (!*name || str_eq(name, "."));
        if (!root && !(in->limits.any_type ? tar_path_is_inside : tar_name_is_safe)(name, &why))
                return err_set(err, ERR_USER, "refusing tar member `%s`: %s", clean, why);
        if (entry->type != TAR_FILE && !in->limits.any_type)
                return err_set(err, ERR_USER, "refusing tar member `%s`: not a regular file",
                               clean);
        entry->size = archive_entry_size_is_set(e) ? archive_entry_size(e) : 0;
        if (in->limits.members && ++in->members > in->limits.members)
                return err_set(err, ERR_USER, "the tar has more than %lld members",
                               (long long)in->limits.members);
        in->total += entry->size;
        if (entry->size < 0 || (in->limits.member_size && entry->size > in->limits.member_size) ||
            (in->limits.total_size && in->total > in->limits.total_size))
                return err_set(err, ERR_USER, "tar member `%s` is larger than allowed", clean);
        free(in->name);
        in->name = xstrdup(name);
        entry->name = in->name;
        entry->mtime_s = archive_entry_mtime(e);
        entry->mode = archive_entry_perm(e);
        entry->header_offset = archive_read_header_position(in->a);
        return true;
}

bool tar_in_header(TarIn *in, struct archive_entry **ret, TarEntry *ret_entry, bool *ret_more,
                   Err *err)
{
        *ret_more = false;
        struct archive_entry *e = NULL;
        int rc = archive_read_next_header(in->a, &e);
        if (rc == ARCHIVE_EOF)
                return true;
        /* A warning (a name that is not in our locale, a strange header) is a refusal too:
         * what we wrote ourselves gives none. */
        if (rc != ARCHIVE_OK && !(rc == ARCHIVE_WARN && in->limits.any_type))
                return archive_err(in->a, "reading a tar", err);
        if (!allowed(in, e, ret_entry, err))
                return false;
        *ret = e;
        *ret_more = true;
        return true;
}

bool tar_in_next(TarIn *in, TarEntry *ret, bool *ret_more, Err *err)
{
        struct archive_entry *e = NULL;
        return tar_in_header(in, &e, ret, ret_more, err);
}

bool tar_in_read(TarIn *in, void *bytes, size_t n, size_t *ret_n, Err *err)
{
        la_ssize_t got = archive_read_data(in->a, bytes, n);
        if (got < 0) {
                archive_err(in->a, "reading a tar member", err);
                return in->name ? err_wrap(err, "%s", in->name) : false;
        }
        *ret_n = (size_t)got;
        return true;
}

struct archive *tar_in_handle(TarIn *in)
{
        return in->a;
}

TarIn *tar_in_free(TarIn *in)
{
        if (in) {
                archive_read_free(in->a);
                free(in->name);
                free(in);
        }
        return NULL;
}
