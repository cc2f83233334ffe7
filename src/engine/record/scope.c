/* scope.c: what the expressions of a step may name, and targets as the runbook writes them. */
#include "engine/record/record.h"

void scope_base(Engine *e, const json_t *item, Scope *s)
{
        *s = (Scope){
                .vars = e->plan->vars, .facts = e->state.facts, .run = e->run_ns, .item = item
        };
}

void scope_of(Engine *e, const PlanStep *p, const json_t *result, Scope *ret)
{
        const json_t *item = p ? p->item : NULL;
        scope_base(e, item, ret);
        ret->result = result;
        ret->targets = scope_targets(e, item);
}

void scope_done(Scope *s)
{
        json_decref((json_t *)(uintptr_t)s->targets);
        s->targets = NULL;
}

/* ---- targets ---- */

const TargetSpec *scope_target_spec(const Engine *e, const char *name)
{
        for (size_t i = 0; i < e->rb->n_targets; i++)
                if (str_eq(e->rb->targets[i].name, name))
                        return &e->rb->targets[i];
        return NULL;
}

static void add_looked_up(Engine *e, const char *name, json_t *spec)
{
        pthread_mutex_lock(&e->lazy_lock);
        const char *key;
        json_t *value;
        json_object_foreach(jx_get(e->looked_up, name), key, value)
                if (!jx_get(spec, key))
                        json_object_set(spec, key, value);
        pthread_mutex_unlock(&e->lazy_lock);
}

bool scope_target(Engine *e, const TargetSpec *t, const json_t *item, bool planning, json_t **ret,
                  Err *err)
{
        Scope scope;
        scope_base(e, item, &scope);
        scope.planning = planning;
        if (!template_eval(t->spec, NULL, &scope, ret, err))
                return err_wrap(err, "target %s", t->name);
        if (!jx_get(*ret, "kind"))
                jx_set_str(*ret, "kind", t->kind);
        add_looked_up(e, t->name, *ret);
        return true;
}

json_t *scope_targets(Engine *e, const json_t *item)
{
        json_t *all = json_object();
        for (size_t i = 0; i < e->rb->n_targets; i++) {
                const TargetSpec *t = &e->rb->targets[i];
                AUTO_ERR ignored = { 0 }; /* a fact it needs is not there yet */
                json_t *spec = NULL;
                if (scope_target(e, t, item, false, &spec, &ignored))
                        jx_set(all, t->name, spec);
        }
        return all;
}

const char *scope_secret_name(const json_t *password)
{
        const char *name = json_is_object(password) ? jx_str(password, "$secret", NULL)
                                                    : json_string_value(password);
        return name && str_starts(name, "secrets.") ? name + strlen("secrets.") : name;
}
