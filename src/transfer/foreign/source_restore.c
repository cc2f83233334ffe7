/* source_restore.c: the second reading: every statement, every row, into one new database. */
#include <stdio.h>

#include "base/limits.h"
#include "base/majors.h"
#include "base/text.h"
#include "dumps/sqltext.h"
#include "transfer/foreign/foreign.h"
#include "transfer/foreign/source_later.h"
#include "transfer/foreign/source_opclass.h"
#include "transfer/foreign/source_stream.h"
#include "transfer/foreign/source_words.h"
#include "transfer/make/extension_tables.h"
#include "transfer/make/index_progress.h"
#include "transfer/make/later.h"
#include "transfer/make/prepared.h"
#include "transfer/make/target.h"
#include "transfer/read/props.h"
#include "transfer/source_file.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/quoted_sql.h"
#include "transfer/state/state.h"
#include "transfer/transfer.h"

#define LATER_MAX (4 << 20) /* statements about the database itself */

typedef struct Load {
        SourceFile *f;
        Transfer *t;
        const TransferRestore *c;
        SourceStream *s;
        SqlRead *r;
        Pg *to;
        IndexProgress *watch;
        bool restricted, wanted; /* wanted: in the section that was chosen */
        const PgExtension *home; /* of an extension that waits for the database's name; or NULL */
        bool made;               /* something was: what comes before only removes */
        json_t *later;           /* [{"sql", "object"}]: about the database itself */
        size_t later_size;
        int64_t statements, copies, rows, bytes, skipped, removed;
        const char *object; /* of the rows that are being sent */
        int64_t block;      /* bytes of these rows */
} Load;

static void load_close(Load *l)
{
        l->watch = index_progress_stop(l->watch);
        transfer_disconnect(l->t, &l->to);
        l->r = sqlread_free(l->r);
        l->s = source_stream_free(l->s);
        json_decref(l->later);
}

static void show(Load *l, const char *object)
{
        progress_set(l->t, source_stream_position(l->s), (int)l->statements,
                     &(ProgressRow){ .name = object, .done = l->block });
}

/* ---- rows ---- */

static bool some_rows(void *arg, const void *bytes, size_t n, Err *err)
{
        Load *l = arg;
        l->bytes += (int64_t)n;
        l->block += (int64_t)n;
        show(l, l->object);
        return !transfer_stopped(l->t, err) && pg_copy_write(l->to, bytes, n, err);
}

/* The server says "COPY orders, line 7"; the file's line is what an editor finds. */
static int64_t line_in_copy(const Err *err)
{
        const char *p = err->message ? strstr(err->message, "; COPY ") : NULL;
        p = p ? strstr(p, ", line ") : NULL;
        return p ? atoll(p + strlen(", line ")) : 0;
}

static bool copy_rows(Load *l, const char *object, const char *table, int64_t first,
                      int64_t *ret_line, Err *err)
{
        int64_t sent = 0, taken = 0;
        bool merged = false;
        AUTO_ERR ours = { 0 };
        l->object = object;
        l->block = 0;
        bool ok = sqlread_rows(l->r, some_rows, l, &sent, &ours);
        bool ended =
                pg_copy_in_end(l->to, ok ? NULL : "the file could not be read on", &taken, err);
        if (!ok) {
                err_clear(err);
                err_move(err, &ours);
                return false;
        }
        if (!ended) {
                int64_t n = line_in_copy(err);
                *ret_line = n ? first + n - 1 : first;
                return false;
        }
        l->rows += sent;
        l->copies++;
        if (sent != taken && !extension_tables_merged(l->to, table, sent, &merged, err))
                return false;
        if (sent != taken && !merged)
                return err_set(err, ERR_USER, "%lld rows were sent and %lld arrived",
                               (long long)sent, (long long)taken);
        return true;
}

/* ---- one statement ---- */

