/* load_part.c: a part is found, read and looked at (part.h). */
#include "runbook/load/part.h"

#include <ctype.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"

bool part_name_ok(const char *name)
{
        size_t n = strlen(name);
        for (const char *s = name; *s; s++)
                if (!islower((unsigned char)*s) && !isdigit((unsigned char)*s) && *s != '-' &&
                    *s != '_')
                        return false;
        return n > 0 && n <= LIMIT_NAME;
}

char *part_find(const char *home, const char *const *dirs, const char *name)
{
        const char *const none[] = { NULL };
        AUTO_FREE char *file = xasprintf("%s.yaml", name);
        for (const char *const *dir = dirs ? dirs : none; home || *dir;) {
                char *path = io_join(home ? home : *dir, file);
                if (io_exists(path))
                        return path;
                free(path);
                if (home)
                        home = NULL;
                else
                        dir++;
        }
        return NULL;
}

static void no_part(Loader *l, const char *name, const YamlNode *use)
{
        AUTO_BUF hint = buf_init(8192);
        if (l->part_home)
                buf_printf(&hint, "looked for %s.yaml in %s", name, l->part_home);
        for (const char *const *dir = l->part_dirs; dir && *dir; dir++)
                buf_printf(&hint, hint.len ? ", %s%s%s" : "looked for %s%s in %s",
                           hint.len ? "" : name, hint.len ? "" : ".yaml", *dir);
        load_problem(l, use, "E-PART", hint.len ? buf_str(&hint) : NULL, "there is no part `%s`",
                     name);
}

/* Its text, read once; later uses and the run have the same bytes. */
static const RunbookPart *part_keep(Loader *l, const char *name, const YamlNode *use)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *text = NULL;
        size_t n = 0;
        Runbook *rb = l->rb;
        for (size_t i = 0; i < rb->n_parts; i++)
                if (str_eq(rb->parts[i].name, name))
                        return &rb->parts[i];
        AUTO_FREE char *path = part_find(l->part_home, l->part_dirs, name);
        if (!path) {
                no_part(l, name, use);
                return NULL;
        }
        if (!io_read_file(path, LIMIT_YAML_BYTES, &text, &n, &err)) {
                load_problem_err(l, load_loc(l, use), "E-PART", "reading the part", &err);
                return NULL;
        }
        RunbookPart *all = arena_new_array(l->arena, RunbookPart, rb->n_parts + 1);
        if (rb->n_parts)
                memcpy(all, rb->parts, rb->n_parts * sizeof *all);
        RunbookPart *part = &all[rb->n_parts++];
        *part = (RunbookPart){ .name = arena_strdup(l->arena, name),
                               .path = arena_strdup(l->arena, path),
                               .text = arena_strndup(l->arena, text, n),
                               .text_len = n };
        digest_hex_of(text, n, part->sha256);
        rb->parts = all;
        return part;
}

/* How many nodes there are. */
static size_t part_is_of(YamlNode *node, const char *file)
{
        size_t n = 1;
        node->file = file;
        for (YamlNode *c = node->first; c; c = c->next) {
                if (c->key)
                        ((YamlNode *)c->key)->file = file;
                n += part_is_of(c, file);
        }
        return n;
}

static void check_params(Loader *l, const YamlNode *params)
{
        static const char *const keys[] = { "help", "default", NULL };
        if (!params || !load_is(l, params, YAML_MAP, "params"))
                return;
        for (const YamlNode *c = params->first; c; c = c->next) {
                load_id_ok(l, c->key, "parameter's name");
                if (load_map(l, c, c->key->text, keys, NULL))
                        load_text_required(l, c, "help", "a parameter");
        }
}

/* Its head; what it holds is checked where it stands then. */
static bool check_head(Loader *l, PartFile *p, const YamlNode *use, const char *what)
{
        static const char *const keys[] = { "api",    "part",  "title", "params",
                                            "phases", "steps", NULL };
        const YamlNode *root = p->root;
        const char *item = what ? what : yaml_get(root, "phases") ? "phases" : "steps";
        const char *other = str_eq(item, "phases") ? "steps" : "phases";
        size_t before = l->problems->errors;
        if (!load_map(l, root, "a part", keys, NULL))
                return false;
        const char *api = load_text_required(l, root, "api", "a part");
        if (*api && !str_eq(api, "pgsherpa/v1"))
                load_problem(l, yaml_get(root, "api"), "E-TYPE", "write api: pgsherpa/v1",
                             "`%.40s` is not an api this pgsherpa knows", api);
        const char *name = load_text_required(l, root, "part", "a part");
        if (*name && !str_eq(name, p->kept->name))
                load_problem(l, yaml_get(root, "part"), "E-PART", "call both the same",
                             "the file is %s.yaml, and the part in it says another name",
                             p->kept->name);
        load_text_required(l, root, "title", "a part");
        p->params = yaml_get(root, "params");
        check_params(l, p->params);
        p->items = (YamlNode *)yaml_get(root, item);
        if (yaml_get(root, "steps") && yaml_get(root, "phases"))
                load_problem(l, yaml_get(root, other), "E-PART", "make two parts of it",
                             "a part holds steps or phases, not both");
        else if (!p->items && yaml_get(root, other))
                load_problem(l, use, "E-PART", NULL,
                             "the part `%s` holds %s, and cannot stand among %s", p->kept->name,
                             other, item);
        else if (!p->items)
                load_problem(l, root, "E-KEY", NULL, "a part needs `steps` or `phases`");
        return l->problems->errors == before;
}

bool part_open(Loader *l, const char *name, const YamlNode *use, const char *what, PartFile *ret)
{
        AUTO_ERR err = { 0 };
        YamlSpot spot;
        *ret = (PartFile){ .kept = part_keep(l, name, use) };
        if (!ret->kept)
                return false;
        LocUse *u = arena_new_type(l->arena, LocUse);
        *u = (LocUse){ .file = arena_strdup(l->arena, ret->kept->path),
                       .at = load_loc(l, use),
                       .order = l->problems->uses ? l->problems->uses->order + 1 : 1,
                       .next = l->problems->uses };
        l->problems->uses = u;
        if (!yaml_parse_at(l->arena, ret->kept->text, ret->kept->text_len, YAML_STRICT, &ret->root,
                           &spot, &err)) {
                Loc at = { .file = u->file, .line = MAX(spot.line, 1), .col = MAX(spot.col, 1) };
                load_problem_err(l, at, "E-YAML", NULL, &err);
                return false;
        }
        ret->nodes = part_is_of(ret->root, u->file);
        return check_head(l, ret, use, what);
}
