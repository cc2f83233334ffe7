/* sequences.h: where the source's sequences stand, said to a target or a bundle. */
#pragma once

#include "bundle/bundle.h"
#include "pg/conn.h"
#include "transfer/choose/content.h"

bool sequences_set(Pg *to, const Content *c, Err *err);
bool sequences_to_bundle(BundleWriter *w, const char *dir, const Content *c, Err *err);
