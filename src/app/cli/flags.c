#include "app/cli/flags.h"

#include "base/text.h"

static const Flag *find(const Flag *flags, const char *name)
{
        for (; flags->name; flags++)
                if (str_eq(flags->name, name))
                        return flags;
        return NULL;
}

static bool unknown(const Flag *flags, const char *name, Err *err)
{
        const char *names[32];
        size_t n = 0;
        for (; flags->name && n < LEN(names); flags++)
                names[n++] = flags->name;
        const char *near = text_nearest(name, names, n);
        AUTO_FREE char *clean = text_clean_str(name);
        err_set(err, ERR_USER, "unknown option %s", clean);
        return near ? err_hint(err, "did you mean %s?", near) : false;
}

static bool take_value(const Flag *f, const char *value, Err *err)
{
        if (!value)
                return err_set(err, ERR_USER, "%s needs a value", f->name);
        if (!text_is_utf8(value, strlen(value)))
                return err_set(err, ERR_USER, "%s: the value is not valid UTF-8", f->name);
        if (f->list)
                json_array_append_new(f->list, json_string(value));
        else
                *f->value = value;
        return true;
}

bool flags_read(const Flag *flags, int argc, char **argv, const char **words, size_t max,
                size_t *ret_n, Err *err)
{
        bool only_words = false;
        *ret_n = 0;
        for (int i = 1; i < argc; i++) {
                if (!only_words && str_eq(argv[i], "--")) {
                        only_words = true;
                        continue;
                }
                if (only_words || argv[i][0] != '-' || !argv[i][1]) {
                        if (*ret_n >= max) {
                                AUTO_FREE char *clean = text_clean_str(argv[i]);
                                return err_set(err, ERR_USER, "one word too many: %s", clean);
                        }
                        words[(*ret_n)++] = argv[i];
                        continue;
                }
                const Flag *f = find(flags, argv[i]);
                if (!f)
                        return unknown(flags, argv[i], err);
                if (f->set)
                        *f->set = true;
                else if (!take_value(f, argv[++i], err))
                        return false;
        }
        return true;
}

bool flags_jobs(const char *value, int *ret, Err *err)
{
        char *end = NULL;
        if (!value)
                return true;
        long n = strtol(value, &end, 10);
        if (!*value || *end || n < 1 || n > 32)
                return err_set(err, ERR_USER, "--jobs is a number from 1 to 32");
        *ret = (int)n;
        return true;
}
