/* The table of Snowball's changes, held against every server of the lab: each word changes where it
 * says. */
#include "../pg/lab.h"
#include "transfer/textsearch.h"

int main(int argc, char **argv)
{
        return lab_main(argc, argv, (int[]){ 12, 13, 17, 18, 19, 0 });
}

static char *stem(Pg *pg, const StemmerChange *c)
{
        AUTO_SQL q = { 0 };
        AUTO_ERR err = { 0 };
        char *lexeme = NULL;
        AUTO_FREE char *dictionary = xasprintf("%s_stem", c->language);
        sql_add(&q, "select ts_lexize(");
        sql_value(&q, dictionary);
        sql_add(&q, "::regdictionary, ");
        sql_value(&q, c->word);
        sql_add(&q, ")::text");
        cr_assert(pg_query_value(pg, &q, &lexeme, &err), "%s", err.message);
        return lexeme;
}

Test(textsearch, every_word_changes_where_the_table_says)
{
        for (const StemmerChange *c = textsearch_changes; c->language; c++) {
                AUTO_PG Pg *old = lab_open(c->since - 1, "postgres");
                AUTO_PG Pg *new = lab_open(c->since, "postgres");
                AUTO_FREE char *was = stem(old, c);
                AUTO_FREE char *is = stem(new, c);
                cr_expect(!str_eq(was, is), "%s, %s: %s on %d and %d", c->language, c->word, is,
                          c->since - 1, c->since);
        }
}
