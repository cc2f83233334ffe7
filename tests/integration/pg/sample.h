/* sample.h: makapix, the fixture of case A, without psql's variables. */
#pragma once

#include "lab.h"

/* Fills `database` (made by lab_database) and makes its roles if they are missing. */
void sample_load(int major, const char *database);
/* Only the roles: of the server a copy goes to. */
void sample_roles(int major);
