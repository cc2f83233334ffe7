#include "sql/sqlfile.h"

const SqlFile *sql_file_find(const SqlFile *list, const char *name)
{
        for (; list->name; list++)
                if (str_eq(list->name, name))
                        return list;
        return NULL;
}

void sql_file(Sql *q, const SqlFile *f, int major)
{
        for (const SqlPart *p = f->parts; p->text; p++)
                if (major >= p->since && (!p->before || major < p->before))
                        sql_add_literal_(q, p->text);
}
