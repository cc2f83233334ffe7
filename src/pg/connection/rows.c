/* rows.c: what a query answered, cell by cell (conn.h). */
#include "pg/connection/conn_internal.h"

int pg_rows(const PgRes *r)
{
        return PQntuples(r->r);
}

int pg_columns(const PgRes *r)
{
        return PQnfields(r->r);
}

const char *pg_column_name(const PgRes *r, int column)
{
        return PQfname(r->r, column);
}

int64_t pg_affected(const PgRes *r)
{
        return atoll(PQcmdTuples(r->r));
}

const char *pg_cell(const PgRes *r, int row, int column)
{
        return PQgetisnull(r->r, row, column) ? NULL : PQgetvalue(r->r, row, column);
}

int64_t pg_cell_int(const PgRes *r, int row, int column)
{
        const char *s = pg_cell(r, row, column);
        return s ? strtoll(s, NULL, 10) : 0;
}

bool pg_cell_bool(const PgRes *r, int row, int column)
{
        const char *s = pg_cell(r, row, column);
        return s && (*s == 't' || *s == '1');
}

PgRes *pg_res_free(PgRes *r)
{
        if (!r)
                return NULL;
        PQclear(r->r);
        free(r);
        return NULL;
}
