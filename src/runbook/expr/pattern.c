#include "runbook/expr/pattern.h"

#include "base/limits.h"

#include <ctype.h>
#include <regex.h>

enum { MAX_PATTERN = 256, MAX_REPEATS = 1000 };

/* Multiplies the bounds of every {n} and {n,m}; brackets hold no repetitions. */
static bool limits_ok(const char *p, Err *err)
{
        long product = 1;
        for (; *p; p++) {
                if (*p == '\\' && p[1]) {
                        p++;
                        if (isdigit((unsigned char)*p) && *p != '0')
                                return err_set(err, ERR_USER,
                                               "a pattern must not refer back (\\%c)", *p);
                        continue;
                }
                if (*p == '[') {
                        p++;
                        p += *p == '^';
                        p += *p == ']';
                        while (*p && *p != ']') {
                                /* [:alpha:] and its like may hold a ] of their own */
                                if (*p == '[' && (p[1] == ':' || p[1] == '.' || p[1] == '=')) {
                                        const char *close = strchr(p + 2, ']');
                                        if (close)
                                                p = close;
                                }
                                p++;
                        }
                        if (!*p)
                                break;
                        continue;
                }
                if (*p != '{' || !isdigit((unsigned char)p[1]))
                        continue;
                char *end;
                long bound = strtol(p + 1, &end, 10);
                if (*end == ',' && isdigit((unsigned char)end[1])) {
                        long upper = strtol(end + 1, &end, 10);
                        bound = MAX(bound, upper);
                }
                if (bound > MAX_REPEATS || product * MAX(bound, 1) > MAX_REPEATS)
                        return err_set(err, ERR_USER,
                                       "a pattern must not repeat more than %d times", MAX_REPEATS);
                product *= MAX(bound, 1);
        }
        return true;
}

static bool compile(const char *pattern, regex_t *re, Err *err)
{
        if (strlen(pattern) > MAX_PATTERN)
                return err_set(err, ERR_USER, "a pattern has at most %d bytes", MAX_PATTERN);
        if (!limits_ok(pattern, err))
                return false;
        int code = regcomp(re, pattern, REG_EXTENDED | REG_NOSUB);
        if (!code)
                return true;
        char why[128];
        regerror(code, re, why, sizeof why);
        return err_set(err, ERR_USER, "`%s` is not a regular expression: %s", pattern, why);
}

bool pattern_check(const char *pattern, Err *err)
{
        regex_t re;
        if (!compile(pattern, &re, err))
                return false;
        regfree(&re);
        return true;
}

bool pattern_matches(const char *pattern, const char *text, bool *ret, Err *err)
{
        regex_t re;
        if (strlen(text) > LIMIT_LINE)
                return err_set(err, ERR_USER, "the text is too long to be searched");
        if (!compile(pattern, &re, err))
                return false;
        *ret = regexec(&re, text, 0, NULL, 0) == 0;
        regfree(&re);
        return true;
}
