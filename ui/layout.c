#include "ui/layout.h"

static Rect row(int y, int cols, bool there)
{
        return (Rect){ y, 0, there ? 1 : 0, cols };
}

Layout layout_make(int rows, int cols)
{
        Layout l = { .cls = LAYOUT_LINE };
        if (rows < 10 || cols < 40) {
                l.body = (Rect){ 0, 0, rows, cols };
                return l;
        }
        bool full = rows >= 24 && cols >= 80;
        l.cls = !full ? LAYOUT_COMPACT : cols >= 110 ? LAYOUT_WIDE : LAYOUT_NORMAL;
        int y = 0;
        l.title = row(y++, cols, true);
        if (full) {
                l.rail = row(y++, cols, true);
                l.rule = row(y++, cols, true);
        }
        l.body = (Rect){ y, 0, rows - y - 3, cols };
        l.rule2 = row(rows - 3, cols, true);
        l.message = row(rows - 2, cols, true);
        l.keys = row(rows - 1, cols, true);
        return l;
}

Rect layout_dialog(const Layout *l, int h, int w)
{
        Rect b = l->body;
        if (l->cls <= LAYOUT_COMPACT) /* the dialog becomes the screen */
                return b;
        w = MIN(w, b.w - 2);
        h = MIN(h, b.h);
        return (Rect){ b.y + (b.h - h) / 2, b.x + (b.w - w) / 2, h, w };
}
