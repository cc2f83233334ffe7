/* copy.c: COPY, in and out, as bytes. */
#include "pg/connection/conn_internal.h"

#include <errno.h>
#include <poll.h>

#include "base/copyrow.h"

#define COPY_MESSAGE PG_COPY_BATCH /* measured: bigger gives nothing, smaller costs CPU */

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

/* ---- rows by the batch ---- */

#define KEEP_ROWS (1024 * 1024) /* a buffer that one huge row blew up is not kept */

void pg_rows_done(PgRows *r)
{
        free(r->bytes);
        free(r->ends);
        *r = (PgRows){ 0 };
}

static void rows_begin(PgRows *r)
{
        if (r->capacity > KEEP_ROWS || !r->bytes) {
                free(r->bytes);
                r->capacity = 2 * COPY_MESSAGE;
                r->bytes = xmalloc(r->capacity);
        }
        r->n = r->rows = 0;
}

/* Bytes up to here are whole rows. */
static void row_ends(PgRows *r)
{
        if (r->rows == r->ends_capacity) {
                r->ends_capacity = MAX(2 * r->ends_capacity, 1024);
                r->ends = xrealloc(r->ends, r->ends_capacity * sizeof *r->ends);
        }
        r->ends[r->rows++] = (uint32_t)r->n;
}

/* The next message, or a piece of it, behind the bytes that are there: libpq's one way to get
 * at COPY data without an allocation for each row. Waits until there is something. */
static bool piece(Pg *pg, PgRows *r, int *ret, Err *err)
{
        for (;;) {
                *ret = PQgetlineAsync(pg->conn, r->bytes + r->n,
                                      (int)MIN(r->capacity - r->n, INT32_MAX));
                if (*ret != 0)
                        return true;
                /* What TLS has decrypted already would not wake a poll(). */
                struct pollfd fd = { .fd = PQsocket(pg->conn), .events = POLLIN };
                if (!PQsslInUse(pg->conn) && poll(&fd, 1, -1) < 0 && errno != EINTR)
                        return err_set_errno(err, errno, "waiting for COPY data");
                if (!PQconsumeInput(pg->conn))
                        return pg_error_of_link(pg, "reading COPY data", err);
                if (!PQsslInUse(pg->conn))
                        continue;
                *ret = PQgetlineAsync(pg->conn, r->bytes + r->n,
                                      (int)MIN(r->capacity - r->n, INT32_MAX));
                if (*ret != 0)
                        return true;
                if (poll(&fd, 1, -1) < 0 && errno != EINTR)
                        return err_set_errno(err, errno, "waiting for COPY data");
        }
}

/* Is the row that begins at `start` whole? */
static bool row_is_whole(PgRows *r, RowCut *cut, size_t start, bool *ret, Err *err)
{
        int64_t header = r->binary && !r->begun ? copy_header(r->bytes + start, r->n - start) : 0;
        size_t len;
        RowState state = ROW_BAD;
        if (header >= 0)
                state = rowcut_next(cut, r->bytes + start + header, r->n - start - (size_t)header,
                                    &len);
        *ret = state != ROW_MORE;
        return state != ROW_BAD || err_set(err, ERR_SERVER, "the server's COPY data is not binary");
}

/* One CopyData message is one row, but a piece that fills the buffer may be half of one: then
 * the row itself must say where it ends. */
static bool message(Pg *pg, PgRows *r, bool *ret_end, Err *err)
{
        size_t start = r->n;
        RowCut cut = { .binary = r->binary };
        for (bool whole = false; !whole;) {
                int got;
                if (!piece(pg, r, &got, err))
                        return false;
                *ret_end = got < 0;
                if (got < 0)
                        return r->n == start ||
                               err_set(err, ERR_LINK, "COPY data ended inside of a row");
                r->n += (size_t)got;
                whole = r->n < r->capacity;
                if (whole)
                        return true;
                if (!row_is_whole(r, &cut, start, &whole, err))
                        return false;
                r->capacity *= 2;
                r->bytes = xrealloc(r->bytes, r->capacity);
        }
        return true;
}

/* The header comes with the first row, the trailer alone (or with the header: an empty table). */
static bool undress(PgRows *r, size_t start, Err *err)
{
        size_t n = r->n - start;
        if (!r->begun) {
                int64_t header = copy_header(r->bytes + start, n);
                if (header <= 0)
                        return err_set(err, ERR_SERVER, "the server's COPY data is not binary");
                n -= (size_t)header;
                memmove(r->bytes + start, r->bytes + start + header, n);
                r->begun = true;
        }
        if (n == COPY_TRAILER_LEN && memcmp(r->bytes + start, COPY_TRAILER, n) == 0)
                n = 0;
        r->n = start + n;
        return true;
}

bool pg_copy_read_rows(Pg *pg, PgRows *r, Err *err)
{
        rows_begin(r);
        while (r->n < COPY_MESSAGE) {
                size_t start = r->n;
                bool end;
                if (!message(pg, r, &end, err))
                        return false;
                if (end)
                        return finish(pg, NULL, err);
                if (r->binary && !undress(r, start, err))
                        return false;
                if (r->n > start)
                        row_ends(r);
        }
        return true;
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
        if (expected.kind != ERR_LINK)
                return true;
        err_move(err, &expected);
        return false;
}
