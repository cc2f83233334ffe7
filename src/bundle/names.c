/* names.c: from names of any bytes to names of files. */
#include "bundle/internal.h"

#include <stdio.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"

#define PART_MAX 120 /* two of them, a dot and a suffix fit into 255 bytes */

static bool plain(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
}

char *bundle_encode(const char *name)
{
        size_t n = strlen(name), len = 0;
        char *out = xmalloc(n * 3 + 24);
        bool cut = false;
        for (size_t i = 0; i < n; i++) {
                if (plain(name[i]))
                        out[len++] = name[i];
                else
                        len += (size_t)snprintf(out + len, 4, "%%%02X", (unsigned char)name[i]);
                if (len > PART_MAX) {
                        cut = true;
                        break;
                }
        }
        if (n == 0)
                len = (size_t)snprintf(out, 4, "%%");
        if (cut) {
                char hex[65];
                digest_hex_of(name, n, hex);
                len = PART_MAX - 17;
                /* not in the middle of an escape */
                if (out[len - 1] == '%')
                        len -= 1;
                else if (out[len - 2] == '%')
                        len -= 2;
                out[len++] = '~';
                memcpy(out + len, hex, 16);
                len += 16;
        }
        out[len] = '\0';
        return out;
}

char *bundle_table_dir(const char *schema, const char *table)
{
        AUTO_FREE char *a = bundle_encode(schema);
        AUTO_FREE char *b = bundle_encode(table);
        return xasprintf("%s.%s", a, b);
}

bool bundle_choose(const char *root, const char *name, char **ret_path, Err *err)
{
        if (!*root)
                return err_set(err, ERR_USER, "no directory for the backup is named");
        if (!io_mkdir_p(root, 0700, err))
                return err_wrap(err, "making the directory for backups");
        AUTO_FREE char *encoded = bundle_encode(name);
        for (int64_t later = 0; later < 60; later++) {
                time_t now = (time_t)(clock_wall_ms() / 1000 + later);
                struct tm tm;
                char stamp[32];
                localtime_r(&now, &tm);
                strftime(stamp, sizeof stamp, "%Y%m%d_%H%M%S", &tm);
                AUTO_FREE char *path = xasprintf("%s/%s_%s%s", root, encoded, stamp, BUNDLE_SUFFIX);
                AUTO_FREE char *part = xasprintf("%s.part", path);
                if (io_exists(path) || io_exists(part))
                        continue;
                *ret_path = path;
                path = NULL;
                return true;
        }
        return err_set(err, ERR_USER, "every name for a backup in %s is taken for a minute", root);
}
