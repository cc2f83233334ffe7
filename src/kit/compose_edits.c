/* compose_edits.c: what compose.set_image, compose.set_volume and compose.try share. */
#include <limits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/majors.h"
#include "kit/compose_edits.h"
#include "kit/file_edit.h"
#include "kit/layout.h"

void kit_volume_move_done(VolumeMove *m)
{
        free(m->old_data);
        free(m->old_mount);
        free(m->previous);
        free(m->mount);
        *m = (VolumeMove){ 0 };
}

json_t *kit_image_of_major(int major)
{
        AUTO_FREE char *mount = NULL;
        AUTO_FREE char *data = major_pgdata(major, &mount);
        AUTO_FREE char *env = xasprintf("PGDATA=%s", data);
        return json_pack("{s:{s:[s],s:{s:{}}}}", "Config", "Env", env, "Volumes", mount);
}

bool kit_volume_move_find(Compose *c, const char *service, const json_t *image, VolumeMove *ret,
                          Err *err)
{
        const json_t *now = compose_container(c, service);
        if (!now)
                return err_set(err, ERR_USER,
                               "service %s has no container to read its present volume from",
                               service);
        AUTO_ERR ignored = { 0 };
        AUTO_LAYOUT layout = { 0 };
        kit_layout_of(compose_service_env(c, service, "PGDATA", &ignored), now, image, &layout);
        const char *data = container_pgdata(now);
        const json_t *mount = container_mount_of(now, data);
        if (!mount) {
                err_set(err, ERR_USER,
                        "the data of %s (%s) is on no volume at all: it is in the container "
                        "itself, and "
                        "goes with it",
                        service, data);
                return err_hint(
                        err,
                        "move it first: copy the database into a server whose data is on a volume "
                        "(pgsherpa copy)");
        }
        ret->old_data = xstrdup(data);
        ret->old_mount = xstrdup(jx_str(mount, "Destination", ""));
        ret->previous = xstrdup(jx_str(mount, "Name", jx_str(mount, "Source", "")));
        ret->mount = xstrdup(layout.mount);
        return true;
}

bool kit_image_before(Compose *c, const char *service, char **ret, Err *err)
{
        const json_t *now = compose_container(c, service);
        if (!now)
                return compose_service_image(c, service, ret, err);
        *ret = xstrdup(container_image(now));
        return true;
}

void kit_change_unwritable(const ComposeChange *ch, json_t *problems)
{
        for (size_t i = 0; i < compose_change_count(ch); i++) {
                const char *path = compose_change_file(ch, i).path;
                AUTO_FREE char *real = realpath(path, NULL);
                AUTO_FREE char *dir = xstrdup(real ? real : path);
                *strrchr(dir, '/') = '\0';
                if ((real && access(real, W_OK) != 0) || access(*dir ? dir : "/", W_OK) != 0) {
                        AUTO_FREE char *words =
                                xasprintf("%s cannot be written by this user", path);
                        jx_append_str(problems, words);
                }
        }
}

void kit_change_check(StepCtx *ctx, const ComposeChange *ch)
{
        AUTO_JSON problems = json_array();
        size_t i;
        json_t *one;
        kit_change_unwritable(ch, problems);
        json_array_foreach(problems, i, one)
                step_problem(ctx, "%s", json_string_value(one));
}

void kit_change_results(const ComposeChange *ch, json_t *results)
{
        AUTO_BUF files = buf_init(LIMIT_COMPOSE_FILE);
        AUTO_BUF diffs = buf_init(4 * LIMIT_COMPOSE_FILE);
        for (size_t i = 0; i < compose_change_count(ch); i++) {
                ComposeChanged f = compose_change_file(ch, i);
                buf_printf(&files, "%s%s", i ? ", " : "", f.path);
                buf_adds(&diffs, f.diff);
        }
        jx_set_str(results, "file", buf_str(&files));
        jx_set_str(results, "diff", buf_str(&diffs));
}

static void say_diff(StepCtx *ctx, const char *diff)
{
        AUTO_FREE char *copy = xstrdup(diff);
        for (char *save = NULL, *l = strtok_r(copy, "\n", &save); l;
             l = strtok_r(NULL, "\n", &save))
                step_say(ctx, "%s", l);
}

void kit_change_say(StepCtx *ctx, const ComposeChange *ch)
{
        for (size_t i = 0; i < compose_change_count(ch); i++)
                say_diff(ctx, compose_change_file(ch, i).diff);
}

static bool back_of(const ComposeChange *back, FileEdit *edit)
{
        for (size_t i = 0; i < compose_change_count(back); i++) {
                ComposeChanged f = compose_change_file(back, i);
                if (!str_eq(f.path, edit->path))
                        continue;
                edit->back = f.after;
                edit->back_len = f.after_len;
                return true;
        }
        return false;
}

bool kit_change_write(StepCtx *ctx, const ComposeChange *ch, const ComposeChange *back,
                      json_t *results, Err *err)
{
        AUTO_JSON owned = results;
        FileEdit edits[8] = { 0 };
        size_t n = compose_change_count(ch), with_back = 0;
        assert(n <= LEN(edits));
        for (size_t i = 0; i < n; i++) {
                ComposeChanged f = compose_change_file(ch, i);
                edits[i] = (FileEdit){ .path = f.path, .after = f.after, .after_len = f.after_len };
                with_back += back && back_of(back, &edits[i]);
        }
        if (back && with_back != compose_change_count(back)) {
                err_set(err, ERR_USER,
                        "the data is in a volume without a name, and the way back to it cannot be "
                        "written "
                        "where the way forth is");
                return err_hint(err, "give that volume a name in the compose file first (external: "
                                     "true), and begin anew");
        }
        kit_change_say(ctx, ch);
        return kit_file_edits(ctx, edits, n, json_incref(owned), err);
}
