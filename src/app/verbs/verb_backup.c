/* verb_backup.c: `pgsherpa backup WORD ..`: everything about bundles that needs no run. */
#include <stdio.h>

#include "app/verbs/backup.h"
#include "app/cli/verb.h"

extern const Verb verb_restore;

void backup_print_json(const json_t *j)
{
        AUTO_FREE char *text = jx_dump(j);
        puts(text);
}

static int run(int argc, char **argv)
{
        const struct {
                const char *name;
                int (*run)(int argc, char **argv);
        } words[] = { { "create", backup_create },     { "list", backup_list },
                      { "show", backup_show },         { "verify", backup_verify },
                      { "restore", verb_restore.run }, { "extract", backup_extract },
                      { "prune", backup_prune },       { "lock", backup_lock },
                      { "unlock", backup_unlock } };
        for (size_t i = 0; argc > 1 && i < LEN(words); i++)
                if (str_eq(argv[1], words[i].name))
                        return words[i].run(argc - 1, argv + 1);
        return verb_usage("backup",
                          "wants one of create, list, show, verify, restore, extract, prune, "
                          "lock, unlock");
}

const Verb verb_backup = {
        .name = "backup",
        .args = "create --from host=..,port=..,user=..,db=.. [--from-password-file PATH] [--db "
                "NAME].. [--all] [--schema NAME].. [--table SCHEMA.NAME].. [--root DIR] [--name "
                "NAME] [--dump] [--portable] [--no-globals] [--file PATH].. [--keep-env] [--jobs "
                "N] [--json] [--quiet] | list [DIR | --root DIR] [--json] | show BUNDLE [--json] | "
                "verify BUNDLE [--restore [--into host=..,port=..,user=.. [--into-password-file "
                "PATH]]] [--json] [--quiet] | restore BUNDLE .. (see pgsherpa help restore) | "
                "extract BUNDLE (--dir DIR [--member NAME].. | --member NAME | --table SCHEMA.NAME "
                "| --schema-sql) [--plain] [--database NAME] [--out FILE] [--json] [--quiet] | "
                "prune [DIR | --root DIR] [--keep-last N] [--keep-days D] [--name NAME] "
                "[--dry-run] [--yes] [--json] | lock BUNDLE [--run NAME] [--json] | unlock BUNDLE "
                "[--json]",
        .summary =
                "keep databases in a bundle that can prove itself; look, verify, take out, prune",
        .run = run,
};
