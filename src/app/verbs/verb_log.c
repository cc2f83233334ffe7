/* verb_log.c: `pgsherpa log RUN`: on screen, or written as md, json, txt; and `journal verify`. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/show/export_log.h"
#include "app/cli/options.h"
#include "app/launch/ui_app.h"
#include "app/cli/verb.h"
#include "journal/run_dir.h"
#include "journal/verbs.h"

static int run(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_OPTIONS o = { 0 };
        AUTO_FREE char *dir = NULL;
        int bad = options_read_run(&o, argc, argv, &dir);
        if (bad)
                return bad;
        if (!o.format && isatty(STDOUT_FILENO) && !o.ui.plain) {
                UiApp app = ui_app_new(&o);
                return ui_log(&app, &o.ui, dir);
        }
        AUTO_BUF out = buf_init(SIZE_MAX / 2);
        if (!export_log(dir, o.format ? o.format : "txt", &out, &err))
                return verb_fail(&err, verb_code(&err));
        fputs(buf_str(&out), stdout);
        return EXIT_DONE;
}

/* A run, or a journal file that somebody mailed. */
static int verify(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = NULL;
        struct stat st;
        if (argc < 2 || !str_eq(argv[1], "verify"))
                return verb_usage("journal", "wants `verify [RUN|FILE]`");
        if (argc > 2 && stat(argv[2], &st) == 0 && S_ISREG(st.st_mode))
                path = xstrdup(argv[2]);
        else if (!run_dir_find(argc > 2 ? argv[2] : "latest", &path, &err))
                return verb_fail(&err, verb_code(&err));
        int code = journal_verify_verb(path, stdout, &err);
        return code == EXIT_UNKNOWN ? verb_fail(&err, EXIT_UNKNOWN) : code;
}

const Verb verb_log = { .name = "log",
                        .args = "[RUN] [--format md|json|txt|lines]",
                        .summary = "what happened, step by step, with the real numbers",
                        .run = run };
const Verb verb_journal = { .name = "journal",
                            .args = "verify [RUN|FILE]",
                            .summary = "check the hash chain of a run's journal",
                            .run = verify };
