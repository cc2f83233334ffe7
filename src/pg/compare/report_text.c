#include "pg/report_text.h"

#include "base/fmt.h"
#include "base/text.h"

#define TABLES_SHOWN 50 /* of the Markdown; the JSON has a thousand */

static char *cell(const json_t *d, const char *key)
{
        return text_clean_str(jx_str(d, key, "(nothing)"));
}

/* ---- pieces ---- */

static void row_words(Buf *b, const json_t *row)
{
        size_t i;
        json_t *name;
        AUTO_FREE char *key = cell(row, "key");
        buf_printf(b, "%s %s", key, jx_str(row, "what", ""));
        json_array_foreach(jx_get(row, "columns"), i, name) {
                AUTO_FREE char *column = text_clean_str(json_string_value(name));
                buf_printf(b, "%s %s", i ? "," : " in", column);
        }
}

char *report_difference_line(const json_t *d)
{
        size_t i;
        json_t *row;
        AUTO_BUF b = buf_init(64 * 1024);
        AUTO_FREE char *kind = cell(d, "kind");
        AUTO_FREE char *object = cell(d, "object");
        AUTO_FREE char *what = cell(d, "what");
        AUTO_FREE char *source = cell(d, "source");
        AUTO_FREE char *target = cell(d, "target");
        buf_printf(&b, "%s %s, %s: source %s, target %s", kind, object, what, source, target);
        json_array_foreach(jx_get(d, "rows"), i, row) {
                buf_adds(&b, i ? "; " : "; rows ");
                row_words(&b, row);
        }
        return xstrdup(buf_str(&b));
}

char *report_verdict(const json_t *report)
{
        AUTO_BUF b = buf_init(1024);
        int64_t total = jx_int(report, "differences_total", 0);
        if (total)
                buf_printf(&b, "%s", THINGS(total, "difference"));
        else
                buf_adds(&b, "equal");
        buf_printf(&b, ": %s, %s, %s, %s compared; %s between versions",
                   THINGS(jx_int(report, "tables_compared", 0), "table"),
                   THINGS(jx_int(report, "rows", 0), "row"),
                   THINGS(jx_int(report, "sequences_compared", 0), "sequence"),
                   THINGS(jx_int(report, "objects_compared", 0), "object"),
                   THINGS(jx_int(report, "normalised_total", 0), "expected difference"));
        if (json_array_size(jx_get(report, "recomputed")))
                buf_printf(&b, "; generated columns of %s have other values now",
                           THINGS((int64_t)json_array_size(jx_get(report, "recomputed")), "table"));
        return xstrdup(buf_str(&b));
}

static const char *method_words(const char *method)
{
        return str_eq(method, "server")   ? "by the servers' hash of every row"
               : str_eq(method, "stream") ? "row by row as COPY gave them, hashed here"
                                          : "only counted";
}

/* ---- for the terminal ---- */

static void print_lines(Buf *b, const char *indent, const char *text)
{
        AUTO_FREE char *clean = text_clean_lines(text, strlen(text));
        char *rest = clean;
        for (char *line; (line = strsep(&rest, "\n"));)
                if (*line)
                        buf_printf(b, "%s%s\n", indent, line);
}

static void text_difference(Buf *b, const json_t *d)
{
        size_t i;
        json_t *row;
        AUTO_FREE char *kind = cell(d, "kind");
        AUTO_FREE char *object = cell(d, "object");
        AUTO_FREE char *what = cell(d, "what");
        const char *diff = jx_str(d, "diff", NULL), *why = jx_str(d, "rows_unnamed", NULL);
        buf_printf(b, "DIFFERENT %s %s, %s", kind, object, what);
        if (diff) {
                buf_adds(b, " (- source, + target)\n");
                print_lines(b, "    ", diff);
        } else {
                AUTO_FREE char *source = cell(d, "source");
                AUTO_FREE char *target = cell(d, "target");
                buf_printf(b, ": source %s, target %s\n", source, target);
        }
        json_array_foreach(jx_get(d, "rows"), i, row) {
                buf_adds(b, "    row ");
                row_words(b, row);
                buf_addc(b, '\n');
        }
        if (why)
                buf_printf(b, "    which rows: not named, %s\n", why);
}

/* What is no difference, and yet not as it was: a person decides whether it matters. */
static void recomputed_words(Buf *b, const json_t *d)
{
        AUTO_FREE char *table = cell(d, "table");
        AUTO_FREE char *listed = jx_words(jx_get(d, "columns"));
        AUTO_FREE char *columns = text_clean_str(listed);
        const json_t *rows = jx_get(d, "rows");
        buf_printf(b, "%s of table %s", columns, table);
        if (json_is_integer(rows))
                buf_printf(b, ": %s", THINGS(json_integer_value(rows), "row"));
}

static void text_how(Buf *b, const json_t *report)
{
        const char *method, *rule;
        json_t *n, *one;
        char ms[24];
        const json_t *rules = jx_get(report, "rules");
        json_object_foreach((json_t *)rules, rule, one)
                buf_printf(b, "expected: %s (%lld): %s\n", rule, (long long)jx_int(one, "n", 0),
                           jx_str(one, "reason", ""));
        json_object_foreach(jx_get(report, "methods"), method, n)
                buf_printf(b, "%s: %s %s\n", jx_str(report, "mode", ""),
                           THINGS(json_integer_value(n), "table"), method_words(method));
        if (jx_get(report, "ms"))
                buf_printf(b, "took %s\n", fmt_duration(jx_int(report, "ms", 0), ms));
}

