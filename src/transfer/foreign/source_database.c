/* source_database.c: what a file says of its database itself: what it is made with, and what is
 * said about it when it is whole. */
#include "transfer/foreign/source_restore.h"

#include "base/text.h"
#include "dumps/sqltext.h"
#include "transfer/foreign/source_words.h"
#include "transfer/make/prepared.h"
#include "transfer/read/props.h"
#include "transfer/state/quoted_sql.h"
#include "transfer/state/transfer_state.h"

#define LATER_MAX (4 << 20) /* statements about the database itself */

/* What is said about the database by its name is said about ours, when it is whole: until then
 * its comment is the mark by which an unfinished one is found. */
bool source_database_keep(SourceRestore *l, const SqlReadItem *i, const SqlMeaning *m, Err *err)
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

/* What the file says of it, else what a database made on this server without a word would be.
 * Another encoding than the server's own goes only with the locale C. */
bool source_database_properties(SourceRestore *l, json_t **ret, Err *err)
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
static bool is_for_another_owner(const SourceRestore *l, const json_t *j, json_t *said)
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
static bool one_by_one(SourceRestore *l, Pg *pg, const char *sql, Err *err)
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

bool source_database_end(SourceRestore *l, Err *err)
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
                        source_statement_hint(&(SqlMeaning){ 0 }, err);
        }
        transfer_disconnect(l->t, &pg);
        return ok && (!l->c->prepared || prepared_put_on(l->t, l->c->target, l->c->prepared,
                                                         l->c->into, said, l->t->kept, err));
}
