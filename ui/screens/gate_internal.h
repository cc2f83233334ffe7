/* gate_internal.h: what the dialogs that ask share. Inside ui/screens only. */
#pragma once

#include "ui/screens/common.h"
#include "ui/widgets/edit.h"
#include "ui/widgets/list.h"

enum { DIALOG_W = 76 };

typedef struct Gate {
        Screen s;
        int64_t number;
        Edit edit;
        List list; /* of choices, or of the checklist */
        bool sent;
        int scroll, lines_over; /* of the lines, when they do not fit */
} Gate;

Gate *gate_of(const Screen *s);
const ViewGate *gate_view(const Screen *s);
/* NULL: it is not among the answers. */
const ViewChoice *gate_choice(const ViewGate *g, const char *key);
bool gate_send(Ui *ui, Gate *g, const char *answer, const char *text);
Rect gate_frame(Canvas *cv, const Layout *l, const char *title, int inside_rows);
const char *gate_title(const ViewGate *g);

/* gate_manual.c: the checklist of what people look at themselves. */
void gate_manual_draw(Ui *ui, Screen *s, Canvas *cv, const Layout *l);
UiAct gate_manual_key(Ui *ui, Screen *s, int key);
