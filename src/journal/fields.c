#include "journal/fields.h"

#include <stdio.h>

#include "base/redact.h"
#include "base/text.h"

#define CUT_MARK "\xe2\x80\xa6 (cut)" /* an ellipsis */
enum { SHORT_ENOUGH = 80 };

/* What undo, resume and conditions read back. The redactor's guesswork must not touch a name
 * here only because somebody's password is the same word (see redact_data). */
static bool is_data(const char *key)
{
        static const char *const keys[] = { "data",        "vars",   "value",   "kind",   "phase",
                                            "id",          "step",   "name",    "effect", "resume",
                                            "unit",        "key",    "ref",     "path",   "sha256",
                                            "plan_sha256", "answer", "verdict", "target", "run",
                                            "from",        "to" };
        for (size_t i = 0; i < LEN(keys); i++)
                if (str_eq(key, keys[i]))
                        return true;
        return false;
}

static bool is_reserved(const char *key)
{
        static const char *const keys[] = { "seq", "prev", "t", "bt", "ev", "step", "h" };
        for (size_t i = 0; i < LEN(keys); i++)
                if (str_eq(key, keys[i]))
                        return true;
        return false;
}

static json_t *prepare_text(const json_t *j, bool data)
{
        AUTO_FREE char *clean = text_clean_lines(json_string_value(j), json_string_length(j));
        AUTO_FREE char *covered = data ? redact_data(clean) : redact_text(clean);
        return jx_text(covered);
}

static json_t *prepare(const json_t *j, bool data, bool top)
{
        const int64_t exact = (int64_t)1 << 53;
        if (json_is_string(j))
                return prepare_text(j, data);
        if (json_is_integer(j)) {
                int64_t n = json_integer_value(j);
                char text[24];
                if (n <= exact && n >= -exact)
                        return json_integer(n);
                snprintf(text, sizeof text, "%lld", (long long)n);
                return json_string(text);
        }
        if (json_is_array(j)) {
                json_t *copy = json_array();
                for (size_t i = 0; i < json_array_size(j); i++)
                        json_array_append_new(copy, prepare(json_array_get(j, i), data, false));
                return copy;
        }
        if (!json_is_object(j))
                return json_deep_copy(j);
        json_t *copy = json_object();
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)(uintptr_t)j, key, value) {
                AUTO_FREE char *clean = text_clean_str(key);
                AUTO_FREE char *safe = redact_data(clean);
                AUTO_FREE char *name = xasprintf("%s%s", safe, top && is_reserved(safe) ? "_" : "");
                /* The word a gate wants typed must be shown as it is. */
                bool word = str_eq(key, "text") && json_object_get(j, "gate");
                jx_set(copy, name, prepare(value, data || word || is_data(key), false));
        }
        return copy;
}

json_t *fields_prepare(const json_t *fields)
{
        return fields ? prepare(fields, false, true) : json_object();
}

/* ---- making it shorter ---- */

typedef struct Longest {
        json_t *text; /* a string that may be cut */
        size_t text_len;
        json_t *list; /* an array of texts or rows that may be cut */
        size_t list_len;
} Longest;

static size_t written_len(const json_t *j)
{
        AUTO_FREE char *s = jx_dump(j);
        return strlen(s);
}

static void find_longest(json_t *j, Longest *l)
{
        if (json_is_string(j)) {
                size_t n = json_string_length(j) > SHORT_ENOUGH / 6 ? written_len(j) : 0;
                if (n > l->text_len) {
                        l->text = j;
                        l->text_len = n;
                }
        }
        const char *key;
        json_t *value;
        json_object_foreach(j, key, value) {
                if (is_data(key))
                        continue;
                bool list = str_eq(key, "lines") || str_eq(key, "argv") || str_eq(key, "rows");
                if (list && json_array_size(value) > l->list_len) {
                        l->list = value;
                        l->list_len = json_array_size(value);
                }
                find_longest(value, l);
        }
        for (size_t i = 0; i < json_array_size(j); i++)
                find_longest(json_array_get(j, i), l);
}

static void cut_text(json_t *j)
{
        const char *s = json_string_value(j);
        size_t n = json_string_length(j);
        if (str_ends(s, CUT_MARK))
                n -= strlen(CUT_MARK);
        size_t keep = n / 2;
        while (keep > 0 && ((unsigned char)s[keep] & 0xc0) == 0x80)
                keep--;
        AUTO_FREE char *cut = xasprintf("%.*s" CUT_MARK, (int)keep, s);
        json_string_set(j, cut);
}

static void cut_list(json_t *list)
{
        bool words = json_is_string(json_array_get(list, 0));
        size_t keep = json_array_size(list) / 2;
        while (json_array_size(list) > keep)
                json_array_remove(list, json_array_size(list) - 1);
        if (words && keep > 0)
                json_array_append_new(list, json_string(CUT_MARK));
}

bool fields_shrink(json_t *fields)
{
        Longest l = { .text_len = SHORT_ENOUGH, .list_len = 1 };
        find_longest(fields, &l);
        if (l.text)
                cut_text(l.text);
        else if (l.list)
                cut_list(l.list);
        else
                return false;
        return true;
}
