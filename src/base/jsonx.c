#include "base/jsonx.h"

#include <malloc.h>

#include "base/buf.h"
#include "base/text.h"

static void wiping_free(void *p)
{
        if (!p)
                return;
        explicit_bzero(p, malloc_usable_size(p));
        free(p);
}

/* Before anything of jansson's is allocated. */
__attribute__((constructor)) static void jx_wipe_what_is_freed(void)
{
        json_set_alloc_funcs(malloc, wiping_free);
}

json_t *jx_get(const json_t *object, const char *key)
{
        return json_is_object(object) ? json_object_get(object, key) : NULL;
}

const char *jx_str(const json_t *object, const char *key, const char *fallback)
{
        const json_t *v = jx_get(object, key);
        return json_is_string(v) ? json_string_value(v) : fallback;
}

int64_t jx_int(const json_t *object, const char *key, int64_t fallback)
{
        const json_t *v = jx_get(object, key);
        return json_is_integer(v) ? json_integer_value(v) : fallback;
}

bool jx_bool(const json_t *object, const char *key, bool fallback)
{
        const json_t *v = jx_get(object, key);
        return json_is_boolean(v) ? json_is_true(v) : fallback;
}

json_t *jx_text(const char *text)
{
        if (!text)
                return json_null();
        size_t n = strlen(text);
        if (text_is_utf8(text, n))
                return json_stringn(text, n);
        AUTO_FREE char *clean = text_clean(text, n);
        return json_string(clean);
}

void jx_set(json_t *object, const char *key, json_t *value)
{
        if (!text_is_utf8(key, strlen(key))) {
                AUTO_FREE char *clean = text_clean_str(key);
                json_object_set_new(object, clean, value);
                return;
        }
        json_object_set_new(object, key, value);
}

void jx_set_str(json_t *object, const char *key, const char *text)
{
        jx_set(object, key, jx_text(text));
}

void jx_set_int(json_t *object, const char *key, int64_t n)
{
        jx_set(object, key, json_integer(n));
}

void jx_set_bool(json_t *object, const char *key, bool flag)
{
        jx_set(object, key, json_boolean(flag));
}

void jx_append_str(json_t *array, const char *text)
{
        json_array_append_new(array, jx_text(text));
}

static char *dump(const json_t *j, size_t flags)
{
        char *s = json_dumps(j, flags | JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
        return s ? s : xstrdup("null");
}

char *jx_dump(const json_t *j)
{
        return dump(j, 0);
}

char *jx_dump_sorted(const json_t *j)
{
        return dump(j, JSON_SORT_KEYS);
}

json_t *jx_parse(const char *text, size_t n, Err *err)
{
        json_error_t e;
        json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
        if (!j)
                err_set(err, ERR_USER, "not JSON: line %d column %d: %s", e.line, e.column, e.text);
        return j;
}

/* What has parts is parted by semicolons: a, b but x 1, y 2; x 3, y 4. */
static void words_of_list(const json_t *list, Buf *out)
{
        size_t i;
        json_t *item;
        json_array_foreach(list, i, item) {
                bool parts = json_is_object(item) || json_is_array(item);
                AUTO_FREE char *words = jx_words(item);
                buf_printf(out, "%s%s", !i ? "" : parts ? "; " : ", ", words);
        }
}

static void words_of_map(const json_t *map, Buf *out)
{
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)map, key, value) {
                AUTO_FREE char *name = text_clean_str(key);
                AUTO_FREE char *words = jx_words(value);
                buf_printf(out, "%s%s %s", out->len ? ", " : "", name, words);
        }
}

char *jx_words(const json_t *j)
{
        if (!j || json_is_null(j))
                return xstrdup("(none)");
        if (json_is_string(j))
                return text_clean_str(json_string_value(j));
        if (json_is_boolean(j))
                return xstrdup(json_is_true(j) ? "yes" : "no");
        const char *own = jx_str(j, "words", NULL);
        if (own)
                return text_clean_str(own);
        if (!json_is_array(j) && !json_is_object(j))
                return jx_dump(j);
        AUTO_BUF all = buf_init(1 << 20);
        if (json_is_array(j))
                words_of_list(j, &all);
        else
                words_of_map(j, &all);
        return xstrdup(all.len ? buf_str(&all) : "(none)");
}
