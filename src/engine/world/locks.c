/* locks.c: one run per run directory, one run per target, and children that outlive us.
 *
 * All are flock(): it is not lost when some other descriptor of the file is closed, an
 * inherited one stays held by an orphan, and it is free exactly when the last holder is gone.
 * What is written in the file is for people; the lock itself is the truth. */
#include "engine/world/world_impl.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/inherit.h"
#include "base/io.h"
#include "base/text.h"

/* PGSHERPA_LOCKS is for tests that must not meet each other. */
static char *lock_dir(const Engine *e)
{
        AUTO_ERR ignored = { 0 };
        const char *given = getenv("PGSHERPA_LOCKS");
        const char *usual = given && *given ? given : "/run/lock/pgsherpa";
        if (io_mkdir_p(usual, 0700, &ignored) && access(usual, W_OK) == 0)
                return xstrdup(usual);
        AUTO_FREE char *dir = xasprintf("%s/../../locks", e->c->run_dir);
        err_clear(&ignored);
        if (!io_mkdir_p(dir, 0700, &ignored))
                return xstrdup(usual); /* whose open() then says what is wrong */
        return xstrdup(dir);
}

/* A lock's name comes from a server or a project: nothing of it may leave the directory. */
static char *safe_name(const char *name)
{
        char *safe = xstrdup(name);
        for (char *p = safe; *p; p++)
                if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
                        *p = '_';
        if (*safe == '.')
                *safe = '_';
        return safe;
}

static void write_holder(const Engine *e, int fd)
{
        AUTO_JSON who = json_object();
        char t[32], host[256] = "";
        (void)gethostname(host, sizeof host - 1);
        jx_set_str(who, "run", e->run);
        jx_set_int(who, "pid", getpid());
        jx_set_str(who, "dir", e->c->run_dir);
        jx_set_str(who, "host", host);
        jx_set_str(who, "boot_id", clock_boot_id());
        jx_set_str(who, "since", clock_iso(clock_wall_ms(), t));
        AUTO_FREE char *text = jx_dump(who);
        AUTO_ERR ignored = { 0 };
        if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
            !io_write_all(fd, text, strlen(text), &ignored))
                return; /* for people only; the lock itself is held */
}

static bool held_by(const char *path, const Target *t, Err *err)
{
        AUTO_FREE char *text = NULL;
        AUTO_ERR ignored = { 0 };
        size_t n = 0;
        AUTO_JSON who = NULL;
        if (io_read_file(path, 4096, &text, &n, &ignored) && n)
                who = jx_parse(text, n, &ignored);
        AUTO_FREE char *run = text_clean_str(jx_str(who, "run", "another run"));
        AUTO_FREE char *since = text_clean_str(jx_str(who, "since", "some time ago"));
        err_set(err, ERR_USER, "%s is being worked on by run %s (process %lld, since %s)",
                t->name ? t->name : t->kind, run, (long long)jx_int(who, "pid", 0), since);
        return err_hint(err, "attach to it (`pgsherpa attach %s`), or wait until it is over", run);
}

static bool have_lock(const Engine *e, const char *name)
{
        for (size_t i = 0; i < e->world->n_locks; i++)
                if (str_eq(e->world->locks[i].name, name))
                        return true;
        return false;
}

static bool take_named(Engine *e, const Target *t, const char *name, Err *err)
{
        AUTO_FREE char *dir = lock_dir(e);
        AUTO_FREE char *safe = safe_name(name);
        AUTO_FREE char *path = xasprintf("%s/%s.lock", dir, safe);
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return err_set_errno(err, errno, "opening the lock %s", path);
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                close(fd);
                return held_by(path, t, err);
        }
        write_holder(e, fd);
        e->world->locks =
                xrealloc(e->world->locks, (e->world->n_locks + 1) * sizeof *e->world->locks);
        e->world->locks[e->world->n_locks++] = (TargetLock){ .name = xstrdup(name), .fd = fd };
        return true;
}

