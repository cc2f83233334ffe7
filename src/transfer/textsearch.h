/* textsearch.h: words for text search that another major makes otherwise.
 *
 * to_tsvector('german', 'Bildhauerin') is 'bildhauerin' up to 17 and 'bildhau' since 18: PostgreSQL
 * takes a new Snowball into a major now and then. What is computed on the target (generated
 * columns, indexes, materialized views) has its words then; a tsvector kept as data has those of
 * before, and a search for the same word misses the row without an error. docs/text-search.md has
 * the figures. */
#pragma once

#include "base/jsonx.h"
#include "pg/conn.h"

/* A language of Snowball, the major that changed it, and a word that shows it. */
typedef struct StemmerChange {
        const char *language, *word;
        int since;
} StemmerChange;
extern const StemmerChange textsearch_changes[]; /* ends with {0} */

/* Appends to `found`, as direction.h says: columns, indexes and views that the change of major
 * touches, each with what to do after the move. Inside a transaction of the source. */
bool textsearch_check(Pg *source, int target_major, json_t *found, Err *err) MUST_CHECK;
/* Does one of these languages ("german,english"; NULL: any) change between two majors? */
bool textsearch_changed(int from, int to, const char *languages);

typedef struct TextsearchUpdate {
        bool look; /* only say what there is */
        void (*told)(void *arg, const char *table, int done, int total); /* or NULL */
        void *arg;
        const volatile bool *cancel; /* between two tables */
} TextsearchUpdate;
typedef struct TextsearchUpdated {
        int columns;
        int64_t rows;
} TextsearchUpdated;

/* Words of `from`'s rules made anew by this server's, in every table where a
 * tsvector_update_trigger keeps them: each of its rows is updated, and only that trigger fires.
 * Needs a superuser. */
bool textsearch_update(Pg *pg, int from, const TextsearchUpdate *o, TextsearchUpdated *ret,
                       Err *err) MUST_CHECK;

/* "german,english" of what these configurations end in; "": no Snowball. SQL of the source's
 * catalogs. */
#define TEXTSEARCH_LANGUAGES(names)                                                                \
        "(select coalesce(string_agg(distinct lower((regexp_match(d.dictinitoption, "              \
        "'language\\s*=\\s*''?(\\w+)'))[1]), "                                                     \
        "','), '') from pg_ts_config f join pg_ts_config_map m on m.mapcfg = f.oid join "          \
        "pg_ts_dict d on d.oid = "                                                                 \
        "m.mapdict join pg_ts_template p on p.oid = d.dicttemplate where p.tmplname = 'snowball' " \
        "and f.cfgname = "                                                                         \
        "any(" names "))"
