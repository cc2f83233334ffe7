#include "transfer/wide.h"

#include "pg/catalog.h"

#define MOST     1073741000 /* bytes of text in a row; a little below MaxAllocSize */
#define SMALLEST 1048576    /* a table with such a row is larger, however it is packed */

/* Of json and xml the length of the text is only known once it is read: what is small is not. */
static bool wide_tables(Pg *pg, PgRes **ret, Err *err)
{
        AUTO_SQL q = { 0 };
        sql_add(&q, "select format('%I.%I', n.nspname, c.relname), string_agg(format(case "
                    "t.typname when 'bytea' then 'coalesce(octet_length(%1$I)::int8 * 2, 0)' when "
                    "'json' then 'case when pg_column_size(%1$I) > 1000000 then "
                    "octet_length(%1$I::text)::int8 else 0 end' when 'xml' then 'case when "
                    "pg_column_size(%1$I) > 1000000 then octet_length(%1$I::text)::int8 else 0 "
                    "end' else 'coalesce(octet_length(%1$I)::int8, 0)' end, a.attname), ' + ') "
                    "from pg_class c join pg_namespace n on n.oid = c.relnamespace join "
                    "pg_attribute a on a.attrelid = c.oid join pg_type t on t.oid = a.atttypid "
                    "where c.relkind = 'r' and c.relpersistence <> 't' and c.oid >= 16384 and "
                    "a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and "
                    "t.typnamespace = 'pg_catalog'::regnamespace and t.typname in ('bytea', "
                    "'text', 'varchar', 'bpchar', 'json', 'xml') and pg_table_size(c.oid) > ");
        sql_int(&q, SMALLEST);
        sql_add(&q, " group by n.nspname, c.relname order by 1");
        return pg_query(pg, &q, ret, err);
}

bool wide_row(Pg *pg, char **ret, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        *ret = NULL;
        if (!wide_tables(pg, &r, err))
                return err_wrap(err, "listing tables that may have rows above 1 GB");
        for (int i = 0; i < pg_rows(r) && !*ret; i++) {
                AUTO_SQL q = { 0 };
                AUTO_PGRES PgRes *answer = NULL;
                sql_add(&q, "select exists (select from only ");
                sql_rendered(&q, pg_cell(r, i, 0));
                sql_add(&q, " where ");
                sql_rendered(&q, pg_cell(r, i, 1));
                sql_add(&q, " > ");
                sql_int(&q, MOST);
                sql_add(&q, ")");
                if (!pg_query(pg, &q, &answer, err))
                        return err_wrap(err, "%s", pg_cell(r, i, 0));
                if (pg_cell_bool(answer, 0, 0))
                        *ret = xasprintf("table %s has a row whose text is above 1 GB, and pg_dump "
                                         "cannot read it",
                                         pg_cell(r, i, 0));
        }
        return true;
}
