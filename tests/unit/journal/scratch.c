#include "scratch.h"

void scratch_remove(char **dir)
{
        AUTO_ERR err = { 0 };
        cr_assert(io_remove_tree(*dir, &err), "%s", err.message);
        free(*dir);
}

json_t *fields_of(const char *json)
{
        AUTO_ERR err = { 0 };
        json_t *j = jx_parse(json, strlen(json), &err);
        cr_assert_not_null(j, "%s: %s", json, err.message);
        return j;
}

Journal *must_open(const char *dir)
{
        AUTO_ERR err = { 0 };
        Journal *j = journal_open(dir, &err);
        cr_assert_not_null(j, "%s", err.message);
        return j;
}

void must_append(Journal *j, EventType type, const char *step, const char *json)
{
        AUTO_ERR err = { 0 };
        cr_assert(journal_append(j, type, step, fields_of(json), NULL, &err), "%s", err.message);
}

char *slurp(const char *dir, const char *name, size_t *n)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = io_join(dir, name);
        char *bytes = NULL;
        cr_assert(io_read_file(path, 64 << 20, &bytes, n, &err), "%s", err.message);
        return bytes;
}

void spit(const char *dir, const char *name, const void *bytes, size_t n)
{
        AUTO_FREE char *path = io_join(dir, name);
        AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        AUTO_ERR err = { 0 };
        cr_assert(fd >= 0);
        cr_assert(io_write_all(fd, bytes, n, &err), "%s", err.message);
}
