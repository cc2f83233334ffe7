/* fields.h: what an event carries, made fit for a line. Inside the journal room.
 *
 * Texts from anywhere are cleaned (no control characters but \n and \t) and redacted; integers
 * that a double cannot hold become strings (jq would round them); a key that the line itself
 * uses gets a "_" behind it. */
#pragma once

#include "journal/journal.h"

/* A deep copy, fit for record_encode(). New reference. */
json_t *fields_prepare(const json_t *fields) MUST_CHECK;
/* Makes it shorter by cutting what people read ("... (cut)"), never what a machine reads back.
 * False: nothing is left to cut. */
bool fields_shrink(json_t *fields) MUST_CHECK;