static bool is_data(SqlReach r)
{
        return r == SQL_COPY_IN || r == SQL_INSERT || r == SQL_LARGE_OBJECT || r == SQL_SEQUENCE;
}

/* "GRANT SELECT ON ..", "OWNER of TABLE public.orders", or what pg_dump's comment says. */
static char *object_words(const SqlReadItem *i, const SqlMeaning *m)
{
        if (m->reach == SQL_COPY_IN || m->reach == SQL_INSERT) {
                AUTO_FREE char *table = text_clean_str(m->name);
                return xasprintf("rows of %s", table);
        }
        size_t n = MIN(strcspn(i->text, "\n;"), 160);
        if (m->reach == SQL_GRANT || m->reach == SQL_SESSION || !i->object)
                return text_clean(i->text, n);
        return m->reach == SQL_OWNER ? xasprintf("OWNER of %s", i->object) : xstrdup(i->object);
}

/* SET of something this server is too old for, or a tablespace it does not have: said, not
 * fatal. */
static bool session_may_differ(Load *l, const SqlReadItem *i, Err *err)
{
        AUTO_FREE char *words = text_clean(i->text, MIN(i->len, 100));
        bool tablespace = strcasestr(words, "default_tablespace") != NULL;
        if (!str_eq(err->sqlstate, "42704") && !(tablespace && str_eq(err->sqlstate, "22023")))
                return false;
        transfer_say(l->t, "not set: %s (%s)", words, err->message);
        err_clear(err);
        return !tablespace || pg_do(l->to, "set default_tablespace = ''", err);
}

/* pg_dump -c begins by dropping what it is going to make; here nothing is there yet. */
static bool nothing_to_remove(Load *l, const SqlMeaning *m, const Err *err)
{
        static const char *const gone[] = { "42P01", "42704", "42883", "3F000", "42703" };
        if (m->reach != SQL_REMOVES || l->made || pg_in_transaction(l->to))
                return false;
        for (size_t k = 0; k < LEN(gone); k++)
                if (str_eq(err->sqlstate, gone[k]))
                        return true;
        return false;
}

static void hint_for(const SqlMeaning *m, Err *err)
{
        if (str_eq(err->sqlstate, "42704") && strstr(err->message, "role "))
                err_hint(err, "make the role on the target first, and try again");
        else if (m->reach == SQL_ORDINARY && str_eq(err->sqlstate, "0A000") &&
                 strstr(err->message, "extension"))
                err_hint(err, "install the extension's package on the target's server first");
}

static int64_t lines_of(const char *text)
{
        int64_t n = 0;
        for (const char *p = text; (p = strchr(p, '\n')); p++)
                n++;
        return n;
}

static bool execute(Load *l, const SqlReadItem *i, const SqlMeaning *m, const char *sql, Err *err)
{
        AUTO_FREE char *object = object_words(i, m);
        int64_t rows = 0, line = i->line, first = i->line + lines_of(sql) + 1;
        bool copying = false;
        progress_begin(l->t, 0, object, &(Slot){ 0 });
        /* With row_security off a refresh fails where its owner may not read all (target.c). */
        bool refresh = m->reach == SQL_REFRESH;
        bool ok = (!refresh || pg_do(l->to, "set row_security = on", err)) &&
                  pg_dumped_one(l->to, sql, &copying, &rows, err) &&
                  (!refresh || pg_do(l->to, "set row_security = off", err));
        if (ok && copying) {
                ok = copy_rows(l, object, m->name, first, &line, err);
        } else if (m->reach == SQL_INSERT) {
                l->rows += rows;
                l->bytes += (int64_t)i->len;
        }
        l->statements++;
        if (m->reach != SQL_SESSION && m->reach != SQL_REMOVES)
                l->made = true;
        AUTO_FREE char *extension = ok ? source_extension_made(sql) : NULL;
        if (extension && !later_made(l->t, l->to, extension, err))
                return false;
        if (ok)
                return true;
        if (l->home && !copying && source_later_is_missed(err) && !pg_in_transaction(l->to)) {
                err_clear(err);
                return pg_later_statement(l->to, false, "", object, sql, err);
        }
        if (m->reach == SQL_SESSION && session_may_differ(l, i, err))
                return true;
        if (nothing_to_remove(l, m, err)) {
                err_clear(err);
                l->removed++;
                return true;
        }
        if (err->kind == ERR_SERVER && !is_data(m->reach) && !pg_in_transaction(l->to)) {
                if (source_in_older_words(l->t, l->to, object, sql, err) ||
                    transfer_tolerates(l->t, object, err))
                        return true;
        } else if (err->kind != ERR_CANCELLED) {
                err_wrap(err, "%s", object);
        }
        hint_for(m, err);
        /* The lines of what pg_restore writes are nobody's. */
        if (err->kind == ERR_CANCELLED || l->f->kind != SOURCE_SQL)
                return false;
        return err_wrap(err, "line %lld", (long long)line);
}

