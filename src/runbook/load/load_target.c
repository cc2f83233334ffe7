/* load_target.c: what a target may say, by its kind. Identity is what is checked each time
 * before the target is touched, so that a wrong host is found before the first write. */
#include "base/text.h"
#include "runbook/load/load.h"

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

static const ParamSpec via_fields[] = {
        { .name = "compose", .type = PARAM_NAME, .fallback = "~", .help = "a compose target" },
        { .name = "service", .type = PARAM_NAME, .fallback = "~", .help = "service of it" },
        { .name = "compose_dir", .type = PARAM_PATH, .fallback = "~", .help = "project directory" },
        { .name = "container", .type = PARAM_STRING, .fallback = "~", .help = "container's name" },
        { .name = "host", .type = PARAM_STRING, .fallback = "~", .help = "host name or address" },
        { .name = "port", .type = PARAM_INT, .fallback = "~", .help = "port, 5432 if not given" },
        { .name = "socket",
          .type = PARAM_PATH,
          .fallback = "~",
          .help = "directory of the socket" },
        { 0 },
};

static const ParamSpec postgres_fields[] = {
        { .name = "kind", .type = PARAM_STRING, .help = "postgres" },
        { .name = "via", .type = PARAM_MAP, .fields = via_fields, .help = "where it lives" },
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

static const ParamSpec compose_fields[] = {
        { .name = "kind", .type = PARAM_STRING, .help = "compose" },
        { .name = "dir", .type = PARAM_PATH, .help = "project directory" },
        { .name = "project", .type = PARAM_NAME, .fallback = "~", .help = "project's name" },
        { .name = "identity",
          .type = PARAM_MAP,
          .fallback = "~",
          .fields = identity_fields,
          .help = "what it must be" },
        { 0 },
};

static const ParamSpec host_fields[] = {
        { .name = "kind", .type = PARAM_STRING, .help = "host" },
        { 0 },
};

static const ParamSpec *fields_of(Loader *l, const YamlNode *kind)
{
        static const struct {
                const char *kind;
                const ParamSpec *fields;
        } known[] = { { "postgres", postgres_fields },
                      { "compose", compose_fields },
                      { "host", host_fields } };
        static const char *const words[] = { "postgres", "compose", "host" };
        for (size_t i = 0; i < LEN(known); i++)
                if (str_eq(known[i].kind, kind->text))
                        return known[i].fields;
        if (str_eq(kind->text, "kubernetes")) {
                load_problem(l, kind, "E-LATER", "leave it out",
                             "kubernetes targets are not in this version of pgsherpa");
                return NULL;
        }
        const char *near = text_nearest(kind->text, words, LEN(words));
        AUTO_FREE char *hint = near ? xasprintf("did you mean `%s`?", near)
                                    : xstrdup("there are postgres, compose and host");
        load_problem(l, kind, "E-KIND", hint, "there is no kind of target `%.60s`", kind->text);
        return NULL;
}

/* `via` says exactly one place. */
static void check_via(Loader *l, const YamlNode *via)
{
        static const char *const places[] = { "compose", "compose_dir", "container", "host",
                                              "socket" };
        size_t n = 0;
        if (!via || via->kind != YAML_MAP)
                return;
        for (size_t i = 0; i < LEN(places); i++)
                n += yaml_get(via, places[i]) != NULL;
        if (n != 1)
                load_problem(l, via, "E-TYPE", "compose, compose_dir, container, host or socket",
                             "`via` must name exactly one place");
        bool compose = yaml_get(via, "compose") || yaml_get(via, "compose_dir");
        if (compose && !yaml_get(via, "service"))
                load_problem(l, via, "E-KEY", NULL, "via needs `service` beside a compose project");
}

Template *load_target(Loader *l, const YamlNode *node, const char *what)
{
        LoadType type = LOAD_UNTYPED;
        if (node->kind == YAML_MAP) {
                const YamlNode *kind = yaml_get(node, "kind");
                if (!kind)
                        load_problem(l, node, "E-KEY", "postgres, compose or host",
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
