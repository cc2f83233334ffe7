#include "app/cli/options.h"

#include "app/cli/verb.h"
#include "base/text.h"
#include "journal/run_dir.h"

static bool pair(json_t *into, const char *option, const char *text, Err *err)
{
        const char *eq = strchr(text, '=');
        if (!eq || eq == text) {
                err_set(err, ERR_USER, "%s wants NAME=VALUE, not `%s`", option, text);
                return false;
        }
        AUTO_FREE char *name = xstrndup(text, (size_t)(eq - text));
        if (!text_is_utf8(text, strlen(text)))
                return err_set(err, ERR_USER, "%s %s: the value is not valid UTF-8", option, name);
        jx_set_str(into, name, eq + 1);
        return true;
}

static bool secret(Options *o, const char *text, Err *err)
{
        const char *eq = strchr(text, '=');
        if (!eq || strncmp(eq, "=file:", 6) != 0) {
                err_set(err, ERR_USER, "--secret wants NAME=file:PATH");
                return err_hint(err, "a password on the command line is readable in /proc; put it "
                                     "into a file with mode 0600");
        }
        if (o->n_secrets + 1 >= LEN(o->secrets))
                return err_set(err, ERR_USER, "too many --secret options");
        o->secrets[o->n_secrets++] = text;
        return true;
}

/* Options with a value; *ret_used tells whether `arg` was one. */
static bool with_value(Options *o, const char *arg, const char *value, bool *ret_used, Err *err)
{
        static const char *const known[] = { "--var",        "--answer", "--secret",
                                             "--theme",      "--format", "--answers-from",
                                             "--runbook-dir" };
        *ret_used = false;
        for (size_t i = 0; i < LEN(known); i++)
                *ret_used |= str_eq(arg, known[i]);
        if (!*ret_used)
                return true;
        if (!value)
                return err_set(err, ERR_USER, "%s needs a value", arg);
        if (str_eq(arg, "--var"))
                return pair(o->vars, arg, value, err);
        if (str_eq(arg, "--answer"))
                return pair(o->decisions, arg, value, err);
        if (str_eq(arg, "--secret"))
                return secret(o, value, err);
        if (str_eq(arg, "--theme"))
                o->ui.theme = value;
        else if (str_eq(arg, "--format"))
                o->format = value;
        else if (str_eq(arg, "--answers-from"))
                o->ui.answers_from = value;
        else
                o->runbook_dir = value;
        return true;
}

bool options_read(Options *o, int argc, char **argv, Err *err)
{
        *o = (Options){ .vars = json_object(), .decisions = json_object() };
        o->words = xcalloc((size_t)argc + 1, sizeof *o->words);
        struct {
                const char *name;
                bool *flag;
        } flags[] = { { "--plain", &o->ui.plain }, { "--json", &o->ui.json },
                      { "--watch", &o->ui.watch }, { "--mouse", &o->ui.mouse },
                      { "--yes", &o->ui.yes },     { "--deep", &o->deep },
                      { "--detach", &o->detach } };
        for (int i = 1; i < argc; i++) {
                bool used = false;
                if (argv[i][0] != '-' || !argv[i][1]) {
                        o->words[o->n_words++] = argv[i];
                        continue;
                }
                if (!with_value(o, argv[i], argv[i + 1], &used, err))
                        return false;
                if (used) {
                        i++;
                        continue;
                }
                for (size_t k = 0; k < LEN(flags); k++)
                        if (str_eq(argv[i], flags[k].name))
                                used = *flags[k].flag = true;
                if (!used) {
                        AUTO_FREE char *clean = text_clean_str(argv[i]);
                        return err_set(err, ERR_USER, "unknown option %s", clean);
                }
        }
        return true;
}

int options_read_run(Options *o, int argc, char **argv, char **ret_dir)
{
        AUTO_ERR err = { 0 };
        if (!options_read(o, argc, argv, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (!run_dir_find(o->n_words ? o->words[0] : "latest", ret_dir, &err))
                return verb_fail(&err, verb_code(&err));
        return EXIT_DONE;
}

void options_done(Options *o)
{
        json_decref(o->vars);
        json_decref(o->decisions);
        free(o->words);
        o->vars = o->decisions = NULL;
}
