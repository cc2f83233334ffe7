/* pages.c: prints pgsherpa-runbook(5) from its hand-written frame and the step tables.
 *
 *      pages pgsherpa-runbook.5.in > pgsherpa-runbook.5
 *
 * A line @TYPES@, @KINDS@ or @RULES@ of the frame is replaced by what the loader itself checks,
 * @QUESTIONS@ by what the engine asks: the page cannot describe a key that is not there. */
#include <stdio.h>

#include "base/io.h"
#include "config.h"
#include "engine/step.h"
#include "journal/ask.h"
#include "runbook/explain.h"

static void add_kinds(Buf *out)
{
        for (const StepKind *const *k = step_kinds; *k; k++) {
                const KindSpec spec = { .name = (*k)->name,
                                        .summary = (*k)->summary,
                                        .traits = (*k)->traits,
                                        .params = (*k)->params,
                                        .results = (*k)->results,
                                        .undoable = (*k)->undo != NULL };
                runbook_man_kind(&spec, out);
        }
}

static void add_questions(Buf *out)
{
        for (int k = 0; k < ASK_KINDS_; k++)
                buf_printf(out, ".TP\n\\fB%s\\fR: %s\n%s\n", ask_kind_name((AskKind)k),
                           ask_kind_answers((AskKind)k), ask_kind_about((AskKind)k));
}

static void add_line(Buf *out, const char *line)
{
        if (str_eq(line, "@TYPES@"))
                runbook_man_types(out);
        else if (str_eq(line, "@KINDS@"))
                add_kinds(out);
        else if (str_eq(line, "@QUESTIONS@"))
                add_questions(out);
        else if (str_eq(line, "@RULES@"))
                runbook_man_rules(out);
        else
                buf_printf(out, "%s\n", line);
}

int main(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *frame = NULL;
        size_t n;
        if (argc != 2 || !io_read_file(argv[1], 1 << 20, &frame, &n, &err)) {
                fprintf(stderr, "pages: %s\n", err.message ? err.message : "wants one file");
                return 2;
        }
        AUTO_BUF out = buf_init(4 << 20);
        buf_printf(&out, ".TH PGSHERPA\\-RUNBOOK 5 \"\" \"pgsherpa %s\"\n", PGSHERPA_VERSION);
        for (char *at = frame, *end; at && *at; at = end) {
                end = strchr(at, '\n');
                if (end)
                        *end++ = '\0';
                add_line(&out, at);
        }
        if (out.overflow || fputs(buf_str(&out), stdout) < 0 || fflush(stdout) != 0)
                return 1;
        return 0;
}
