/* load_target.c: what a target may say, by its kind. Identity is what is checked each time
 * before the target is touched, so that a wrong host is found before the first write. */
#include "base/text.h"
#include "runbook/load/load.h"
#include "runbook/place_spec.h"

static const ParamSpec identity_fields[] = {
        { .name = "major",
          .type = PARAM_INT,
          .fallback = "~",
          .help = "major version it must have" },
        { .name = "system",
          .type = PARAM_STRING,
          .fallback = "~",
          .help = "system identifier it must have" },
        { .name = "other_system_than",
          .type = PARAM_STRING,
          .fallback = "~",
          .help = "target whose system identifier it must not have" },
        { .name = "project",
          .type = PARAM_NAME,
          .fallback = "~",
          .help = "compose project's name" },
        { 0 },
};

/* Of a server: `via:` gets the keys of every place (server_rows()). */
static const ParamSpec postgres_fields[] = {
        { .name = "kind", .type = PARAM_STRING, .help = "postgres" },
        { .name = "via", .type = PARAM_MAP, .help = "where it lives" },
        { .name = "user", .type = PARAM_NAME, .fallback = "~", .help = "role to connect as" },
        { .name = "database",
          .type = PARAM_NAME,
          .fallback = "~",
          .help = "database to connect to" },
        { .name = "password", .type = PARAM_SECRET, .fallback = "~", .help = "secrets.name" },
        { .name = "identity",
          .type = PARAM_MAP,
          .fallback = "~",
          .fields = identity_fields,
          .help = "what it must be" },
        { 0 },
};

static size_t count_rows(const ParamSpec *rows)
{
        size_t n = 0;
        while (rows && rows[n].name)
                n++;
        return n;
}

static const ParamSpec *server_rows(Loader *l)
{
        size_t n = 0;
        for (const PlaceSpec *const *p = place_specs; *p; p++)
                n += count_rows((*p)->via);
        ParamSpec *via = arena_new_array(l->arena, ParamSpec, n + 1), *to = via;
        for (const PlaceSpec *const *p = place_specs; *p; p++)
                for (const ParamSpec *row = (*p)->via; row && row->name; row++)
                        *to++ = *row;
        ParamSpec *rows = arena_new_array(l->arena, ParamSpec, LEN(postgres_fields));
        memcpy(rows, postgres_fields, sizeof postgres_fields);
        rows[1].fields = via;
        return rows;
}

/* A place's own keys between `kind` and `identity`. */
static const ParamSpec *place_rows(Loader *l, const PlaceSpec *place)
{
        size_t n = count_rows(place->fields);
        ParamSpec *rows = arena_new_array(l->arena, ParamSpec, n + 3);
        rows[0] = (ParamSpec){ .name = "kind", .type = PARAM_STRING, .help = place->name };
        memcpy(rows + 1, place->fields, n * sizeof *rows);
        if (place->has_identity)
                rows[n + 1] = (ParamSpec){ .name = "identity",
                                           .type = PARAM_MAP,
                                           .fallback = "~",
                                           .fields = identity_fields,
                                           .help = "what it must be" };
        return rows;
}

/* "postgres, compose or host", with that word before the last one. */
static const char *joined(Loader *l, const char *const *words, size_t n, const char *word)
{
        const char *all = n ? words[0] : "";
        for (size_t i = 1; i < n; i++)
                all = i + 1 < n ? arena_printf(l->arena, "%s, %s", all, words[i])
                                : arena_printf(l->arena, "%s %s %s", all, word, words[i]);
        return all;
}

enum { MOST_WORDS = 64 };

/* Kinds of targets, as many as `words` holds. */
static size_t kind_words(const char **words)
{
        size_t n = 0;
        words[n++] = "postgres";
        for (const PlaceSpec *const *p = place_specs; *p && n < MOST_WORDS; p++)
                if ((*p)->fields)
                        words[n++] = (*p)->name;
        return n;
}

