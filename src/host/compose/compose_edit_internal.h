/* compose_edit_internal.h: replacing bytes of a compose file, and the proof that nothing else
 * moved. Shared by the files of compose_edit; not for other rooms. */
#pragma once

#include "base/arena.h"
#include "host/compose/compose_edit.h"
#include "host/compose/compose_vars.h"
#include "host/diff.h"
#include "yaml/yaml.h"

typedef struct Patch {
        size_t start, end; /* bytes of the original */
        const char *text;
} Patch;

typedef struct Patches {
        Patch p[6];
        size_t n;
} Patches;

void patch_add(Patches *ps, size_t start, size_t end, const char *text);
char *patch_apply(const Patches *ps, const char *bytes, size_t n, size_t *ret_len) MUST_CHECK;

typedef struct Expected {
        const YamlNode *node[4]; /* scalars of the old tree */
        const char *text[4];     /* and what each must say in the new one */
        size_t n;
        const char *declared; /* a volume that `volumes:` may have gained, or NULL */
} Expected;

/* A file, and the tree that was read of it. */
typedef struct EditFile {
        const char *file, *bytes;
        size_t n;
        const YamlNode *root;
        Arena *a;
} EditFile;

/* Applies, reads the result back, and compares: the tree is the same but for what was expected. */
bool edit_prove(const EditFile *f, const Patches *ps, const Expected *x, ComposeEdit *ret,
                DiffCount *count, Err *err) MUST_CHECK;

bool edit_parse(Arena *a, const char *file, const char *bytes, size_t n, YamlNode **ret,
                Err *err) MUST_CHECK;
/* The map of a service, behind an alias too. */
bool edit_service(const char *file, const YamlNode *root, const char *service, const YamlNode **ret,
                  Err *err) MUST_CHECK;
/* The value of a key, its own or by merge keys, aliases followed; NULL: none. */
const YamlNode *edit_value_of(const YamlNode *map, const char *key);
/* "FILE:LINE:COL: fmt a b"; false. */
bool edit_refuse(Err *err, const char *file, const YamlNode *at, const char *fmt, const char *a,
                 const char *b);
/* May this scalar be replaced, bytes for bytes? Who else uses it (an anchor's other places) is not
 * asked here but of `docker compose config`: compose_change.h. */
bool edit_can(const char *file, const YamlNode *node, const char *what, Err *err) MUST_CHECK;
/* `text` in the quotes of `node`; malloc()ed. */
char *edit_quoted(const YamlNode *node, const char *text);
/* Text that means nothing to YAML in any style. */
bool edit_harmless(const char *text);
/* Adds `volume` as an external one to the top-level volumes, unless it is declared so. */
bool edit_declare(const EditFile *f, const char *volume, Patches *ps, Err *err) MUST_CHECK;
/* "\n" or "\r\n", as the file has it. */
const char *edit_line_end(const char *bytes, size_t n);
/* The byte after the newline of the line that holds `at`; n when it is the last one. */
size_t edit_next_line(const char *bytes, size_t n, size_t at);
/* A name YAML reads as text, for a volume. */
bool edit_volume_name(const char *volume, Err *err) MUST_CHECK;
