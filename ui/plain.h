/* plain.h: the other two frontends on the same view: sentences, and JSON lines. */
#pragma once

#include "ui/model.h"
#include "ui/ui.h"

int plain_home(const UiApp *app, const UiOptions *o);
int plain_journey(const UiApp *app, const UiOptions *o, const char *runbook, const json_t *answers);
int plain_run(const UiApp *app, const UiOptions *o, const char *run_dir);
int plain_log(const UiApp *app, const UiOptions *o, const char *run_dir);
/* Journal events as JSON lines until the run closes. */
int json_run(const UiApp *app, const UiOptions *o, const char *run_dir);
/* house.md 4: 0 done, 1 failed or undone, 3 refused, 130 aborted. */
int plain_exit_code(const char *status);
