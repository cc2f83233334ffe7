/* backup.c: a bundle from its README to its last byte. */
#include <ctype.h>
#include <stdio.h>

#include "base/io.h"
#include "base/limits.h"
#include "base/text.h"
#include "config.h"
#include "transfer/read/dump.h"
#include "transfer/state/progress_slots.h"
#include "transfer/state/transfer_state.h"
#include "transfer/transfer.h"

/* ---- roles ---- */

static bool superuser(Pg *pg, bool *ret, Err *err)
{
        AUTO_SQL q = { 0 };
        AUTO_FREE char *text = NULL;
        sql_add(&q, "select rolsuper from pg_roles where rolname = current_user");
        if (!pg_query_value(pg, &q, &text, err))
                return false;
        *ret = str_eq(text, "t");
        return true;
}

static void backup_describe(Pg *pg, json_t *manifest)
{
        json_t *server = json_object();
        AUTO_SQL q = { 0 };
        AUTO_PGRES PgRes *r = NULL;
        AUTO_ERR ignored = { 0 };
        sql_add(&q, "select current_setting('server_version'), "
                    "(select system_identifier from pg_control_system())");
        if (pg_query(pg, &q, &r, &ignored)) {
                jx_set_str(server, "version", pg_cell(r, 0, 0));
                jx_set_str(server, "system", pg_cell(r, 0, 1));
        }
        jx_set_int(server, "version_num", pg_version(pg));
        jx_set(manifest, "server", server);
        jx_set_str(manifest, "tool", PGSHERPA_VERSION);
}

static bool add_globals(Transfer *t, BundleWriter *w, const TransferBackup *b, int major,
                        bool super, Err *err)
{
        AUTO_PGCLIENT client = { 0 };
        AUTO_BUF sql = buf_init(LIMIT_CAPTURE);
        if (!pg_clients_from(major, b->image, &client, err))
                return false;
        DumpRun d = { .client = &client, .server = &b->source, .cancel = transfer_cancel_flag(t) };
        if (!super)
                transfer_say(t, "not a superuser: roles are kept without their passwords");
        bool ok = dump_globals(&d, b->source.database, super, &sql, err) &&
                  bundle_add(w, "globals", "globals.sql.zst", buf_str(&sql), sql.len, err);
        if (sql.data)
                explicit_bzero(sql.data, sql.len); /* password hashes */
        jx_set_bool(bundle_manifest(w), "role_passwords", super);
        return ok;
}

/* ---- files of the application ---- */

static const char *blanks(const char *p)
{
        return p + strspn(p, " \t");
}

/* The end of the line this value ends in; a value in quotes may go on for lines (a key). */
static const char *value_end(const char *value)
{
        const char *open = blanks(value);
        if (*open == '"' || *open == '\'') {
                const char *q = open + 1;
                while (*q && *q != *open)
                        q += *q == '\\' && q[1] ? 2 : 1;
                if (*q)
                        return q + strcspn(q, "\n");
        }
        return value + strcspn(value, "\n");
}

/* [#] [export] NAME: how many bytes of the line that is; 0: something else stands before the
 * `=`. */
static size_t name_len(const char *line)
{
        const char *p = blanks(line);
        if (*p == '#')
                p = blanks(p + 1);
        if (str_starts(p, "export") && blanks(p + 6) > p + 6)
                p = blanks(p + 6);
        const char *name = p;
        while (*p == '_' || isalpha((unsigned char)*p) ||
               (p > name && (isdigit((unsigned char)*p) || *p == '.')))
                p++;
        return p > name && *blanks(p) == '=' ? (size_t)(p - line) : 0;
}

/* Base64 ends in `=`, and its last line may look like a name without a value: such a one is
 * believed only where the line before was no part of a key. */
static bool is_name(const char *line, size_t name, bool after_key)
{
        const char *value = strchr(line + name, '=') + 1;
        size_t n = strcspn(value, "\n");
        return strspn(value, "=") < MAX(n, 1) && (n > 0 || !after_key);
}

/* NAME=value -> NAME=(not kept), also when it is commented out; of other lines only comments
 * and blank ones stay. */
