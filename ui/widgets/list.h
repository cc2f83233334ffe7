/* list.h: a cursor and a window over n rows; drawing is the screen's own. */
#pragma once

#include "base/base.h"

typedef struct List {
        int n, cursor, top, height;
} List;

/* After the rows or the space changed: cursor and window are valid again. */
void list_fit(List *l, int n, int height);
/* j k arrows PgUp PgDn Space b g G Home End: true when it was one of these. */
bool list_key(List *l, int key);
void list_to(List *l, int row);
