/* layout.h: which row belongs to what, for every size of terminal.
 *
 * Rows of the screen, from the top: title, phase rail, rule, body, rule, message line, key bar.
 * Compact screens drop the rail and the first rule; below 40x10 one line remains. Whatever the
 * size, the parts never overlap and fill the screen. */
#pragma once

#include "ui/canvas.h"

typedef enum LayoutClass {
        LAYOUT_LINE,    /* below 40x10 */
        LAYOUT_COMPACT, /* below 80x24 */
        LAYOUT_NORMAL,
        LAYOUT_WIDE, /* from 110 columns: list on the left, detail on the right */
} LayoutClass;

typedef struct Layout {
        LayoutClass cls;
        Rect title, rail, rule, body, rule2, message, keys; /* h is 0 where there is none */
} Layout;

Layout layout_make(int rows, int cols);
/* A dialog of at most w x h, centred in the body and inside the screen. */
Rect layout_dialog(const Layout *l, int h, int w);
