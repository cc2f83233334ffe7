/* backup_list.c: `pgsherpa backup list` and `show`: which bundles there are, what is in one. */
#include <stdio.h>

#include "app/verbs/backup.h"
#include "app/launch/bundle_locks.h"
#include "app/cli/flags.h"
#include "app/cli/verb.h"
#include "base/buf.h"
#include "base/fmt.h"
#include "base/limits.h"
#include "base/text.h"

#define HASH_WORDS 12 /* digits of a SHA-256 that people compare by eye */

static char *names_of(const json_t *names)
{
        AUTO_BUF b = buf_init(1 << 20);
        size_t i;
        json_t *name;
        json_array_foreach(names, i, name) {
                AUTO_FREE char *clean = text_clean_str(json_string_value(name));
                buf_printf(&b, "%s%s", i ? ", " : "", clean);
        }
        return xstrdup(buf_str(&b));
}

/* "verified 2026-..", "never verified", "; locked by run .." */
static char *standing(const json_t *row)
{
        const char *when = jx_str(row, "verified", NULL), *on = jx_str(row, "restored_on", NULL);
        const char *lock = jx_str(row, "lock_words", NULL), *gone = jx_str(row, "let_go", NULL);
        AUTO_FREE char *run = lock || gone ? text_clean_str(lock ? lock : gone) : NULL;
        AUTO_FREE char *where = on ? text_clean_str(on) : NULL;
        return xasprintf("%s%s%s%s%s%s",
                         !when                         ? "never verified"
                         : jx_bool(row, "good", false) ? "verified "
                                                       : "DAMAGED, verified ",
                         when ? when : "", where ? ", restored on " : "", where ? where : "",
                         lock   ? "; locked by "
                         : gone ? "; its lock was let go, since it is over: run "
                                : "",
                         run ? run : "");
}

static void print_row(const json_t *row)
{
        char size[24];
        AUTO_FREE char *path = text_clean_str(jx_str(row, "path", ""));
        const char *problem = jx_str(row, "problem", NULL);
        if (problem) {
                AUTO_FREE char *why = text_clean_str(problem);
                printf("%s\n    NOT READABLE: %s\n", path, why);
                return;
        }
        AUTO_FREE char *names = names_of(jx_get(row, "databases"));
        AUTO_FREE char *words = standing(row);
        AUTO_FREE char *created = text_clean_str(jx_str(row, "created", ""));
        AUTO_FREE char *server = text_clean_str(jx_str(row, "server", "?"));
        printf("%s\n    %s  %s  PostgreSQL %s  %s\n    %s\n", path, created,
               fmt_bytes(jx_int(row, "size", 0), size), server, names, words);
}

bool backup_root(const char *word, const char *option, const char **ret, Err *err)
{
        *ret = word ? word : option ? option : BACKUP_ROOT;
        return !word || !option ||
               err_set(err, ERR_USER, "the directory is %s, or --root says it: not both", word);
}

