/* problems.c: every mistake of a file, in the order of its lines. */
#include "base/limits.h"
#include "runbook/runbook.h"

/* " (in a part used at upgrade.yaml:88:9)"; malloc()ed, NULL outside of parts. */
static char *place_of_use(const Problems *p, const char *file, int *ret_order)
{
        char *words = NULL;
        for (const LocUse *u = p->uses; u && file; u = u->next) {
                if (u->file != file)
                        continue; /* the list is newest first: who uses a part comes behind it */
                char *more =
                        xasprintf("%s%s%s:%d:%d", words ? words : " (in a part used at ",
                                  words ? ", used at " : "", u->at.file, u->at.line, u->at.col);
                free(words);
                words = more;
                *ret_order = *ret_order ? *ret_order : u->order;
                file = u->at.file;
        }
        return words;
}

void problems_add(Problems *p, Loc loc, const char *rule, const char *hint, const char *fmt, ...)
{
        va_list ap;
        if (problems_full(p)) {
                p->errors += !str_starts(rule, "W-");
                return;
        }
        if (p->n == p->capacity) {
                p->capacity = p->capacity ? p->capacity * 2 : 8;
                p->list = xrealloc(p->list, p->capacity * sizeof *p->list);
        }
        int order = 0;
        AUTO_FREE char *where = place_of_use(p, loc.file, &order);
        Problem *new = &p->list[p->n++];
        *new = (Problem){ .loc = loc,
                          .warning = str_starts(rule, "W-"),
                          .order = order,
                          .hint = hint ? xstrdup(hint) : NULL };
        new->loc.file = loc.file ? xstrdup(loc.file) : NULL; /* outlives the runbook */
        strncpy(new->rule, rule, sizeof new->rule - 1);
        va_start(ap, fmt);
        new->text = xvasprintf(fmt, ap);
        va_end(ap);
        if (where) {
                char *text = xasprintf("%s%s)", new->text, where);
                free(new->text);
                new->text = text;
        }
        p->errors += !new->warning;
}

bool problems_full(const Problems *p)
{
        return p->n >= LIMIT_PROBLEMS;
}

void problems_done(Problems *p)
{
        for (size_t i = 0; i < p->n; i++) {
                free((char *)p->list[i].loc.file);
                free(p->list[i].text);
                free(p->list[i].hint);
        }
        free(p->list);
        *p = (Problems){ 0 };
}

static int by_place(const void *x, const void *y)
{
        const Problem *a = x, *b = y;
        if (a->order != b->order)
                return a->order < b->order ? -1 : 1;
        if (a->loc.line != b->loc.line)
                return a->loc.line < b->loc.line ? -1 : 1;
        if (a->loc.col != b->loc.col)
                return a->loc.col < b->loc.col ? -1 : 1;
        int order = strcmp(a->rule, b->rule);
        return order ? order : strcmp(a->text, b->text);
}

void problems_sort(Problems *p)
{
        if (p->n)
                qsort(p->list, p->n, sizeof *p->list, by_place);
}

char *problem_words(const Problem *p)
{
        const char *hint = p->hint ? p->hint : "";
        return xasprintf("%s:%d:%d: %s %s%s%s", p->loc.file, p->loc.line, p->loc.col, p->rule,
                         p->text, *hint ? "; " : "", hint);
}
