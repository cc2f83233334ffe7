/* yaml.h: a YAML file as a tree that knows where every byte of it stands.
 *
 * Text and style only: `no`, `022`, `1.10` and `12:30:45` stay the text they are, and the
 * reader's schema decides what they mean. Runbooks and themes are read strictly:
 *
 *      AUTO_ARENA a = arena_new();
 *      YamlNode *root;
 *      if (!yaml_parse(a, "calm.yaml", bytes, n, YAML_STRICT, &root, err))
 *              return false;                   // "calm.yaml:12:7: the key `fg` is here twice"
 *      const YamlNode *title = yaml_get(root, "title");
 *      for (const YamlNode *c = yaml_get(root, "roles")->first; c; c = c->next)
 *              paint(c->key->text, c->text);   // a child of a map carries its key
 *
 * and compose files, which are not ours, with YAML_FOREIGN, in order to change one scalar:
 *
 *      const YamlNode *image = yaml_path(root, "services", "db", "image", NULL);
 *      const char *hazard = yaml_hazard(image);        // "it is inside the anchor &base"
 *      // bytes[image->start .. image->end) is the scalar, its quotes included
 *
 * Both modes refuse: invalid UTF-8, NUL, more than one document, duplicate keys, keys that
 * are not scalars, and what is over the limits of base/limits.h. The limits are counted in
 * libyaml's event stream, before anything is built: libyaml 0.2.5 has no depth limit and is
 * quadratic in it. Strict mode also refuses anchors, aliases, tags, merge keys, and control
 * or bidi characters, written or escaped: a runbook must read on a terminal as it runs. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "yaml/spot.h"

typedef enum YamlMode { YAML_STRICT, YAML_FOREIGN } YamlMode;
typedef enum YamlKind { YAML_SCALAR, YAML_LIST, YAML_MAP, YAML_ALIAS } YamlKind;
typedef enum YamlStyle {
        YAML_PLAIN,
        YAML_SINGLE,
        YAML_DOUBLE,
        YAML_LITERAL,
        YAML_FOLDED, /* scalars */
        YAML_BLOCK,
        YAML_FLOW, /* list, map */
} YamlStyle;

typedef struct YamlNode YamlNode;
struct YamlNode {
        YamlKind kind;
        YamlStyle style;
        const char *text; /* of a scalar, unescaped; of an alias: its name; else "" */
        size_t len;
        int line, col;       /* from 1; col counts characters */
        const char *file;    /* NULL, until a reader who joins files says which one this is of */
        size_t start, end;   /* bytes [start, end) of a scalar with its quotes */
        const YamlNode *key; /* of a map's child: the key's own node */
        YamlNode *parent, *first, *last, *next;
        size_t n;                 /* children */
        const char *anchor, *tag; /* foreign only, else NULL */
        YamlNode *target;         /* of an alias: what it stands for */
};

/* *ret hangs in the arena. Errors are ERR_USER and begin with file:line:col. */
bool yaml_parse(Arena *a, const char *file, const char *bytes, size_t n, YamlMode mode,
                YamlNode **ret, Err *err) MUST_CHECK;
/* The same without the prefix; where it is apart (0, 0 when the whole file is meant). */
bool yaml_parse_at(Arena *a, const char *bytes, size_t n, YamlMode mode, YamlNode **ret,
                   YamlSpot *ret_at, Err *err) MUST_CHECK;

/* The value of a key, or NULL; also when `map` is NULL or no map. Does not follow aliases. */
const YamlNode *yaml_get(const YamlNode *map, const char *key);
/* Down through keys, or positions from "0" in lists; ends with NULL. */
const YamlNode *yaml_path(const YamlNode *root, ...) __attribute__((sentinel));
/* What an alias stands for; any other node is itself. Walk at most LIMIT_YAML_DEPTH deep. */
const YamlNode *yaml_resolve(const YamlNode *node);

bool yaml_is_null(const YamlNode *node);   /* NULL, or a plain ``, ~ or null */
const char *yaml_kind_name(YamlKind kind); /* "a text", "a list", "a map", "an alias" */

/* Why changing this node would change more than it seems to (an anchor, alias, tag or merge
 * key on the way down to it), as the rest of a sentence; NULL when it would not. */
const char *yaml_hazard(const YamlNode *node);