/* What is said about the database by its name is said about ours, when it is whole: until then
 * its comment is the mark by which an unfinished one is found. */
static bool keep_for_later(Load *l, const SqlReadItem *i, const SqlMeaning *m, Err *err)
{
        if (!str_eq(m->name, l->f->chosen->name) || !*m->name)
                return true;
        AUTO_SQL name = { 0 };
        sql_ident(&name, l->c->into);
        AUTO_FREE char *quoted = plain_sql(&name);
        AUTO_FREE char *sql =
                xasprintf("%.*s%s%s", (int)(m->at - i->text), i->text, quoted, m->at + m->n);
        AUTO_FREE char *object = text_clean(i->text, MIN(strcspn(i->text, "\n;"), 160));
        l->later_size += strlen(sql);
        if (l->later_size > LATER_MAX || !text_is_utf8(sql, strlen(sql)))
                return err_set(err, ERR_USER,
                               "line %lld: this statement about the database cannot be kept",
                               (long long)i->line);
        json_t *j = json_object();
        jx_set_str(j, "sql", sql);
        jx_set_str(j, "object", object);
        jx_set_str(j, "rest", m->at + m->n);
        json_array_append_new(l->later, j);
        return true;
}

/* From some major on a string cannot have backslashes that are more than characters. */
#define BACKSLASHES "standard_conforming_strings"
static bool backslashes_gone(const Load *l)
{
        return setting_fate(BACKSLASHES, "off", pg_major(l->to)).verdict == SETTING_LEFT_OUT;
}

