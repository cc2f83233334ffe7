#include "app/data/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "app/launch/secrets.h"
#include "base/io.h"
#include "base/text.h"

#define NAME_MAX_BYTES 63 /* NAMEDATALEN - 1: PostgreSQL cuts what is longer */
#define FORM           "host=NAME,port=N,user=NAME,db=NAME"

bool endpoint_name_fits(const char *option, const char *name, Err *err)
{
        if (!*name)
                return err_set(err, ERR_USER, "%s: the database has no name", option);
        if (strlen(name) > NAME_MAX_BYTES)
                return err_set(err, ERR_USER,
                               "%s: a database's name has at most %d bytes, this one has %zu",
                               option, NAME_MAX_BYTES, strlen(name));
        return text_is_utf8(name, strlen(name)) ||
               err_set(err, ERR_USER, "%s: the database's name is not valid UTF-8", option);
}

static bool set_port(Endpoint *e, const char *text, Err *err)
{
        char *end = NULL;
        errno = 0;
        long port = strtol(text, &end, 10);
        if (!*text || *end || errno || port < 1 || port > 65535) {
                AUTO_FREE char *clean = text_clean_str(text);
                return err_set(err, ERR_USER, "%s: `%s` is not a port", e->option, clean);
        }
        e->port = (int)port;
        return true;
}

static bool set_pair(Endpoint *e, const char *key, size_t n, const char *value, Err *err)
{
        AUTO_FREE char *name = text_clean(key, n);
        char **where = str_eq(name, "host") ? &e->host : str_eq(name, "user") ? &e->user : NULL;
        if (str_eq(name, "port"))
                return set_port(e, value, err);
        if (str_eq(name, "password")) {
                err_set(err, ERR_USER,
                        "%s: a password on the command line can be read by "
                        "everybody in /proc",
                        e->option);
                return err_hint(err, "put it into a file of mode 0600: %s-password-file PATH",
                                e->option);
        }
        if (!where) {
                err_set(err, ERR_USER, "%s: `%s` is none of host, port, user, db", e->option, name);
                return err_hint(err, "write it as " FORM);
        }
        if (!*value || !text_is_utf8(value, strlen(value)))
                return err_set(err, ERR_USER, "%s: %s= has no value", e->option, name);
        free(*where);
        *where = xstrdup(value);
        return true;
}

static bool parse(Endpoint *e, const char *text, Err *err)
{
        if (strstr(text, "://")) {
                err_set(err, ERR_USER,
                        "%s: a connection URL is not taken: a password in it could "
                        "be read by everybody in /proc",
                        e->option);
                return err_hint(err, "write it as " FORM);
        }
        for (const char *p = text; *p;) {
                if (str_starts(p, "db=")) {
                        free(e->database);
                        e->database = xstrdup(p + 3);
                        return endpoint_name_fits(e->option, e->database, err);
                }
                size_t n = strcspn(p, ","), key = strcspn(p, "=,");
                if (p[key] != '=') {
                        AUTO_FREE char *clean = text_clean(p, n);
                        err_set(err, ERR_USER, "%s: `%s` is not a pair", e->option, clean);
                        return err_hint(err, "write it as " FORM);
                }
                AUTO_FREE char *value = xstrndup(p + key + 1, n - key - 1);
                if (!set_pair(e, p, key, value, err))
                        return false;
                p += n + (p[n] == ',');
        }
        return true;
}

static void defaults(Endpoint *e)
{
        const struct passwd *pw = getpwuid(geteuid());
        if (!e->host)
                e->host = xstrdup("/var/run/postgresql");
        if (!e->user)
                e->user = xstrdup(pw ? pw->pw_name : "postgres");
        if (!e->port)
                e->port = 5432;
        e->room = "postgres";
}

bool endpoint_read(const char *option, const char *text, const char *password_file, Endpoint *ret,
                   Err *err)
{
        *ret = (Endpoint){ .option = option };
        /* libpq would take ~/.pgpass for our own connections, but a pg_dump of another major, in a
         * container or with no home of ours, would stand there without a password half a backup
         * later. There is one way in, and it reaches everybody. */
        setenv("PGPASSFILE", "/proc/self/no-pgpass", 1);
        if (!text) {
                err_set(err, ERR_USER, "%s is missing", option);
                return err_hint(err, "%s " FORM, option);
        }
        if (!parse(ret, text, err))
                return false;
        defaults(ret);
        if (!password_file)
                return true;
        AUTO_JSON spec = json_object();
        AUTO_FREE char *name = xasprintf("password of %s", option);
        jx_set_str(spec, "from", "file");
        jx_set_str(spec, "path", password_file);
        return secrets_load(name, spec, NULL, &ret->password, err);
}

