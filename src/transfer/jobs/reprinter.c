#include "transfer/reprinter.h"

#include "base/limits.h"
#include "transfer/make/entries.h"
#include "transfer/make/target_database.h"
#include "transfer/read/dump.h"
#include "transfer/read/opclasses.h"
#include "transfer/read/props.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

#define PREFIX "pgsherpa_reprint_"

/* One side, and the scratch database that holds it now. */
typedef struct Loaded {
        char *name; /* NULL: not loaded yet */
        Pg *pg;
} Loaded;

struct Reprinting {
        ReprintPlan p;
        Reprinter reprinter;
        Transfer *t;
        Pg *keeper;   /* stays as long as our databases may be there */
        char *marker; /* their comment: which connection that is */
        PgClient client;
        json_t *props;  /* of the target's database */
        json_t *failed; /* what the target did not take, in its words */
        Loaded side[2];
        int made;
};

static bool is_ascii(const json_t *props)
{
        return str_eq(jx_str(props, "encoding", ""), "SQL_ASCII");
}

/* ---- the target's server ---- */

#define MARKER "'pgsherpa reprints here: backend ' || s.pid || ' since ' || s.backend_start"

/* Those of processes that died: the connection in the name is gone, or is another one by now. */
static bool sweep(Reprinting *r, Err *err)
{
        AUTO_PGRES PgRes *found = NULL;
        if (!pg_ask(r->keeper,
                    "select d.datname, d.words from (select datname, shobj_description(oid, "
                    "'pg_database') as words from pg_database where datname ~ '^" PREFIX
                    "[0-9]+_[0-9]+$') d "
                    "where (d.words is null or starts_with(d.words, 'pgsherpa reprints here: ')) "
                    "and not "
                    "exists (select from pg_stat_activity s where s.pid::text = "
                    "split_part(d.datname, '_', 3) "
                    "and (d.words is null or s.backend_start is null or d.words = " MARKER "))",
                    &found, err))
                return false;
        for (int i = 0; i < pg_rows(found); i++) {
                AUTO_ERR ignored = { 0 }; /* somebody else sweeps it, or may and we may not */
                (void)!transfer_drop(r->p.target, pg_cell(found, i, 0), 0, pg_cell(found, i, 1),
                                     NULL, &ignored);
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
        return pg_clients_from(MAX(source, target),
                               source > target ? r->p.source_image : r->p.target_image, &r->client,
                               err);
}

static bool reprinter_begin(Reprinting *r, Err *err)
{
        AUTO_SQL q = { 0 };
        if (r->props)
                return true;
        sql_add(&q, "select " MARKER " from pg_stat_activity s where s.pid = pg_backend_pid()");
        return transfer_connect(r->t, r->p.target, NULL, &r->keeper, err) && sweep(r, err) &&
               find_client(r, err) && pg_query_value(r->keeper, &q, &r->marker, err) &&
               read_props(r, err);
}

/* ---- what is loaded ---- */

typedef struct Schema {
        const TocEntry **list;
        size_t n;
} Schema;

/* Of the same moment as the dump. */
static bool classes_of(Transfer *t, const PgParams *server, const char *database,
                       const char *snapshot, json_t **ret, Err *err)
{
        Pg *pg = NULL;
        bool ok = transfer_connect(t, server, database, &pg, err) &&
                  pg_begin_reading(pg, snapshot, err) && opclasses_read(pg, ret, err);
        transfer_disconnect(t, &pg);
        return ok;
}

typedef struct DumpedDatabase {
        const char *name, *snapshot; /* snapshot NULL: as it is now */
        bool ascii;                  /* its encoding is SQL_ASCII */
} DumpedDatabase;

static bool reprinter_dump(Transfer *t, const DumpRun *d, const DumpedDatabase *of, Arena *a,
                           Schema *ret, Err *err)
{
        AUTO_BUF archive = buf_init(LIMIT_SQL);
        AUTO_JSON classes = NULL;
        Toc toc;
        if (!classes_of(t, d->server, of->name, of->snapshot, &classes, err) ||
            !dump_schema(d, of->name, of->snapshot, of->ascii ? "SQL_ASCII" : "UTF8", &archive,
                         err) ||
            !toc_read(archive.data, archive.len, a, &toc, err))
                return false;
        opclasses_say(&toc, classes, a);
        ret->list = entries_of_schema(a, &toc, ENTRIES_TEXTS, &ret->n);
        return true;
}

static void from_json(const json_t *schema, Arena *a, Schema *ret)
{
        size_t i, n = json_array_size(schema);
        json_t *j;
        TocEntry *all = arena_new_array(a, TocEntry, n + 1);
        ret->list = arena_new_array(a, const TocEntry *, n + 1);
        json_array_foreach(schema, i, j) {
                all[i] = (TocEntry){ .section = TOC_PRE_DATA,
                                     .class = jx_str(j, "class", ""),
                                     .schema = jx_str(j, "schema", NULL),
                                     .name = jx_str(j, "name", ""),
                                     .sql = jx_str(j, "sql", ""),
                                     .drop = "" };
                ret->list[ret->n++] = &all[i];
        }
}

/* First as it is, then out of what the last loading made. */
static bool read_side(Reprinting *r, int side, const char *snapshot, Arena *a, Schema *ret,
                      Err *err)
{
        const Loaded *s = &r->side[side];
        bool first = side == REPRINT_SOURCE && !s->name;
        if (first && !r->p.source) {
                from_json(r->p.schema, a, ret);
                return true;
        }
        PgParams p = first ? *r->p.source : *r->p.target;
        p.statement_timeout_ms = 0;
        DumpRun d = { .client = &r->client, .server = &p, .cancel = transfer_cancel_flag(r->t) };
        DumpedDatabase of = { s->name ? s->name : p.database, snapshot, is_ascii(r->props) };
        return reprinter_dump(r->t, &d, &of, a, ret, err);
}

static bool reprinter_load(Reprinting *r, const Schema *schema, const char *name, Err *err)
{
        Pg *pg = NULL;
        Entries entries;
        if (!target_open(r->t, r->p.target, name, is_ascii(r->props), &pg, err))
                return false;
        entries_begin(&entries, r->t, pg);
        r->t->rehearsal = r->failed;
        bool ok = entries_run(&entries, schema->list, schema->n, NULL, NULL, err);
        r->t->rehearsal = NULL;
        entries_done(&entries);
        transfer_disconnect(r->t, &pg);
        return ok;
}

static void drop(Reprinting *r, Loaded *s)
{
        AUTO_ERR ignored = { 0 }; /* the next one sweeps */
        transfer_disconnect(r->t, &s->pg);
        if (s->name)
                (void)!transfer_drop(r->p.target, s->name, 0, r->marker, NULL, &ignored);
        free(s->name);
        s->name = NULL;
}

static bool reprinter_make(Reprinting *r, const Schema *schema, Loaded *made, Err *err)
{
        made->name = xasprintf(PREFIX "%d_%d", pg_backend_pid(r->keeper), ++r->made);
        if (target_create(r->t, r->p.target, r->props, made->name, r->marker, NULL, err) &&
            reprinter_load(r, schema, made->name, err) &&
            transfer_connect(r->t, r->p.target, made->name, &made->pg, err))
                return true;
        drop(r, made);
        return false;
}

/* Half of most schemas are indexes and foreign keys, on which nothing else hangs. */
static bool may_go(const TocEntry *e, const json_t *kinds)
{
        static const struct {
                const char *class, *kind;
        } last[] = {
                { "INDEX", "index" },
                { "INDEX ATTACH", "index" },
                { "TRIGGER", "trigger" },
                { "POLICY", "policy" },
                { "ROW SECURITY", "policy" },
                { "STATISTICS", "statistics" },
                { "PUBLICATION", "publication" },
                { "PUBLICATION TABLE", "publication" },
                { "PUBLICATION TABLES IN SCHEMA", "publication" },
                { "FK CONSTRAINT", "constraint" },
        };
        for (size_t i = 0; i < LEN(last); i++)
                if (str_eq(e->class, last[i].class))
                        return !jx_get(kinds, last[i].kind);
        return false;
}

static void leave_out(Schema *schema, const json_t *kinds)
{
        size_t n = 0;
        for (size_t i = 0; i < schema->n; i++)
                if (!may_go(schema->list[i], kinds))
                        schema->list[n++] = schema->list[i];
        schema->n = n;
}

static bool reopen(void *arg, int side, const char *snapshot, const json_t *kinds, Pg **ret,
                   Err *err)
{
        Reprinting *r = arg;
        Arena *a = arena_new();
        Schema schema = { 0 };
        Loaded made = { 0 };
        bool ok = reprinter_begin(r, err) && read_side(r, side, snapshot, a, &schema, err);
        leave_out(&schema, kinds);
        ok = ok && reprinter_make(r, &schema, &made, err);
        arena_free(a);
        if (!ok)
                return err_wrap(err, "reprinting the schema");
        drop(r, &r->side[side]);
        r->side[side] = made;
        *ret = made.pg;
        return true;
}

/* ---- a schema that is kept ---- */

/* Options of servers hold passwords now and then. */
static bool may_be_secret(const TocEntry *e)
{
        static const char *const words[] = { "pass", "secret", "token", "key", "cred" };
        if (!str_eq(e->class, "SERVER") && !str_eq(e->class, "FOREIGN DATA WRAPPER"))
                return false;
        for (size_t i = 0; i < LEN(words); i++)
                if (strcasestr(e->sql, words[i]))
                        return true;
        return false;
}

static json_t *to_json(const Schema *schema)
{
        json_t *list = json_array();
        for (size_t i = 0; i < schema->n; i++) {
                const TocEntry *e = schema->list[i];
                json_t *j = json_object();
                if (may_be_secret(e)) {
                        json_decref(j);
                        continue;
                }
                jx_set_str(j, "class", e->class);
                jx_set_str(j, "schema", e->schema);
                jx_set_str(j, "name", e->name);
                jx_set_str(j, "sql", e->sql);
                json_array_append_new(list, j);
        }
        return list;
}

static bool reprinter_keep(Transfer *t, const PgParams *server, const char *image, PgClient *client,
                           json_t **ret, Err *err)
{
        Pg *pg = NULL;
        AUTO_JSON props = NULL;
        PgParams p = *server;
        p.statement_timeout_ms = 0;
        if (!transfer_connect(t, &p, NULL, &pg, err))
                return false;
        int major = pg_major(pg);
        bool ok = props_read(pg, &props, err);
        transfer_disconnect(t, &pg);
        if (!ok || !pg_clients_from(major, image, client, err))
                return false;
        DumpRun d = { .client = client, .server = &p, .cancel = transfer_cancel_flag(t) };
        Arena *a = arena_new();
        Schema schema = { 0 };
        ok = reprinter_dump(t, &d, &(DumpedDatabase){ p.database, NULL, is_ascii(props) }, a,
                            &schema, err);
        if (ok)
                *ret = to_json(&schema);
        arena_free(a);
        return ok;
}

bool reprinting_schema(const PgParams *server, const char *image, const volatile bool *cancel,
                       json_t **ret, Err *err)
{
        PgClient client = { 0 };
        AUTO_TRANSFER t = transfer_new(&(TransferHooks){ .cancel = cancel });
        bool ok = reprinter_keep(t, server, image, &client, ret, err);
        pg_client_done(&client);
        return ok || err_wrap(err, "keeping the schema");
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
