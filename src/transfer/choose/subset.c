#include "transfer/choose/subset.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"
#include "dumps/sqltext.h"
#include "transfer/transfer.h"

typedef struct Index {
        int id;    /* of the dump */
        size_t at; /* in toc->entries */
} Index;

typedef struct Cut {
        Toc *toc;
        const TransferName *only;
        size_t n_only;
        bool lenient;
        json_t *left_out;
        Arena *a;
        Index *by_id;
        bool *gone;  /* left out: not to be looked at again */
        bool *alone; /* a partition that was cut from its parent */
} Cut;

static bool subset_is(const TocEntry *e, const char *class)
{
        return str_eq(e->class, class);
}

static bool any_of(const TocEntry *e, const char *const *classes, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (subset_is(e, classes[i]))
                        return true;
        return false;
}

static bool is_table(const TocEntry *e)
{
        static const char *const tables[] = { "TABLE", "VIEW", "MATERIALIZED VIEW",
                                              "FOREIGN TABLE" };
        return any_of(e, tables, LEN(tables));
}

static bool subset_same(const TocEntry *a, const TocEntry *b)
{
        return str_eq(a->name, b->name) && str_eq(a->schema, b->schema);
}

static int by_id(const void *x, const void *y)
{
        const Index *a = x, *b = y;
        return a->id < b->id ? -1 : a->id > b->id;
}

static TocEntry *needed(const Cut *c, const TocEntry *e, size_t i)
{
        Index key = { .id = e->needs[i] };
        const Index *found = bsearch(&key, c->by_id, c->toc->n, sizeof key, by_id);
        return found ? &c->toc->entries[found->at] : NULL;
}

static bool subset_gone(const Cut *c, const TocEntry *e)
{
        return c->gone[e - c->toc->entries];
}

static void leave_out(Cut *c, TocEntry *e, const char *why)
{
        AUTO_FREE char *text = xasprintf("left out: %s: %s", toc_object(c->a, e), why);
        e->part = TOC_NOT_PART;
        c->gone[e - c->toc->entries] = true;
        jx_append_str(c->left_out, text);
}

/* ---- where it begins ---- */

/* Publications and subscriptions are the database's business. */
static bool of_the_database(const TocEntry *e)
{
        static const char *const not [] = { "PUBLICATION",        "PUBLICATION TABLE",
                                            "SUBSCRIPTION",       "PUBLICATION TABLES IN SCHEMA",
                                            "SUBSCRIPTION TABLE", "EVENT TRIGGER" };
        return any_of(e, not, LEN(not ));
}

static bool subset_named(const TransferName *o, const TocEntry *e)
{
        if (of_the_database(e))
                return false;
        if (o->name)
                return is_table(e) && str_eq(e->schema, o->schema) && str_eq(e->name, o->name);
        return str_eq(e->schema, o->schema) ||
               (subset_is(e, "SCHEMA") && str_eq(e->name, o->schema));
}

static bool seed(Cut *c, Err *err)
{
        for (size_t i = 0; i < c->n_only; i++) {
                bool any = false;
                for (size_t j = 0; j < c->toc->n; j++)
                        if (subset_named(&c->only[i], &c->toc->entries[j]))
                                any = true, c->toc->entries[j].part = TOC_CHOSEN;
                if (any)
                        continue;
                AUTO_FREE char *schema = text_clean_str(c->only[i].schema);
                AUTO_FREE char *name = c->only[i].name ? text_clean_str(c->only[i].name) : NULL;
                return name ? err_set(err, ERR_USER, "there is no table %s.%s in it", schema, name)
                            : err_set(err, ERR_USER, "there is nothing of a schema %s in it",
                                      schema);
        }
        return true;
}

/* ---- what belongs to a chosen table ---- */

/* "orders orders_pkey": its own table comes first; a foreign key needs the other one too. */
static bool own_by_name(const TocEntry *e, const TocEntry *table)
{
        size_t n = strlen(table->name);
        return str_eq(e->schema, table->schema) && str_starts(e->name, table->name) &&
               (e->name[n] == ' ' || (!e->name[n] && subset_is(e, "ROW SECURITY")));
}

/* Before 14 a partition ties itself to its parent, in its own entry. */
static bool attaches_itself(const TocEntry *e)
{
        return (subset_is(e, "TABLE") || subset_is(e, "FOREIGN TABLE")) &&
               strstr(e->sql, " ATTACH PARTITION ");
}

