#include "ui/widgets/list.h"

#include "ui/keys.h"

void list_fit(List *l, int n, int height)
{
        l->n = n;
        l->height = MAX(height, 1);
        l->cursor = MAX(MIN(l->cursor, n - 1), 0);
        if (l->cursor < l->top)
                l->top = l->cursor;
        if (l->cursor >= l->top + l->height)
                l->top = l->cursor - l->height + 1;
        l->top = MAX(MIN(l->top, n - l->height), 0);
}

void list_to(List *l, int row)
{
        l->cursor = row;
        list_fit(l, l->n, l->height);
}

bool list_key(List *l, int key)
{
        int page = MAX(l->height - 1, 1);
        switch (key) {
        case 'j':
        case K_DOWN:
                l->cursor++;
                break;
        case 'k':
        case K_UP:
                l->cursor--;
                break;
        case ' ':
        case K_PGDN:
                l->cursor += page;
                break;
        case 'b':
        case K_PGUP:
                l->cursor -= page;
                break;
        case 'g':
        case K_HOME:
                l->cursor = 0;
                break;
        case 'G':
        case K_END:
                l->cursor = l->n - 1;
                break;
        default:
                return false;
        }
        list_fit(l, l->n, l->height);
        return true;
}
