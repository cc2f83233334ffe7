#include "app/launch/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/io.h"
#include "place/place.h"
#include "proc/proc.h"

enum { LONGEST = 4096 }; /* a password or a token; not a key file */

static bool take_line(const char *name, char *text, size_t n, Secret **ret, Err *err)
{
        size_t len = strcspn(text, "\r\n");
        if (len > n)
                len = n;
        if (len == 0) {
                explicit_bzero(text, n);
                return err_set(err, ERR_USER, "the secret `%s` is empty", name);
        }
        *ret = secret_take(name, text, len);
        explicit_bzero(text, n);
        return true;
}

static bool from_file(const char *name, const char *path, Secret **ret, Err *err)
{
        struct stat st;
        if (!*path)
                return err_set(err, ERR_USER, "secret `%s`: no path is given", name);
        if (stat(path, &st) < 0)
                return err_set_errno(err, errno, "secret `%s` from %s", name, path);
        if (st.st_mode & 077) {
                err_set(err, ERR_USER, "secret `%s`: %s can be read by others (mode %04o)", name,
                        path, (unsigned)st.st_mode & 07777);
                return err_hint(err, "chmod 600 %s", path);
        }
        char *text = NULL;
        size_t n = 0;
        if (!io_read_file(path, LONGEST, &text, &n, err))
                return err_wrap(err, "secret `%s`", name);
        bool ok = take_line(name, text, n, ret, err);
        free(text);
        return ok;
}

static bool from_env(const char *name, const char *key, Secret **ret, Err *err)
{
        char *text = *key ? getenv(key) : NULL;
        if (!text) {
                err_set(err, ERR_USER, "secret `%s`: %s is not in the environment", name, key);
                return err_hint(err, "export it before the start, or use --secret %s=file:PATH",
                                name);
        }
        /* Taken out of our own environment too: /proc/PID/environ is readable. */
        bool ok = take_line(name, text, strlen(text), ret, err);
        unsetenv(key);
        return ok;
}

static bool from_command(const char *name, const json_t *words, Secret **ret, Err *err)
{
        AUTO_ARGV argv = { 0 };
        size_t i;
        json_t *w;
        json_array_foreach(words, i, w)
                argv_add(&argv, json_is_string(w) ? json_string_value(w) : "");
        if (!argv.n)
                return err_set(err, ERR_USER, "secret `%s`: no command is given", name);
        AUTO_PROC r = { 0 };
        if (!proc_run(&argv, &(ProcOptions){ .timeout_ms = 60000, .max_output = LONGEST }, &r, err))
                return err_wrap(err, "secret `%s` from a command", name);
        return take_line(name, r.out.data ? r.out.data : (char[1]){ 0 }, r.out.len, ret, err);
}

/* New and stored before anybody is given it: a role whose password nobody knows is a lockout. */
static bool generate(const char *name, const json_t *spec, Secret **ret, Err *err)
{
        const char *path = jx_str(jx_get(spec, "store"), "file", "");
        int64_t length = jx_int(spec, "length", 32);
        if (!*path || length < 16 || length > 256)
                return err_set(err, ERR_USER,
                               "secret `%s`: wants store.file and a length of 16 to 256", name);
        if (io_exists(path))
                return from_file(name, path, ret, err);
        char text[260];
        random_password((size_t)length, text);
        text[length] = '\n';
        bool ok = io_replace_file(path, text, (size_t)length + 1, 0600, err);
        ok = ok && take_line(name, text, (size_t)length, ret, err);
        explicit_bzero(text, sizeof text);
        return ok;
}

bool secrets_load(const char *name, const json_t *spec, const json_t *targets, Secret **ret,
                  Err *err)
{
        const char *from = jx_str(spec, "from", "");
        if (str_eq(from, "file"))
                return from_file(name, jx_str(spec, "path", ""), ret, err);
        if (str_eq(from, "env"))
                return from_env(name, jx_str(spec, "key", ""), ret, err);
        if (str_eq(from, "command"))
                return from_command(name, jx_get(spec, "argv"), ret, err);
        if (str_eq(from, "generate"))
                return generate(name, spec, ret, err);
        const PlaceKind *place = place_of_secret(from);
        if (place)
                return place->secret(name, spec, targets, ret, err);
        return err_set(err, ERR_USER, "secret `%s`: cannot be had from `%s`", name, from);
}
