/* backup_extract.c: `pgsherpa backup extract`: members, one table's rows, or the schema's SQL. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "app/verbs/backup.h"
#include "app/cli/flags.h"
#include "app/cli/verb.h"
#include "app/show/work.h"
#include "base/fmt.h"
#include "base/io.h"
#include "base/text.h"

typedef struct Extract {
        const char *dir, *table, *database, *out;
        json_t *members;
        json_t *parts; /* of the one stream; unpack: on the way */
        bool unpack, plain, schema_sql, json, quiet;
        Work *work;
        int fd;
        int64_t bytes;
} Extract;

static void extract_done(Extract *x)
{
        x->work = work_end(x->work);
        json_decref(x->members);
        json_decref(x->parts);
}

static bool write_piece(void *arg, const void *bytes, size_t n, Err *err)
{
        Extract *x = arg;
        if (*work_flag(x->work))
                return err_set(err, ERR_CANCELLED, "stopped on request");
        x->bytes += (int64_t)n;
        return io_write_all(x->fd, bytes, n, err);
}

static void show(void *arg, int64_t done, int64_t total, const char *member)
{
        ProgressRow row = { .name = member };
        work_progress(arg, &(Progress){ .label = "extracting",
                                        .unit = "bytes",
                                        .done = done,
                                        .total = total,
                                        .eta_ms = -1,
                                        .rows = &row,
                                        .n_rows = 1 });
}

static void report(const Extract *x, const char *to, int64_t members)
{
        char size[24];
        AUTO_FREE char *clean = text_clean_str(to);
        if (x->json) {
                AUTO_JSON j = json_object();
                jx_set_str(j, "path", to);
                jx_set_int(j, "members", members);
                if (!x->dir)
                        jx_set_int(j, "bytes", x->bytes);
                backup_print_json(j);
        } else if (x->dir) {
                printf("%s in %s, every SHA-256 checked\n", THINGS(members, "member"), clean);
        } else {
                printf("%s in %s\n", fmt_bytes(x->bytes, size), clean);
        }
}

/* ---- one stream, to standard output or a new file ---- */

static bool table_parts(const Extract *x, const json_t *db, const Bundle *b, json_t *parts,
                        Err *err)
{
        AUTO_ARENA a = arena_new();
        TransferName name;
        size_t i;
        json_t *t;
        if (!transfer_table_named(db, x->table, a, &name, err))
                return false;
        json_array_foreach(jx_get(db, "tables"), i, t) {
                if (!str_eq(jx_str(t, "name", ""), name.name) ||
                    !str_eq(jx_str(t, "schema", ""), name.schema))
                        continue;
                AUTO_JSON found = bundle_parts(b, jx_str(t, "dir", "?"));
                json_array_extend(parts, found);
                return true;
        }
        AUTO_FREE char *clean = text_clean_str(x->table);
        err_set(err, ERR_USER, "there are no rows of a table %s in it", clean);
        return err_hint(err, "a partitioned table's rows are in its partitions, a view has none");
}

static bool sql_parts(const json_t *db, json_t *parts)
{
        static const char *const files[] = { "pre-data.sql.zst", "post-data.sql.zst" };
        for (size_t i = 0; i < LEN(files); i++) {
                AUTO_FREE char *name = xasprintf("%s/%s", jx_str(db, "dir", ""), files[i]);
                json_array_append_new(parts, json_string(name));
        }
        return true;
}

static bool has_members(const Extract *x, const Bundle *b, Err *err)
{
        size_t i;
        json_t *j;
        json_array_foreach(x->members, i, j) {
                AUTO_FREE char *clean = text_clean_str(json_string_value(j));
                if (!bundle_has(b, json_string_value(j)))
                        return err_set(err, ERR_USER, "there is no member %s in it", clean);
        }
        return true;
}

/* What goes into the stream, and whether it is unpacked on the way. A wrong word ends here: what
 * fails later is the bundle's. */
static bool choose(Extract *x, const Bundle *b, Err *err)
{
        if (!has_members(x, b, err))
                return false;
        if (x->dir || json_array_size(x->members)) {
                x->unpack = x->plain;
                json_array_extend(x->parts, x->members);
                return true;
        }
        x->unpack = true;
        const json_t *db = bundle_database(b, x->database, err);
        return db && (x->table ? table_parts(x, db, b, x->parts, err) : sql_parts(db, x->parts));
}

