/* expr_func.c: the functions an expression may call. All total: a list, a map or a text of
 * any content gives an answer or an error, never a wait. */
#include "base/fmt.h"
#include "runbook/expr/expr_tree.h"

#include <ctype.h>
#include <math.h>

const char *const expr_functions[] = { "size",  "count", "sum",    "max",     "min",
                                       "empty", "major", "exists", "changed", NULL };

bool expr_function_known(const char *name, size_t *ret_min, size_t *ret_max)
{
        for (size_t i = 0; expr_functions[i]; i++) {
                if (!str_eq(name, expr_functions[i]))
                        continue;
                bool two = str_eq(name, "changed");
                bool many = str_eq(name, "max") || str_eq(name, "min");
                *ret_min = two ? 2 : 1;
                *ret_max = many ? SIZE_MAX : *ret_min;
                return true;
        }
        return false;
}

static json_t *count(const json_t *v, Err *err)
{
        if (json_is_array(v))
                return json_integer((json_int_t)json_array_size(v));
        if (json_is_object(v))
                return json_integer((json_int_t)json_object_size(v));
        if (json_is_string(v)) {
                json_int_t n = 0;
                for (const char *s = json_string_value(v); *s; s++)
                        n += ((unsigned char)*s & 0xc0) != 0x80;
                return json_integer(n);
        }
        err_set(err, ERR_USER, "count() needs a list, a map or a text");
        return NULL;
}

static json_t *size(json_t *v, Err *err)
{
        int64_t n;
        if (json_is_number(v))
                return json_incref(v);
        if (json_is_string(v) && fmt_parse_size(json_string_value(v), &n))
                return json_integer(n);
        err_set(err, ERR_USER, "size() needs a number or a text such as \"500MB\"");
        return NULL;
}

static json_t *sum(const json_t *v, Err *err)
{
        int64_t total = 0;
        double real = 0;
        bool reals = false;
        size_t i;
        json_t *item;
        if (!json_is_array(v)) {
                err_set(err, ERR_USER, "sum() needs a list of numbers");
                return NULL;
        }
        json_array_foreach(v, i, item) {
                if (!json_is_number(item)) {
                        err_set(err, ERR_USER, "sum() needs a list of numbers");
                        return NULL;
                }
                reals |= json_is_real(item);
                real += json_number_value(item);
                if (json_is_integer(item) &&
                    __builtin_add_overflow(total, (int64_t)json_integer_value(item), &total)) {
                        err_set(err, ERR_USER, "the sum is too large");
                        return NULL;
                }
        }
        if (!reals)
                return json_integer(total);
        if (isfinite(real))
                return json_real(real);
        err_set(err, ERR_USER, "the sum is too large");
        return NULL;
}

static json_t *extreme(json_t *const *args, size_t n, bool max, Err *err)
{
        json_t *best = NULL;
        bool list = n == 1 && json_is_array(args[0]);
        if (list)
                n = json_array_size(args[0]);
        for (size_t i = 0; i < n; i++) {
                json_t *v = list ? json_array_get(args[0], i) : args[i];
                if (!json_is_number(v)) {
                        err_set(err, ERR_USER, "%s() needs numbers", max ? "max" : "min");
                        return NULL;
                }
                double a = json_number_value(v), b = best ? json_number_value(best) : 0;
                if (!best || (max ? a > b : a < b))
                        best = v;
        }
        if (!best)
                err_set(err, ERR_USER, "%s() of an empty list", max ? "max" : "min");
        return json_incref(best);
}

static bool is_empty(const json_t *v)
{
        return !v || json_is_null(v) || (json_is_array(v) && !json_array_size(v)) ||
               (json_is_object(v) && !json_object_size(v)) ||
               (json_is_string(v) && !*json_string_value(v));
}

/* server_version_num is 160004 since 10, 90624 before (PostgreSQL manual, PQserverVersion). */
static json_t *major(const json_t *v, Err *err)
{
        if (json_is_integer(v)) {
                json_int_t n = json_integer_value(v);
                if (n > 0 && n < 1000)
                        return json_integer(n);
                if (n >= 10000 && n < 10000000)
                        return json_integer(n / 10000);
        }
        if (json_is_string(v) && isdigit((unsigned char)json_string_value(v)[0])) {
                long n = strtol(json_string_value(v), NULL, 10);
                if (n > 0 && n < 1000)
                        return json_integer(n);
        }
        err_set(err, ERR_USER, "major() needs a version such as \"16.4\"");
        return NULL;
}

json_t *expr_call(const char *function, json_t *const *args, size_t n, Err *err)
{
        if (str_eq(function, "count"))
                return count(args[0], err);
        if (str_eq(function, "size"))
                return size(args[0], err);
        if (str_eq(function, "sum"))
                return sum(args[0], err);
        if (str_eq(function, "max") || str_eq(function, "min"))
                return extreme(args, n, str_eq(function, "max"), err);
        if (str_eq(function, "empty"))
                return json_boolean(is_empty(args[0]));
        if (str_eq(function, "major"))
                return major(args[0], err);
        assert(str_eq(function, "changed"));
        return json_boolean(!json_equal(args[0], args[1]));
}
