#include "transfer/read/opclasses.h"

#include "base/limits.h"
#include "dumps/opclass.h"
#include "pg/catalog.h"
#include "pg/facts.h"

/* What has options is printed with its class (get_opclass_name() in ruleutils.c). */
bool opclasses_read(Pg *pg, json_t **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select coalesce(json_object_agg(x.key, x.classes), '{}') from (select "
                    "n.nspname || '.' || case when "
                    "k.oid is null then '' else t.relname || ' ' end || c.relname as key, (select "
                    "json_agg(case when "
                    "o.opcdefault and a.attoptions is null then quote_ident(s.nspname) || '.' || "
                    "quote_ident(o.opcname) "
                    "end order by u.n) from unnest(i.indclass) with ordinality u(oid, n) join "
                    "pg_opclass o on o.oid = "
                    "u.oid join pg_namespace s on s.oid = o.opcnamespace join pg_attribute a on "
                    "a.attrelid = c.oid and "
                    "a.attnum = u.n) as classes from pg_index i join pg_class c on c.oid = "
                    "i.indexrelid join pg_am m on "
                    "m.oid = c.relam join pg_class t on t.oid = i.indrelid join pg_namespace n on "
                    "n.oid = c.relnamespace "
                    "left join pg_constraint k on k.conindid = c.oid and k.contype in ('p', 'u', "
                    "'x') where m.amname not "
                    "in ('btree', 'hash') and " CAT_USER_SCHEMA(
                            "n") " and c.relpersistence <> 't') x where "
                                 "x.classes::text <> '[]' and x.classes::text ~ '\"'");
        return pg_json_value(pg, &q, ret, err) ||
               err_wrap(err, "reading the operator classes of the indexes");
}

static void say_one(TocEntry *e, const json_t *list, Arena *a)
{
        size_t i, n = json_array_size(list);
        json_t *v;
        AUTO_BUF said = buf_init(LIMIT_SQL);
        const char **classes = arena_new_array(a, const char *, n + 1);
        json_array_foreach(list, i, v)
                classes[i] = json_string_value(v);
        if (opclass_say(e->sql, classes, n, &said) && !said.overflow)
                e->sql = arena_strdup(a, buf_str(&said));
}

void opclasses_say(Toc *toc, const json_t *known, Arena *a)
{
        for (size_t i = 0; i < toc->n && json_object_size(known); i++) {
                TocEntry *e = &toc->entries[i];
                if (!str_eq(e->class, "INDEX") && !str_eq(e->class, "CONSTRAINT"))
                        continue;
                AUTO_FREE char *key = xasprintf("%s.%s", e->schema ? e->schema : "", e->name);
                const json_t *list = jx_get(known, key);
                if (list)
                        say_one(e, list, a);
        }
}
