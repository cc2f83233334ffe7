#include "transfer/read/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "dumps/sqltext.h"
#include "proc/proc.h"
#include "transfer/read/passfile.h"

#define PIECE ((size_t)256 << 10)

/* What a database or role may have set for itself, pg_dump does not set, and changes how the
 * text of a default, a constant or a comment is to be read. Our sessions have the same. */
#define SETTINGS                                                                                   \
        "PGOPTIONS=-c standard_conforming_strings=on -c lc_monetary=C -c array_nulls=on -c "       \
        "jit=off"

/* dbname='..' with \ and ' escaped, as libpq's connection strings want it. */
static char *conninfo(const char *database)
{
        char *out = xmalloc(strlen(database) * 2 + 16), *p = out;
        memcpy(p, "dbname='", 8);
        p += 8;
        for (const char *c = database; *c; c++) {
                if (*c == '\'' || *c == '\\')
                        *p++ = '\\';
                *p++ = *c;
        }
        *p++ = '\'';
        *p = '\0';
        return out;
}

static void server_args(const DumpRun *d, const char *database, Argv *a)
{
        AUTO_FREE char *conn = conninfo(database);
        argv_add(a, "--no-password");
        argv_add(a, "-d");
        argv_add(a, conn);
        if (d->server->host) {
                argv_add(a, "-h");
                argv_add(a, d->server->host);
        }
        argv_add(a, "-p");
        argv_addf(a, "%d", d->server->port ? d->server->port : 5432);
        if (d->server->user) {
                argv_add(a, "-U");
                argv_add(a, d->server->user);
        }
}

/* The last lines a client said are its error; "pg_dump: error: " in front says nothing new. */
static bool client_failed(const DumpRun *d, const char *program, Err *err)
{
        AUTO_FREE char *words = pg_client_words(d->client);
        return err->kind == ERR_CANCELLED ? false : err_wrap(err, "%s (%s)", program, words);
}

static void dump_said(void *arg, int fd, const char *line)
{
        const DumpRun *d = arg;
        if (fd == 2) /* stdout is the dump itself */
                d->line(d->line_arg, fd, line);
}

/* Runs one client with its password file; for a client in an image, what it must see is
 * mounted: the password file's directory and the socket's. */
static bool dump_run(const DumpRun *d, const char *program,
                     void (*args)(const DumpRun *, void *, Argv *), void *arg, ProcOptions *o,
                     ProcResult *r, Err *err)
{
        AUTO_PASSFILE pass = { .fd = -1 };
        if (d->server && !passfile_make(d->server->password, d->client->where, &pass, err))
                return false;
        const char *mount[4] = { NULL };
        size_t n = 0;
        if (pass.dir)
                mount[n++] = pass.dir;
        if (d->server && d->server->host && d->server->host[0] == '/')
                mount[n++] = d->server->host;
        if (d->see)
                mount[n++] = d->see;
        AUTO_ARGV argv = { 0 };
        AUTO_FREE char *env = pass.path ? xasprintf("PGPASSFILE=%s", pass.path) : NULL;
        const char *const envs[] = { "PGAPPNAME=pgsherpa/dump", SETTINGS, env, NULL };
        pg_client_argv(d->client, program, mount, &argv);
        args(d, arg, &argv);
        o->env = envs;
        o->cancel = d->cancel;
        o->also[0] = d->failed;
        o->line = d->line ? dump_said : NULL;
        o->line_arg = (void *)d;
        if (!proc_run(&argv, o, r, err))
                return client_failed(d, program, err);
        return true;
}

/* ---- pg_dump ---- */

typedef struct DumpArgs {
        const char *database, *snapshot, *encoding;
        bool schema;
} DumpArgs;

static void dump_args(const DumpRun *d, void *arg, Argv *a)
{
        const DumpArgs *w = arg;
        argv_add(a, "-Fc");
        /* A server quotes in the texts it prints what is a keyword to itself; where they are
         * loaded, it may be one although it was none here: json, json_array, json_table .. since 16
         * and 17. */
        argv_add(a, "--quote-all-identifiers");
        if (w->schema) {
                /* Large objects and table data are read by us. */
                argv_add(a, "--section=pre-data");
                argv_add(a, "--section=post-data");
                argv_add(a, "--no-blobs");
                argv_addf(a, "--encoding=%s", w->encoding);
        }
        if (w->snapshot)
                argv_addf(a, "--snapshot=%s", w->snapshot);
        server_args(d, w->database, a);
}

