/* source_statement.c: one statement of a file, with its rows, on the target. */
#include "transfer/foreign/source_restore.h"

#include "base/limits.h"
#include "base/majors.h"
#include "base/text.h"
#include "dumps/sqltext.h"
#include "transfer/foreign/source_later.h"
#include "transfer/foreign/source_opclass.h"
#include "transfer/foreign/source_stream.h"
#include "transfer/foreign/source_words.h"
#include "transfer/make/extension_tables.h"
#include "transfer/make/later.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/transfer_state.h"

static void restore_show(SourceRestore *l, const char *object)
{
        progress_set(l->t, source_stream_position(l->s), (int)l->statements,
                     &(ProgressRow){ .name = object, .done = l->block });
}

static bool some_rows(void *arg, const void *bytes, size_t n, Err *err)
{
        SourceRestore *l = arg;
        l->bytes += (int64_t)n;
        l->block += (int64_t)n;
        restore_show(l, l->object);
        return !transfer_stopped(l->t, err) && pg_copy_write(l->to, bytes, n, err);
}

/* The server says "COPY orders, line 7"; the file's line is what an editor finds. */
static int64_t line_in_copy(const Err *err)
{
        const char *p = err->message ? strstr(err->message, "; COPY ") : NULL;
        p = p ? strstr(p, ", line ") : NULL;
        return p ? atoll(p + strlen(", line ")) : 0;
}

static bool copy_rows(SourceRestore *l, const char *object, const char *table, int64_t first,
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
static bool session_may_differ(SourceRestore *l, const SqlReadItem *i, Err *err)
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
static bool nothing_to_remove(SourceRestore *l, const SqlMeaning *m, const Err *err)
{
        static const char *const gone[] = { "42P01", "42704", "42883", "3F000", "42703" };
        if (m->reach != SQL_REMOVES || l->made || pg_in_transaction(l->to))
                return false;
        for (size_t k = 0; k < LEN(gone); k++)
                if (str_eq(err->sqlstate, gone[k]))
                        return true;
        return false;
}

void source_statement_hint(const SqlMeaning *m, Err *err)
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

static bool execute(SourceRestore *l, const SqlReadItem *i, const SqlMeaning *m, const char *sql,
                    Err *err)
{
        AUTO_FREE char *object = object_words(i, m);
        int64_t rows = 0, line = i->line, first = i->line + lines_of(sql) + 1;
        bool copying = false;
        progress_begin(l->t, 0, object, &(Slot){ 0 });
        /* With row_security off a refresh fails where its owner may not read all
         * (target_database.c). */
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
        source_statement_hint(m, err);
        /* The lines of what pg_restore writes are nobody's. */
        if (err->kind == ERR_CANCELLED || l->f->kind != SOURCE_SQL)
                return false;
        return err_wrap(err, "line %lld", (long long)line);
}

/* From some major on a string cannot have backslashes that are more than characters. */
#define BACKSLASHES "standard_conforming_strings"
static bool backslashes_gone(const SourceRestore *l)
{
        return setting_fate(BACKSLASHES, "off", pg_major(l->to)).verdict == SETTING_LEFT_OUT;
}

bool source_statement(SourceRestore *l, const SqlReadItem *i, Err *err)
{
        AUTO_SQLMEANING m = { 0 };
        AUTO_BUF stripped = buf_init(i->len + LIMIT_SQL);
        const char *sql = i->text;
        int64_t ignored = 0;
        sqlmeaning_of(i, &m);
        if (m.reach == SQL_OF_DATABASE)
                return source_database_keep(l, i, &m, err);
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
        restore_show(l, i->object);
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
