/* main.c: from argv to a verb. */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/cli/verb.h"
#include "base/text.h"
#include "config.h"
#include "proc/proc.h"

static const Verb *find_verb(const char *name)
{
        for (const Verb *const *v = verbs; *v; v++)
                if (str_eq((*v)->name, name) && (*v)->summary)
                        return *v;
        return NULL;
}

static int help_of(const Verb *v, const char *word)
{
        printf("pgsherpa %s: %s\n\n", v->name, v->summary);
        usage_print(stdout, v, word);
        return EXIT_DONE;
}

/* `help VERB [WORD]`, `VERB --help`, `VERB WORD --help`. NULL: nothing of the kind. */
static const Verb *help_wanted(int argc, char **argv, const char **ret_word)
{
        *ret_word = NULL;
        if (argc > 2 && str_eq(argv[1], "help")) {
                *ret_word = argc > 3 ? argv[3] : NULL;
                return find_verb(argv[2]);
        }
        if (argc > 3 && str_eq(argv[3], "--help"))
                *ret_word = argv[2];
        return *ret_word || (argc > 2 && str_eq(argv[2], "--help")) ? find_verb(argv[1]) : NULL;
}

static void print_help(void)
{
        puts("pgsherpa " PGSHERPA_VERSION
             ": carries PostgreSQL databases through upgrades and moves\n"
             "\n"
             "  pgsherpa                       the wizard\n"
             "  pgsherpa VERB ...\n");
        for (const Verb *const *v = verbs; *v; v++)
                if ((*v)->summary)
                        printf("  %-10s %s\n", (*v)->name, (*v)->summary);
        puts("\n"
             "Exit codes: 0 done; 1 the answer is no (differences, damage, a failed run); 2 usage\n"
             "or a bad runbook; 3 refused before the start; 4 could not look; 130 cancelled.\n"
             "`pgsherpa help VERB` shows its options; see pgsherpa(1).");
}

/* Nothing we write is for others, and a core file would hold passwords. */
static void protect_process(void)
{
        umask(077);
        struct rlimit none = { 0, 0 };
        setrlimit(RLIMIT_CORE, &none);
        prctl(PR_SET_DUMPABLE, 0);
        signal(SIGPIPE, SIG_IGN);
}

/* Both may go into one pipe (2>&1 | tee log): whole lines, in the order they were said. */
static void whole_lines(void)
{
        setvbuf(stdout, NULL, _IOLBF, 0);
        setvbuf(stderr, NULL, _IOLBF, 0);
}

int main(int argc, char **argv)
{
        protect_process();
        whole_lines();
        proc_forget_pg();
        const char *word = argc > 1 ? argv[1] : "home";
        const char *form = NULL;
        const Verb *help = help_wanted(argc, argv, &form);
        if (help)
                return help_of(help, form);
        if (str_eq(word, "--help") || str_eq(word, "-h") || str_eq(word, "help")) {
                print_help();
                return EXIT_DONE;
        }
        if (str_eq(word, "--version")) {
                puts("pgsherpa " PGSHERPA_VERSION);
                return EXIT_DONE;
        }
        const char *names[64];
        size_t n = 0;
        /* Options before any verb belong to the wizard: `pgsherpa --plain`. */
        bool bare = word[0] == '-' || argc == 1;
        for (const Verb *const *v = verbs; *v; v++) {
                if (str_eq((*v)->name, bare ? "home" : word))
                        return bare ? (*v)->run(argc, argv) : (*v)->run(argc - 1, argv + 1);
                if ((*v)->summary && n < LEN(names))
                        names[n++] = (*v)->name;
        }
        const char *near = text_nearest(word, names, n);
        AUTO_FREE char *clean = text_clean_str(word);
        fprintf(stderr, "pgsherpa: there is no verb `%s`\n", clean);
        if (near)
                fprintf(stderr, "hint: did you mean `%s`?\n", near);
        else
                fprintf(stderr, "hint: `pgsherpa --help` lists them\n");
        return EXIT_USAGE;
}