static bool statement(Load *l, const SqlReadItem *i, Err *err)
{
        AUTO_SQLMEANING m = { 0 };
        AUTO_BUF stripped = buf_init(i->len + LIMIT_SQL);
        const char *sql = i->text;
        int64_t ignored = 0;
        sqlmeaning_of(i, &m);
        if (m.reach == SQL_OF_DATABASE)
                return keep_for_later(l, i, &m, err);
        if (m.reach == SQL_OF_CLUSTER) {
                l->skipped++;
                return true;
        }
        if (!l->wanted && m.reach == SQL_COPY_IN)
                return sqlread_rows(l->r, NULL, NULL, &ignored, err);
        if (!l->wanted || m.reach == SQL_CREATE_DATABASE || m.reach == SQL_DROP_DATABASE)
                return true;
        AUTO_FREE char *schema = strstr(i->text, PG_LATER) ? sqltext_schema_made(i->text) : NULL;
        if (!later_is_ours(schema, err))
                return err_wrap(err, "line %lld", (long long)i->line);
        if (m.reach == SQL_FORBIDDEN)
                return err_set(err, ERR_USER, "line %lld: %s", (long long)i->line, m.why);
        if (m.reach == SQL_STATISTICS && pg_major(l->to) < m.since)
                return true; /* ANALYZE makes them */
        if (m.reach == SQL_SESSION && backslashes_gone(l) && sqltext_sets(i->text, BACKSLASHES))
                return true; /* what they mean is said in each string */
        /* Only these two kinds have something to strip, and both are short. */
        if ((m.reach == SQL_SESSION || str_starts(i->text, "ALTER ")) && !i->backslashes &&
            sqltext_strip(i->text, pg_major(l->to), &stripped)) {
                const char *rest = buf_str(&stripped);
                if (stripped.overflow)
                        return err_set(err, ERR_USER, "line %lld: this statement is too long",
                                       (long long)i->line);
                if (sqltext_next(rest, NULL) == 0)
                        return true;
                sql = rest;
        }
        AUTO_BUF escaped = buf_init(i->len * 2 + 64);
        if (i->backslashes && backslashes_gone(l) && sqltext_escape_strings(sql, &escaped))
                sql = buf_str(&escaped);
        show(l, i->object);
        AUTO_FREE char *named = NULL;
        AUTO_FREE char *extension = source_extension_made(sql);
        AUTO_FREE char *elsewhere = NULL;
        const PgExtension *home = NULL;
        if (m.reach == SQL_ORDINARY && !i->backslashes &&
            !source_opclasses(l->t, l->to, sqlread_server(l->r), sql, &named, err))
                return err_wrap(err, "line %lld", (long long)i->line);
        if (extension && !source_later_extension(l->t, l->to, extension, sql, &home, err))
                return err_wrap(err, "line %lld", (long long)i->line);
        if (home) {
                l->home = home;
                return true;
        }
        if (l->home && m.reach == SQL_COPY_IN &&
            !source_later_copy(l->to, l->home, sql, &elsewhere, err))
                return err_wrap(err, "line %lld", (long long)i->line);
        return execute(l, i, &m, elsewhere ? elsewhere : named ? named : sql, err);
}

static bool all_statements(Load *l, Err *err)
{
        for (;;) {
                SqlReadItem i;
                AUTO_FREE char *connect = NULL;
                if (transfer_stopped(l->t, err) || !sqlread_next(l->r, &i, err))
                        return false;
                if (i.kind == SQLREAD_END)
                        return true;
                if (i.kind == SQLREAD_COMMAND &&
                    !contents_command(&i, &l->restricted, &connect, err))
                        return false;
                if (connect)
                        l->wanted = str_eq(connect, l->f->chosen->name);
                if (i.kind == SQLREAD_STATEMENT && !statement(l, &i, err))
                        return false;
        }
}

/* ---- the database it goes into ---- */

/* What the file says of it, else what a database made on this server without a word would be.
 * Another encoding than the server's own goes only with the locale C. */
static bool properties(Load *l, json_t **ret, Err *err)
{
        const DumpSection *s = l->f->chosen;
        Pg *pg = NULL;
        AUTO_JSON own = NULL;
        if (!transfer_connect(l->t, l->c->target, NULL, &pg, err))
                return err_wrap(err, "connecting to the target");
        bool ok = props_read(pg, &own, err);
        AUTO_SQL who = { 0 };
        AUTO_FREE char *user = NULL;
        sql_add(&who, "select current_user");
        ok = ok && pg_query_value(pg, &who, &user, err);
        transfer_disconnect(l->t, &pg);
        if (!ok)
                return false;
        json_t *p = s->props ? json_deep_copy(s->props) : json_object();
        if (!jx_get(p, "encoding"))
                jx_set_str(p, "encoding",
                           s->encoding ? s->encoding : jx_str(own, "encoding", "UTF8"));
        if (!jx_get(p, "collate")) {
                bool same = str_eq(jx_str(p, "encoding", ""), jx_str(own, "encoding", ""));
                static const char *const words[] = { "collate", "ctype", "provider", "locale",
                                                     "icu_rules" };
                for (size_t i = 0; i < LEN(words) && same; i++)
                        jx_set(p, words[i], json_incref(jx_get(own, words[i])));
                transfer_say(
                        l->t,
                        "the file does not say its database's locale: this server's is taken (%s)",
                        jx_str(p, "collate", "C"));
        }
        jx_set_str(p, "owner", user); /* ALTER DATABASE .. OWNER TO comes at the end */
        *ret = p;
        return true;
}

