/* Files and commands of this machine. */
#include <sys/stat.h>

#include "base/io.h"
#include "dry_row.h"

#define NASTY "a\"; drop $(rm) 'x'\n.txt" /* a name like any other */

static FakeStep copy_of(Scene *s, const StepKind *k, const char *from, const char *to)
{
        scene_write(s, NASTY, "one\n");
        AUTO_FREE char *a = scene_path(s, from);
        AUTO_FREE char *b = scene_path(s, to);
        return scene_step(k, json_pack("{s:s, s:s}", "from", a, "to", b));
}

static FakeStep copy_of_nothing(Scene *s, const StepKind *k, bool planted)
{
        return copy_of(s, k, planted ? "missing" : NASTY, "to $(rm)");
}

static FakeStep copy_to_nowhere(Scene *s, const StepKind *k, bool planted)
{
        return copy_of(s, k, NASTY, planted ? "no/such/directory" : "to");
}

static FakeStep copy_over_a_directory(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *dir = scene_path(s, "dir");
        cr_assert_eq(mkdir(dir, 0700), 0);
        return copy_of(s, k, NASTY, planted ? "dir" : "dir/file");
}

static FakeStep restore(Scene *s, const StepKind *k, bool planted)
{
        AUTO_ERR err = { 0 };
        static json_t *steps; /* borrowed by the step */
        static FakeStep before;
        const StepKind *copy = step_kind_find("file.copy", &err);
        cr_assert_not_null(copy);
        scene_write(s, "to", "what was there\n");
        before = copy_of(s, copy, NASTY, "to");
        before.kept_dir = s->dir;
        cr_assert(fake_run(&before, &err), "%s", err.message);
        steps = json_object();
        jx_set(steps, "edit", json_deep_copy(before.remembered));
        fake_step_done(&before);
        FakeStep f = scene_step(k, json_pack("{s:s}", "step", planted ? "another" : "edit"));
        f.steps = steps;
        return f;
}

static FakeStep command(Scene *s, const StepKind *k, bool planted)
{
        return scene_step(k, json_pack("{s:[s, s]}", "argv",
                                       planted ? "no-such-program-$(rm)" : "true", "\"; drop"));
}

static FakeStep command_somewhere(Scene *s, const StepKind *k, bool planted)
{
        AUTO_FREE char *dir = scene_path(s, planted ? "missing" : "");
        return scene_step(k, json_pack("{s:[s], s:s}", "argv", "true", "cwd", dir));
}

static FakeStep command_not_executable(Scene *s, const StepKind *k, bool planted)
{
        scene_write(s, "tool", "#!/bin/sh\nexit 0\n");
        AUTO_FREE char *path = scene_path(s, "tool");
        cr_assert_eq(chmod(path, planted ? 0644 : 0755), 0);
        return scene_step(k, json_pack("{s:[s]}", "argv", path));
}

static FakeStep script(Scene *s, const char *name, unsigned mode, const StepKind *k,
                       const char *interpreter)
{
        scene_write(s, "script.sh", "exit 0\n");
        AUTO_FREE char *path = scene_path(s, name);
        (void)!chmod(path, mode);
        return scene_step(k, json_pack("{s:s, s:b, s:s}", "script", path, "unsafe", true,
                                       "interpreter", interpreter));
}

static FakeStep script_missing(Scene *s, const StepKind *k, bool planted)
{
        return script(s, planted ? "missing.sh" : "script.sh", 0600, k, "/bin/sh");
}

static FakeStep script_of_everybody(Scene *s, const StepKind *k, bool planted)
{
        return script(s, "script.sh", planted ? 0666 : 0644, k, "/bin/sh");
}

static FakeStep script_unread(Scene *s, const StepKind *k, bool planted)
{
        return script(s, "script.sh", 0600, k, planted ? "/bin/no-such-shell" : "/bin/sh");
}

static FakeStep prune(Scene *s, const StepKind *k, bool planted)
{
        return scene_step(k, json_pack("{s:s, s:[s], s:i, s:i}", "root", s->dir, "names", "app",
                                       "keep_last", planted ? 0 : 1, "keep", 1000));
}

static FakeStep prune_a_file(Scene *s, const StepKind *k, bool planted)
{
        scene_write(s, "file", "");
        AUTO_FREE char *root = scene_path(s, planted ? "file" : "");
        return scene_step(k, json_pack("{s:s, s:[s], s:i, s:i}", "root", root, "names", "app",
                                       "keep_last", 1, "keep", 1000));
}

const DryRow dry_file_rows[] = {
        { "file.copy", "a source that is missing", "missing", copy_of_nothing, FAILS },
        { "file.copy", "no directory", "there is no directory", copy_to_nowhere, FAILS },
        { "file.copy", "a directory in its place", "is not a file", copy_over_a_directory, FAILS },
        { "file.restore", "a step that saves nothing", "has saved no file", restore, FAILS },
        { "exec", "a program that is missing", "command not found", command, FAILS },
        { "exec", "no directory to run in", "there is no directory", command_somewhere, FAILS },
        { "exec", "a program nobody may execute", "may not be executed", command_not_executable,
          FAILS },
        { "shell", "a script that is missing", "there is no script", script_missing, FAILS },
        { "shell", "a script that everybody may write", "chmod o-w", script_of_everybody, FAILS },
        { "shell", "an interpreter that is missing", "command not found", script_unread, FAILS },
        { "bundle.prune", "nothing stays", "keep_last", prune, FAILS },
        { "bundle.prune", "a file instead of a directory", "root", prune_a_file, FAILS },
        { 0 },
};
