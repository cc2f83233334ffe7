#include "transfer/scratch.h"

#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/majors.h"
#include "pg/clients.h"
#include "proc/proc.h"

#define START_TRIES 300 /* of a tenth of a second */

struct Scratch {
        char *dir, *data, *bin, *words;
        int major;
        bool as_other; /* we are root: the server may not be */
        uid_t uid;
        gid_t gid;
        pthread_t thread;
        bool started;
        volatile bool stop;
        atomic_bool over;
        Err why; /* when it is over */
};

static char *bin_of(int major)
{
        char *dir = xasprintf("/usr/lib/postgresql/%d/bin", major);
        AUTO_FREE char *initdb = io_join(dir, "initdb");
        AUTO_FREE char *server = io_join(dir, "postgres");
        if (access(initdb, X_OK) == 0 && access(server, X_OK) == 0)
                return dir;
        free(dir);
        return NULL;
}

static bool find_server(Scratch *s, int major, Err *err)
{
        for (s->major = major; s->major <= MAJOR_LOOKED_FOR; s->major++)
                if ((s->bin = bin_of(s->major)))
                        return true;
        err_set(err, ERR_USER, "there is no PostgreSQL %d or later on this host to restore into",
                major);
        return err_hint(err, "apt-get install postgresql-%d, or give a server with --into", major);
}

static bool find_user(Scratch *s, Err *err)
{
        if (geteuid() != 0)
                return true;
        const struct passwd *p = getpwnam("postgres");
        if (!p)
                return err_set(err, ERR_USER,
                               "a server cannot run as root, and there is no user postgres");
        s->as_other = true;
        s->uid = p->pw_uid;
        s->gid = p->pw_gid;
        return true;
}

static void program(const Scratch *s, const char *name, Argv *a)
{
        if (s->as_other) {
                argv_add(a, "setpriv");
                argv_addf(a, "--reuid=%u", (unsigned)s->uid);
                argv_addf(a, "--regid=%u", (unsigned)s->gid);
                argv_add(a, "--clear-groups");
                argv_add(a, "--pdeathsig=TERM");
                argv_add(a, "--");
        }
        argv_addf(a, "%s/%s", s->bin, name);
}

static bool scratch_make(Scratch *s, const volatile bool *cancel, Err *err)
{
        const char *tmp = getenv("TMPDIR");
        AUTO_ARGV a = { 0 };
        AUTO_PROC r = { 0 };
        s->dir = xasprintf("%s/pgsherpa-XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
        if (!mkdtemp(s->dir)) {
                err_set_errno(err, errno, "making the directory %s", s->dir);
                free(s->dir);
                s->dir = NULL;
                return false;
        }
        if (s->as_other && chown(s->dir, s->uid, s->gid) < 0)
                return err_set_errno(err, errno, "giving %s to its user", s->dir);
        s->data = io_join(s->dir, "data");
        program(s, "initdb", &a);
        argv_add(&a, "-D");
        argv_add(&a, s->data);
        argv_add(&a, "-U");
        argv_add(&a, "postgres");
        argv_add(&a, "--auth=trust"); /* the directory of the socket is 0700 */
        argv_add(&a, "--no-sync");
        argv_add(&a, "--encoding=UTF8");
        argv_add(&a, "--locale=C.UTF-8");
        return proc_run(&a, &(ProcOptions){ .cancel = cancel, .cwd = s->dir }, &r, err) ||
               err_wrap(err, "making a throw-away server");
}

static void *serve(void *arg)
{
        Scratch *s = arg;
        AUTO_ARGV a = { 0 };
        AUTO_PROC r = { 0 };
        program(s, "postgres", &a);
        argv_add(&a, "-D");
        argv_add(&a, s->data);
        argv_add(&a, "-k");
        argv_add(&a, s->dir);
        static const char *const settings[] = { "listen_addresses=",    "fsync=off",
                                                "full_page_writes=off", "synchronous_commit=off",
                                                "wal_level=minimal",    "max_wal_senders=0",
                                                "max_wal_size=4GB",     "autovacuum=off" };
        for (size_t i = 0; i < LEN(settings); i++) {
                argv_add(&a, "-c");
                argv_add(&a, settings[i]);
        }
        (void)!proc_run(&a, &(ProcOptions){ .cancel = &s->stop, .cwd = s->dir }, &r, &s->why);
        s->over = true;
        return NULL;
}

static bool answers(Scratch *s, const volatile bool *cancel, Err *err)
{
        PgParams p = scratch_params(s);
        for (int i = 0; i < START_TRIES; i++) {
                AUTO_PG Pg *pg = NULL;
                err_clear(err);
                if (pg_open(&p, &pg, err))
                        return true;
                if (s->over)
                        break;
                if (cancel && flag_up(cancel))
                        return err_set(err, ERR_CANCELLED, "stopped on request");
                nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
        }
        if (s->over && s->why.message)
                err_move(err, &s->why);
        return err_wrap(err, "starting a throw-away server in %s", s->dir);
}

bool scratch_start(int major, const volatile bool *cancel, Scratch **ret, Err *err)
{
        AUTO_SCRATCH s = xcalloc(1, sizeof *s);
        if (!find_server(s, major, err) || !find_user(s, err) || !scratch_make(s, cancel, err))
                return false;
        int why = pthread_create(&s->thread, NULL, serve, s);
        if (why != 0)
                return err_set_errno(err, why, "starting a thread");
        s->started = true;
        if (!answers(s, cancel, err))
                return false;
        s->words = xasprintf("a throw-away PostgreSQL %d of %s", s->major, s->bin);
        *ret = s;
        s = NULL;
        return true;
}

PgParams scratch_params(const Scratch *s)
{
        return (PgParams){ .host = s->dir,
                           .port = 5432,
                           .user = "postgres",
                           .database = "postgres",
                           .app = "pgsherpa/verify" };
}

const char *scratch_words(const Scratch *s)
{
        return s->words;
}

Scratch *scratch_stop(Scratch *s)
{
        AUTO_ERR ignored = { 0 };
        if (!s)
                return NULL;
        s->stop = true;
        if (s->started)
                pthread_join(s->thread, NULL);
        if (s->dir)
                (void)!io_remove_tree(s->dir, &ignored);
        err_clear(&s->why);
        free(s->dir);
        free(s->data);
        free(s->bin);
        free(s->words);
        free(s);
        return NULL;
}
