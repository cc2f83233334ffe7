#include "host/compose/compose_proof.h"

#include <stdio.h>

#include "base/text.h"

bool proof_holds(const char *target, const char *dir)
{
        size_t n = strlen(target);
        while (n > 1 && target[n - 1] == '/')
                n--;
        return n && strncmp(target, dir, n) == 0 && (!dir[n] || dir[n] == '/');
}

static const json_t *service_of(const json_t *config, const ProofWish *w)
{
        return jx_get(jx_get(config, "services"), w->service);
}

/* The mount at the wished place is the volume, external; none nearer to the data hides it. */
static bool volume_says_so(const json_t *config, const ProofWish *w, Err *err)
{
        const json_t *list = jx_get(service_of(config, w), "volumes");
        bool found = false;
        size_t i;
        json_t *v;
        json_array_foreach(list, i, v) {
                const char *to = jx_str(v, "target", ""), *from = jx_str(v, "source", "");
                const json_t *declared = jx_get(jx_get(config, "volumes"), from);
                if (str_eq(to, w->target) && str_eq(jx_str(v, "type", ""), "volume") &&
                    str_eq(jx_str(declared, "name", ""), w->volume) &&
                    jx_bool(declared, "external", false))
                        found = true;
                else if (proof_holds(to, w->data_dir))
                        return err_set(err, ERR_USER,
                                       "service %s would still mount something at %s", w->service,
                                       to);
        }
        return found || err_set(err, ERR_USER, "service %s would not mount the volume %s",
                                w->service, w->volume);
}

bool proof_says_so(const json_t *config, const ProofWish *w, Err *err)
{
        if (!w->image)
                return volume_says_so(config, w, err);
        return str_eq(jx_str(service_of(config, w), "image", ""), w->image) ||
               err_set(err, ERR_USER,
                       "Compose would not read the new image (a variable of the shell, or another "
                       "file, "
                       "wins)");
}

/* ---- nothing else ---- */

/* Its mounts but the one that changes, in the order of their targets. */
static json_t *other_mounts(const json_t *service, const ProofWish *w)
{
        json_t *out = json_object(), *v;
        size_t i;
        json_array_foreach(jx_get(service, "volumes"), i, v) {
                const char *to = jx_str(v, "target", "");
                if (!str_eq(to, w->target) && !proof_holds(to, w->data_dir))
                        json_object_set(out, to, v);
        }
        return out;
}

static json_t *without_wish(const json_t *config, const ProofWish *w)
{
        json_t *copy = json_deep_copy(config), *s = (json_t *)service_of(copy, w), *value;
        const char *key;
        void *next;
        json_object_foreach_safe(copy, next, key, value) /* x-..: text for anchors, no meaning */
                if (str_starts(key, "x-")) json_object_del(copy, key);
        if (w->image) {
                json_object_del(s, "image");
                return copy;
        }
        json_t *mounts = other_mounts(s, w);
        json_object_del(s, "volumes");
        if (json_object_size(mounts))
                json_object_set(s, "volumes", mounts);
        json_decref(mounts);
        return copy;
}

static const char *first_difference(const json_t *a, const json_t *b, const char *path, char *ret,
                                    size_t size)
{
        const char *key;
        json_t *value;
        if (json_equal(a, b))
                return NULL;
        if (json_is_object(a) && json_is_object(b)) {
                json_object_foreach((json_t *)a, key, value) {
                        AUTO_FREE char *deeper = xasprintf("%s%s%s", path, *path ? "." : "", key);
                        if (!json_equal(value, jx_get(b, key)))
                                return first_difference(value, jx_get(b, key), deeper, ret, size);
                }
                json_object_foreach((json_t *)b, key, value)
                        if (!jx_get(a, key)) {
                                snprintf(ret, size, "%s%s%s", path, *path ? "." : "", key);
                                return ret;
                        }
        }
        snprintf(ret, size, "%s", path);
        return ret;
}

bool proof_of_change(const json_t *before, const json_t *after, const ProofWish *w, Err *err)
{
        if (!proof_says_so(after, w, err))
                return false;
        AUTO_JSON a = without_wish(before, w);
        AUTO_JSON b = without_wish(after, w);
        if (w->volume) { /* declared anew, or one that nobody uses any more */
                const char *key;
                json_t *value;
                void *next;
                json_t *old = (json_t *)jx_get(a, "volumes"), *new = (json_t *)jx_get(b, "volumes");
                json_object_del(old, w->volume);
                json_object_del(new, w->volume);
                json_object_foreach_safe(old, next, key, value) if (!jx_get(new, key))
                        json_object_del(old, key);
                if (json_object_size(old) == 0)
                        json_object_del(a, "volumes");
                if (json_object_size(new) == 0)
                        json_object_del(b, "volumes");
        }
        char where[300];
        const char *other = first_difference(a, b, "", where, sizeof where);
        if (!other)
                return true;
        AUTO_FREE char *clean = text_clean_str(other);
        return err_set(err, ERR_USER, "it would also change %s", clean);
}
