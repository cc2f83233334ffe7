#include "transfer/make/entry_owner.h"

#include <ctype.h>

/* How ALTER .. OWNER TO calls the object: most by class and name, functions and their like
 * need their arguments, which stand in the DROP statement. */
bool entry_owner_sql(const TocEntry *e, Sql *q)
{
        static const char *const by_name[] = { "COLLATION",
                                               "CONVERSION",
                                               "DOMAIN",
                                               "FOREIGN TABLE",
                                               "MATERIALIZED VIEW",
                                               "SEQUENCE",
                                               "STATISTICS",
                                               "TABLE",
                                               "TEXT SEARCH DICTIONARY",
                                               "TEXT SEARCH CONFIGURATION",
                                               "TYPE",
                                               "VIEW",
                                               "PROCEDURAL LANGUAGE",
                                               "SCHEMA",
                                               "EVENT TRIGGER",
                                               "FOREIGN DATA WRAPPER",
                                               "SERVER",
                                               "PUBLICATION",
                                               "SUBSCRIPTION" };
        static const char *const by_drop[] = { "AGGREGATE",      "FUNCTION",        "OPERATOR",
                                               "OPERATOR CLASS", "OPERATOR FAMILY", "PROCEDURE" };
        if (!e->owner || !*e->owner || !*e->drop)
                return false;
        bool found = false;
        for (size_t i = 0; i < LEN(by_name) && !found; i++) {
                if (!str_eq(e->class, by_name[i]))
                        continue;
                found = true;
                sql_add(q, "ALTER ");
                sql_rendered(q, by_name[i]);
                sql_add(q, " ");
                if (e->schema)
                        sql_qname(q, e->schema, e->name);
                else
                        sql_ident(q, e->name);
        }
        for (size_t i = 0; i < LEN(by_drop) && !found; i++) {
                if (!str_eq(e->class, by_drop[i]) || !str_starts(e->drop, "DROP "))
                        continue;
                found = true;
                size_t n = strlen(e->drop);
                while (n > 5 && (e->drop[n - 1] == ';' || isspace((unsigned char)e->drop[n - 1])))
                        n--;
                AUTO_FREE char *what = xstrndup(e->drop + 5, n - 5);
                sql_add(q, "ALTER ");
                sql_rendered(q, what); /* pg_dump's own words */
        }
        if (found) {
                sql_add(q, " OWNER TO ");
                sql_ident(q, e->owner);
        }
        return found;
}
