#include "transfer/textsearch.h"

#include "base/buf.h"
#include "pg/catalog.h"

/* Measured on 12 to 19 with the word lists of Debian 12 and Hunspell's dictionaries; the test asks
 * every server of the lab for these words. Not among them, without a change: arabic, danish,
 * hungarian, indonesian, irish, nepali, portuguese, russian. */
const StemmerChange textsearch_changes[] = {
        { "dutch", "bomen", 19 },
        { "english", "added", 18 },
        { "english", "anthologist", 19 },
        { "french", "aiguë", 13 },
        { "french", "m'as-tu-vu", 18 },
        { "french", "albanaise", 19 },
        { "german", "bildhauerin", 18 },
        { "german", "arbeitete", 19 },
        { "greek", "ίσα", 18 },
        { "greek", "ανεύρετε", 19 },
        { "italian", "divano", 18 },
        { "lithuanian", "ašerys", 19 },
        { "norwegian", "advers", 19 },
        { "romanian", "aberație", 18 },
        { "spanish", "concentracion", 19 },
        { "swedish", "ambitiöst", 18 },
        { "swedish", "avdraget", 19 },
        { "turkish", "abbas'la", 18 },
        { "turkish", "e'siz", 19 },
        { 0 },
};

/* ---- what the source has ---- */

/* Of an expression as the server prints it; NULL: it names no configuration. */
#define LANGUAGES_IN(text)                                                                         \
        "(select case when cardinality(x.names) > 0 then " TEXTSEARCH_LANGUAGES(                   \
                "x.names") " end from (select array(select "                                       \
                           "(regexp_matches(" text                                                 \
                           ", '''(?:\\w+\\.)?(\\w+)''::regconfig', 'g'))[1]) as names) x)"
#define TRIGGER                                                                                    \
        "left join lateral (select string_to_array(encode(t.tgargs, 'escape'), '\\000') as args, " \
        "f.proname from "                                                                          \
        "pg_trigger t join pg_proc f on f.oid = t.tgfoid where t.tgrelid = c.oid and "             \
        "f.pronamespace = "                                                                        \
        "'pg_catalog'::regnamespace and f.proname in ('tsvector_update_trigger', "                 \
        "'tsvector_update_trigger_column') and (string_to_array(encode(t.tgargs, 'escape'), "      \
        "'\\000'))[1] = "                                                                          \
        "a.attname limit 1) g on true "
#define USERS(alias) CAT_USER_SCHEMA("n") " and " CAT_NOT_EXT("pg_class", alias ".oid")

/* Object, how its words come to be, languages (NULL: nobody says), the statement that makes them
 * anew. */
#define COLUMNS                                                                                    \
        "select pg_describe_object('pg_class'::regclass, a.attrelid, a.attnum), case when "        \
        "a.attgenerated <> '' then "                                                               \
        "'generated' when g.args is not null then 'trigger' else 'data' end, case when "           \
        "a.attgenerated <> '' then " LANGUAGES_IN(                                                 \
                "pg_get_expr(e.adbin, e.adrelid)") " when g.proname = 'tsvector_update_trigger' "  \
                                                   "then " TEXTSEARCH_LANGUAGES(                   \
                                                           "array[regexp_"                         \
                                                           "replace(g.args["                       \
                                                           "2], '^.*\\.', "                        \
                                                           "'')]") " end, "                        \
                                                                   "case "                         \
                                                                   "when "                         \
                                                                   "g.args "                       \
                                                                   "is not "                       \
                                                                   "null "                         \
                                                                   "then "                         \
                                                                   "format('"                      \
                                                                   "update "                       \
                                                                   "%s set "                       \
                                                                   "%I = "                         \
                                                                   "%I', "                         \
                                                                   "c.oid::"                       \
                                                                   "regclass"                      \
                                                                   ", "                            \
                                                                   "g.args["                       \
                                                                   "3], "                          \
                                                                   "g.args["                       \
                                                                   "3]) end "                      \
                                                                   "from "                         \
                                                                   "pg_"                           \
                                                                   "attribut"                      \
                                                                   "e a "                          \
                                                                   "join "                         \
                                                                   "pg_"                           \
                                                                   "class c "                      \
                                                                   "on "                           \
                                                                   "c.oid = "                      \
                                                                   "a."                            \
                                                                   "attrelid"                      \
                                                                   " join "                        \
                                                                   "pg_"                           \
                                                                   "namespac"                      \
                                                                   "e n on "                       \
                                                                   "n.oid = "                      \
                                                                   "c."                            \
                                                                   "relnames"                      \
                                                                   "pace "                         \
                                                                   "join "                         \
                                                                   "pg_type "                      \
                                                                   "y on "                         \
                                                                   "y.oid = "                      \
                                                                   "a."                            \
                                                                   "atttypid"                      \
                                                                   " left "                        \
                                                                   "join "                         \
                                                                   "pg_"                           \
                                                                   "attrdef "                      \
                                                                   "e on "                         \
                                                                   "e."                            \
                                                                   "adrelid "                      \
                                                                   "= "                            \
                                                                   "a."                            \
                                                                   "attrelid"                      \
                                                                   " and "                         \
                                                                   "e.adnum "                      \
                                                                   "= "                            \
                                                                   "a."                            \
                                                                   "attnum"                        \
                                                                   " " TRIGGER "where "            \
                                                                   "'tsvecto"                      \
                                                                   "r'::"                          \
                                                                   "regtype "                      \
                                                                   "in "                           \
                                                                   "(y.oid, "                      \
                                                                   "y."                            \
                                                                   "typbaset"                      \
                                                                   "ype) "                         \
                                                                   "and not "                      \
                                                                   "a."                            \
                                                                   "attisdro"                      \
                                                                   "pped "                         \
                                                                   "and "                          \
                                                                   "c."                            \
                                                                   "relkind "                      \
                                                                   "in "                           \
                                                                   "('r', "                        \
                                                                   "'p') "                         \
                                                                   "and"                           \
                                                                   " " USERS("c")
