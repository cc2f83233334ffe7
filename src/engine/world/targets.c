/* targets.c: from a name in the runbook to a target that is who it claims to be.
 *
 * The identity of a target is checked at every use: between two steps somebody may have
 * started another server on that port. A target that cannot be asked (its server is stopped,
 * which is what some steps are about) is not refused: the step will find out itself. */
#include "engine/world/world.h"

#include <stdio.h>

static void remember_look(Engine *e, const char *name, const json_t *who)
{
        pthread_mutex_lock(&e->lazy_lock);
        json_object_set_new(e->looked_up, name, json_deep_copy(who));
        pthread_mutex_unlock(&e->lazy_lock);
}

/* ---- identity ---- */

static bool same_words(const json_t *a, const json_t *b)
{
        AUTO_FREE char *x = jx_words(a);
        AUTO_FREE char *y = jx_words(b);
        return str_eq(x, y);
}

static json_t *known_identity(Engine *e, const char *name)
{
        pthread_mutex_lock(&e->lazy_lock);
        json_t *who = json_incref(jx_get(e->looked_up, name));
        pthread_mutex_unlock(&e->lazy_lock);
        if (who)
                return who;
        /* From an earlier life of this run: journaled as a fact when it was first seen. */
        return json_incref(jx_get(jx_get(e->state.facts, "$targets"), name));
}

static bool targets_mismatch(const Target *t, const char *what, const json_t *want,
                             const json_t *is, Err *err)
{
        AUTO_FREE char *a = jx_words(want);
        AUTO_FREE char *b = jx_words(is);
        err_set(err, ERR_USER, "target %s is not what the runbook says: %s is %s, not %s",
                t->name ? t->name : t->kind, what, b, a);
        return err_hint(err, "nothing was done to it; find out who started another one there");
}

static bool check_identity(Engine *e, const Target *t, const json_t *who, Err *err)
{
        const char *key;
        json_t *want;
        json_object_foreach(jx_get(t->spec, "identity"), key, want) {
                if (str_eq(key, "other_system_than")) {
                        const char *name = json_string_value(want);
                        if (!name)
                                name = jx_str(want, "$target", "");
                        AUTO_JSON other = known_identity(e, name);
                        const json_t *system = jx_get(other, "system");
                        if (system && jx_get(who, "system") &&
                            same_words(system, jx_get(who, "system"))) {
                                err_set(err, ERR_USER,
                                        "targets %s and %s are one and the same "
                                        "server",
                                        t->name ? t->name : t->kind, name);
                                return err_hint(err, "check the names and ports of both");
                        }
                        continue;
                }
                const json_t *is = jx_get(who, key);
                if (is && !same_words(want, is))
                        return targets_mismatch(t, key, want, is, err);
        }
        return true;
}

static bool targets_look(Engine *e, const Target *t, Err *err)
{
        if (!e->ops || !e->ops->identify)
                return true;
        json_t *who = NULL;
        AUTO_ERR why = { 0 };
        if (!e->ops->identify(e->ops->app, t, &who, &why))
                return true; /* cannot be asked now */
        AUTO_JSON seen = who;
        if (!check_identity(e, t, seen, err))
                return false;
        if (!t->name)
                return true;
        AUTO_JSON before = known_identity(e, t->name);
        const json_t *pinned = jx_get(before, "system"), *now = jx_get(seen, "system");
        if (pinned && now && !same_words(pinned, now))
                return targets_mismatch(t, "system", pinned, now, err);
        remember_look(e, t->name, seen);
        if (before || !json_object_size(seen))
                return true;
        return facts_pin(e, t->name, seen, err);
}

/* ---- use ---- */

static const char *name_in(const json_t *spec)
{
        const char *name =
                json_is_object(spec) ? jx_str(spec, "$target", NULL) : json_string_value(spec);
        return name && str_starts(name, "targets.") ? name + strlen("targets.") : name;
}

/* Its whole map, of the runbook's `targets:` or written in place. */
static bool find_spec(Engine *e, const char *name, const json_t *spec, const json_t *item,
                      bool planning, json_t **ret, Err *err)
{
        const TargetSpec *ts = name ? scope_target_spec(e, name) : NULL;
        if (!name && !json_is_object(spec))
                return err_set(err, ERR_USER, "this is not a target");
        if (!name) {
                *ret = json_deep_copy(spec);
                return true;
        }
        if (!ts) {
                err_set(err, ERR_USER, "there is no target `%s`", name);
                return err_hint(err, "name one of the runbook's `targets:`");
        }
        return scope_target(e, ts, item, planning, ret, err);
}

