/* verbs.c: `pgsherpa journal verify` and `pgsherpa log` without a terminal, ready for app. */
#include "journal/verbs.h"

#include "journal/export.h"
#include "journal/run_view.h"

enum { LOG_MAX = 64 * 1024 * 1024 };

static bool render(const RunView *v, const char *format, Buf *out, Err *err)
{
        if (str_eq(format, "md"))
                return export_markdown(v, NULL, out, err);
        if (str_eq(format, "txt"))
                return export_text(v, NULL, out, err);
        if (str_eq(format, "lines"))
                return export_lines(v, out, err);
        if (str_eq(format, "json")) {
                AUTO_JSON j = export_json(v, NULL);
                AUTO_FREE char *text = json_dumps(j, JSON_INDENT(2) | JSON_ENSURE_ASCII);
                buf_printf(out, "%s\n", text ? text : "null");
                return true;
        }
        err_set(err, ERR_USER, "the log cannot be written as \"%s\"", format);
        return err_hint(err, "formats are md, json, txt and lines");
}

bool journal_log(const char *run_dir, const char *format, char **ret_text, Err *err)
{
        RunView *loaded = NULL;
        if (!run_view_load(run_dir, &loaded, err))
                return false;
        AUTO_VIEW v = loaded;
        AUTO_BUF out = buf_init(LOG_MAX);
        if (!render(v, format, &out, err))
                return false;
        *ret_text = buf_take(&out, NULL);
        return true;
}

int journal_verify_verb(const char *run_dir, FILE *out, Err *err)
{
        JournalState state;
        int64_t n = 0;
        AUTO_FREE char *words = NULL;
        if (!journal_verify(run_dir, &state, &n, &words, err))
                return 4;
        if (state == JOURNAL_OK) {
                RunView *v = NULL;
                if (!run_view_load(run_dir, &v, err))
                        return 4;
                fprintf(out, "ok: %lld records, head %s\n", (long long)n, v->head_hash);
                run_view_free(v);
                return 0;
        }
        fprintf(out, "%s after %lld good records: %s\n", state == JOURNAL_TORN ? "torn" : "CORRUPT",
                (long long)n, words ? words : "");
        return 1;
}
