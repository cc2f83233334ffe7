/* event_table.h: what the journal promises for each type of event. Inside the journal room. */
#pragma once

#include "journal/journal.h"

typedef enum EventTrait {
        EVENT_DURABLE = 1 << 0, /* fdatasync before journal_append() returns */
        EVENT_DIR = 1 << 1,     /* the run directory too: begin and end of a run */
        EVENT_HEAD = 1 << 2,    /* `head` is replaced: gate, phase, close */
} EventTrait;

unsigned event_traits(EventType type);
