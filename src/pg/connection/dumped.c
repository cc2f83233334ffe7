/* dumped.c: statements that came out of somebody's file, one at a time. */
#include "pg/connection/conn_internal.h"

#define COPY_MESSAGE (64 * 1024) /* as copy.c */

/* The extended protocol takes one statement only: should our reader and the server disagree about
 * where it ends, this is an error and not a second statement that nobody looked at. */
bool pg_dumped_one(Pg *pg, const char *sql, bool *ret_copy, int64_t *ret_rows, Err *err)
{
        PGresult *r = PQexecParams(pg->conn, sql, 0, NULL, NULL, NULL, NULL, 0);
        ExecStatusType status = PQresultStatus(r);
        bool ok = true;
        *ret_copy = status == PGRES_COPY_IN;
        *ret_rows = 0;
        if (status == PGRES_COPY_IN) {
                buf_done(&pg->copy);
                pg->copy = buf_init(COPY_MESSAGE);
        } else if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
                *ret_rows = atoll(PQcmdTuples(r));
        } else if (status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
                ok = err_set(err, ERR_USER, "the statement asks for rows instead of giving them");
        } else if (status != PGRES_EMPTY_QUERY) {
                ok = pg_error_of_result(pg, r, err);
        }
        PQclear(r);
        return ok;
}

bool pg_in_transaction(const Pg *pg)
{
        return PQtransactionStatus(pg->conn) != PQTRANS_IDLE;
}