void endpoint_done(Endpoint *e)
{
        free(e->host);
        free(e->user);
        free(e->database);
        e->password = secret_free(e->password);
        e->host = e->user = e->database = NULL;
}

PgParams endpoint_params(const Endpoint *e, const char *database)
{
        return (PgParams){ .host = e->host,
                           .port = e->port,
                           .user = e->user,
                           .database = database ? database : e->room,
                           .password = e->password,
                           .app = "pgsherpa",
                           .connect_timeout_ms = 15000 };
}

/* ---- asking for a password ---- */

/* One line without echo. ^C is read as a character, so that the terminal is always put back. */
static bool read_hidden(int tty, char *line, size_t max, Err *err)
{
        struct termios before, quiet;
        if (tcgetattr(tty, &before) < 0)
                return err_set_errno(err, errno, "asking for a password");
        quiet = before;
        quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
        if (tcsetattr(tty, TCSAFLUSH, &quiet) < 0)
                return err_set_errno(err, errno, "asking for a password");
        ssize_t n = read(tty, line, max - 1);
        tcsetattr(tty, TCSAFLUSH, &before);
        line[n > 0 ? n : 0] = '\0';
        AUTO_ERR ignored = { 0 };
        (void)!io_write_all(tty, "\n", 1, &ignored);
        if (n <= 0 || memchr(line, 3, (size_t)n))
                return err_set(err, ERR_CANCELLED, "no password was given");
        line[strcspn(line, "\r\n")] = '\0';
        return true;
}

static bool prompt(Endpoint *e, bool *ret_asked, Err *err)
{
        AUTO_FD int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
        char line[1024];
        *ret_asked = false;
        if (tty < 0)
                return true;
        AUTO_FREE char *question =
                xasprintf("Password of %s on %s:%d: ", e->user, e->host, e->port);
        AUTO_FREE char *clean = text_clean_str(question);
        if (!io_write_all(tty, clean, strlen(clean), err) ||
            !read_hidden(tty, line, sizeof line, err))
                return false;
        AUTO_FREE char *name = xasprintf("password of %s", e->option);
        e->password = secret_take(name, line, strlen(line));
        explicit_bzero(line, sizeof line);
        *ret_asked = true;
        return true;
}

static bool open_in(Endpoint *e, const char *database, Pg **ret, Err *err)
{
        bool asked = false;
        PgParams p = endpoint_params(e, database);
        if (pg_open(&p, ret, err))
                return true;
        /* 28P01 without a password of ours: the server wants one. */
        if (e->password || !str_eq(err->sqlstate, "28P01"))
                return false;
        err_hint(err, "give it one: %s-password-file PATH (mode 0600)", e->option);
        AUTO_ERR stopped = { 0 };
        if (!prompt(e, &asked, &stopped)) {
                err_move(err, &stopped);
                return false;
        }
        if (!asked)
                return false;
        err_clear(err);
        p = endpoint_params(e, database);
        return pg_open(&p, ret, err);
}

bool endpoint_open(Endpoint *e, const char *database, Pg **ret, Err *err)
{
        if (open_in(e, database, ret, err))
                return true;
        if (!database && str_eq(err->sqlstate, "3D000") && str_eq(e->room, "postgres")) {
                err_clear(err);
                e->room = "template1";
                if (open_in(e, NULL, ret, err))
                        return true;
        }
        if (err->kind == ERR_LINK && !err->hint)
                err_hint(err,
                         "does the server at %s, port %d, answer? See to that, and run it again",
                         e->host, e->port);
        return err_wrap(err, "%s", e->option);
}

bool endpoint_open_both(Endpoint *from, Endpoint *to, const char *to_database, Pg **ret_from,
                        Pg **ret_to, Err *err)
{
        return endpoint_open(from, from->database, ret_from, err) &&
               endpoint_open(to, to_database, ret_to, err);
}
