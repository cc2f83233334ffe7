/* scratch.h: a run directory that goes away with the test, and journals to put into it. */
#pragma once

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "journal/journal.h"
#include "tests/fakes/scratch.h"

void scratch_remove(char **dir);
#define AUTO_DIR CLEANUP(scratch_remove) char *

json_t *fields_of(const char *json);
Journal *must_open(const char *dir);
void must_append(Journal *j, EventType type, const char *step, const char *json);
char *slurp(const char *dir, const char *name, size_t *n);
void spit(const char *dir, const char *name, const void *bytes, size_t n);
