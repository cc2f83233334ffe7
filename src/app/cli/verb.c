/* verb.c: how a verb ends: its error in words, its exit code. */
#include "app/cli/verb.h"

#include <unistd.h>

#include "base/text.h"

int verb_fail(Err *err, int code)
{
        /* A database may be called "\033[2J": nothing from outside draws on a terminal. */
        AUTO_FREE char *text = text_clean_str(err->message ? err->message : "unknown error");
        fprintf(stderr, "pgsherpa: %s\n", text);
        if (err->sqlstate[0])
                fprintf(stderr, "SQLSTATE %s\n", err->sqlstate);
        if (err->hint) {
                AUTO_FREE char *hint = text_clean_lines(err->hint, strlen(err->hint));
                fprintf(stderr, "hint: %s\n", hint);
        }
        err_clear(err);
        return code;
}

int verb_usage(const char *verb, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *text = xvasprintf(fmt, ap);
        va_end(ap);
        fprintf(stderr, "pgsherpa %s: %s\n", verb, text);
        for (const Verb *const *v = verbs; *v; v++)
                if (str_eq((*v)->name, verb))
                        usage_print(stderr, *v, NULL);
        return EXIT_USAGE;
}

int verb_code(const Err *err)
{
        switch (err->kind) {
        case ERR_USER:
                return EXIT_USAGE;
        case ERR_CANCELLED:
                return EXIT_CANCELLED;
        default:
                return EXIT_UNKNOWN;
        }
}

int verb_work_code(const Err *err, bool before)
{
        if (err->kind == ERR_CANCELLED)
                return EXIT_CANCELLED;
        return before || err->kind == ERR_LINK ? EXIT_UNKNOWN : EXIT_NO;
}

int verb_bundle_code(const char *path, const Err *err)
{
        if (err->kind == ERR_CANCELLED)
                return EXIT_CANCELLED;
        return err->kind == ERR_SYSTEM || access(path, R_OK) < 0 ? EXIT_UNKNOWN : EXIT_NO;
}
