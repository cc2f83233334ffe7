/* temporary.c: databases of ours, by a name nobody else has, and gone again.
 *
 * Never the old name with a suffix: a name of 63 bytes plus a suffix is cut back to the real
 * name, and a redo would then drop the real database. */
#include <stdio.h>

#include "pg/database.h"
#include "transfer/transfer.h"

#define TRIES 1000

bool transfer_temporary_name(const PgParams *target, const char *run, char **ret, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        if (!pg_open(target, &pg, err))
                return err_wrap(err, "connecting to the target");
        for (int n = 1; n < TRIES; n++) {
                AUTO_FREE char *name = xasprintf("pgsherpa_%.40s_%d", run, n);
                AUTO_SQL q = { 0 };
                AUTO_PGRES PgRes *r = NULL;
                sql_add(&q, "select 1 from pg_database where datname = ");
                sql_value(&q, name);
                if (!pg_query(pg, &q, &r, err))
                        return false;
                if (pg_rows(r) > 0)
                        continue;
                *ret = name;
                name = NULL;
                return true;
        }
        return err_set(err, ERR_USER,
                       "%d databases are called pgsherpa_%s_..: remove old ones first", TRIES - 1,
                       run);
}

/* By OID when it was learned. Else the crash came between CREATE DATABASE and the next word: our
 * marker is there, or no comment and nothing in it. Anything else under our name is somebody's. */
static bool is_ours(Pg *pg, const PgRes *r, const char *name, int64_t oid, const char *marker,
                    bool *ret, Err *err)
{
        const char *comment = pg_cell(r, 0, 1);
        *ret = oid ? pg_cell_int(r, 0, 0) == oid : comment && marker && str_eq(comment, marker);
        return oid || comment || pg_database_is_empty(pg, name, ret, NULL, err);
}

/* A database with subscriptions cannot be dropped. Ours never followed: without its slot a
 * subscription goes and nobody asks its publisher. */
static bool drop_subscriptions(Pg *pg, const char *name, Err *err)
{
        AUTO_PG Pg *in = NULL;
        AUTO_PGRES PgRes *r = NULL;
        AUTO_SQL q = { 0 };
        sql_add(&q, "select subname from pg_subscription s join pg_database d on d.oid = s.subdbid "
                    "where d.datname = ");
        sql_value(&q, name);
        if (!pg_query(pg, &q, &r, err))
                return false;
        if (pg_rows(r) > 0 && !pg_reopen_beside(pg, name, &in, err))
                return false;
        for (int i = 0; i < pg_rows(r); i++) {
                AUTO_SQL alter = { 0 }, drop = { 0 };
                sql_add(&alter, "alter subscription ");
                sql_ident(&alter, pg_cell(r, i, 0));
                sql_add(&alter, " set (slot_name = none)");
                sql_add(&drop, "drop subscription ");
                sql_ident(&drop, pg_cell(r, i, 0));
                if (!pg_exec(in, &alter, err) || !pg_exec(in, &drop, err))
                        return err_wrap(err, "dropping subscription %s", pg_cell(r, i, 0));
        }
        return true;
}

bool transfer_drop(const PgParams *target, const char *name, int64_t oid, const char *marker,
                   bool *ret_dropped, Err *err)
{
        AUTO_PG Pg *pg = NULL;
        AUTO_SQL look = { 0 };
        AUTO_SQL drop = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        bool ours = false;
        if (ret_dropped)
                *ret_dropped = false;
        if (!str_starts(name, "pgsherpa_"))
                return err_set(err, ERR_USER, "%s is not a name pgsherpa gives: not dropped", name);
        sql_add(&look, "select oid, shobj_description(oid, 'pg_database') from pg_database "
                       "where datname = ");
        sql_value(&look, name);
        if (!pg_open(target, &pg, err) || !pg_query(pg, &look, &r, err))
                return err_wrap(err, "looking for the temporary database %s", name);
        if (pg_rows(r) == 0)
                return true;
        if (!is_ours(pg, r, name, oid, marker, &ours, err))
                return false;
        if (!ours) {
                err_set(err, ERR_USER, "the database %s is not the one this step made: not dropped",
                        name);
                return err_hint(err, "look at it, and drop it yourself if nobody needs it");
        }
        sql_add(&drop, "drop database ");
        sql_ident(&drop, name);
        if (pg_major(pg) >= 13)
                sql_add(&drop, " with (force)");
        if (!drop_subscriptions(pg, name, err) || !pg_exec(pg, &drop, err))
                return err_wrap(err, "dropping the temporary database");
        if (ret_dropped)
                *ret_dropped = true;
        return true;
}
