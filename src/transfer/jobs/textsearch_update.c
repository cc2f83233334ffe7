#include "transfer/textsearch.h"

enum { TABLE, TRIGGER_NAME, FIRING, COLUMN, TEXT, ASKED };

/* Each table by itself, a partition too: it has a trigger of its own, and that one fires. What
 * fires on none of the texts, or not at all, is left as it is. ASKED: textsearch_changed()
 * decides. */
static bool triggers(Pg *pg, PgRes **ret, Err *err)
{
        return pg_ask(pg,
                      "select c.oid::regclass::text, t.tgname, t.tgenabled, x.args[1], x.args[3], "
                      "case f.proname when "
                      "'tsvector_update_trigger' then " TEXTSEARCH_LANGUAGES(
                              "array[regexp_replace(x.args[2], '^.*\\.', '')]") " end from "
                                                                                "pg_trigger t join "
                                                                                "pg_class c on "
                                                                                "c.oid = t.tgrelid "
                                                                                "join pg_proc f "
                                                                                "on f.oid = "
                                                                                "t.tgfoid, lateral "
                                                                                "(select "
                                                                                "string_to_array("
                                                                                "encode(t.tgargs, "
                                                                                "'escape'), "
                                                                                "'\\000') as args) "
                                                                                "x where c.relkind "
                                                                                "= 'r' and "
                                                                                "f.pronamespace = "
                                                                                "'pg_catalog'::"
                                                                                "regnamespace and "
                                                                                "f.proname in "
                                                                                "('tsvector_update_"
                                                                                "trigger', "
                                                                                "'tsvector_update_"
                                                                                "trigger_column') "
                                                                                "and t.tgenabled "
                                                                                "<> 'D' and "
                                                                                "(t.tgtype & "
                                                                                "16) <> 0 and "
                                                                                "(cardinality(t."
                                                                                "tgattr::int2[]) = "
                                                                                "0 or (select "
                                                                                "a.attnum from "
                                                                                "pg_attribute a "
                                                                                "where a.attrelid "
                                                                                "= c.oid and "
                                                                                "a.attname = "
                                                                                "x.args[3]) = "
                                                                                "any(t.tgattr::"
                                                                                "int2[])) order by "
                                                                                "1, 2",
                      ret, err) ||
               err_wrap(err, "looking for triggers that keep words of text search");
}

static const char *firing_words(const char *was)
{
        return str_eq(was, "A") ? "always " : str_eq(was, "R") ? "replica " : "";
}

static void firing_sql(Sql *q, const PgRes *r, int row, const char *how)
{
        sql_add(q, "alter table only ");
        sql_rendered(q, pg_cell(r, row, TABLE));
        sql_add(q, " enable ");
        sql_rendered(q, how);
        sql_add(q, "trigger ");
        sql_ident(q, pg_cell(r, row, TRIGGER_NAME));
}

static bool update_change(Pg *pg, const PgRes *r, int row, int64_t *ret_rows, Err *err)
{
        AUTO_SQL on = { 0 };
        AUTO_SQL update = { 0 };
        AUTO_SQL back = { 0 };
        AUTO_PGRES PgRes *done = NULL;
        firing_sql(&on, r, row, "always ");
        firing_sql(&back, r, row, firing_words(pg_cell(r, row, FIRING)));
        sql_add(&update, "update only ");
        sql_rendered(&update, pg_cell(r, row, TABLE));
        sql_add(&update, " set ");
        sql_ident(&update, pg_cell(r, row, TEXT));
        sql_add(&update, " = ");
        sql_ident(&update, pg_cell(r, row, TEXT));
        if (!pg_exec(pg, &on, err) || !pg_query(pg, &update, &done, err) ||
            !pg_exec(pg, &back, err))
                return false;
        *ret_rows += pg_affected(done);
        return true;
}

/* In one transaction: no other trigger fires (a date of the last change stays what it was), and
 * whatever fails leaves the table as it was. */
static bool update_one(Pg *pg, const PgRes *r, int row, int64_t *ret_rows, Err *err)
{
        AUTO_ERR ignored = { 0 };
        if (!pg_do(pg, "begin", err))
                return false;
        bool ok = pg_do(pg, "set local session_replication_role = replica", err) &&
                  update_change(pg, r, row, ret_rows, err);
        if (!ok)
                err_wrap(err, "making the words of table %s anew", pg_cell(r, row, TABLE));
        return (ok ? pg_do(pg, "commit", err) : pg_do(pg, "rollback", &ignored)) && ok;
}

bool textsearch_update(Pg *pg, int from, const TextsearchUpdate *o, TextsearchUpdated *ret,
                       Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        *ret = (TextsearchUpdated){ 0 };
        if (!triggers(pg, &r, err))
                return false;
        for (int row = 0; row < pg_rows(r); row++) {
                if (!textsearch_changed(from, pg_major(pg), pg_cell(r, row, ASKED)))
                        continue;
                if (o->cancel && flag_up(o->cancel))
                        return err_set(err, ERR_CANCELLED, "stopped between two tables");
                if (o->told)
                        o->told(o->arg, pg_cell(r, row, TABLE), row, pg_rows(r));
                if (!o->look && !update_one(pg, r, row, &ret->rows, err))
                        return false;
                ret->columns++;
        }
        return true;
}
