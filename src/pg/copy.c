/* copy.c: COPY, in and out, as bytes. */
#include "pg/conn_internal.h"

#define COPY_MESSAGE (64 * 1024)        /* measured: bigger gives nothing, smaller costs CPU */

static bool begin(Pg *pg, const Sql *q, ExecStatusType wanted, Err *err)
{
        SqlQuoter quoter = pg_quoter(pg);
        AUTO_FREE char *text = NULL;
        if (!sql_for_server(q, &quoter, &text, err))
                return false;
        PGresult *r = PQexec(pg->conn, text);
        ExecStatusType status = PQresultStatus(r);
        bool ok = status == wanted;
        if (!ok && (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE))
                pg_error_of_result(pg, r, err);
        else if (!ok)
                err_set(err, ERR_SERVER, "the statement is not the COPY it should be");
        PQclear(r);
        return ok;
}

bool pg_copy_out_begin(Pg *pg, const Sql *copy, Err *err)
{
        return begin(pg, copy, PGRES_COPY_OUT, err);
}

/* After the last row, or an error: the command's own verdict. */
static bool finish(Pg *pg, int64_t *ret_rows, Err *err)
{
        bool ok = true;
        PGresult *r;
        while ((r = PQgetResult(pg->conn))) {
                ExecStatusType status = PQresultStatus(r);
                if (status == PGRES_COMMAND_OK && ret_rows)
                        *ret_rows = atoll(PQcmdTuples(r));
                if (status != PGRES_COMMAND_OK && ok)
                        ok = pg_error_of_result(pg, r, err);
                PQclear(r);
                if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT)
                        break;
        }
        if (ok && PQstatus(pg->conn) == CONNECTION_BAD)
                ok = pg_error_of_link(pg, "the connection was lost during COPY", err);
        return ok;
}

bool pg_copy_read(Pg *pg, char **ret, size_t *ret_len, Err *err)
{
        char *bytes = NULL;
        *ret = NULL;
        *ret_len = 0;
        int n = PQgetCopyData(pg->conn, &bytes, 0);
        if (n >= 0) {
                *ret = bytes;
                *ret_len = (size_t)n;
                return true;
        }
        if (n == -1)
                return finish(pg, NULL, err);
        return pg_error_of_link(pg, "reading COPY data", err);
}

void pg_copy_free(char *bytes)
{
        PQfreemem(bytes);
}

bool pg_copy_in_begin(Pg *pg, const Sql *copy, Err *err)
{
        buf_done(&pg->copy);
        pg->copy = buf_init(COPY_MESSAGE);
        return begin(pg, copy, PGRES_COPY_IN, err);
}

static bool put(Pg *pg, const char *bytes, size_t n, Err *err)
{
        while (n) {
                int part = (int)MIN(n, (size_t)1 << 30);
                if (PQputCopyData(pg->conn, bytes, part) != 1)
                        return pg_error_of_link(pg, "sending COPY data", err);
                bytes += part;
                n -= (size_t)part;
        }
        return true;
}

static bool flush(Pg *pg, Err *err)
{
        bool ok = put(pg, buf_str(&pg->copy), pg->copy.len, err);
        buf_reset(&pg->copy);
        return ok;
}

bool pg_copy_write(Pg *pg, const char *bytes, size_t n, Err *err)
{
        if (pg->copy.len + n > COPY_MESSAGE && !flush(pg, err))
                return false;
        if (n >= COPY_MESSAGE)
                return put(pg, bytes, n, err);
        buf_add(&pg->copy, bytes, n);
        return true;
}

bool pg_copy_in_end(Pg *pg, const char *abort_reason, int64_t *ret_rows, Err *err)
{
        if (ret_rows)
                *ret_rows = 0;
        bool sent = abort_reason || flush(pg, err);
        buf_done(&pg->copy);
        pg->copy = buf_init(COPY_MESSAGE);
        if (!sent)
                return false;
        if (PQputCopyEnd(pg->conn, abort_reason) != 1)
                return pg_error_of_link(pg, "ending COPY", err);
        if (!abort_reason)
                return finish(pg, ret_rows, err);
        /* We asked for the failure: what the server says about it is no news. */
        AUTO_ERR expected = { 0 };
        (void)!finish(pg, NULL, &expected);
        if (expected.kind == ERR_LINK)
                err_move(err, &expected);
        return err->kind == ERR_NONE;
}
