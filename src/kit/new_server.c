/* new_server.c: see the header. */
#include "kit/new_server.h"

#include "kit/docker.h"
#include "kit/run_as.h"

bool kit_fits_env_file(const char *value)
{
        return !strpbrk(value, "\r\n");
}

bool kit_is_plain_word(const char *word)
{
        static const char plain[] =
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@-";
        return !word[strspn(word, plain)];
}

bool kit_server_env(StepCtx *ctx, const NewServer *s, Buf *b, Err *err)
{
        AUTO_SECRET own = NULL;
        const Secret *password = s->password;
        if (!password && s->compose) {
                if (!compose_service_secret(s->compose, s->service, "POSTGRES_PASSWORD",
                                            "POSTGRES_PASSWORD", &own, err))
                        return false;
                password = own;
        }
        if (!password)
                return err_set(err, ERR_USER,
                               "no password for the new server: give `service` or `password`");
        const char *user = s->user, *database = s->database;
        if (!kit_fits_env_file(secret_expose(password)) || !kit_fits_env_file(user) ||
            !kit_fits_env_file(database))
                return err_set(err, ERR_USER, "user, database or password holds a line break");
        buf_printf(b, "POSTGRES_USER=%s\nPOSTGRES_DB=%s\n", user, database);
        buf_adds(b, "POSTGRES_PASSWORD=");
        buf_adds(b, secret_expose(password));
        buf_addc(b, '\n');
        const char *encoding = s->encoding, *locale = s->locale;
        AUTO_FREE char *old_args = NULL;
        HostCall look = kit_look(ctx);
        if (s->old && !kit_service_environment(&look, s->old, s->old_image, &old_args, b, err))
                return false;
        if (!kit_is_plain_word(encoding) || !kit_is_plain_word(locale))
                return err_set(err, ERR_USER, "`%s`, `%s`: not an encoding and a locale", encoding,
                               locale);
        if (*encoding || *locale || old_args)
                buf_printf(b, "POSTGRES_INITDB_ARGS=%s%s%s%s%s\n",
                           old_args && kit_fits_env_file(old_args) ? old_args : "",
                           *encoding ? " --encoding=" : "", encoding, *locale ? " --locale=" : "",
                           locale);
        if (s->layout->explicit_pgdata)
                buf_printf(b, "PGDATA=%s\n", s->layout->pgdata);
        const char *method = s->old ? container_env(s->old, "POSTGRES_HOST_AUTH_METHOD") : NULL;
        if (method && *method && kit_fits_env_file(method))
                buf_printf(b, "POSTGRES_HOST_AUTH_METHOD=%s\n", method);
        return !b->overflow || err_set(err, ERR_USER, "the container's environment is too large");
}

bool kit_image_has_locale(StepCtx *ctx, const char *image, const char *locale, bool *ret, Err *err)
{
        *ret = true;
        if (!*locale || str_eq(locale, "C") || str_eq(locale, "POSIX") ||
            strcasecmp(locale, "C.UTF-8") == 0 || strcasecmp(locale, "C.utf8") == 0)
                return true;
        HostCall call = kit_look(ctx);
        AUTO_ARGV a = { 0 };
        argv_add_all(&a,
                     (const char *const[]){ "docker", "run", "--rm", "--pull", "never", "--network",
                                            "none", "--entrypoint", "locale", image, "-a", NULL });
        AUTO_FREE char *known = NULL;
        AUTO_ERR why = { 0 };
        if (!docker_read_text(&call, &a, &known, &why)) {
                /* musl has no such program and takes any name. */
                return why.kind != ERR_CANCELLED || (err_move(err, &why), false);
        }
        *ret = false;
        for (char *save = NULL, *l = strtok_r(known, "\n", &save); l && !*ret;
             l = strtok_r(NULL, "\n", &save)) {
                const char *a1 = l, *b1 = locale; /* "en_US.utf8" is "en_US.UTF-8" */
                for (;; a1++, b1++) {
                        while (*a1 == '-')
                                a1++;
                        while (*b1 == '-')
                                b1++;
                        if ((*a1 | 32) != (*b1 | 32) || !*a1)
                                break;
                }
                *ret = !*a1 && !*b1;
        }
        return true;
}

void kit_image_of_this_machine(StepCtx *ctx, const char *image, const json_t *inspected)
{
        HostCall call = kit_look(ctx);
        AUTO_JSON info = NULL;
        AUTO_ERR ignored = { 0 };
        const char *is = jx_str(inspected, "Architecture", "");
        if (!docker_info(&call, &info, &ignored))
                return;
        const char *here = jx_str(info, "Architecture", "");
        const char *wants = str_eq(here, "x86_64")    ? "amd64"
                            : str_eq(here, "aarch64") ? "arm64"
                                                      : "";
        if (*is && *wants && !str_eq(is, wants))
                step_problem(ctx, "image %s is for %s, and this machine is %s", image, is, wants);
}
