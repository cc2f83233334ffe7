/* loop.h: the parts of ui.c that the entry points and the tests use. */
#pragma once

#include "ui/screen.h"

int ui_main(Ui *ui, const char *theme); /* the terminal is open; closes it */
void ui_render(Ui *ui, int rows, int cols, Tier tier);
void ui_key(Ui *ui, int key);
void ui_poll_runs(Ui *ui);
void ui_free(Ui *ui);