/* Who owns the prepared one is not for the file to say. */
static bool is_for_another_owner(const Load *l, const json_t *j, json_t *said)
{
        static const char owner[] = " OWNER TO ";
        const char *rest = jx_str(j, "rest", "");
        if (!l->c->prepared || strncasecmp(rest, owner, strlen(owner)) != 0)
                return false;
        rest += strlen(owner);
        AUTO_FREE char *name = text_clean(rest, strcspn(rest, ";\n"));
        jx_set_str(said, "owner", name);
        return true;
}

/* One of the file's statements, or the two that say it here. */
static bool one_by_one(Load *l, Pg *pg, const char *sql, Err *err)
{
        AUTO_FREE char *other = transfer_setting_in_words(l->t, pg, sql);
        const char *p = other ? other : sql;
        bool ok = true, copying;
        int64_t rows;
        for (size_t n; ok && (n = sqltext_next(p, NULL)) > 0; p += n) {
                AUTO_FREE char *one = xstrndup(p, n);
                ok = pg_dumped_one(pg, one, &copying, &rows, err);
        }
        return ok;
}

static bool about_the_database(Load *l, Err *err)
{
        Pg *pg = NULL;
        AUTO_JSON said = l->f->chosen->props ? json_deep_copy(l->f->chosen->props) : json_object();
        if (!transfer_connect(l->t, l->c->target, NULL, &pg, err))
                return false;
        AUTO_SQL unmark = { 0 };
        sql_add(&unmark, "comment on database ");
        sql_ident(&unmark, l->c->into);
        sql_add(&unmark, " is null");
        bool ok = pg_exec(pg, &unmark, err);
        for (size_t n = 0; ok && n < json_array_size(l->later); n++) {
                const json_t *j = json_array_get(l->later, n);
                const char *object = jx_str(j, "object", "");
                if (is_for_another_owner(l, j, said))
                        continue;
                ok = one_by_one(l, pg, jx_str(j, "sql", ""), err) ||
                     transfer_tolerates(l->t, object, err);
                if (!ok)
                        hint_for(&(SqlMeaning){ 0 }, err);
        }
        transfer_disconnect(l->t, &pg);
        return ok && (!l->c->prepared || prepared_put_on(l->t, l->c->target, l->c->prepared,
                                                         l->c->into, said, l->t->kept, err));
}

/* ---- was it all? ---- */

static bool unchanged(const Load *l, Err *err)
{
        SourceStamp now;
        const SourceStamp *then = &l->f->stamp;
        if (!source_stamp(l->f->path, &now, err))
                return false;
        if (now.size != then->size || now.inode != then->inode || now.changed != then->changed)
                return err_set(err, ERR_USER, "the file was changed while it was restored");
        return true;
}

static bool complete(Load *l, Err *err)
{
        const DumpSection *s = l->f->chosen;
        if (pg_in_transaction(l->to))
                return err_set(err, ERR_USER, "a transaction was begun in it and never committed");
        if (l->f->kind == SOURCE_SQL && (l->copies != s->copies))
                return err_set(err, ERR_USER, "it held %lld blocks of rows, and %lld were loaded",
                               (long long)s->copies, (long long)l->copies);
        return unchanged(l, err);
}

/* pg_client_words() speaks of pg_dump, whoever runs. */
static char *client_words(const SourceFile *f)
{
        return xasprintf("pg_restore %s", f->client.version);
}

