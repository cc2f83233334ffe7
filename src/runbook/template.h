/* template.h: a YAML value that may hold ${...}, as the loader leaves it.
 *
 * What a scalar means is decided when it is loaded, by the type of its field:
 *
 *      literal          text without ${...}
 *      parts            text with ${expression}, ${ident:x}, ${lit:x}, ${secrets.x}; `$${`
 *                       is a plain `${`
 *      whole            nothing but one ${expression}: the value keeps its type
 *      whole, no ${}    a field of type expr, or a size, int or duration written as an
 *                       expression: `free: max(500MB, 2 * facts.src.size)` */
#pragma once

#include "runbook/runbook.h"

typedef struct TemplatePart {
        enum { PART_TEXT, PART_VALUE, PART_IDENT, PART_LITERAL, PART_SECRET } kind;
        const char *text; /* of a text; of a secret: its name */
        const Expr *expr;
        Loc loc;
} TemplatePart;

struct Template {
        Loc loc;
        enum { TPL_SCALAR, TPL_LIST, TPL_MAP } kind;
        bool typed;
        ParamType type, item;    /* item: of a list */
        const ParamSpec *fields; /* of a map, or of a list's items */
        bool plain;              /* not quoted */
        const char *text;        /* of a scalar, as written */
        const TemplatePart *parts;
        size_t n_parts;
        bool whole;      /* parts[0] is all there is */
        const char *key; /* of a map's child */
        Loc key_loc;
        struct Template *first, *last, *next;
        size_t n;
};

const Template *template_get(const Template *map, const char *key);
/* The text of a scalar without ${...}; else NULL. */
const char *template_literal(const Template *t);

/* Calls `visit` for every expression in it (secrets as parts), depth first. */
typedef void (*TemplateVisit)(void *arg, const Template *t, const TemplatePart *part);
void template_walk(const Template *t, TemplateVisit visit, void *arg);
