/* names.c: which names of members may become names of files. */
#include "archive/internal.h"

bool tar_name_is_safe(const char *name, const char **ret_why)
{
        const char *none;
        if (!ret_why)
                ret_why = &none;
        if (!tar_path_is_inside(name, ret_why))
                return false;
        for (const char *c = name; *c; c++) {
                if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == '\\') {
                        *ret_why = "it has control characters or a backslash";
                        return false;
                }
        }
        return true;
}

bool tar_path_is_inside(const char *name, const char **ret_why)
{
        *ret_why = NULL;
        if (!name || !*name)
                *ret_why = "it is empty";
        else if (*name == '/')
                *ret_why = "it is absolute";
        if (*ret_why)
                return false;
        for (const char *part = name; *part;) {
                size_t n = strcspn(part, "/");
                bool last = part[n] == '\0';
                if (n == 0 || (n == 1 && part[0] == '.') ||
                    (n == 2 && part[0] == '.' && part[1] == '.'))
                        *ret_why = "it has an empty part, `.` or `..`";
                else if (n > 255)
                        *ret_why = "a part of it is longer than 255 bytes";
                if (*ret_why)
                        return false;
                part += n;
                if (!last)
                        part++; /* one slash at the end is a directory's: fine */
        }
        return true;
}
