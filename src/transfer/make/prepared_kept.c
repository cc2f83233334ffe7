#include "transfer/make/prepared_kept.h"

#include "transfer/state/quoted_sql.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

bool prepared_same(const json_t *a, const json_t *b, const char *key)
{
        const json_t *x = jx_get(a, key), *y = jx_get(b, key);
        return (!x || json_is_null(x)) && (!y || json_is_null(y)) ? true
                                                                  : x && y && json_equal(x, y);
}

void kept_unproved(json_t *entry, const char *kind, const char *object, const char *what)
{
        json_t *list = jx_get(entry, "not_compared"), *j = json_object();
        if (!list) {
                list = json_array();
                jx_set(entry, "not_compared", list);
        }
        jx_set_str(j, "kind", kind);
        jx_set_str(j, "object", object); /* NULL: all of that kind */
        jx_set_str(j, "what", what);     /* NULL: whatever differs */
        json_array_append_new(list, j);
}

json_t *kept_add(json_t *kept, const char *what, const char *ours, const char *source)
{
        json_t *entry = json_object();
        jx_set_str(entry, "what", what);
        jx_set_str(entry, "kept", ours);
        jx_set_str(entry, "source", source);
        json_array_append_new(kept, entry);
        return entry;
}

char *kept_ident(const char *name)
{
        AUTO_SQL q = { 0 };
        sql_ident(&q, name);
        return plain_sql(&q);
}

json_t *transfer_kept_ignored(const json_t *kept)
{
        json_t *all = json_array(), *entry;
        size_t i;
        json_array_foreach(kept, i, entry)
                if (jx_get(entry, "not_compared"))
                        json_array_extend(all, jx_get(entry, "not_compared"));
        return all;
}

void kept_say(Transfer *t, const json_t *kept)
{
        size_t i;
        json_t *k;
        json_array_foreach(kept, i, k)
                if (jx_str(k, "source", NULL))
                        transfer_say(t, "kept as it was prepared: %s %s (the source's: %s)",
                                     jx_str(k, "what", ""), jx_str(k, "kept", ""),
                                     jx_str(k, "source", ""));
                else
                        transfer_say(t, "kept as it was prepared: %s %s", jx_str(k, "what", ""),
                                     jx_str(k, "kept", ""));
}

char *kept_grant_words(const json_t *acl)
{
        AUTO_JSON words = json_array();
        size_t i;
        json_t *g;
        json_array_foreach(acl, i, g) {
                AUTO_FREE char *w = xasprintf(
                        "%s to %s%s", jx_str(g, "privilege", ""), jx_str(g, "grantee", "PUBLIC"),
                        jx_bool(g, "grantable", false) ? " with grant option" : "");
                jx_append_str(words, w);
        }
        return json_array_size(words) ? jx_words(words) : xstrdup("nobody");
}

void kept_grantee(Sql *q, const json_t *g)
{
        if (jx_str(g, "grantee", NULL))
                sql_ident(q, jx_str(g, "grantee", NULL));
        else
                sql_add(q, "PUBLIC");
}
