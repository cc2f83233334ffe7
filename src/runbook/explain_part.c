/* explain_part.c: a part in words (explain.h). */
#include "base/text.h"
#include "runbook/explain.h"
#include "runbook/load/part.h"

static const char *text_of(const YamlNode *map, const char *key)
{
        const YamlNode *c = yaml_get(map, key);
        return c && c->kind == YAML_SCALAR ? c->text : "";
}

static void add_params(const YamlNode *params, Buf *out)
{
        buf_adds(out, "\nwith:\n");
        if (!params || !params->first)
                buf_adds(out, "  nothing\n");
        for (const YamlNode *c = params ? params->first : NULL; c; c = c->next) {
                const YamlNode *fallback = yaml_get(c, "default");
                AUTO_FREE char *help = text_clean_str(text_of(c, "help"));
                AUTO_FREE char *given = text_clean_str(fallback ? fallback->text : "");
                buf_printf(out, "  %-16s %s%s%s%s\n", c->key->text, help,
                           !fallback ? "; must be given" : "; else ",
                           !fallback                ? ""
                           : yaml_is_null(fallback) ? "left out"
                                                    : given,
                           fallback && fallback->kind != YAML_SCALAR ? "what the file says" : "");
        }
}

static void add_steps(const YamlNode *steps, Buf *out)
{
        for (const YamlNode *c = steps ? steps->first : NULL; c; c = c->next) {
                const YamlNode *use = yaml_get(c, "use");
                AUTO_FREE char *id = text_clean_str(text_of(c, "id"));
                AUTO_FREE char *kind = text_clean_str(text_of(c, "do"));
                AUTO_FREE char *title = text_clean_str(text_of(c, "title"));
                AUTO_FREE char *part = text_clean_str(
                        use && use->kind == YAML_SCALAR ? use->text : text_of(use, "part"));
                if (use)
                        buf_printf(out, "  the part %s\n", part);
                else
                        buf_printf(out, "  %-16s %-20s %s\n", id, kind, title);
        }
}

static bool add_part(const PartFile *p, Buf *out)
{
        AUTO_FREE char *title = text_clean_str(text_of(p->root, "title"));
        AUTO_FREE char *path = text_clean_str(p->kept->path);
        bool phases = yaml_get(p->root, "phases") != NULL;
        buf_printf(out,
                   "%s, a part: %s\n%s\n\nA runbook writes among its %s:\n  - use: {part: %s, "
                   "with: {..}}\n",
                   p->kept->name, title, path, phases ? "phases" : "steps", p->kept->name);
        add_params(p->params, out);
        buf_adds(out, "\nsteps:\n");
        if (!phases)
                add_steps(p->items, out);
        for (const YamlNode *c = phases ? p->items->first : NULL; c; c = c->next)
                add_steps(yaml_get(c, "steps"), out);
        return true;
}

bool runbook_explain_part(const char *name, const char *const *dirs, Buf *out, Err *err)
{
        AUTO_ARENA a = arena_new();
        AUTO_PROBLEMS problems = { 0 };
        Runbook rb = { .arena = a };
        PartFile p = { 0 };
        Loader l = {
                .arena = a, .rb = &rb, .problems = &problems, .file = name, .part_dirs = dirs
        };
        AUTO_FREE char *path = part_name_ok(name) ? part_find(NULL, dirs, name) : NULL;
        if (!path)
                return true;
        if (part_open(&l, name, NULL, NULL, &p) && p.items)
                return add_part(&p, out);
        const Problem *q = &problems.list[0];
        return err_set(err, ERR_USER, "%s:%d:%d: %s %s", q->loc.file, q->loc.line, q->loc.col,
                       q->rule, q->text);
}
