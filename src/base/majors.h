/* majors.h: the majors of PostgreSQL that this pgsherpa knows, in one table.
 *
 *      major_find(17)->archive                 16: its pg_dump writes archives of format 1.16
 *      major_of_archive(15)                    16: the first pg_restore that reads 1.15
 *      setting_fate("force_parallel_mode", "on", 16)
 *                                              renamed, .now = "debug_parallel_query"
 *
 * Nothing else in the code says what the newest or the oldest one is. A major newer than the table
 * is taken to be like the newest of it; whoever meets one says so (major_newer_words()), and lets
 * the rehearsal find out what it does not take.
 *
 * Sources: postgresql.org/support/versioning (dates), pg_backup_archiver.h (archives),
 * docker-library/postgres (images), the release notes' "Migration" sections (why a setting went),
 * and for names the servers themselves: majors_facts.c is written by ./dev majors, and
 * tests/integration/pg/test_majors.c holds it against every server of the lab. */
#pragma once

#include "base/base.h"

enum { MAJOR_OLDEST = 12, MAJOR_NEWEST = 19 };
/* Tools of a major newer than the table are looked for up to here. */
enum { MAJOR_LOOKED_FOR = MAJOR_NEWEST + 3 };

typedef struct Major {
        int number;
        const char *released; /* "2021-09-30" */
        const char *last_fix; /* of the last minor release; NULL: not told yet */
        int archive;          /* 1.N: what its pg_dump writes, the most its pg_restore reads */
        /* its official image keeps the data below a directory of its major */
        bool own_directory;
} Major;

/* NULL: not in the table. */
const Major *major_find(int number);
/* The nearest of the table. */
const Major *major_like(int number);
/* Where the official image keeps the data, and *ret_mount, where it wants its volume; both
 * malloc()ed. */
char *major_pgdata(int number, char **ret_mount) MUST_CHECK;
/* The first whose image has the volume one level up. */
int major_of_layout(void);
/* "PostgreSQL 20 is newer than 19, the newest this pgsherpa knows"; malloc()ed. NULL: it is not. */
char *major_newer_words(int number);
/* The first major whose pg_restore reads archives of format 1.`format`; 0: none of the table
 * does. */
int major_of_archive(int format);
/* "1.14 to 1.16 are known (PostgreSQL 12 to 19)" */
#define MAJOR_ARCHIVES_SIZE 64
const char *major_archives_words(char ret[static MAJOR_ARCHIVES_SIZE]);

/* ---- what came and went ---- */

/* A setting, a catalog's column ("pg_class.relname") or a keyword that not every major has. */
typedef struct MajorFact {
        const char *name;
        char kind;           /* see the array */
        short since, before; /* 0: since before the table; 0: still there */
        bool sometimes;      /* of some builds or minor releases: a server may have it */
} MajorFact;

/* Sorted by name; a name may stand there twice, when its kind changed. Each ends with {0}. */
extern const MajorFact major_settings[], major_columns[], major_keywords[];

static inline bool major_fact_holds(const MajorFact *f, int major)
{
        return major >= f->since && (f->before == 0 || major < f->before);
}

/* The row of a word that is no free name on that major, and was one to some major before: reserved,
 * a function's or a type's. Words in any case; NULL: none. */
const MajorFact *major_new_word(const char *word, size_t n, int major);

/* ---- settings ---- */

typedef enum SettingVerdict {
        SETTING_SAME,     /* nothing is known against it */
        SETTING_RENAMED,  /* `now` is its name there */
        SETTING_LEFT_OUT, /* not there, or not with this value */
} SettingVerdict;

typedef struct SettingFate {
        SettingVerdict verdict;
        const char *now; /* of SETTING_RENAMED */
        const char *why; /* "it warned of the change of 9.5"; NULL with SETTING_SAME */
        int since;       /* the major that brought it, or has it no more */
        bool meaning;    /* without it, code may mean something else */
} SettingFate;

/* What becomes of a setting on a server of that major. Names in any case; `value` NULL: whichever.
 * A name with a dot is an extension's, and stays. */
SettingFate setting_fate(const char *name, const char *value, int major);
/* The same of one that a database, role or function has of its own: some are the server's alone. */
SettingFate setting_fate_own(const char *name, const char *value, int major);