static bool belongs_to(const TocEntry *e, const TocEntry *other)
{
        static const char *const named_by_table[] = { "DEFAULT",          "CONSTRAINT",
                                                      "CHECK CONSTRAINT", "FK CONSTRAINT",
                                                      "TRIGGER",          "RULE",
                                                      "POLICY",           "ROW SECURITY" };
        static const char *const by_need[] = { "INDEX", "STATISTICS", "SEQUENCE",
                                               "MATERIALIZED VIEW DATA" };
        static const char *const about[] = { "ACL", "COMMENT", "SECURITY LABEL",
                                             "SEQUENCE OWNED BY" };
        if (any_of(e, about, LEN(about)))
                return true;
        if (!is_table(other) || other->part != TOC_CHOSEN)
                return false;
        return any_of(e, by_need, LEN(by_need)) || attaches_itself(e) ||
               (any_of(e, named_by_table, LEN(named_by_table)) && own_by_name(e, other));
}

/* Ties a partition (or its index) to its parent: needed both, and brings the partition. */
static bool attaches(Cut *c, TocEntry *e)
{
        bool index = subset_is(e, "INDEX ATTACH");
        size_t there = 0, of_kind = 0;
        for (size_t i = 0; i < e->n_needs; i++) {
                TocEntry *o = needed(c, e, i);
                if (o && (index || is_table(o)))
                        of_kind++, there += o->part != TOC_NOT_PART;
        }
        if (there == of_kind && there > 1)
                return true;
        if (index || there == 0)
                return false;
        /* The parent is chosen, its partition not yet: the entry is called like the partition. */
        for (size_t i = 0; i < e->n_needs; i++) {
                TocEntry *o = needed(c, e, i);
                if (!o || !is_table(o) || o->part != TOC_NOT_PART || subset_gone(c, o))
                        continue;
                if (!subset_same(o, e))
                        return false; /* only the partition was chosen: it stands alone */
                o->part = TOC_CHOSEN;
                return true;
        }
        return false;
}

static bool subset_belongs(Cut *c, TocEntry *e)
{
        if (of_the_database(e))
                return false;
        if (subset_is(e, "TABLE ATTACH") || subset_is(e, "INDEX ATTACH"))
                return attaches(c, e);
        for (size_t i = 0; i < e->n_needs; i++) {
                const TocEntry *o = needed(c, e, i);
                if (o && o->part != TOC_NOT_PART && belongs_to(e, o))
                        return true;
        }
        return false;
}

/* ---- what that cannot do without ---- */

/* A partition is made alone and tied to its parent by an entry of its own. */
static bool attached_later(const Cut *c, const TocEntry *e)
{
        if (!subset_is(e, "TABLE") && !subset_is(e, "FOREIGN TABLE"))
                return false;
        for (size_t i = 0; i < c->toc->n; i++)
                if (subset_is(&c->toc->entries[i], "TABLE ATTACH") &&
                    subset_same(&c->toc->entries[i], e))
                        return true;
        return false;
}

static const TocEntry *missing_table(Cut *c, const TocEntry *e)
{
        if (c->alone[e - c->toc->entries] || attached_later(c, e))
                return NULL;
        for (size_t i = 0; i < e->n_needs; i++) {
                const TocEntry *o = needed(c, e, i);
                if (o && is_table(o) && o->part == TOC_NOT_PART)
                        return o;
        }
        return NULL;
}

/* Without the statement that ties it to a parent. False: there is none. */
static bool stand_alone(Cut *c, TocEntry *e)
{
        AUTO_BUF rest = buf_init(LIMIT_SQL);
        const char *start;
        bool cut = false;
        if (!attaches_itself(e))
                return false;
        for (const char *p = e->sql; sqltext_next(p, &start);) {
                size_t n = sqltext_next(p, NULL);
                AUTO_FREE char *one = xstrndup(start, (size_t)(p + n - start));
                if (str_starts(one, "ALTER TABLE ONLY ") && strstr(one, " ATTACH PARTITION "))
                        cut = true;
                else
                        buf_printf(&rest, "%s\n", one);
                p += n;
        }
        if (cut)
                e->sql = arena_strdup(c->a, buf_str(&rest));
        c->alone[e - c->toc->entries] = cut;
        return cut;
}

static bool bring(Cut *c, TocEntry *e, bool *ret_more, Err *err)
{
        const TocEntry *table = missing_table(c, e);
        if (table && stand_alone(c, e))
                table = NULL;
        if (table && subset_is(e, "TABLE ATTACH")) {
                leave_out(c, e, "its parent is not chosen; it becomes a table of its own");
                return true;
        }
        if (table && !c->lenient && subset_is(e, "FK CONSTRAINT")) {
                AUTO_FREE char *why = xasprintf("%s is not chosen", toc_object(c->a, table));
                leave_out(c, e, why);
                return true;
        }
        if (table && !c->lenient) {
                err_set(err, ERR_USER, "%s needs %s, which is not chosen", toc_object(c->a, e),
                        toc_object(c->a, table));
                return err_hint(err, "choose that one too");
        }
        for (size_t i = 0; i < e->n_needs; i++) {
                TocEntry *o = needed(c, e, i);
                bool other_tables =
                        o && (is_table(o) || subset_is(o, "CONSTRAINT") || subset_is(o, "INDEX"));
                if (!o || o->part != TOC_NOT_PART || subset_gone(c, o) || other_tables ||
                    of_the_database(o))
                        continue;
                o->part = TOC_NEEDED;
                *ret_more = true;
        }
        return true;
}

