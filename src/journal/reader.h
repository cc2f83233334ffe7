/* reader.h: what only this room asks of a JournalReader. */
#pragma once

#include "journal/journal.h"

/* Progress is checked but not handed out: listing runs must not parse 10^5 of them. */
void journal_reader_skip_progress(JournalReader *r);
/* Hash of the last record that was read. */
const char *journal_reader_hash(const JournalReader *r);
