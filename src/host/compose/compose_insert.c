/* compose_insert.c: a key more in a service's own map.
 *
 * Lines are only ever added, in the indentation that is there. What the file means afterwards is
 * for `docker compose config` to say (compose_change.h). */
#include <stdio.h>

#include "base/limits.h"
#include "host/compose/compose_edit_internal.h"

const char *edit_line_end(const char *bytes, size_t n)
{
        const char *nl = memchr(bytes, '\n', n);
        return nl && nl > bytes && nl[-1] == '\r' ? "\r\n" : "\n";
}

size_t edit_next_line(const char *bytes, size_t n, size_t at)
{
        const char *nl = memchr(bytes + at, '\n', n - at);
        return nl ? (size_t)(nl - bytes) + 1 : n;
}

static size_t line_start(const char *bytes, size_t at)
{
        while (at && bytes[at - 1] != '\n')
                at--;
        return at;
}

typedef struct Insert {
        const char *file, *bytes;
        size_t n;
        Arena *a;
        Patches ps;
        bool flow; /* into {..} or [..]: its line changes */
} Insert;

/* Whole lines before the line that holds `before`, each indented like it and by `deeper` more. */
static void add_lines(Insert *in, size_t before, int deeper, const char *const *lines)
{
        size_t at = line_start(in->bytes, before);
        size_t indent = strspn(in->bytes + at, " ");
        const char *text = "", *eol = edit_line_end(in->bytes, in->n);
        for (; *lines; lines++)
                text = arena_printf(in->a, "%s%.*s%*s%s%s", text, (int)indent, in->bytes + at,
                                    deeper, "", *lines, eol);
        patch_add(&in->ps, at, at, text);
}

static bool into_map(Insert *in, const YamlNode *map, const ComposeInsert *w, Err *err)
{
        if (map->style == YAML_FLOW && in->bytes[map->start] == '{' && w->lines[0] &&
            !w->lines[1]) {
                in->flow = true;
                patch_add(&in->ps, map->start + 1, map->start + 1,
                          arena_printf(in->a, "%s%s", w->lines[0], map->n ? ", " : ""));
                return true;
        }
        if (map->style == YAML_FLOW || !map->first)
                return edit_refuse(err, in->file, map, "service ", w->service,
                                   " is written in a way that "
                                   "cannot be added to");
        add_lines(in, map->first->key->start, 0, w->lines);
        return true;
}

/* The file knows nothing of the service: it comes first below `services:`. */
static bool new_service(Insert *in, const YamlNode *root, const ComposeInsert *w, Err *err)
{
        const YamlNode *services = yaml_get(root, "services");
        if (!services || services->kind != YAML_MAP || services->style == YAML_FLOW ||
            !services->first)
                return edit_refuse(err, in->file, root, "services: ", "is written in a way that ",
                                   "cannot be added to");
        const char *name = arena_printf(in->a, "%s:", w->service);
        size_t at = services->first->key->start;
        const char *lines[16] = { name };
        size_t n = 1;
        for (; w->lines[n - 1] && n < LEN(lines) - 1; n++)
                lines[n] = arena_printf(in->a, "  %s", w->lines[n - 1]);
        add_lines(in, at, 0, lines);
        return true;
}

static bool into_list(Insert *in, const YamlNode *s, const ComposeInsert *w, Err *err)
{
        const YamlNode *list = yaml_get(s, "volumes");
        if (!list || list->kind != YAML_LIST || !list->first)
                return edit_refuse(err, in->file, s, "service ", w->service,
                                   " has no list of volumes of its own");
        if (list->style == YAML_FLOW) {
                in->flow = true;
                patch_add(&in->ps, list->start + 1, list->start + 1,
                          arena_printf(in->a, "\"%s\", ", w->mount));
                return in->bytes[list->start] == '[' ||
                       edit_refuse(err, in->file, list, "its volumes cannot be added to", "", "");
        }
        const char *line = arena_printf(in->a, "- %s", w->mount);
        add_lines(in, list->first->start, 0, (const char *const[]){ line, NULL });
        return true;
}

bool compose_insert(const char *file, const char *bytes, size_t n, const ComposeInsert *w,
                    ComposeEdit *ret, Err *err)
{
        AUTO_ARENA a = arena_new();
        Insert in = { .file = file, .bytes = bytes, .n = n, .a = a };
        YamlNode *root = NULL, *again = NULL;
        const YamlNode *s = NULL;
        if (!edit_parse(a, file, bytes, n, &root, err))
                return false;
        const YamlNode *there = yaml_path(root, "services", w->service, NULL);
        bool ok = there && there->kind == YAML_ALIAS ? edit_refuse(err, file, there, "service ",
                                                                   w->service, " is an alias (*)")
                  : !there                           ? new_service(&in, root, w, err)
                  : !edit_service(file, root, w->service, &s, err) ? false
                  : w->mount                                       ? into_list(&in, s, w, err)
                                                                   : into_map(&in, s, w, err);
        EditFile f = { file, bytes, n, root, a };
        if (!ok || (w->volume && !edit_declare(&f, w->volume, &in.ps, err)))
                return false;
        DiffCount count = { 0 };
        ret->after = patch_apply(&in.ps, bytes, n, &ret->after_len);
        if (!yaml_parse(a, file, ret->after, ret->after_len, YAML_FOREIGN, &again, err))
                return err_wrap(err, "the edit would break the file and was not made");
        ret->diff = diff_unified(file, bytes, n, ret->after, ret->after_len, &count);
        ret->changed = true;
        ret->previous = xstrdup("");
        if (count.removed > 1 || (count.removed && !in.flow))
                return edit_refuse(err, file, root, "the edit would change more than it should", "",
                                   "");
        return true;
}