static const ParamSpec *fields_of(Loader *l, const YamlNode *kind)
{
        if (str_eq(kind->text, "postgres"))
                return server_rows(l);
        for (const PlaceSpec *const *p = place_specs; *p; p++)
                if ((*p)->fields && str_eq((*p)->name, kind->text))
                        return place_rows(l, *p);
        if (str_eq(kind->text, "kubernetes")) {
                load_problem(l, kind, "E-LATER", "leave it out",
                             "kubernetes targets are not in this version of pgsherpa");
                return NULL;
        }
        const char *words[MOST_WORDS];
        size_t n = kind_words(words);
        const char *near = text_nearest(kind->text, words, n);
        AUTO_FREE char *hint = near ? xasprintf("did you mean `%s`?", near)
                                    : xasprintf("there are %s", joined(l, words, n, "and"));
        load_problem(l, kind, "E-KIND", hint, "there is no kind of target `%.60s`", kind->text);
        return NULL;
}

/* `via` says exactly one place. */
static void check_via(Loader *l, const YamlNode *via)
{
        const char *marks[MOST_WORDS];
        size_t n_marks = 0, n = 0;
        if (!via || via->kind != YAML_MAP)
                return;
        for (const PlaceSpec *const *p = place_specs; *p; p++)
                for (const char *const *m = (*p)->marks; m && *m && n_marks < MOST_WORDS; m++) {
                        n += yaml_get(via, *m) != NULL;
                        marks[n_marks++] = *m;
                }
        if (n != 1)
                load_problem(l, via, "E-TYPE", joined(l, marks, n_marks, "or"),
                             "`via` must name exactly one place");
        for (const PlaceSpec *const *p = place_specs; *p; p++) {
                bool here = false;
                for (const char *const *m = (*p)->marks; m && *m; m++)
                        here = here || yaml_get(via, *m);
                if (here && (*p)->needs && !yaml_get(via, (*p)->needs))
                        load_problem(l, via, "E-KEY", NULL, "via needs `%s` beside %s", (*p)->needs,
                                     (*p)->needs_beside);
        }
}

Template *load_target(Loader *l, const YamlNode *node, const char *what)
{
        LoadType type = LOAD_UNTYPED;
        if (node->kind == YAML_MAP) {
                const YamlNode *kind = yaml_get(node, "kind");
                const char *words[MOST_WORDS];
                if (!kind)
                        load_problem(l, node, "E-KEY", joined(l, words, kind_words(words), "or"),
                                     "%s needs `kind`", what);
                else if (load_is(l, kind, YAML_SCALAR, "kind"))
                        type.fields = fields_of(l, kind);
                if (type.fields) {
                        type.typed = true;
                        type.type = PARAM_MAP;
                }
                check_via(l, yaml_get(node, "via"));
        } else {
                load_is(l, node, YAML_MAP, what);
        }
        return load_template(l, node, what, type);
}

/* `on:` is a target's name, left as a plain text, or a target written in place. */
Template *load_on(Loader *l, const YamlNode *node)
{
        if (!node)
                return NULL;
        if (node->kind == YAML_MAP)
                return load_target(l, node, "on");
        if (load_is(l, node, YAML_SCALAR, "on") && yaml_is_null(node))
                load_problem(l, node, "E-TYPE", "leave the key out", "`on` is empty");
        return load_template(l, node, "on", LOAD_UNTYPED);
}

void load_targets(Loader *l, const YamlNode *map)
{
        if (!map || !load_is(l, map, YAML_MAP, "targets"))
                return;
        TargetSpec *list = arena_new_array(l->arena, TargetSpec, map->n);
        size_t n = 0;
        for (const YamlNode *c = map->first; c; c = c->next) {
                load_id_ok(l, c->key, "target's name");
                const YamlNode *kind = yaml_get(c, "kind");
                list[n++] = (TargetSpec){
                        .loc = load_loc(l, c->key),
                        .name = arena_strdup(l->arena, c->key->text),
                        .kind = arena_strdup(l->arena, kind ? kind->text : ""),
                        .spec = load_target(l, c, c->key->text),
                };
        }
        l->rb->targets = list;
        l->rb->n_targets = n;
}