/* Without its password. Arena memory; its maps live as long as the run: targets are few. */
static Target *targets_new(Engine *e, Arena *a, const json_t *spec, const json_t *item,
                           bool planning, Err *err)
{
        Target *t = arena_new_type(a, Target);
        json_t *full = NULL;
        t->name = arena_strdup(a, name_in(spec));
        if (!find_spec(e, t->name, spec, item, planning, &full, err))
                return NULL;
        json_t *all = scope_targets(e, item);
        pthread_mutex_lock(&e->lazy_lock);
        json_array_append_new(e->keep, full);
        json_array_append_new(e->keep, all);
        pthread_mutex_unlock(&e->lazy_lock);
        t->kind = arena_strdup(a, jx_str(full, "kind", ""));
        t->spec = full;
        t->all = all;
        return t;
}

const Target *targets_use(Engine *e, Arena *a, const json_t *spec, const json_t *item, Err *err)
{
        Target *t = targets_new(e, a, spec, item, false, err);
        const char *secret = t ? scope_secret_name(jx_get(t->spec, "password")) : NULL;
        if (!t)
                return NULL;
        if (secret && *secret) {
                t->password = secrets_get(e, secret, item, err);
                if (!t->password) {
                        err_wrap(err, "password of target %s", t->name ? t->name : t->kind);
                        return NULL;
                }
        }
        if (!targets_look(e, t, err) || !locks_take(e, t, err))
                return NULL;
        return t;
}

/* ---- for a dry(): nothing is pinned, nothing locked ---- */

const Target *targets_dry(Engine *e, Arena *a, const json_t *spec, const json_t *item, Err *err)
{
        Target *t = targets_new(e, a, spec, item, true, err);
        AUTO_ERR ignored = { 0 }; /* targets_now() says it */
        const char *secret = t ? scope_secret_name(jx_get(t->spec, "password")) : NULL;
        if (!t)
                return NULL;
        if (secret && *secret)
                t->password = secrets_get(e, secret, item, &ignored);
        return t;
}

TargetNow targets_now(Engine *e, const Target *t, Err *why)
{
        const char *name = t->name ? t->name : t->kind;
        const char *secret = scope_secret_name(jx_get(t->spec, "password"));
        if (secret && *secret && !t->password) {
                err_set(why, ERR_USER, "the password of %s is not known yet", name);
                return TARGET_LATER;
        }
        json_t *who = NULL;
        if (!e->ops || !e->ops->identify)
                return TARGET_HERE;
        if (!e->ops->identify(e->ops->app, t, &who, why)) {
                err_wrap(why, "target %s", name);
                return TARGET_AWAY;
        }
        AUTO_JSON seen = who;
        AUTO_JSON before = t->name ? known_identity(e, t->name) : NULL;
        const json_t *pinned = jx_get(before, "system"), *now = jx_get(seen, "system");
        if (!check_identity(e, t, seen, why) || (pinned && now && !same_words(pinned, now) &&
                                                 !targets_mismatch(t, "system", pinned, now, why)))
                return TARGET_AWAY;
        return TARGET_HERE;
}

typedef struct LookCall {
        Engine *e;
        size_t found;
} LookCall;

static bool call_look_up(void *arg, Err *err)
{
        LookCall *c = arg;
        for (size_t i = 0; i < c->e->rb->n_targets; i++) {
                const TargetSpec *ts = &c->e->rb->targets[i];
                if (str_eq(ts->kind, "postgres") || jx_get(c->e->looked_up, ts->name))
                        continue;
                AUTO_JSON spec = json_object();
                AUTO_ERR ignored = { 0 };
                jx_set_str(spec, "$target", ts->name);
                if (targets_use(c->e, c->e->arena, spec, NULL, &ignored))
                        c->found++;
        }
        return true;
}

bool targets_look_up(Engine *e, Err *err)
{
        LookCall c = { .e = e };
        return loop_work(e, NULL, 0, call_look_up, &c, err) && c.found > 0;
}