/* Nothing is written over, or beside what somebody has there. */
static bool is_free(const Extract *x, Err *err)
{
        bool taken = x->out && io_exists(x->out);
        DIR *d = x->dir ? opendir(x->dir) : NULL;
        for (struct dirent *e; d && !taken && (e = readdir(d));)
                taken = !str_eq(e->d_name, ".") && !str_eq(e->d_name, "..");
        if (d)
                closedir(d);
        if (!taken)
                return true;
        AUTO_FREE char *clean = text_clean_str(x->out ? x->out : x->dir);
        return err_set(err, ERR_USER, "%s: nothing was written, it is %s", clean,
                       x->out ? "there already" : "not empty");
}

static bool write_all(Extract *x, const Bundle *b, Err *err)
{
        size_t i;
        json_t *j;
        json_array_foreach(x->parts, i, j) {
                const char *name = json_string_value(j);
                show(x->work, (int64_t)i, (int64_t)json_array_size(x->parts), name);
                if (x->unpack ? !bundle_read(b, name, write_piece, x, err)
                              : !bundle_read_stored(b, name, write_piece, x, err))
                        return false;
        }
        return true;
}

/* <out>.part until it is whole: half a table is never taken for one. */
static bool to_file(Extract *x, const Bundle *b, Err *err)
{
        AUTO_FREE char *part = xasprintf("%s.part", x->out);
        AUTO_FD int fd = open(part, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0)
                return err_set_errno(err, errno, "creating %s", part);
        x->fd = fd;
        bool ok = write_all(x, b, err) &&
                  (fsync(fd) == 0 || err_set_errno(err, errno, "making %s durable", part)) &&
                  (renameat2(AT_FDCWD, part, AT_FDCWD, x->out, RENAME_NOREPLACE) == 0 ||
                   err_set_errno(err, errno, "naming %s", x->out));
        if (!ok)
                unlink(part);
        return ok;
}

static int extract(Extract *x, const char *path, const Bundle *b)
{
        AUTO_ERR err = { 0 };
        int64_t members = 0;
        bool ok;
        x->work = work_begin(work_show(x->quiet, false));
        if (x->dir) {
                BundleExtract o = { .dir = x->dir,
                                    .plain = x->plain,
                                    .cancel = work_flag(x->work),
                                    .members = json_array_size(x->members) ? x->members : NULL,
                                    .progress = show,
                                    .arg = x->work };
                ok = bundle_extract(b, &o, &members, &err);
        } else if (x->out) {
                ok = to_file(x, b, &err);
        } else {
                x->fd = STDOUT_FILENO;
                ok = write_all(x, b, &err);
        }
        work_cancels(x->work, NULL);
        if (!ok)
                return verb_fail(&err, verb_bundle_code(path, &err));
        if (x->dir || x->out)
                report(x, x->dir ? x->dir : x->out, members);
        return EXIT_DONE;
}

static bool makes_sense(const Extract *x, Err *err)
{
        size_t members = json_array_size(x->members);
        int what = (members > 0 || x->dir) + (x->table != NULL) + x->schema_sql;
        if (what != 1)
                return err_set(err, ERR_USER,
                               "extract wants one of --dir, --member, --table, --schema-sql");
        if (x->dir && x->out)
                return err_set(err, ERR_USER, "--dir or --out, not both");
        if (!x->dir && members > 1)
                return err_set(err, ERR_USER, "several members go into a directory: --dir");
        if (x->json && !x->dir && !x->out)
                return err_set(err, ERR_USER,
                               "--json needs --dir or --out: standard output is the content's");
        return true;
}

int backup_extract(int argc, char **argv)
{
        AUTO_ERR err = { 0 };
        AUTO_BUNDLE b = NULL;
        Extract CLEANUP(extract_done)
                x = { .members = json_array(), .parts = json_array(), .fd = -1 };
        const char *words[1];
        size_t n;
        const Flag flags[] = {
                { "--dir", .value = &x.dir },     { "--member", .list = x.members },
                { "--table", .value = &x.table }, { "--schema-sql", .set = &x.schema_sql },
                { "--plain", .set = &x.plain },   { "--database", .value = &x.database },
                { "--out", .value = &x.out },     { "--json", .set = &x.json },
                { "--quiet", .set = &x.quiet },   { 0 },
        };
        if (!flags_read(flags, argc, argv, words, LEN(words), &n, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (n != 1)
                return verb_usage("backup", "extract wants a bundle");
        if (!makes_sense(&x, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (!bundle_open(words[0], &b, &err))
                return verb_fail(&err, verb_bundle_code(words[0], &err));
        if (!choose(&x, b, &err))
                return verb_fail(&err, EXIT_USAGE);
        if (!is_free(&x, &err))
                return verb_fail(&err, EXIT_REFUSED);
        return extract(&x, words[0], b);
}