#define INDEXES                                                                                    \
        "select pg_describe_object('pg_class'::regclass, c.oid, 0), 'index', " LANGUAGES_IN(       \
                "pg_get_indexdef(c.oid)") ", null from pg_index i join pg_class c on c.oid = "     \
                                          "i.indexrelid join "                                     \
                                          "pg_namespace n on n.oid = c.relnamespace where "        \
                                          "i.indexprs is not null and c.relkind in ('i', 'I') "    \
                                          "and "                                                   \
                                          "pg_get_indexdef(c.oid) ~ 'tsvector' and " USERS("c")
#define VIEWS                                                                                      \
        "select pg_describe_object('pg_class'::regclass, c.oid, 0), 'view', " LANGUAGES_IN(        \
                "pg_get_viewdef(c.oid)") ", null from pg_class c join pg_namespace n on n.oid = "  \
                                         "c.relnamespace where c.relkind = 'm' and "               \
                                         "pg_get_viewdef(c.oid) ~ 'ts(vector|query|_)' "           \
                                         "and " USERS("c")

/* ---- what it means ---- */

static bool textsearch_among(const char *list, const char *word)
{
        size_t n = strlen(word);
        for (const char *p = list; p && *p; p += strcspn(p, ","), p += *p == ',')
                if (strncmp(p, word, n) == 0 && strcspn(p, ",") == n)
                        return true;
        return false;
}

/* "german, english": those of `list` (NULL: of all) that change on the way; "": none. */
static void changed(int from, int to, const char *list, Buf *ret)
{
        const char *last = "";
        for (const StemmerChange *c = textsearch_changes; c->language; c++) {
                bool between = (from < c->since) != (to < c->since);
                if (!between || str_eq(c->language, last) ||
                    (list && !textsearch_among(list, c->language)))
                        continue;
                buf_printf(ret, "%s%s", ret->len ? ", " : "", c->language);
                last = c->language;
        }
}

bool textsearch_changed(int from, int to, const char *languages)
{
        AUTO_BUF list = buf_init(4096);
        changed(from, to, languages, &list);
        return list.len > 0;
}

static void textsearch_add(const PgRes *r, int row, int to, const char *languages, json_t *found)
{
        const char *kind = pg_cell(r, row, 1);
        AUTO_FREE char *what =
                xasprintf("words for text search, of which %d makes some otherwise (%s%s)", to,
                          pg_cell(r, row, 2) ? "" : "if they are ", languages);
        AUTO_FREE char *how =
                str_eq(kind, "trigger") ? xasprintf("its rows keep the old words, and some "
                                                    "searches miss them: after the move "
                                                    "have the trigger make them anew with: %s",
                                                    pg_cell(r, row, 3))
                : str_eq(kind, "data")  ? xstrdup("its rows keep the old words, and some searches "
                                                   "miss them: after the move "
                                                   "have the application index its texts again")
                : str_eq(kind, "index")
                        ? xstrdup("is built anew there, with the new words: nothing to be done")
                : str_eq(kind, "view")
                        ? xstrdup("is filled anew there, with the new words: nothing to be done")
                        : xstrdup("is computed anew there; the proof counts the rows with another "
                                  "value");
        json_t *j = json_object();
        jx_set_str(j, "object", pg_cell(r, row, 0));
        jx_set_str(j, "what", what);
        jx_set_int(j, "since", 0);
        jx_set_str(j, "verdict", "perhaps");
        jx_set_str(j, "how", how);
        if (str_eq(kind, "trigger"))
                jx_set_str(j, "update", pg_cell(r, row, 3));
        json_array_append_new(found, j);
}

static bool textsearch_look(Pg *source, const char *sql, int to, json_t *found, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        sql_add_literal_(&q, sql);
        sql_add(&q, " order by 1");
        if (!pg_query(source, &q, &r, err))
                return err_wrap(err, "looking on the source for words of text search");
        for (int i = 0; i < pg_rows(r); i++) {
                AUTO_BUF languages = buf_init(4096);
                changed(pg_major(source), to, pg_cell(r, i, 2), &languages);
                if (languages.len)
                        textsearch_add(r, i, to, buf_str(&languages), found);
        }
        return true;
}

bool textsearch_check(Pg *source, int target_major, json_t *found, Err *err)
{
        static const char *const all[] = { COLUMNS, INDEXES, VIEWS };
        bool any = textsearch_changed(pg_major(source), target_major, NULL);
        for (size_t i = 0; any && i < LEN(all); i++)
                if (!textsearch_look(source, all[i], target_major, found, err))
                        return false;
        return true;
}
