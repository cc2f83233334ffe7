/* parse.c: the Parse message of the extended protocol, taken back with its transaction. */
#include "pg/parse.h"

#include "pg/connection/conn_internal.h"

/* Raised after the grammar has read everything, and as the only 42601 without a place in the
 * text. */
static bool is_several(const PGresult *r)
{
        const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
        return state && str_eq(state, "42601") &&
               !PQresultErrorField(r, PG_DIAG_STATEMENT_POSITION);
}

bool pg_parses(Pg *pg, const Sql *q, bool *ret_one, Err *err)
{
        SqlQuoter quoter = pg_quoter(pg);
        char *text = NULL;
        AUTO_ERR ignored = { 0 };
        *ret_one = true;
        if (!sql_for_server(q, &quoter, &text, err))
                return false;
        if (!pg_do(pg, "begin read only", err)) {
                free(text);
                return false;
        }
        PGresult *r = PQprepare(pg->conn, "", text, 0, NULL);
        bool ok = PQresultStatus(r) == PGRES_COMMAND_OK;
        if (!ok && is_several(r)) {
                *ret_one = false;
                ok = true;
        }
        if (!ok)
                pg_error_of_result(pg, r, err);
        PQclear(r);
        explicit_bzero(text, strlen(text));
        free(text);
        (void)!pg_do(pg, "rollback", &ignored);
        return ok;
}
