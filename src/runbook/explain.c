#include "runbook/explain.h"

#include "runbook/types.h"

static void indent(Buf *out, int depth)
{
        for (int i = 0; i < depth; i++)
                buf_addc(out, ' ');
}

/* "list of name", "list of maps", "size". */
static void add_type(Buf *out, const ParamSpec *f)
{
        buf_adds(out, param_type_name(f->type));
        if (f->type == PARAM_LIST)
                buf_printf(out, " of %s", f->fields ? "maps" : param_type_name(f->item));
}

static void add_fallback(Buf *out, const ParamSpec *f)
{
        bool out_of_it = f->fallback && (!*f->fallback || str_eq(f->fallback, "~"));
        if (!f->fallback)
                buf_adds(out, ", required");
        else if (out_of_it)
                buf_adds(out, ", may be left out");
        else
                buf_printf(out, ", else %s", f->fallback);
}

static void add_rows(Buf *out, const ParamSpec *rows, int depth, bool params)
{
        for (const ParamSpec *f = rows; f && f->name; f++) {
                indent(out, depth);
                buf_printf(out, "%-*s  ", 24 - depth, f->name);
                add_type(out, f);
                if (params)
                        add_fallback(out, f);
                buf_printf(out, "\n%*s%s\n", 8 + depth, "", f->help ? f->help : "");
                if (f->fields)
                        add_rows(out, f->fields, depth + 4, params);
        }
}

static const char *undo_words(const KindSpec *kind)
{
        if (kind->traits & STEP_READ_ONLY)
                return "It only reads; there is nothing to undo.";
        return kind->undoable ? "It can be undone." : "It cannot be undone.";
}

void runbook_explain_kind(const KindSpec *kind, Buf *out)
{
        buf_printf(out, "%s\n  %s. %s\n", kind->name, kind->summary, undo_words(kind));
        if (kind->traits & STEP_DESTRUCTIVE)
                buf_adds(out, "  It deletes; it asks first, by name.\n");
        if (kind->traits & STEP_NEEDS_WINDOW)
                buf_adds(out, "  The applications must be stopped.\n");
        if (kind->traits & STEP_SHELL)
                buf_adds(out, "  It runs what the runbook says: read it before you start it.\n");
        if (!(kind->traits & (STEP_IDEMPOTENT | STEP_READ_ONLY)))
                buf_adds(out, "  Running it twice is not the same as once.\n");
        buf_adds(out, "\nwith:\n");
        if (!kind->params || !kind->params->name)
                buf_adds(out, "  nothing\n");
        add_rows(out, kind->params, 2, true);
        buf_adds(out, "\nresult:\n");
        if (!kind->results || !kind->results->name)
                buf_adds(out, "  nothing\n");
        add_rows(out, kind->results, 2, false);
}

/* ---- man(7) ---- */

void runbook_man_text(Buf *out, const char *text)
{
        for (const char *s = text; *s; s++) {
                bool begins = s == text || s[-1] == '\n';
                if (begins && (*s == '.' || *s == '\''))
                        buf_adds(out, "\\&");
                if (*s == '\\')
                        buf_adds(out, "\\e");
                else if (*s == '-')
                        buf_adds(out, "\\-");
                else
                        buf_addc(out, *s);
        }
}

static void man_rows(Buf *out, const ParamSpec *rows, bool params)
{
        for (const ParamSpec *f = rows; f && f->name; f++) {
                buf_adds(out, ".TP\n\\fB");
                runbook_man_text(out, f->name);
                buf_adds(out, "\\fR  (");
                AUTO_BUF type = buf_init(512);
                add_type(&type, f);
                if (params)
                        add_fallback(&type, f);
                runbook_man_text(out, buf_str(&type));
                buf_adds(out, ")\n");
                runbook_man_text(out, f->help ? f->help : "");
                buf_adds(out, ".\n");
                if (!f->fields)
                        continue;
                buf_adds(out, ".RS\n");
                man_rows(out, f->fields, params);
                buf_adds(out, ".RE\n");
        }
}

void runbook_man_kind(const KindSpec *kind, Buf *out)
{
        buf_adds(out, ".SS ");
        runbook_man_text(out, kind->name);
        buf_addc(out, '\n');
        runbook_man_text(out, kind->summary);
        buf_printf(out, ".\n%s\n", undo_words(kind));
        if (kind->traits & STEP_DESTRUCTIVE)
                buf_adds(out, "It deletes; it asks first, by name.\n");
        if (kind->traits & STEP_SHELL)
                buf_adds(out, "It runs what the runbook says.\n");
        if (kind->params && kind->params->name)
                buf_adds(out, ".PP\n\\fIwith:\\fR\n");
        man_rows(out, kind->params, true);
        if (kind->results && kind->results->name)
                buf_adds(out, ".PP\n\\fIresult:\\fR\n");
        man_rows(out, kind->results, false);
}

void runbook_man_types(Buf *out)
{
        for (ParamType t = PARAM_STRING; t <= PARAM_ANY; t++) {
                buf_adds(out, ".TP\n\\fB");
                runbook_man_text(out, param_type_name(t));
                buf_adds(out, "\\fR\n");
                runbook_man_text(out, param_type_example(t));
                buf_adds(out, "\n");
        }
}

void runbook_man_rules(Buf *out)
{
        for (const char *const *rule = lint_rules(); *rule; rule++) {
                buf_adds(out, ".TP\n\\fB");
                runbook_man_text(out, *rule);
                buf_adds(out, "\\fR\n");
                runbook_man_text(out, lint_rule_explain(*rule) + strlen(*rule) + 2);
                buf_adds(out, "\n");
        }
}
