/* verify_tables.c: are the rows of a table those that its manifest describes? Added up from what
 * was found in each member, so that members can be read in any order. */
#include "bundle/verify_internal.h"

#include <stdio.h>

static int by_name(const void *x, const void *y)
{
        const Member *const *a = x, *const *b = y;
        return strcmp((*a)->name, (*b)->name);
}

/* A row that was cut, because it is longer than a member may be: its members are walked again,
 * one after the other. */
static bool walk_again(Verify *v, const json_t *parts, RowWalk *w, Err *err)
{
        size_t i;
        json_t *part;
        VerifyReading r = { .v = v, .walk = w };
        json_array_foreach(parts, i, part)
                if (!bundle_read(v->b, json_string_value(part), verify_read_on, &r, err))
                        return false;
        return r.walk || err_set(err, ERR_USER, "what is in it are no rows of COPY");
}

/* The members of one table as if one walk had gone over them. Binary: the first begins with the
 * header and the last ends with the trailer. */
static bool add_up(Verify *v, const json_t *parts, bool binary, Member **sorted, RowWalk *w,
                   Err *err)
{
        size_t i, n = json_array_size(parts);
        json_t *part;
        json_array_foreach(parts, i, part) {
                Member key = { .name = json_string_value(part) }, *p = &key;
                Member **found = bsearch(&p, sorted, v->n, sizeof *sorted, by_name),
                       *m = found ? *found : NULL;
                if (!m || m->why || verify_is_binary(m->name) != binary)
                        return err_set(err, ERR_USER, "its rows cannot be read");
                if (!m->rows_of || !m->whole) {
                        rowwalk_done(w);
                        *w = rowwalk_init(binary, v->seed);
                        return walk_again(v, parts, w, err);
                }
                if (binary && (m->header != (i == 0) || m->over != (i == n - 1)))
                        return err_set(err, ERR_USER, "its rows have no beginning, or no end");
                w->rows += m->rows;
                w->hash += m->hash;
                w->unhashed += m->unhashed;
        }
        return true;
}

static bool as_described(const json_t *t, size_t parts, const RowWalk *w, Err *err)
{
        char hex[32];
        const char *hash = jx_str(t, "hash", NULL);
        snprintf(hex, sizeof hex, "%016llx", (unsigned long long)w->hash);
        if ((int64_t)parts != jx_int(t, "parts", -1))
                return err_set(err, ERR_USER, "%zu parts, the manifest says %lld", parts,
                               (long long)jx_int(t, "parts", -1));
        if (!rowwalk_whole(w))
                return err_set(err, ERR_USER, "its rows end in the middle of one");
        if (w->rows != jx_int(t, "rows", -1))
                return err_set(err, ERR_USER, "%lld rows, the manifest says %lld",
                               (long long)w->rows, (long long)jx_int(t, "rows", -1));
        return !hash || w->unhashed > 0 || str_eq(hash, hex) ||
               err_set(err, ERR_USER, "its rows are not those the manifest describes");
}

static bool one_table(Verify *v, const json_t *t, Member **sorted, Err *err)
{
        AUTO_JSON parts = bundle_parts(v->b, jx_str(t, "dir", "?"));
        bool binary = str_eq(jx_str(t, "format", "text"), "binary");
        RowWalk CLEANUP(rowwalk_done) w = rowwalk_init(binary, v->seed);
        AUTO_ERR why = { 0 };
        AUTO_FREE char *name =
                xasprintf("table %s.%s", jx_str(t, "schema", ""), jx_str(t, "name", ""));
        bool good = add_up(v, parts, binary, sorted, &w, &why) &&
                    as_described(t, json_array_size(parts), &w, &why);
        v->r->rows += w.rows;
        if (why.kind == ERR_CANCELLED) {
                err_move(err, &why);
                return false;
        }
        if (!good)
                verify_found_bad(v->r, name, why.message);
        if (good && w.unhashed > 0) {
                AUTO_FREE char *text = xasprintf("%s: %lld rows are longer than %zu MB: counted, "
                                                 "and not hashed one by "
                                                 "one",
                                                 name, (long long)w.unhashed, ROWWALK_KEEP >> 20);
                verify_note(v, text);
        }
        return true;
}

bool verify_tables(Verify *v, const json_t *database, Err *err)
{
        AUTO_FREE Member **sorted = xcalloc(v->n + 1, sizeof *sorted);
        size_t i;
        json_t *t;
        for (i = 0; i < v->n; i++)
                sorted[i] = &v->members[i];
        qsort(sorted, v->n, sizeof *sorted, by_name);
        json_array_foreach(jx_get(database, "tables"), i, t)
                if (!one_table(v, t, sorted, err))
                        return false;
        return true;
}