static bool grow(Cut *c, Err *err)
{
        for (bool more = true; more;) {
                more = false;
                for (size_t i = 0; i < c->toc->n; i++) {
                        TocEntry *e = &c->toc->entries[i];
                        if (e->part != TOC_NOT_PART || c->gone[i] || !subset_belongs(c, e))
                                continue;
                        e->part = TOC_CHOSEN;
                        more = true;
                }
                if (more)
                        continue; /* first everything that belongs, then what it needs */
                for (size_t i = 0; i < c->toc->n; i++) {
                        TocEntry *e = &c->toc->entries[i];
                        if (e->part != TOC_NOT_PART && !bring(c, e, &more, err))
                                return false;
                }
        }
        return true;
}

/* ---- the cut ---- */

static int compare_names(const void *x, const void *y)
{
        const TransferName *a = x, *b = y;
        int schema = strcmp(a->schema, b->schema);
        return schema ? schema : strcmp(a->name, b->name);
}

/* Tables whose rows, sequences whose values are wanted. */
static void cut_list(Cut *c, json_t *record, const char *key, bool sequences)
{
        size_t n = 0, i;
        json_t *j, *kept = json_array();
        TransferName *names = arena_new_array(c->a, TransferName, c->toc->n + 1);
        for (i = 0; i < c->toc->n; i++) {
                const TocEntry *e = &c->toc->entries[i];
                if (e->schema && (sequences ? subset_is(e, "SEQUENCE") : is_table(e)))
                        names[n++] = (TransferName){ e->schema, e->name };
        }
        qsort(names, n, sizeof *names, compare_names);
        json_array_foreach(jx_get(record, key), i, j) {
                TransferName want = { jx_str(j, "schema", ""), jx_str(j, "name", "") };
                if (n && bsearch(&want, names, n, sizeof want, compare_names))
                        json_array_append(kept, j);
        }
        jx_set(record, key, kept);
}

/* Rows of a partition that go through its root need the root; of an enum's hash partition
 * alone, its own name will do: then it has no root. */
static void cut_roots(json_t *record)
{
        size_t i, k;
        json_t *t, *other, *tables = jx_get(record, "tables");
        json_array_foreach(tables, i, t) {
                const json_t *root = jx_get(t, "via_root");
                bool there = !root;
                json_array_foreach(jx_get(record, "roots"), k, other)
                        there = there ||
                                (str_eq(jx_str(other, "schema", ""), jx_str(root, "schema", "")) &&
                                 str_eq(jx_str(other, "name", ""), jx_str(root, "name", "")));
                if (!there)
                        json_object_del(t, "via_root");
        }
        json_object_del(record, "roots");
}

static json_t *tables_of(const Toc *toc)
{
        json_t *all = json_array();
        for (size_t i = 0; i < toc->n; i++) {
                if (!is_table(&toc->entries[i]))
                        continue;
                json_t *j = json_object();
                jx_set_str(j, "schema", toc->entries[i].schema ? toc->entries[i].schema : "");
                jx_set_str(j, "name", toc->entries[i].name);
                json_array_append_new(all, j);
        }
        return all;
}

bool subset_apply(const Subset *s, Toc *toc, json_t *record, json_t *left_out, Arena *a, Err *err)
{
        Cut c = { .toc = toc,
                  .only = s->only,
                  .n_only = s->n,
                  .lenient = s->lenient,
                  .left_out = left_out,
                  .a = a };
        c.by_id = arena_new_array(a, Index, toc->n + 1);
        c.gone = arena_new_array(a, bool, toc->n + 1);
        c.alone = arena_new_array(a, bool, toc->n + 1);
        for (size_t i = 0; i < toc->n; i++) {
                c.by_id[i] = (Index){ toc->entries[i].id, i };
                toc->entries[i].part = TOC_NOT_PART;
        }
        qsort(c.by_id, toc->n, sizeof *c.by_id, by_id);
        if (!seed(&c, err) || !grow(&c, err))
                return false;
        size_t kept = 0;
        for (size_t i = 0; i < toc->n; i++)
                if (toc->entries[i].part != TOC_NOT_PART)
                        toc->entries[kept++] = toc->entries[i];
        toc->n = kept;
        cut_list(&c, record, "tables", false);
        cut_list(&c, record, "sequences", true);
        jx_set(record, "roots", tables_of(toc));
        cut_roots(record);
        if (jx_int(jx_get(record, "large_objects"), "count", 0) > 0)
                jx_append_str(left_out, "left out: large objects: they belong to no table");
        json_object_del(record, "large_objects");
        return true;
}
