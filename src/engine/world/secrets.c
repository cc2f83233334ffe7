/* secrets.c: where a secret comes from, once per run: a file given on the command line, the
 * keyboard (a gate of kind "secret"), or whatever app knows (compose environment, command ..).
 *
 * Nothing of it is ever journaled but its name and where it came from. */
#include "engine/world/world_impl.h"

#include <stdio.h>

static const SecretSpec *spec_of(const Engine *e, const char *name)
{
        for (size_t i = 0; i < e->rb->n_secrets; i++)
                if (str_eq(e->rb->secrets[i].name, name))
                        return &e->rb->secrets[i];
        return NULL;
}

/* Items of a loop may have a secret each: the spec with its ${item} is part of the key. */
static char *secrets_key_of(const char *name, const json_t *spec)
{
        AUTO_FREE char *text = jx_dump_sorted(spec);
        return xasprintf("%s %s", name, text);
}

static Secret *secrets_known(const Engine *e, const char *key)
{
        for (size_t i = 0; i < e->world->n_secrets; i++)
                if (str_eq(e->world->secrets[i].key, key))
                        return e->world->secrets[i].secret;
        return NULL;
}

static void secrets_keep(Engine *e, const char *key, Secret *s)
{
        e->world->secrets =
                xrealloc(e->world->secrets, (e->world->n_secrets + 1) * sizeof *e->world->secrets);
        e->world->secrets[e->world->n_secrets++] =
                (NamedSecret){ .key = xstrdup(key), .secret = s };
}

/* "pg=file:/path" of the command line. */
static const char *file_given(const Engine *e, const char *name)
{
        size_t n = strlen(name);
        for (const char *const *f = e->c->secret_files; f && *f; f++)
                if (strncmp(*f, name, n) == 0 && str_starts(*f + n, "=file:"))
                        return *f + n + strlen("=file:");
        return NULL;
}

static bool secrets_resolve(Engine *e, const char *name, const json_t *item, json_t **ret, Err *err)
{
        const SecretSpec *s = spec_of(e, name);
        if (!s)
                return err_set(err, ERR_USER, "there is no secret `%s` in the runbook", name);
        Scope scope;
        scope_base(e, item, &scope);
        if (!template_eval(s->spec, NULL, &scope, ret, err))
                return err_wrap(err, "secret %s", name);
        if (!jx_get(*ret, "from"))
                jx_set_str(*ret, "from", s->from);
        return true;
}

/* Files are read by app alone, who looks at their mode. */
static bool secrets_load(Engine *e, const char *name, const json_t *spec, const json_t *item,
                         Secret **ret, Err *err)
{
        const char *path = file_given(e, name);
        if (!path && str_eq(jx_str(spec, "from", ""), "prompt")) {
                err_set(err, ERR_USER, "secret %s has not been given", name);
                return err_hint(err, "give it with --secret %s=file:PATH, or attach and type it",
                                name);
        }
        if (!e->ops || !e->ops->secret)
                return err_set(err, ERR_USER, "secret %s: nobody here can load it", name);
        if (path) {
                AUTO_JSON file = json_pack("{s:s, s:s}", "from", "file", "path", path);
                return e->ops->secret(e->ops->app, name, file, NULL, ret, err);
        }
        AUTO_JSON targets = scope_targets(e, item);
        return e->ops->secret(e->ops->app, name, spec, targets, ret, err);
}

const Secret *secrets_get(Engine *e, const char *name, const json_t *item, Err *err)
{
        json_t *resolved = NULL;
        if (!secrets_resolve(e, name, item, &resolved, err))
                return NULL;
        AUTO_JSON spec = resolved;
        AUTO_FREE char *key = secrets_key_of(name, spec);
        pthread_mutex_lock(&e->lazy_lock);
        Secret *s = secrets_known(e, key);
        pthread_mutex_unlock(&e->lazy_lock);
        if (s)
                return s;
        if (!secrets_load(e, name, spec, item, &s, err))
                return NULL;
        pthread_mutex_lock(&e->lazy_lock);
        Secret *other = secrets_known(e, key); /* another thread may have been faster */
        if (!other)
                secrets_keep(e, key, s);
        pthread_mutex_unlock(&e->lazy_lock);
        if (!other)
                return s;
        secret_free(s);
        return other;
}

static bool ask_for(Engine *e, const char *name, const json_t *item, Err *err)
{
        json_t *resolved = NULL;
        if (!spec_of(e, name))
                return true; /* an error that whoever opens it will have */
        if (!secrets_resolve(e, name, item, &resolved, err))
                return false;
        AUTO_JSON spec = resolved;
        AUTO_FREE char *key = secrets_key_of(name, spec);
        if (!str_eq(jx_str(spec, "from", ""), "prompt") || file_given(e, name) ||
            secrets_known(e, key))
                return true;
        AUTO_FREE char *title = xasprintf("Secret %s", name);
        Question q = { .kind = ASK_SECRET,
                       .step = e->now ? e->now->id : NULL,
                       .secret = name,
                       .title = jx_str(spec, "ask", title) };
        AUTO_ANSWER a = { 0 };
        if (!gate_ask(e, &q, &a, err))
                return false;
        secrets_keep(e, key, a.secret);
        e->world->secrets[e->world->n_secrets - 1].typed = true;
        a.secret = NULL;
        return true;
}

static bool prepare_name(Engine *e, const char *name, const json_t *item, Err *err)
{
        return !name || ask_for(e, name, item, err);
}

/* A target named in `tree` needs its password too. */
static bool prepare_target(Engine *e, const char *name, const json_t *item, Err *err)
{
        if (!scope_target_spec(e, name))
                return true;
        AUTO_JSON all = scope_targets(e, item);
        return prepare_name(e, scope_secret_name(jx_get(jx_get(all, name), "password")), item, err);
}

bool secrets_prepare(Engine *e, const json_t *tree, const json_t *item, Err *err)
{
        const char *key;
        json_t *value;
        size_t i;
        if (json_is_string(tree))
                return prepare_target(e, json_string_value(tree), item, err);
        if (json_is_object(tree)) {
                const char *name = jx_str(tree, "$secret", NULL);
                const char *target = jx_str(tree, "$target", NULL);
                if (name)
                        return prepare_name(e, name, item, err);
                if (target)
                        return prepare_target(e, target, item, err);
                json_object_foreach((json_t *)(uintptr_t)tree, key, value)
                        if (!secrets_prepare(e, value, item, err))
                                return false;
        }
        json_array_foreach(tree, i, value)
                if (!secrets_prepare(e, value, item, err))
                        return false;
        return true;
}

void secrets_forget_typed(Engine *e)
{
        pthread_mutex_lock(&e->lazy_lock);
        for (size_t i = 0; i < e->world->n_secrets; i++)
                if (e->world->secrets[i].typed)
                        e->world->secrets[i].key[0] = '\0'; /* secrets_known() finds it no more */
        pthread_mutex_unlock(&e->lazy_lock);
}

void secrets_drop(Engine *e)
{
        for (size_t i = 0; i < e->world->n_secrets; i++) {
                secret_free(e->world->secrets[i].secret);
                free(e->world->secrets[i].key);
        }
        free(e->world->secrets);
        e->world->secrets = NULL;
        e->world->n_secrets = 0;
}