static void redact(const char *text, Buf *out)
{
        bool after_key = false;
        for (const char *p = text; *p;) {
                size_t n = strcspn(p, "\n");
                const char *end = p + n, *equals = memchr(p, '=', n);
                size_t name = name_len(p);
                if (equals && (name == 0 || !is_name(p, name, after_key))) {
                        buf_adds(out, "(not kept)");
                        end = value_end(equals + 1);
                        after_key = true;
                } else if (equals) {
                        buf_printf(out, "%.*s=(not kept)", (int)name, p);
                        end = value_end(equals + 1);
                        after_key = memmem(equals, (size_t)(end - equals), "-----BEGIN", 10);
                } else if (*p == '#' || n == 0) {
                        buf_add(out, p, n);
                } else {
                        buf_adds(out, "(not kept)");
                        after_key = true;
                }
                if (*end)
                        buf_addc(out, '\n'), end++;
                p = end;
        }
}

static bool is_env(const char *path)
{
        const char *base = strrchr(path, '/');
        base = base ? base + 1 : path;
        return str_starts(base, ".env") || str_ends(base, ".env");
}

static bool add_files(Transfer *t, BundleWriter *w, const TransferBackup *b, Err *err)
{
        size_t i;
        json_t *file, *record = json_object();
        jx_set(bundle_manifest(w), "files", record);
        json_array_foreach(b->files, i, file) {
                const char *path = json_string_value(file);
                AUTO_FREE char *text = NULL;
                AUTO_FREE char *encoded = NULL;
                size_t n;
                if (!path)
                        continue;
                if (!io_read_file(path, LIMIT_CAPTURE, &text, &n, err))
                        return err_wrap(err, "keeping a file in the bundle");
                AUTO_BUF kept = buf_init(LIMIT_CAPTURE);
                if (b->redact_env && is_env(path))
                        redact(text, &kept);
                else
                        buf_add(&kept, text, n);
                if (kept.overflow)
                        return err_set(err, ERR_USER, "%s is too large to be kept in the bundle",
                                       path);
                const char *base = strrchr(path, '/');
                encoded = bundle_encode(base ? base + 1 : path);
                AUTO_FREE char *name = xasprintf("files/%03zu-%s", i + 1, encoded);
                jx_set_str(record, name, path);
                if (!bundle_add(w, "file", name, buf_str(&kept), kept.len, err))
                        return false;
        }
        return true;
}

bool transfer_bundle_begin(Transfer *t, BundleWriter *w, const TransferBackup *b, Err *err)
{
        Pg *pg = NULL;
        bool super = false;
        int major = 0;
        if (!transfer_connect(t, &b->source, NULL, &pg, err))
                return err_wrap(err, "connecting to the source");
        bool ok = superuser(pg, &super, err);
        major = pg_major(pg);
        backup_describe(pg, bundle_manifest(w));
        transfer_disconnect(t, &pg);
        return ok && (!b->globals || add_globals(t, w, b, major, super, err)) &&
               (!b->files || add_files(t, w, b, err));
}

bool transfer_bundle_end(Transfer *t, BundleWriter *w, BundleDone *ret, Err *err)
{
        AUTO_FREE char *readme = bundle_readme(bundle_manifest(w));
        if (transfer_stopped(t, err))
                return false;
        progress_stage(t, "sealing the bundle", "bytes", bundle_written(w), 0);
        return bundle_add(w, "text", "README.txt", readme, strlen(readme), err) &&
               bundle_finish(w, ret, err);
}

static void add_up(TransferResult *sum, TransferResult *one)
{
        sum->tables += one->tables;
        sum->rows += one->rows;
        sum->bytes += one->bytes;
        sum->sequences += one->sequences;
        sum->large_objects += one->large_objects;
        sum->objects += one->objects;
        if (!sum->client)
                sum->client = one->client, one->client = NULL;
        transfer_result_done(one);
}

bool transfer_backup(Transfer *t, const TransferBackup *b, BundleDone *ret, TransferResult *sum,
                     Err *err)
{
        AUTO_BUNDLEWRITER w = NULL;
        *sum = (TransferResult){ 0 };
        if (!bundle_create(b->path, &(BundleOptions){ .run = b->run }, &w, err) ||
            !transfer_bundle_begin(t, w, b, err))
                return false;
        for (const char *const *db = b->databases; *db; db++) {
                TransferCopy c = { .source = b->source,
                                   .database = *db,
                                   .bundle = w,
                                   .dump = b->dump,
                                   .portable = b->portable,
                                   .only_tables = b->only_tables,
                                   .only_schemas = b->only_schemas,
                                   .source_image = b->image };
                TransferResult one = { 0 };
                if (!transfer_copy(t, &c, &one, err))
                        return false;
                add_up(sum, &one);
        }
        return transfer_bundle_end(t, w, ret, err);
}
