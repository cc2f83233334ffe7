#include "app/comparing.h"

#include <stdio.h>

#include "base/fmt.h"
#include "base/text.h"

bool comparing(Work *w, Pg *source, Pg *target, const json_t *ignore, json_t **ret_report, Err *err)
{
        CompareOptions o = { .ignore = ignore, .cancel = work_flag(w), .progress = work_compared,
                             .progress_arg = w };
        work_stops_connections(w, source, target);
        bool ok = pg_compare(source, target, &o, ret_report, err);
        work_stops_connections(w, NULL, NULL);
        return ok;
}

static char *cell(const json_t *d, const char *key)
{
        return text_clean_str(jx_str(d, key, "(nothing)"));
}

/* In a table of Markdown a bar ends the cell. */
static void print_cell(const char *text)
{
        for (; *text; text++) {
                if (*text == '|')
                        putchar('\\');
                putchar(*text);
        }
}

static void print_md(const json_t *d)
{
        static const char *const keys[] = { "kind", "object", "what", "source", "target" };
        for (size_t i = 0; i < LEN(keys); i++) {
                AUTO_FREE char *text = cell(d, keys[i]);
                fputs("| ", stdout);
                print_cell(text);
                putchar(' ');
        }
        puts("|");
}

static void print_txt(const json_t *d)
{
        AUTO_FREE char *kind = cell(d, "kind");
        AUTO_FREE char *object = cell(d, "object");
        AUTO_FREE char *what = cell(d, "what");
        AUTO_FREE char *source = cell(d, "source");
        AUTO_FREE char *target = cell(d, "target");
        printf("DIFFERENT %s %s, %s: source %s, target %s\n", kind, object, what, source, target);
}

static void verdict(const json_t *report)
{
        char rows[32];
        int64_t total = jx_int(report, "differences_total", 0);
        if (total)
                printf("%lld differences", (long long)total);
        else
                fputs("equal", stdout);
        printf(": %lld tables, %s rows, %lld sequences, %lld objects compared; %zu expected "
               "differences between versions\n", (long long)jx_int(report, "tables_compared", 0),
               fmt_count(jx_int(report, "rows", 0), rows),
               (long long)jx_int(report, "sequences_compared", 0),
               (long long)jx_int(report, "objects_compared", 0),
               json_array_size(jx_get(report, "normalised")));
}

void comparing_print(const json_t *report, const char *format)
{
        const json_t *differences = jx_get(report, "differences");
        bool md = str_eq(format, "md");
        size_t i, listed = json_array_size(differences);
        json_t *d;
        if (str_eq(format, "json")) {
                AUTO_FREE char *text = jx_dump(report);
                puts(text);
                return;
        }
        if (md && listed)
                puts("| kind | object | what | source | target |\n|---|---|---|---|---|");
        json_array_foreach(differences, i, d)
        {
                if (md)
                        print_md(d);
                else
                        print_txt(d);
        }
        if (md && listed)
                putchar('\n');
        json_array_foreach(jx_get(report, "limits"), i, d)
        {
                AUTO_FREE char *text = text_clean_str(json_string_value(d));
                printf("%snot compared: %s\n", md ? "- " : "", text);
        }
        verdict(report);
}