static bool count(Load *l, TransferResult *ret, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_do(l->to, "reset session authorization; reset role", err) ||
            !pg_ask(l->to,
                    "select (select count(*) from pg_catalog.pg_class c join "
                    "pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind in "
                    "('r', 'p') and c.relpersistence <> 't' and n.nspname !~ '^pg_' and "
                    "n.nspname <> 'information_schema' and not exists (select from "
                    "pg_catalog.pg_depend d where d.classid = "
                    "'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and "
                    "d.deptype = 'e')), (select count(*) from pg_catalog.pg_class where "
                    "relkind = 'S'), (select count(*) from "
                    "pg_catalog.pg_largeobject_metadata)",
                    &r, err))
                return false;
        *ret = (TransferResult){ .tables = pg_cell_int(r, 0, 0),
                                 .sequences = pg_cell_int(r, 0, 1),
                                 .large_objects = pg_cell_int(r, 0, 2),
                                 .rows = l->rows,
                                 .bytes = l->bytes,
                                 .objects = l->statements,
                                 .tolerated = json_incref(l->t->tolerated),
                                 .kept = l->c->prepared ? json_incref(l->t->kept) : NULL };
        ret->client = l->f->kind == SOURCE_SQL ? xstrdup("") : client_words(l->f);
        return true;
}

static void say_what_was_left(Load *l)
{
        if (sqlread_is_crlf(l->r))
                transfer_say(l->t, "the file's lines end with CR LF (a terminal or Windows wrote "
                                   "it): they were taken as pg_dump wrote them, with LF, in texts "
                                   "and functions too");
        if (l->skipped && !l->f->all) /* then they have been run */
                transfer_say(l->t,
                             "%lld statements about roles, tablespaces and the like were not "
                             "run: a restore makes one database "
                             "(roles in the file: %zu)",
                             (long long)l->skipped, json_array_size(l->f->contents.roles));
        if (l->removed)
                transfer_say(l->t,
                             "%lld objects were to be removed first (pg_dump -c); in a new "
                             "database there is none of them",
                             (long long)l->removed);
}

static bool load(Load *l, TransferResult *ret, Err *err)
{
        AUTO_JSON props = NULL;
        const TransferRestore *c = l->c;
        if (!properties(l, &props, err) ||
            !target_create(l->t, c->target, props, c->into, c->marker, c->created, err) ||
            !target_open(l->t, c->target, c->into, false, &l->to, err) ||
            /* as psql begins: the file sets what it wants */
            !pg_do(l->to, "reset search_path", err) || !source_stream_of(l->f, false, &l->s, err))
                return false;
        l->r = sqlread_new(source_stream_read, l->s);
        l->watch = index_progress_start(l->t, c->target);
        index_progress_follow(l->watch, 0, pg_backend_pid(l->to), 0.7);
        l->wanted = !*l->f->chosen->name;
        progress_stage(l->t, "restoring", "bytes",
                       l->f->kind == SOURCE_DIRECTORY ? 0 : l->f->stamp.size, 0);
        bool ok = all_statements(l, err);
        AUTO_ERR child = { 0 };
        if ((ok || err->kind == ERR_USER) && !source_stream_end(l->s, &child)) {
                err_clear(err);
                err_move(err, &child);
                ok = false;
        }
        l->watch = index_progress_stop(l->watch);
        progress_end(l->t, 0, 0);
        if (!ok || !complete(l, err) || !count(l, ret, err))
                return false;
        say_what_was_left(l);
        return about_the_database(l, err);
}

bool source_file_restore(Transfer *t, SourceFile *f, const TransferRestore *c, TransferResult *ret,
                         Err *err)
{
        f->t = t;
        Load CLEANUP(load_close) l = { .f = f, .t = t, .c = c, .later = json_array() };
        *ret = (TransferResult){ 0 };
        t->prepared = c->prepared;
        t->name = c->name;
        if (load(&l, ret, err))
                return true;
        return err->kind == ERR_CANCELLED ? false : err_wrap(err, "restoring from %s", f->words);
}
