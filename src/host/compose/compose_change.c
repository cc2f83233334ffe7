#include "host/compose_change.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "host/compose/compose_internal.h"
#include "host/compose/compose_proof.h"
#include "host/compose/compose_shadow.h"
#include "host/compose/compose_change_internal.h"

ComposeChange *compose_change_new(Compose *c)
{
        ComposeChange *ch = xcalloc(1, sizeof *ch);
        ch->c = c;
        ch->files = json_copy((json_t *)compose_files(c));
        return ch;
}

ComposeChange *compose_change_free(ComposeChange *ch)
{
        if (!ch)
                return NULL;
        json_decref(ch->files);
        json_decref(ch->config);
        overlay_done(&ch->now);
        for (size_t i = 0; i < LEN(ch->diff); i++)
                free(ch->diff[i]);
        free(ch);
        return NULL;
}

void compose_change_override_only(ComposeChange *ch)
{
        ch->override_only = true;
}

size_t compose_change_count(const ComposeChange *ch)
{
        return ch->now.n;
}

ComposeChanged compose_change_file(const ComposeChange *ch, size_t i)
{
        return (ComposeChanged){ .path = ch->now.f[i].path,
                                 .after = ch->now.f[i].bytes,
                                 .after_len = ch->now.f[i].n,
                                 .diff = ch->diff[i] };
}

/* ---- one after another ---- */

static bool proven(Draft *d, const HostCall *call, Err *err)
{
        json_t *after = NULL;
        if (!compose_shadow_config(d->ch->c, call, &d->o, d->files, &after, err))
                return false;
        ProofWish w = { .service = d->service, .image = d->image };
        if (d->volume)
                w = (ProofWish){ .service = d->service,
                                 .volume = d->volume->volume,
                                 .target = d->volume->target,
                                 .data_dir = d->volume->data_dir };
        if (!proof_of_change(d->ch->config, after, &w, err)) {
                json_decref(after);
                return false;
        }
        json_decref(d->ch->config);
        d->ch->config = after;
        return true;
}

static void keep(Draft *d)
{
        ComposeChange *ch = d->ch;
        overlay_done(&ch->now);
        ch->now = d->o;
        d->o = (Overlay){ 0 };
        json_decref(ch->files);
        ch->files = json_incref(d->files);
        for (size_t i = 0; i < LEN(ch->diff); i++) {
                free(ch->diff[i]);
                ch->diff[i] = d->diff[i];
                d->diff[i] = NULL;
        }
}

static bool known(ComposeChange *ch, const HostCall *call, Err *err)
{
        return ch->config ||
               compose_shadow_config(ch->c, call, &ch->now, ch->files, &ch->config, err);
}

static bool change(ComposeChange *ch, const HostCall *call, const Draft *wish, Err *err)
{
        AUTO_BUF tried = buf_init(16 * 1024);
        for (size_t i = ch->override_only ? COMPOSE_WAYS - COMPOSE_OVERRIDES : 0; i < COMPOSE_WAYS;
             i++) {
                AUTO_DRAFT d = *wish;
                AUTO_ERR why = { 0 };
                draft_begin(&d, ch);
                if (compose_ways[i](&d, &why) && proven(&d, call, &why)) {
                        keep(&d);
                        return true;
                }
                if (why.kind == ERR_CANCELLED) {
                        err_move(err, &why);
                        return false;
                }
                if (why.message && !strstr(buf_str(&tried), why.message))
                        buf_printf(&tried, "%s%s", tried.len ? "; " : "", why.message);
        }
        AUTO_FREE char *name = text_clean_str(wish->service);
        err_set(err, ERR_USER, "%s of service %s cannot be changed by this program: %s",
                wish->volume ? "the data volume" : "the image", name,
                tried.len ? buf_str(&tried) : "no file of the project is the place for it");
        return err_hint(err, "write it as plain text into the service itself, `docker compose up "
                             "-d` it, and begin "
                             "anew");
}

/* ---- images ---- */

