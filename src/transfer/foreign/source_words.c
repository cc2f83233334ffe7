/* source_words.c: a statement of a newer major that this server does not understand. */
#include "transfer/foreign/source_words.h"

#include "base/limits.h"
#include "base/majors.h"
#include "base/text.h"
#include "dumps/feature.h"
#include "dumps/setclause.h"
#include "dumps/sqltext.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

char *transfer_setting_in_words(Transfer *t, Pg *pg, const char *sql)
{
        AUTO_BUF other = buf_init(strlen(sql) + LIMIT_SQL);
        if (!setclause_rewrite(sql, sql + strlen(sql), pg_major(pg), &other) || other.overflow)
                return NULL;
        AUTO_FREE char *was = text_clean(sql, MIN(strcspn(sql, "\n"), 200));
        AUTO_FREE char *now = text_clean(buf_str(&other), MIN(strlen(buf_str(&other)), 200));
        if (*now)
                transfer_say(t, "in words of PostgreSQL %d: %s becomes %s", pg_major(pg), was, now);
        else
                transfer_say(t, "left out, PostgreSQL %d does not take it: %s", pg_major(pg), was);
        return buf_take(&other, NULL);
}

static void name_word(const char *sql, int major, Err *err)
{
        const char *start;
        for (size_t n; (n = sqltext_token(sql, &start)) > 0; sql = start + n) {
                const MajorFact *word = major_new_word(start, n, major);
                if (!word)
                        continue;
                err_hint(err,
                         "%s is a word of SQL since PostgreSQL %d, and was a name to the "
                         "server the dump is of: a dump made with --quote-all-identifiers can "
                         "be read",
                         word->name, word->since);
                return;
        }
        err_hint(err, "where a name in it is a word of SQL to this server and was none to the one "
                      "the dump is of, a dump made with --quote-all-identifiers can be read");
}

static void name_it(Pg *pg, const char *sql, Err *err)
{
        int since = 0;
        const char *what = feature_of(sql, pg_major(pg), &since);
        if (what)
                err_hint(err,
                         "it has %s, which is of PostgreSQL %d; this server is %d. Restore "
                         "into a newer one, or change it on the "
                         "source and dump again",
                         what, since, pg_major(pg));
        else if (str_eq(err->sqlstate, "42601"))
                name_word(sql, pg_major(pg), err);
}

/* Each statement of a file is its own transaction: what failed left nothing. */
static bool said_otherwise(Transfer *t, Pg *pg, const char *object, const char *sql, Buf *older,
                           Err *why)
{
        AUTO_SQL q = { 0 };
        int since = 0;
        const char *what = feature_of(sql, pg_major(pg), &since);
        if (sqltext_next(buf_str(older), NULL) > 0) {
                sql_rendered(&q, buf_str(older));
                if (!pg_exec(pg, &q, why))
                        return false;
        }
        transfer_say(t, "said in older words: %s%s%s", object, what ? ", which has " : "",
                     what ? what : "");
        return true;
}

bool source_in_older_words(Transfer *t, Pg *pg, const char *object, const char *sql, Err *err)
{
        AUTO_BUF older = buf_init(strlen(sql) + LIMIT_SQL);
        AUTO_ERR why = { 0 };
        if (!str_eq(err->sqlstate, "42601") && !str_eq(err->sqlstate, "42704") &&
            !str_eq(err->sqlstate, "0A000") && !str_eq(err->sqlstate, "22023"))
                return false;
        if (sqltext_strip(sql, pg_major(pg), &older) && !older.overflow &&
            said_otherwise(t, pg, object, sql, &older, &why)) {
                err_clear(err);
                return true;
        }
        if (why.kind == ERR_LINK || why.kind == ERR_CANCELLED) {
                err_clear(err);
                err_move(err, &why);
                return false;
        }
        name_it(pg, sql, err);
        return false;
}