int backup_list(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_JSON found = NULL;
        const char *root = NULL, *dir, *words[1] = { NULL };
        bool json = false;
        size_t n, i;
        json_t *row;
        const Flag flags[] = { { "--root", .value = &root }, { "--json", .set = &json }, { 0 } };
        if (!flags_read(flags, argc, argv, words, LEN(words), &n, &err) ||
            !backup_root(words[0], root, &dir, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (!bundle_list(dir, &found, &err))
                return verb_fail(&err, EXIT_UNKNOWN);
        json_array_foreach(found, i, row)
                bundle_locks_settle(row);
        if (json) {
                backup_print_json(found);
                return EXIT_DONE;
        }
        json_array_foreach(found, i, row)
                print_row(row);
        if (!json_array_size(found))
                puts("no bundles here");
        return EXIT_DONE;
}

/* ---- show ---- */

/* pg_dumpall writes one "CREATE ROLE name;" a line. */
static json_t *roles_of(const Bundle *b)
{
        json_t *roles = json_array();
        AUTO_ERR ignored = { 0 };
        AUTO_FREE char *sql = NULL;
        size_t n;
        static const char make[] = "CREATE ROLE ";
        if (!bundle_has(b, "globals.sql.zst") ||
            !bundle_read_all(b, "globals.sql.zst", LIMIT_SQL, &sql, &n, &ignored))
                return roles;
        for (char *line = sql; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
                if (!str_starts(line, make))
                        continue;
                AUTO_FREE char *name =
                        xstrndup(line + sizeof make - 1, strcspn(line + sizeof make - 1, ";\n"));
                jx_append_str(roles, name);
        }
        return roles;
}

static void show_list(const char *words, const json_t *list)
{
        size_t i;
        json_t *j;
        json_array_foreach(list, i, j) {
                AUTO_FREE char *name =
                        text_clean_str(json_string_value(j) ? json_string_value(j) : "");
                printf("  %s%s\n", words, name);
        }
}

/* Of a bundle that was made of a part. */
static void show_only(const json_t *only)
{
        show_list("only schema ", jx_get(only, "schemas"));
        show_list("only table ", jx_get(only, "tables"));
        show_list("", jx_get(only, "left_out"));
}

static void show_database(const json_t *db)
{
        size_t i;
        json_t *t;
        char rows[32], bytes[24];
        AUTO_FREE char *name = text_clean_str(jx_str(db, "name", ""));
        AUTO_FREE char *when = text_clean_str(jx_str(db, "snapshot_time", "?"));
        AUTO_FREE char *client = text_clean_str(jx_str(db, "client", "?"));
        printf("\ndatabase %s: %s, %s, read at %s by %s\n", name,
               THINGS(jx_int(db, "objects", 0), "object"),
               THINGS(jx_int(jx_get(db, "large_objects"), "count", 0), "large object"), when,
               client);
        json_array_foreach(jx_get(db, "extensions"), i, t) {
                AUTO_FREE char *extension = text_clean_str(jx_str(t, "name", ""));
                AUTO_FREE char *version = text_clean_str(jx_str(t, "version", "?"));
                printf("  extension %s %s\n", extension, version);
        }
        show_only(jx_get(db, "only"));
        if (jx_str(db, "dump", NULL))
                printf("  also a whole pg_dump -Fc\n");
        json_array_foreach(jx_get(db, "tables"), i, t) {
                AUTO_FREE char *full =
                        xasprintf("%s.%s", jx_str(t, "schema", ""), jx_str(t, "name", ""));
                AUTO_FREE char *clean = text_clean_str(full);
                AUTO_FREE char *hash = text_clean_str(jx_str(t, "hash", ""));
                printf("  %14s rows  %10s  %16s  %s\n", fmt_count(jx_int(t, "rows", 0), rows),
                       fmt_bytes(jx_int(t, "bytes", 0), bytes), hash, clean);
        }
}

static void show_text(const Bundle *b, const json_t *about, const json_t *roles)
{
        const json_t *m = bundle_manifest_of(b);
        char size[24];
        size_t i;
        json_t *db;
        const char *file;
        AUTO_FREE char *path = text_clean_str(bundle_path(b));
        AUTO_FREE char *created = text_clean_str(jx_str(m, "created", "?"));
        AUTO_FREE char *server = text_clean_str(jx_str(jx_get(m, "server"), "version", "?"));
        AUTO_FREE char *tool = text_clean_str(jx_str(m, "tool", "?"));
        AUTO_FREE char *words = standing(about);
        AUTO_FREE char *names = names_of(roles);
        printf("%s\nmade %s from PostgreSQL %s by pgsherpa %s\n%s, %s, manifest %.*s..\n%s\n", path,
               created, server, tool, fmt_bytes(jx_int(about, "size", 0), size),
               THINGS(json_object_size(jx_get(m, "members")) + 1, "member"), HASH_WORDS,
               jx_str(jx_get(m, "tail"), "self", ""), words);
        if (json_array_size(roles))
                printf("roles%s: %s\n",
                       jx_bool(m, "role_passwords", false) ? ", with passwords" : "", names);
        json_object_foreach(jx_get(m, "files"), file, db) {
                AUTO_FREE char *as = text_clean_str(file);
                AUTO_FREE char *was =
                        text_clean_str(json_string_value(db) ? json_string_value(db) : "");
                printf("file %s, from %s\n", as, was);
        }
        json_array_foreach(jx_get(m, "databases"), i, db)
                show_database(db);
}

int backup_show(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_BUNDLE b = NULL;
        const char *words[1];
        bool json = false;
        size_t n;
        const Flag flags[] = { { "--json", .set = &json }, { 0 } };
        if (!flags_read(flags, argc, argv, words, LEN(words), &n, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (n != 1)
                return verb_usage("backup", "show wants a bundle");
        if (!bundle_open(words[0], &b, &err))
                return verb_fail(&err, verb_bundle_code(words[0], &err));
        AUTO_JSON about = bundle_describe(words[0]);
        bundle_locks_settle(about);
        AUTO_JSON roles = roles_of(b);
        if (json) {
                AUTO_JSON out = json_copy((json_t *)bundle_manifest_of(b));
                json_object_set(out, "about", about);
                json_object_set(out, "roles", roles);
                backup_print_json(out);
                return EXIT_DONE;
        }
        show_text(b, about, roles);
        return EXIT_DONE;
}
