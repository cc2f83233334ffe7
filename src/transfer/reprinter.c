#include "transfer/reprinter.h"

#include "base/limits.h"
#include "transfer/internal.h"

#define PREFIX "pgsherpa_reprint_"

/* One side, and the scratch database that holds it now. */
typedef struct Loaded {
        char *name;                     /* NULL: not loaded yet                              */
        Pg   *pg;
} Loaded;

struct Reprinting {
        ReprintPlan p;
        Reprinter   reprinter;
        Transfer   *t;
        Pg         *keeper;             /* stays as long as our databases may be there        */
        char       *marker;             /* their comment: which connection that is            */
        PgClient    client;
        json_t     *props;              /* of the target's database                          */
        json_t     *failed;             /* what the target did not take, in its words         */
        Loaded     side[2];
        int         made;
};

/* ---- the target's server ---- */

#define MARKER "'pgsherpa reprints here: backend ' || s.pid || ' since ' || s.backend_start"

/* Those of processes that died: the connection in the name is gone, or is another one by now. */
static bool sweep(Reprinting *r, Err *err)
{
        AUTO_PGRES PgRes *found = NULL;
        if (!pg_ask(r->keeper, "select d.datname, d.words from (select datname, shobj_description(oid, "
                    "'pg_database') as words from pg_database where datname ~ '^" PREFIX "[0-9]+_[0-9]+$') d "
                    "where (d.words is null or starts_with(d.words, 'pgsherpa reprints here: ')) and not "
                    "exists (select from pg_stat_activity s where s.pid::text = split_part(d.datname, '_', 3) "
                    "and (d.words is null or s.backend_start is null or d.words = " MARKER "))", &found, err))
                return false;
        for (int i = 0; i < pg_rows(found); i++) {
                AUTO_ERR ignored = { 0 };       /* somebody else sweeps it, or may and we may not */
                (void)!transfer_drop(r->p.target, pg_cell(found, i, 0), 0, pg_cell(found, i, 1), NULL, &ignored);
        }
        return true;
}

/* The target's own encoding and locale: its text is what both sides are held against. */
static bool read_props(Reprinting *r, Err *err)
{
        AUTO_FREE char *user = NULL;
        AUTO_SQL q = { 0 };
        sql_add(&q, "select current_user");
        if (!props_read(r->keeper, &r->props, err) || !pg_query_value(r->keeper, &q, &user, err))
                return false;
        jx_set_str(r->props, "owner", user);
        return true;
}

static bool find_client(Reprinting *r, Err *err)
{
        int target = pg_major(r->keeper), source = target;
        Pg *pg = NULL;
        if (r->p.source) {
                if (!transfer_connect(r->t, r->p.source, NULL, &pg, err))
                        return false;
                source = pg_major(pg);
                transfer_disconnect(r->t, &pg);
        }
        return pg_clients_find(MAX(source, target), source > target ? r->p.source_image : r->p.target_image,
                               &r->client, err);
}

static bool begin(Reprinting *r, Err *err)
{
        AUTO_SQL q = { 0 };
        if (r->props)
                return true;
        sql_add(&q, "select " MARKER " from pg_stat_activity s where s.pid = pg_backend_pid()");
        return transfer_connect(r->t, r->p.target, NULL, &r->keeper, err) && sweep(r, err) &&
               find_client(r, err) && pg_query_value(r->keeper, &q, &r->marker, err) && read_props(r, err);
}

/* ---- one loading ---- */

static bool is_ascii(const Reprinting *r)
{
        return str_eq(jx_str(r->props, "encoding", ""), "SQL_ASCII");
}

/* First as it is, then out of what the last loading made. */
static bool dump(Reprinting *r, int side, const char *snapshot, Buf *out, Err *err)
{
        const Loaded *s = &r->side[side];
        PgParams p = side == REPRINT_SOURCE && !s->name && r->p.source ? *r->p.source : *r->p.target;
        if (side == REPRINT_SOURCE && !s->name && !r->p.source)
                return buf_add(out, r->p.schema->data, r->p.schema->len) ||
                       err_set(err, ERR_USER, "the schema is larger than %d bytes", LIMIT_SQL);
        p.statement_timeout_ms = 0;
        DumpRun d = { .client = &r->client, .server = &p, .cancel = transfer_cancel_flag(r->t) };
        return dump_schema(&d, s->name ? s->name : p.database, snapshot, is_ascii(r) ? "SQL_ASCII" : "UTF8",
                           out, err);
}

static bool load(Reprinting *r, const Buf *archive, const char *name, Err *err)
{
        Arena *a = arena_new();
        Toc toc;
        size_t n;
        Pg *pg = NULL;
        Entries entries;
        bool ok = toc_read(archive->data, archive->len, a, &toc, err) &&
                  target_open(r->t, r->p.target, name, is_ascii(r), &pg, err);
        if (ok) {
                const TocEntry **list = entries_of_schema(a, &toc, ENTRIES_TEXTS, &n);
                entries_begin(&entries, r->t, pg);
                r->t->rehearsal = r->failed;
                ok = entries_run(&entries, list, n, NULL, NULL, err);
                r->t->rehearsal = NULL;
                entries_done(&entries);
        }
        transfer_disconnect(r->t, &pg);
        arena_free(a);
        return ok;
}

static void drop(Reprinting *r, Loaded *s)
{
        AUTO_ERR ignored = { 0 };       /* the next one sweeps */
        transfer_disconnect(r->t, &s->pg);
        if (s->name)
                (void)!transfer_drop(r->p.target, s->name, 0, r->marker, NULL, &ignored);
        free(s->name);
        s->name = NULL;
}

static bool reopen(void *arg, int side, const char *snapshot, Pg **ret, Err *err)
{
        Reprinting *r = arg;
        AUTO_BUF archive = buf_init(LIMIT_SQL);
        Loaded made = { 0 };
        if (!begin(r, err) || !dump(r, side, snapshot, &archive, err))
                return err_wrap(err, "reprinting the schema");
        made.name = xasprintf(PREFIX "%d_%d", pg_backend_pid(r->keeper), ++r->made);
        if (!target_create(r->t, r->p.target, r->props, made.name, r->marker, NULL, err) ||
            !load(r, &archive, made.name, err) ||
            !transfer_connect(r->t, r->p.target, made.name, &made.pg, err)) {
                drop(r, &made);
                return err_wrap(err, "reprinting the schema");
        }
        drop(r, &r->side[side]);
        r->side[side] = made;
        *ret = made.pg;
        return true;
}

/* ---- all of it ---- */

Reprinting *reprinting_new(const ReprintPlan *p)
{
        Reprinting *r = xcalloc(1, sizeof *r);
        r->p = *p;
        r->t = transfer_new(&(TransferHooks){ .cancel = p->cancel });
        r->reprinter = (Reprinter){ .open = reopen, .arg = r };
        r->failed = json_array();
        return r;
}

const Reprinter *reprinting_of(Reprinting *r)
{
        return &r->reprinter;
}

Reprinting *reprinting_free(Reprinting *r)
{
        if (!r)
                return NULL;
        for (int side = 0; side < 2; side++)
                drop(r, &r->side[side]);
        transfer_disconnect(r->t, &r->keeper);
        transfer_free(r->t);
        pg_client_done(&r->client);
        json_decref(r->props);
        json_decref(r->failed);
        free(r->marker);
        free(r);
        return NULL;
}
