/* sequences.c: where each sequence stands. */
#include "transfer/make/sequences.h"

#include "base/buf.h"
#include "base/limits.h"
#include "transfer/choose/content.h"
#include "transfer/state/quoted_sql.h"

#define BATCH 200

static void setval(const Sequence *s, Sql *q)
{
        AUTO_SQL name = { 0 };
        sql_qname(&name, s->schema, s->name);
        AUTO_FREE char *quoted = plain_sql(&name);
        sql_add(q, "SELECT pg_catalog.setval(");
        sql_value(q, quoted);
        sql_add(q, ", ");
        sql_value(q, s->value);
        if (s->is_called)
                sql_add(q, ", true);\n");
        else
                sql_add(q, ", false);\n");
}

bool sequences_set(Pg *to, const Content *c, Err *err)
{
        size_t n = c->n_sequences - c->n_sequences_later;
        for (size_t i = 0; i < n;) {
                AUTO_SQL q = { 0 };
                for (size_t k = 0; k < BATCH && i < n; k++, i++)
                        setval(&c->sequences[i], &q);
                if (!pg_exec(to, &q, err))
                        return err_wrap(err, "setting the sequences");
        }
        return true;
}

bool sequences_to_bundle(BundleWriter *w, const char *dir, const Content *c, Err *err)
{
        AUTO_BUF b = buf_init(LIMIT_SQL);
        for (size_t i = 0; i < c->n_sequences; i++) {
                AUTO_SQL q = { 0 };
                setval(&c->sequences[i], &q);
                AUTO_FREE char *text = plain_sql(&q);
                buf_adds(&b, text);
        }
        if (b.overflow)
                return err_set(err, ERR_USER, "there are too many sequences for a bundle");
        AUTO_FREE char *name = xasprintf("%s/sequences.sql.zst", dir);
        return bundle_add(w, "sql", name, buf_str(&b), b.len, err);
}