static void write_text(const json_t *report, Buf *b)
{
        size_t i;
        json_t *d;
        AUTO_FREE char *verdict = report_verdict(report);
        json_array_foreach(jx_get(report, "differences"), i, d)
                text_difference(b, d);
        json_array_foreach(jx_get(report, "limits"), i, d) {
                AUTO_FREE char *text = text_clean_str(json_string_value(d));
                buf_printf(b, "not compared: %s\n", text);
        }
        json_array_foreach(jx_get(report, "recomputed"), i, d) {
                buf_adds(b, "another value now, as this version computes it: ");
                recomputed_words(b, d);
                buf_addc(b, '\n');
        }
        buf_printf(b, "%s\n", verdict);
        text_how(b, report);
}

/* ---- Markdown ---- */

/* In a table of Markdown a bar ends the cell. */
static void md_cell(Buf *b, const char *text)
{
        for (; *text; text++) {
                if (*text == '|')
                        buf_addc(b, '\\');
                buf_addc(b, *text);
        }
}

static void md_side(Buf *b, const char *title, const json_t *side)
{
        AUTO_FREE char *database = cell(side, "database");
        AUTO_FREE char *version = cell(side, "version");
        AUTO_FREE char *made = cell(side, "made_at");
        buf_printf(b, "| %s | ", title);
        md_cell(b, database);
        buf_printf(b, " | %s | %s |\n", version, made);
}

static void md_difference(Buf *b, const json_t *d)
{
        static const char *const keys[] = { "kind", "object", "what", "source", "target" };
        size_t i;
        json_t *row;
        for (i = 0; i < LEN(keys); i++) {
                AUTO_FREE char *text = cell(d, keys[i]);
                buf_adds(b, "| ");
                md_cell(b, text);
                buf_addc(b, ' ');
        }
        AUTO_BUF rows = buf_init(64 * 1024);
        json_array_foreach(jx_get(d, "rows"), i, row) {
                buf_adds(&rows, i ? "; " : "");
                row_words(&rows, row);
        }
        buf_adds(b, "| ");
        md_cell(b, buf_str(&rows));
        buf_adds(b, " |\n");
}

static void md_diffs(Buf *b, const json_t *differences)
{
        size_t i;
        json_t *d;
        json_array_foreach(differences, i, d) {
                const char *diff = jx_str(d, "diff", NULL);
                if (!diff)
                        continue;
                AUTO_FREE char *object = cell(d, "object");
                buf_printf(b, "\n%s %s, %s:\n\n", jx_str(d, "kind", ""), object,
                           jx_str(d, "what", ""));
                print_lines(b, "    ", diff);
        }
}

static void md_how(Buf *b, const json_t *report)
{
        const char *rule;
        json_t *one;
        size_t i;
        const json_t *rules = jx_get(report, "rules");
        if (json_object_size(rules))
                buf_adds(b,
                         "\n## Expected differences\n\n| rule | how many | why |\n|---|---|---|\n");
        json_object_foreach((json_t *)rules, rule, one)
                buf_printf(b, "| %s | %lld | %s |\n", rule, (long long)jx_int(one, "n", 0),
                           jx_str(one, "reason", ""));
        buf_printf(b, "\n## Tables (%s)\n\n| table | rows | how | ms |\n|---|---|---|---|\n",
                   jx_str(report, "mode", ""));
        json_array_foreach(jx_get(report, "data"), i, one) {
                AUTO_FREE char *name = cell(one, "table");
                if (i == TABLES_SHOWN) {
                        buf_adds(b, "| .. | | | |\n");
                        break;
                }
                buf_adds(b, "| ");
                md_cell(b, name);
                buf_printf(b, " | %lld | %s | %lld |\n", (long long)jx_int(one, "rows", 0),
                           method_words(jx_str(one, "method", "")),
                           (long long)jx_int(one, "ms", 0));
        }
}

static void write_md(const json_t *report, Buf *b)
{
        size_t i;
        json_t *d;
        const json_t *differences = jx_get(report, "differences");
        AUTO_FREE char *verdict = report_verdict(report);
        buf_printf(b,
                   "# Comparison\n\n**%s**\n\n| | database | version | at |\n|---|---|---|---|\n",
                   verdict);
        md_side(b, "source", jx_get(report, "source"));
        md_side(b, "target", jx_get(report, "target"));
        if (json_array_size(differences))
                buf_adds(b, "\n## Differences\n\n"
                            "| kind | object | what | source | target | rows |\n"
                            "|---|---|---|---|---|---|\n");
        json_array_foreach(differences, i, d)
                md_difference(b, d);
        md_diffs(b, differences);
        if (json_array_size(jx_get(report, "limits")))
                buf_adds(b, "\n## Not compared\n\n");
        json_array_foreach(jx_get(report, "limits"), i, d) {
                AUTO_FREE char *text = text_clean_str(json_string_value(d));
                buf_printf(b, "- %s\n", text);
        }
        if (json_array_size(jx_get(report, "recomputed")))
                buf_adds(b, "\n## Computed to another value\n\n");
        json_array_foreach(jx_get(report, "recomputed"), i, d) {
                buf_adds(b, "- ");
                recomputed_words(b, d);
                buf_addc(b, '\n');
        }
        md_how(b, report);
}

void report_write(const json_t *report, const char *format, Buf *to)
{
        if (str_eq(format, "md")) {
                write_md(report, to);
        } else if (str_eq(format, "json")) {
                AUTO_FREE char *text = jx_dump(report);
                buf_printf(to, "%s\n", text);
        } else {
                write_text(report, to);
        }
}