bool dump_schema(const DumpRun *d, const char *database, const char *snapshot, const char *encoding,
                 Buf *out, Err *err)
{
        DumpArgs w = { database, snapshot, encoding, true };
        AUTO_PROC r = { 0 };
        ProcOptions o = { .max_output = LIMIT_SQL };
        if (!dump_run(d, "pg_dump", dump_args, &w, &o, &r, err))
                return err_wrap(err, "reading the schema of %s", database);
        if (r.out.overflow)
                return err_set(err, ERR_USER, "the schema of %s is larger than %d bytes", database,
                               LIMIT_SQL);
        buf_done(out);
        *out = r.out;
        r.out = (Buf){ 0 };
        return true;
}

/* ---- a pipe from or to the child, served by a thread ---- */

typedef struct Pump {
        int fd;
        bool (*sink)(void *arg, const void *bytes, size_t n, Err *err);
        bool (*feed)(void *arg, int fd, Err *err);
        void *arg;
        bool ok;
        volatile bool failed; /* for the child: nobody wants the rest */
        Err err;
} Pump;

static void *pump_out(void *arg)
{
        Pump *p = arg;
        AUTO_FREE char *piece = xmalloc(PIECE);
        p->ok = true;
        for (;;) {
                ssize_t n = read(p->fd, piece, PIECE);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        p->ok = err_set_errno(&p->err, errno, "reading from pg_dump");
                /* After a failure of ours go on reading, until the child has stopped. */
                else if (n > 0 && p->ok)
                        p->ok = p->sink(p->arg, piece, (size_t)n, &p->err);
                if (!p->ok)
                        flag_raise(&p->failed);
                if (n <= 0)
                        break;
        }
        return NULL;
}

bool dump_custom(const DumpRun *d, const char *database, const char *snapshot,
                 bool (*sink)(void *arg, const void *bytes, size_t n, Err *err), void *arg,
                 Err *err)
{
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0)
                return err_set_errno(err, errno, "making a pipe for pg_dump");
        Pump pump = { .fd = ends[0], .sink = sink, .arg = arg };
        pthread_t thread;
        int why = pthread_create(&thread, NULL, pump_out, &pump);
        if (why != 0) {
                close(ends[0]);
                close(ends[1]);
                return err_set_errno(err, why, "starting a thread");
        }
        DumpArgs w = { database, snapshot, NULL, false };
        AUTO_PROC r = { 0 };
        ProcOptions o = { .stdout_fd = ends[1], .also = { NULL, &pump.failed } };
        bool ok = dump_run(d, "pg_dump", dump_args, &w, &o, &r, err);
        close(ends[1]);
        pthread_join(thread, NULL);
        close(ends[0]);
        if (!pump.ok && (ok || flag_up(&pump.failed))) {
                err_clear(err);
                err_move(err, &pump.err);
                ok = false;
        }
        err_clear(&pump.err);
        return ok ? true : err_wrap(err, "dumping %s", database);
}

/* ---- pg_dumpall ---- */

typedef struct GlobalsArgs {
        const char *database;
        bool passwords;
} GlobalsArgs;

static void globals_args(const DumpRun *d, void *arg, Argv *a)
{
        const GlobalsArgs *w = arg;
        /* It connects to postgres or template1 by itself; its -l would read a database's name
         * as a connection string. */
        argv_add(a, "--globals-only");
        if (!w->passwords)
                argv_add(a, "--no-role-passwords");
        server_args(d, w->database, a);
}

