/* run_internal.h: the screen of a run, for the two files that make it. Inside ui/screens only. */
#pragma once

#include "ui/screens/common.h"

typedef enum Mode { MODE_AUTO, MODE_LIST, MODE_PROGRESS } Mode;

typedef struct Run {
        Screen s;
        Mode mode;
        int cursor; /* index into view->steps */
        bool moved; /* the person moved it; else it follows the run */
        int top, scroll;
        int64_t seen_gate; /* number of the gate whose dialog was put aside */
        bool asked_resume, resumed;
        Tail tail;
} Run;

/* run_draw.c: the steps, with the detail of one below them or beside them. */
void run_draw_stacked(Ui *ui, Run *r, Canvas *cv, const Layout *l);
void run_draw_wide(Ui *ui, Run *r, Canvas *cv, const Layout *l);
