/* ui_app.h: the functions the screens are given (ui/ui.h), filled in. */
#pragma once

#include "app/cli/options.h"

/* Borrows `o` for as long as the screens run. */
UiApp ui_app_new(const Options *o) NONNULL;
