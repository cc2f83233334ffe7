/* facts.c: what steps found, kept: small values in the journal, large ones in a file. */
#include "engine/world/world.h"

#include <stdio.h>

#include "base/digest.h"
#include "base/io.h"
#include "base/limits.h"

enum { SMALL = 1024 };

/* {"$ref": "facts/x.json", "sha256"} -> its contents, checked. */
static bool read_ref(Engine *e, const json_t *ref, json_t **ret, Err *err)
{
        const char *name = jx_str(ref, "$ref", "");
        AUTO_FREE char *path = io_join(e->c->run_dir, name);
        AUTO_FREE char *text = NULL;
        size_t n = 0;
        char hex[65];
        if (strstr(name, "..") || *name == '/')
                return err_set(err, ERR_USER, "%s is outside of the run directory", name);
        if (!io_read_file(path, LIMIT_MANIFEST, &text, &n, err))
                return false;
        digest_hex_of(text, n, hex);
        if (!str_eq(hex, jx_str(ref, "sha256", ""))) {
                err_set(err, ERR_USER, "%s was changed since the run wrote it", path);
                return err_hint(err, "the journal holds its SHA-256; restore the file, or undo "
                                     "with what is left");
        }
        *ret = json_loadb(text, n, JSON_DECODE_ANY, NULL);
        return *ret != NULL || err_set(err, ERR_USER, "%s is not JSON", path);
}

static bool load_tree(Engine *e, json_t *tree, Err *err)
{
        const char *key;
        json_t *value;
        void *next;
        json_object_foreach_safe(tree, next, key, value)
        {
                if (!json_is_object(value))
                        continue;
                if (!jx_get(value, "$ref")) {
                        if (!load_tree(e, value, err))
                                return false;
                        continue;
                }
                json_t *whole = NULL;
                if (!read_ref(e, value, &whole, err))
                        return err_wrap(err, "fact %s", key);
                json_object_set_new(tree, key, whole);
        }
        return true;
}

bool facts_load(Engine *e, Err *err)
{
        return load_tree(e, e->state.facts, err);
}

/* facts.copy.rows, or facts.inventory["gitea"].rows in a loop. */
static json_t *path_of(const PlanStep *p, const char *fact)
{
        json_t *path = json_array();
        size_t n = strlen(p->def->id);
        jx_append_str(path, p->def->id);
        if (p->item && strlen(p->id) > n && p->id[n] == '.')
                jx_append_str(path, p->id + n + 1);
        jx_append_str(path, fact);
        return path;
}

bool facts_pin(Engine *e, const char *target, const json_t *who, Err *err)
{
        AUTO_FREE char *name = xasprintf("$targets.%s", target);
        Fact f = { .name = name,
                   .path = json_pack("[s, s]", "$targets", target),
                   .value = json_deep_copy(who) };
        return record_fact(e, &f, err);
}

/* What is too long for the journal: a file of the run directory, named by its hash. */
static bool facts_spill(Engine *e, const char *name, const char *text, char **ret_ref, char hex[65],
                        Err *err)
{
        digest_hex_of(text, strlen(text), hex);
        AUTO_FREE char *dir = io_join(e->c->run_dir, "facts");
        AUTO_FREE char *ref = xasprintf("facts/%s.%.12s.json", name, hex);
        AUTO_FREE char *file = io_join(e->c->run_dir, ref);
        if (!io_mkdir_p(dir, 0700, err) || !io_replace_file(file, text, strlen(text), 0600, err))
                return err_wrap(err, "keeping fact %s", name);
        *ret_ref = xstrdup(ref);
        return true;
}

static bool facts_write(Engine *e, const PlanStep *p, const char *fact, json_t *value, Err *err)
{
        AUTO_JSON path = path_of(p, fact);
        AUTO_FREE char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        AUTO_FREE char *name = xasprintf("%s.%s", p->id, fact);
        AUTO_FREE char *ref = NULL;
        char hex[65];
        bool small = strlen(text) <= SMALL;
        if (!small && !facts_spill(e, name, text, &ref, hex, err))
                return false;
        Fact f = { .step = p->id,
                   .name = name,
                   .path = json_incref(path),
                   .value = small ? json_incref(value) : NULL,
                   .ref = ref,
                   .sha256 = hex };
        if (!record_fact(e, &f, err))
                return false;
        /* the whole value, whatever the journal holds of it */
        state_set_fact(e->state.facts, path, json_incref(value));
        return true;
}

bool facts_capture(Engine *e, const PlanStep *p, const json_t *results, Err *err)
{
        for (size_t i = 0; i < p->def->n_capture; i++) {
                const Capture *c = &p->def->capture[i];
                AUTO_SCOPE scope = { 0 };
                AUTO_JSON value = NULL;
                scope_of(e, p, results, &scope);
                if (!expr_eval(c->value, &scope, &value, err))
                        return err_wrap(err, "keeping %s", c->fact);
                if (!facts_write(e, p, c->fact, value, err))
                        return false;
        }
        return true;
}

bool facts_remembered(Engine *e, const StepRec *r, json_t **ret, Err *err)
{
        *ret = r && r->remembered ? json_deep_copy(r->remembered) : json_object();
        if (!jx_get(*ret, "$ref"))
                return true;
        AUTO_JSON later = *ret;
        json_t *whole = NULL;
        *ret = NULL;
        if (!read_ref(e, later, &whole, err))
                return err_wrap(err, "what %s remembers", r->id);
        json_object_update(whole, later); /* what was remembered after the file */
        json_object_del(whole, "$ref");
        json_object_del(whole, "sha256");
        *ret = whole;
        return true;
}