bool locks_take(Engine *e, const Target *t, Err *err)
{
        char *name = NULL;
        AUTO_ERR ignored = { 0 };
        if (e->read_only || !e->ops || !e->ops->lock_name)
                return true;
        if (!e->ops->lock_name(e->ops->app, t, &name, &ignored) || !name) {
                free(name);
                return true; /* not up yet; taken at its first use that finds it */
        }
        AUTO_FREE char *owned = name;
        pthread_mutex_lock(&e->lazy_lock);
        bool ok = have_lock(e, owned) || take_named(e, t, owned, err);
        pthread_mutex_unlock(&e->lazy_lock);
        return ok;
}

typedef struct LockCall {
        Engine *e;
} LockCall;

static bool call_take_all(void *arg, Err *err)
{
        Engine *e = ((LockCall *)arg)->e;
        AUTO_JSON all = scope_targets(e, NULL);
        const char *name;
        json_t *spec;
        json_object_foreach(all, name, spec) {
                Target t = {
                        .name = name, .kind = jx_str(spec, "kind", ""), .spec = spec, .all = all
                };
                const json_t *password = jx_get(spec, "password");
                AUTO_ERR ignored = { 0 };
                const char *secret = scope_secret_name(password);
                if (secret && *secret)
                        t.password = secrets_get(e, secret, NULL, &ignored);
                if (!locks_take(e, &t, err))
                        return false;
        }
        return true;
}

bool locks_take_all(Engine *e, Err *err)
{
        LockCall c = { .e = e };
        return e->read_only || loop_work(e, NULL, 0, call_take_all, &c, err);
}

void locks_drop(Engine *e)
{
        for (size_t i = 0; i < e->world->n_locks; i++) {
                close(e->world->locks[i].fd);
                free(e->world->locks[i].name);
        }
        free(e->world->locks);
        e->world->locks = NULL;
        e->world->n_locks = 0;
}

/* ---- children that outlive us ---- */

static char *alive_path(const Engine *e, const char *step, int attempt)
{
        return xasprintf("%s/state/%s.%d.alive", e->c->run_dir, step, attempt);
}

int locks_alive(Engine *e, const char *step, int attempt)
{
        AUTO_FREE char *path = alive_path(e, step, attempt);
        AUTO_FREE char *dir = xasprintf("%s/state", e->c->run_dir);
        AUTO_ERR ignored = { 0 };
        if (!io_mkdir_p(dir, 0700, &ignored))
                return -1;
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
                close(fd);
                fd = -1;
        }
        inherit_set(fd);
        return fd;
}

bool locks_alive_held(Engine *e, const char *step, int attempt)
{
        AUTO_FREE char *path = alive_path(e, step, attempt);
        AUTO_FD int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

static bool locks_holds(const char *pid, const char *path)
{
        AUTO_FREE char *dir = xasprintf("/proc/%s/fd", pid);
        DIR *d = opendir(dir);
        bool yes = false;
        struct dirent *entry;
        while (d && !yes && (entry = readdir(d))) {
                char to[4096];
                AUTO_FREE char *link = xasprintf("%s/%s", dir, entry->d_name);
                ssize_t n = readlink(link, to, sizeof to - 1);
                if (n <= 0)
                        continue;
                to[n] = '\0';
                yes = str_eq(to, path);
        }
        if (d)
                closedir(d);
        return yes;
}

/* Stops whoever still has the descriptor open: no process id is trusted, only the file. */
static void signal_holders(const char *path, int sig)
{
        DIR *d = opendir("/proc");
        struct dirent *entry;
        while (d && (entry = readdir(d))) {
                pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
                if (pid > 1 && pid != getpid() && locks_holds(entry->d_name, path))
                        (void)kill(pid, sig);
        }
        if (d)
                closedir(d);
}

void locks_alive_stop(Engine *e, const char *step, int attempt)
{
        AUTO_FREE char *path = alive_path(e, step, attempt);
        AUTO_FREE char *real = realpath(path, NULL);
        AUTO_ERR ignored = { 0 };
        if (!real)
                return;
        signal_holders(real, SIGTERM);
        for (int i = 0; i < 50 && locks_alive_held(e, step, attempt); i++)
                if (!loop_pump(e, 100, &ignored))
                        usleep(100000);
        if (locks_alive_held(e, step, attempt))
                signal_holders(real, SIGKILL);
}
