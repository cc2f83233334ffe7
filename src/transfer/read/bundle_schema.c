#include "transfer/read/bundle_schema.h"

#include "base/limits.h"
#include "base/text.h"
#include "dumps/sqltext.h"
#include "transfer/read/opclasses.h"
#include "transfer/state/quoted_sql.h"

static bool odd(Err *err, const json_t *record, const char *member, const char *why)
{
        err_set(err, ERR_USER, "%s/%s: %s", jx_str(record, "dir", ""), member, why);
        return err_hint(err, "this bundle was put together by hand, or changed and sealed anew: "
                             "take another one, or make a new backup");
}

/* ---- tables and sequences ---- */

/* Up to 17 an archive does not say that a table is partitioned: its own statement does. */
static bool has_rows(const TocEntry *e)
{
        return str_eq(e->class, "TABLE") && e->relkind != 'p' && !strstr(e->sql, "\nPARTITION BY ");
}

static void note_names(const json_t *list, json_t *into)
{
        size_t i;
        json_t *j;
        json_array_foreach(list, i, j) {
                AUTO_SQL q = { 0 };
                sql_qname(&q, jx_str(j, "schema", ""), jx_str(j, "name", ""));
                AUTO_FREE char *name = plain_sql(&q);
                json_object_set_new(into, name, json_true());
        }
}

static bool described(const json_t *record, const Toc *toc, Err *err)
{
        AUTO_JSON tables = json_object();
        AUTO_JSON sequences = json_object();
        note_names(jx_get(record, "tables"), tables);
        note_names(jx_get(record, "sequences"), sequences);
        for (size_t i = 0; i < toc->n; i++) {
                const TocEntry *e = &toc->entries[i];
                bool sequence = str_eq(e->class, "SEQUENCE");
                if (!sequence && !has_rows(e))
                        continue;
                AUTO_SQL q = { 0 };
                sql_qname(&q, e->schema ? e->schema : "", e->name);
                AUTO_FREE char *name = plain_sql(&q);
                if (json_object_get(sequence ? sequences : tables, name))
                        continue;
                AUTO_FREE char *clean = text_clean_str(name);
                AUTO_FREE char *why =
                        xasprintf("%s %s is in it, and the manifest does not describe %s",
                                  sequence ? "sequence" : "table", clean,
                                  sequence ? "its value" : "its rows");
                return odd(err, record, "schema.dump", why);
        }
        return true;
}

/* ---- the same statements as SQL ---- */

typedef struct Sections {
        char *text[2]; /* pre-data, post-data */
        char *at[2];   /* behind what was found last */
} Sections;

static void sections_done(Sections *s)
{
        free(s->text[0]);
        free(s->text[1]);
}

static bool stands_in(Sections *s, int which, const char *sql)
{
        char *found = strstr(s->at[which], sql);
        if (!found)
                found = strstr(s->text[which], sql);
        if (found)
                s->at[which] = found + strlen(sql);
        return found;
}

/* As pg_restore writes a statement into a section: without blanks at its end, and without psql's
 * lines. */
static char *as_written(const TocEntry *e)
{
        AUTO_BUF b = buf_init(LIMIT_SQL);
        sqltext_strip_psql(e->sql, &b);
        size_t n = b.len;
        while (n > 0 && strchr(" \t\n", b.data[n - 1]))
                n--;
        return xstrndup(buf_str(&b), n);
}

static bool same_statements(const json_t *record, const Toc *toc, Sections *s, Err *err)
{
        static const char *const names[] = { "pre-data.sql.zst", "post-data.sql.zst" };
        AUTO_ARENA a = arena_new();
        for (TocPass pass = TOC_PASS_MAIN; pass <= TOC_PASS_POST_ACL; pass++)
                for (size_t i = 0; i < toc->n; i++) {
                        const TocEntry *e = &toc->entries[i];
                        if (e->pass != pass || !toc_is_schema(e))
                                continue;
                        AUTO_FREE char *sql = as_written(e);
                        int which = e->section == TOC_POST_DATA;
                        if (stands_in(s, which, sql))
                                continue;
                        AUTO_FREE char *why = xasprintf(
                                "it is of another schema than schema.dump: there is no %s in it",
                                toc_object(a, e));
                        return odd(err, record, names[which], why);
                }
        return true;
}

static bool read_section(const Bundle *b, const json_t *record, const char *name, char **ret,
                         Err *err)
{
        size_t n;
        AUTO_FREE char *member = xasprintf("%s/%s", jx_str(record, "dir", ""), name);
        return bundle_read_all(b, member, LIMIT_SQL, ret, &n, err);
}

bool bundle_schema_read(const Bundle *b, const json_t *record, Arena *a, BundleSchema *ret,
                        Err *err)
{
        AUTO_FREE char *schema = xasprintf("%s/schema.dump", jx_str(record, "dir", ""));
        Sections CLEANUP(sections_done) s = { 0 };
        if (!bundle_read_all(b, schema, LIMIT_SQL, &ret->archive, &ret->archive_len, err) ||
            !toc_read(ret->archive, ret->archive_len, a, &ret->toc, err) ||
            !read_section(b, record, "pre-data.sql.zst", &s.text[0], err) ||
            !read_section(b, record, "post-data.sql.zst", &s.text[1], err))
                return false;
        s.at[0] = s.text[0];
        s.at[1] = s.text[1];
        if (!described(record, &ret->toc, err) || !same_statements(record, &ret->toc, &s, err))
                return false;
        opclasses_say(&ret->toc, jx_get(jx_get(record, "properties"), "opclasses"), a);
        return true;
}

void bundle_schema_done(BundleSchema *s)
{
        free(s->archive);
        *s = (BundleSchema){ 0 };
}

/* ---- the rest ---- */

static bool nowhere(void *arg, const void *bytes, size_t n, Err *err)
{
        return true;
}

bool bundle_schema_check_rest(const Bundle *b, const json_t *record, Err *err)
{
        static const char *const rest[] = { "sequences.sql.zst", "database.sql.zst", "restore.sh" };
        for (size_t i = 0; i < LEN(rest); i++) {
                AUTO_FREE char *member = xasprintf("%s/%s", jx_str(record, "dir", ""), rest[i]);
                if (bundle_has(b, member) && !bundle_read(b, member, nowhere, NULL, err))
                        return false;
        }
        return true;
}