bool dump_globals(const DumpRun *d, const char *database, bool passwords, Buf *out, Err *err)
{
        GlobalsArgs w = { database, passwords };
        AUTO_PROC r = { 0 };
        ProcOptions o = { .max_output = LIMIT_CAPTURE };
        bool ok = dump_run(d, "pg_dumpall", globals_args, &w, &o, &r, err);
        if (ok && r.out.overflow)
                ok = err_set(err, ERR_USER, "there are too many roles");
        if (ok)
                sqltext_strip_psql(buf_str(&r.out), out);
        if (r.out.data)
                explicit_bzero(r.out.data, r.out.len);
        return ok ? true : err_wrap(err, "reading the roles");
}

/* ---- pg_restore ---- */

static void section_args(const DumpRun *d, void *arg, Argv *a)
{
        argv_addf(a, "--section=%s", (const char *)arg);
        argv_add(a, "-f");
        argv_add(a, "-");
}

bool dump_section(const DumpRun *d, const char *section, const void *archive, size_t n, Buf *out,
                  Err *err)
{
        AUTO_PROC r = { 0 };
        ProcOptions o = { .input = archive, .input_len = n, .max_output = LIMIT_SQL };
        DumpRun alone = *d;
        alone.server = NULL;
        if (!dump_run(&alone, "pg_restore", section_args, (void *)section, &o, &r, err))
                return false;
        if (r.out.overflow)
                return err_set(err, ERR_USER, "the schema is larger than %d bytes", LIMIT_SQL);
        sqltext_strip_psql(buf_str(&r.out), out);
        return true;
}

static void through_args(const DumpRun *d, void *arg, Argv *a)
{
        argv_add(a, "-f");
        argv_add(a, "/dev/null");
}

static void *pump_in(void *arg)
{
        Pump *p = arg;
        sigset_t pipe_set; /* a pg_restore that gives up early must not kill us */
        sigemptyset(&pipe_set);
        sigaddset(&pipe_set, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe_set, NULL);
        p->ok = p->feed(p->arg, p->fd, &p->err);
        close(p->fd);
        return NULL;
}

/* pg_restore with its input fed by a thread. What went wrong while feeding is the better story,
 * unless it is only the echo of a pg_restore that stopped reading. */
static bool run_fed(const DumpRun *d, void (*args)(const DumpRun *, void *, Argv *), void *arg,
                    ProcOptions *o, bool (*feed)(void *arg, int fd, Err *err), void *feed_arg,
                    Err *err)
{
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0)
                return err_set_errno(err, errno, "making a pipe for pg_restore");
        Pump pump = { .fd = ends[1], .feed = feed, .arg = feed_arg };
        pthread_t thread;
        int why = pthread_create(&thread, NULL, pump_in, &pump);
        if (why != 0) {
                close(ends[0]);
                close(ends[1]);
                return err_set_errno(err, why, "starting a thread");
        }
        AUTO_PROC r = { 0 };
        o->stdin_fd = ends[0];
        bool ok = dump_run(d, "pg_restore", args, arg, o, &r, err);
        close(ends[0]); /* ends the pump, if pg_restore stopped reading */
        pthread_join(thread, NULL);
        if (!pump.ok && pump.err.sys_errno != EPIPE && pump.err.kind != ERR_CANCELLED) {
                err_clear(err);
                err_move(err, &pump.err);
                ok = false;
        }
        err_clear(&pump.err);
        return ok;
}

bool dump_read_through(const DumpRun *d, bool (*feed)(void *arg, int fd, Err *err), void *arg,
                       Err *err)
{
        return run_fed(d, through_args, NULL, &(ProcOptions){ 0 }, feed, arg, err);
}

static void sql_args(const DumpRun *d, void *arg, Argv *a)
{
        const DumpSql *w = arg;
        argv_add(a, "--create");
        if (w->schema_only)
                argv_add(a, "--schema-only");
        argv_add(a, "-f");
        argv_add(a, "-");
        if (w->directory) {
                argv_add(a, "--");
                argv_add(a, w->directory);
        }
}

bool dump_as_sql(const DumpRun *d, const DumpSql *w, Err *err)
{
        AUTO_PROC r = { 0 };
        ProcOptions o = { .stdout_fd = w->to };
        if (w->directory)
                return dump_run(d, "pg_restore", sql_args, (void *)w, &o, &r, err);
        return run_fed(d, sql_args, (void *)w, &o, w->feed, w->arg, err);
}
