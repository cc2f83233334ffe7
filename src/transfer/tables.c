/* tables.c: every table of a database, one after the other, with its progress. */
#include "transfer/internal.h"

#include "base/text.h"

typedef struct Tables {
        const PartSink *s;
        Content        *c;
        const Table    *t;              /* that is being moved                                */
        const char     *name;
        int64_t         done, part;     /* of the total size; of this table                   */
        int             finished;
} Tables;

static void moved(void *arg, int64_t bytes, int64_t rows)
{
        Tables *w = arg;
        w->part = MIN(w->part + bytes, w->t->size);
        progress_set(w->s->t, w->done + w->part, w->finished,
                     &(TransferRow){ .name = w->name, .done = w->part, .total = w->t->size });
}

static bool one_table(Tables *w, PartSink *s, Table *t, Pg *from, const Bundle *b,
                      const json_t *record, Err *err)
{
        AUTO_ARENA a = arena_new();
        AUTO_FREE char *both = xasprintf("%s.%s", t->schema, t->name);
        AUTO_FREE char *name = text_clean_str(both);
        Part *parts;
        size_t n = b ? parts_plan_stored(t, b, record, w->c->total_size, 1, a, &parts) :
                       parts_plan(t, w->c->total_size, 1, a, &parts);
        *w = (Tables){ .s = s, .c = w->c, .t = t, .name = name, .done = w->done,
                       .finished = w->finished };
        s->moved = moved;
        s->moved_arg = w;
        for (size_t i = 0; i < n; i++) {
                if (transfer_stopped(s->t, err))
                        return false;
                if (!(b ? part_restore(s, b, record, &parts[i], err) :
                          part_copy(s, from, &parts[i], err)))
                        return err_wrap(err, "table %s", name);
                part_add(&parts[i]);
        }
        w->done += t->size;
        w->finished++;
        progress_set(s->t, w->done, w->finished, NULL);
        return true;
}

bool tables_copy(const PartSink *s, Pg *from, Content *c, json_t *records, Err *err)
{
        PartSink mine = *s;
        Tables w = { .c = c };
        for (size_t i = 0; i < c->n_tables; i++) {
                if (!one_table(&w, &mine, &c->tables[i], from, NULL, NULL, err))
                        return false;
                if (records)
                        json_array_append_new(records, table_record(s, &c->tables[i]));
        }
        return true;
}

bool tables_restore(const PartSink *s, const Bundle *b, const json_t *records, Content *c, Err *err)
{
        PartSink mine = *s;
        Tables w = { .c = c };
        for (size_t i = 0; i < c->n_tables; i++)
                if (!one_table(&w, &mine, &c->tables[i], NULL, b, json_array_get(records, i), err))
                        return false;
        return true;
}
