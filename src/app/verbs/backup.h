/* backup.h: the words of `pgsherpa backup`, a file each. */
#pragma once

#include "bundle/bundle.h"

#define BACKUP_ROOT "/var/backups/pgsherpa"

/* argv[0] is the word; they return an exit code. */
int backup_create(int argc, char **argv);
int backup_list(int argc, char **argv);
int backup_show(int argc, char **argv);
int backup_verify(int argc, char **argv);
int backup_extract(int argc, char **argv);
int backup_prune(int argc, char **argv);
int backup_lock(int argc, char **argv);
int backup_unlock(int argc, char **argv);

/* Where bundles are: the word, or --root as `create` has it, or BACKUP_ROOT. Both: ERR_USER. */
bool backup_root(const char *word, const char *option, const char **ret, Err *err) MUST_CHECK;
void backup_print_json(const json_t *j);