static bool same_repository(const char *a, const char *b)
{
        const char *sa = strrchr(a, '/'), *sb = strrchr(b, '/');
        a = sa ? sa + 1 : a;
        b = sb ? sb + 1 : b;
        size_t n = strcspn(a, ":@"), m = strcspn(b, ":@");
        return n == m && strncmp(a, b, n) == 0;
}

/* The image that the Dockerfile's last stage begins with ("" when it cannot be read), malloc()ed.
 */
static char *base_of(const json_t *b, const char **ret_where)
{
        static char nowhere[] = "its Dockerfile";
        AUTO_FREE char *path =
                io_join(jx_str(b, "context", "/"), jx_str(b, "dockerfile", "Dockerfile"));
        const char *inlined = jx_str(b, "dockerfile_inline", NULL);
        AUTO_FREE char *bytes = inlined ? xstrdup(inlined) : NULL;
        AUTO_ERR ignored = { 0 };
        size_t n = 0;
        *ret_where = nowhere;
        if (!bytes &&
            !io_read_file(*jx_str(b, "dockerfile", "") == '/' ? jx_str(b, "dockerfile", "") : path,
                          LIMIT_COMPOSE_FILE, &bytes, &n, &ignored))
                return xstrdup("");
        char *found = xstrdup("");
        for (char *save = NULL, *l = strtok_r(bytes, "\r\n", &save); l;
             l = strtok_r(NULL, "\r\n", &save)) {
                l += strspn(l, " \t");
                if (strncasecmp(l, "FROM ", 5) != 0)
                        continue;
                l += 5 + strspn(l + 5, " ");
                while (str_starts(l, "--"))
                        l += strcspn(l, " ") + strspn(l + strcspn(l, " "), " ");
                free(found);
                found = xstrndup(l, strcspn(l, " \t"));
        }
        return found;
}

/* A service that is built here: the image of a registry lacks what the Dockerfile adds. */
static bool build_allows(ComposeChange *ch, const HostCall *call, const char *service,
                         const char *image, Err *err)
{
        const json_t *s = jx_get(jx_get(ch->config, "services"), service), *b = jx_get(s, "build");
        AUTO_JSON here = NULL;
        const char *where = NULL;
        if (!b)
                return true;
        if (!docker_inspect(call, DOCKER_IMAGE, image, &here, err))
                return false;
        AUTO_FREE char *base = base_of(b, &where);
        AUTO_FREE char *clean = text_clean_str(base);
        if (here && *base && !same_repository(base, image))
                return true;
        err_set(err, ERR_USER,
                "service %s is built here (build:): with the image %s all that %s adds to %s would "
                "be "
                "lost",
                service, image, where, *clean ? clean : "its base");
        return err_hint(err,
                        "change FROM in that Dockerfile to the new major, build it under another "
                        "tag (docker build "
                        "-t NAME:NEW %s), put FROM back until the upgrade, and give NAME:NEW as "
                        "the new image",
                        jx_str(b, "context", "."));
}

bool compose_change_image(ComposeChange *ch, const HostCall *call, const char *service,
                          const char *image, Err *err)
{
        if (!edit_harmless(image))
                return err_set(err, ERR_USER, "`%s` is not the name of an image with a tag", image);
        if (!known(ch, call, err))
                return false;
        const json_t *s = jx_get(jx_get(ch->config, "services"), service);
        if (!s)
                return err_set(err, ERR_USER, "project %s has no service %s",
                               compose_project(ch->c), service);
        if (str_eq(jx_str(s, "image", ""), image))
                return true;
        Draft wish = { .service = service, .image = image };
        return build_allows(ch, call, service, image, err) && change(ch, call, &wish, err);
}

bool compose_change_volume(ComposeChange *ch, const HostCall *call, const ComposeVolumeWish *w,
                           Err *err)
{
        if (!edit_volume_name(w->volume, err) || !known(ch, call, err))
                return false;
        ProofWish now = { .service = w->service,
                          .volume = w->volume,
                          .target = w->target,
                          .data_dir = w->data_dir };
        AUTO_ERR not_yet = { 0 };
        if (proof_says_so(ch->config, &now, &not_yet))
                return true;
        Draft wish = { .service = w->service, .volume = w };
        return change(ch, call, &wish, err);
}
