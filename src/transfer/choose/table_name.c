/* table_name.c: the table a person means by `orders`, `shop.orders` or `"a.b"."c"`. */
#include "base/text.h"
#include "transfer/transfer.h"

/* One part of a name: "quoted", or up to the next dot. */
static char *table_name_part(const char **p, Arena *a)
{
        if (**p != '"') {
                size_t n = strcspn(*p, ".");
                const char *start = *p;
                *p += n;
                return arena_strndup(a, start, n);
        }
        char *out = arena_strndup(a, *p, strlen(*p)), *to = out;
        for ((*p)++; **p; (*p)++) {
                if (**p == '"' && *++*p != '"') {
                        *to = '\0';
                        return out;
                }
                *to++ = **p;
        }
        return NULL; /* the quote is not closed */
}

bool transfer_table_named(const json_t *record, const char *words, Arena *a, TransferName *ret,
                          Err *err)
{
        const char *p = words;
        const char *first = table_name_part(&p, a), *second = NULL;
        AUTO_FREE char *clean = text_clean_str(words);
        if (first && *p == '.' && p[1]) {
                p++;
                second = table_name_part(&p, a);
        }
        if (!first || !*first || *p || (p > words && p[-1] == '.')) {
                err_set(err, ERR_USER, "`%s` is not the name of a table", clean);
                return err_hint(err, "write schema.table; a name with dots in it in double quotes: "
                                     "'\"a.b\".\"c\"'");
        }
        if (second) {
                *ret = (TransferName){ first, second };
                return true;
        }
        size_t i, found = 0;
        json_t *t;
        json_array_foreach(jx_get(record, "tables"), i, t) {
                if (!str_eq(jx_str(t, "name", ""), first))
                        continue;
                *ret = (TransferName){ arena_strdup(a, jx_str(t, "schema", "")), first };
                found++;
        }
        if (found == 1)
                return true;
        if (found == 0)
                return err_set(err, ERR_USER,
                               "there is no table `%s` in it: write its schema too "
                               "if it is a view or partitioned",
                               clean);
        return err_set(err, ERR_USER, "%zu schemas have a table `%s`: write schema.%s", found,
                       clean, clean);
}
