#include "journal/run_dir.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/io.h"

static char *state_root(void)
{
        const char *own = getenv("PGSHERPA_STATE");
        if (own && *own)
                return xstrdup(own);
        const char *xdg = getenv("XDG_STATE_HOME");
        if (xdg && *xdg == '/') /* the specification: relative paths are ignored */
                return io_join(xdg, "pgsherpa");
        if (geteuid() == 0)
                return xstrdup("/var/lib/pgsherpa");
        const char *home = getenv("HOME");
        const struct passwd *pw = home && *home ? NULL : getpwuid(geteuid());
        if (pw)
                home = pw->pw_dir;
        return io_join(home && *home ? home : "/tmp", ".local/state/pgsherpa");
}

char *run_dir_root(void)
{
        AUTO_FREE char *state = state_root();
        return io_join(state, "runs");
}

/* The number of "p42", or 0 when it is not such a name. */
static long run_number(const char *name)
{
        if (name[0] != 'p' || !isdigit((unsigned char)name[1]) || name[1] == '0')
                return 0;
        char *end;
        long n = strtol(name + 1, &end, 10);
        return *end || n > 99999999 ? 0 : n;
}

static long highest_run(const char *root)
{
        long highest = 0;
        DIR *d = opendir(root);
        if (!d)
                return 0;
        for (struct dirent *e; (e = readdir(d));)
                highest = MAX(highest, run_number(e->d_name));
        closedir(d);
        return highest;
}

/* Other users must not be able to put a run of theirs (or a link) where we look for ours. */
static bool is_private(const char *dir, Err *err)
{
        struct stat st;
        if (lstat(dir, &st) < 0)
                return err_set_errno(err, errno, "looking at %s", dir);
        if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022))
                return true;
        err_set(err, ERR_USER, "%s is not a directory that only we can write", dir);
        return err_hint(err, "give it to uid %u with mode 0700, or set PGSHERPA_STATE",
                        (unsigned)geteuid());
}

static bool fill_run_dir(const char *dir, const char *id, Err *err)
{
        static const char *const subdirs[] = { "output", "state", "saved" };
        for (size_t i = 0; i < LEN(subdirs); i++) {
                AUTO_FREE char *sub = io_join(dir, subdirs[i]);
                if (mkdir(sub, 0700) < 0)
                        return err_set_errno(err, errno, "creating %s", sub);
        }
        char hex[5];
        random_hex(2, hex);
        AUTO_FREE char *path = io_join(dir, "tag");
        AUTO_FREE char *text = xasprintf("%s-%s\n", id, hex);
        return io_replace_file(path, text, strlen(text), 0600, err);
}

bool run_dir_create(char **ret_dir, char **ret_id, Err *err)
{
        AUTO_FREE char *root = run_dir_root();
        if (!io_mkdir_p(root, 0700, err) || !is_private(root, err))
                return err_wrap(err, "making room for a new run");
        long n = highest_run(root) + 1;
        AUTO_FREE char *id = NULL;
        AUTO_FREE char *dir = NULL;
        for (int tries = 0;; tries++, n++) { /* mkdir decides who gets a number */
                free(id);
                free(dir);
                id = xasprintf("p%ld", n);
                dir = io_join(root, id);
                if (mkdir(dir, 0700) == 0)
                        break;
                if (errno != EEXIST || tries > 1000)
                        return err_set_errno(err, errno, "creating the run directory %s", dir);
        }
        if (!fill_run_dir(dir, id, err) || !io_fsync_dir(root, err))
                return err_wrap(err, "making the run directory %s", dir);
        *ret_dir = dir;
        *ret_id = id;
        dir = id = NULL;
        return true;
}

bool run_dir_tag(const char *run_dir, char **ret_tag, Err *err)
{
        AUTO_FREE char *path = io_join(run_dir, "tag");
        if (!io_read_file(path, 64, ret_tag, NULL, err))
                return err_wrap(err, "reading the tag of the run");
        (*ret_tag)[strcspn(*ret_tag, "\n")] = '\0';
        return true;
}

static bool is_run(const char *dir)
{
        struct stat st;
        AUTO_FREE char *journal = io_join(dir, "journal.jsonl");
        AUTO_FREE char *output = io_join(dir, "output");
        return stat(dir, &st) == 0 && S_ISDIR(st.st_mode) &&
               (io_exists(journal) || io_exists(output));
}

static int newest_first(const void *a, const void *b)
{
        long x = *(const long *)a, y = *(const long *)b;
        return (x < y) - (x > y);
}

static bool no_such_run(const char *root, const char *name, Err *err)
{
        long have[1024];
        size_t n = 0;
        DIR *d = opendir(root);
        for (struct dirent *e; d && (e = readdir(d));) {
                long number = run_number(e->d_name);
                if (number && n < LEN(have))
                        have[n++] = number;
        }
        if (d)
                closedir(d);
        qsort(have, n, sizeof *have, newest_first);
        err_set(err, ERR_USER, "there is no run %s in %s", name, root);
        if (n == 0)
                return err_hint(err, "there are no runs yet; `pgsherpa` starts one");
        AUTO_FREE char *list = xasprintf("p%ld", have[0]);
        for (size_t i = 1; i < n && i < 8; i++) {
                AUTO_FREE char *before = list;
                list = xasprintf("%s, p%ld", before, have[i]);
        }
        return err_hint(err, "the runs are %s%s", list, n > 8 ? " .." : "");
}

bool run_dir_find(const char *name, char **ret_dir, Err *err)
{
        AUTO_FREE char *root = run_dir_root();
        AUTO_FREE char *id = NULL;
        if (str_eq(name, "latest"))
                id = xasprintf("p%ld", highest_run(root));
        else if (isdigit((unsigned char)name[0]))
                id = xasprintf("p%s", name);
        else if (run_number(name))
                id = xstrdup(name);
        if (id) {
                AUTO_FREE char *dir = io_join(root, id);
                if (run_number(id) && is_run(dir)) {
                        *ret_dir = dir;
                        dir = NULL;
                        return true;
                }
        } else if (is_run(name)) {
                *ret_dir = xstrdup(name);
                return true;
        }
        return no_such_run(root, name, err);
}
