#include "dry_row.h"

#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "kit.h"
#include "pg/roles.h"
#include "tests/fakes/scratch.h"

/* ---- what rows are made of ---- */

FakeStep scene_step(const StepKind *k, json_t *stolen)
{
        AUTO_JSON params = stolen;
        AUTO_FREE char *text = json_dumps(params, 0);
        FakeStep f = fake_step(k, text);
        f.run_id = "p1-dry";
        return f;
}

void scene_target(FakeStep *f, const char *name, int major, const char *database, const char *role)
{
        PgParams p;
        cr_assert(lab_params(major, database, &p));
        f->password = p.password;
        fake_target(f, name,
                    json_pack("{s:s, s:{s:s, s:i}, s:s, s:s}", "kind", "postgres", "via", "host",
                              p.host, "port", p.port, "user", role ? role : p.user, "database",
                              p.database));
}

void scene_on(FakeStep *f, int major, const char *database, const char *role)
{
        scene_target(f, "on", major, database, role);
        fake_on(f, "on");
}

char *scene_name(Scene *s, const char *word)
{
        return xasprintf("%s_%s", s->tag, word);
}

void scene_drop_later(Scene *s, int major, const char *database)
{
        json_array_append_new(s->databases, json_pack("[i, s]", major, database));
}

char *scene_database(Scene *s, int major, const char *word)
{
        AUTO_FREE char *name = scene_name(s, word);
        scene_sql(major, NULL,
                  "create database \"%s\" template template0 encoding 'UTF8' "
                  "lc_collate 'C.UTF-8' lc_ctype 'C.UTF-8'",
                  name);
        scene_drop_later(s, major, name);
        json_t *last = json_array_get(s->databases, json_array_size(s->databases) - 1);
        return (char *)(uintptr_t)json_string_value(json_array_get(last, 1));
}

const char *scene_role(Scene *s, int major, const char *word, const char *can)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *pg = lab_open(major, NULL);
        PgParams p;
        cr_assert(lab_params(major, NULL, &p));
        AUTO_FREE char *name = scene_name(s, word);
        RoleSpec spec = { .name = name,
                          .password = p.password,
                          .login = true,
                          .connlimit = -1,
                          .createdb = strstr(can, "createdb") != NULL,
                          .createrole = strstr(can, "createrole") != NULL };
        cr_assert(pg_role_create(pg, &spec, &err), "%s", err.message);
        json_array_append_new(s->roles, json_pack("[i, s]", major, name));
        json_t *last = json_array_get(s->roles, json_array_size(s->roles) - 1);
        return json_string_value(json_array_get(last, 1));
}

void scene_sql(int major, const char *database, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *sql = xvasprintf(fmt, ap);
        va_end(ap);
        AUTO_PG Pg *pg = lab_open(major, database);
        lab_do(pg, sql);
}

char *scene_path(Scene *s, const char *name)
{
        return io_join(s->dir, name);
}

void scene_write(Scene *s, const char *name, const char *text)
{
        AUTO_ERR err = { 0 };
        AUTO_FREE char *path = scene_path(s, name);
        cr_assert(io_replace_file(path, text, strlen(text), 0644, &err), "%s", err.message);
}

/* ---- the proof ---- */

static Scene begin(Kit *kit)
{
        static int n;
        Scene s = { .kit = kit,
                    .databases = json_array(),
                    .roles = json_array(),
                    .containers = json_array(),
                    .volumes = json_array(),
                    .images = json_array(),
                    .dir = scratch_on_disk() };
        snprintf(s.tag, sizeof s.tag, "test_%d_%d", (int)getpid(), ++n);
        return s;
}

static void drop_roles(const Scene *s)
{
        size_t i;
        json_t *one;
        json_array_foreach(s->roles, i, one) {
                AUTO_ERR ignored = { 0 };
                AUTO_PG Pg *pg = lab_open((int)json_integer_value(json_array_get(one, 0)), NULL);
                AUTO_SQL q = { 0 };
                sql_add(&q, "drop owned by ");
                sql_ident(&q, json_string_value(json_array_get(one, 1)));
                sql_add(&q, "; drop role ");
                sql_ident(&q, json_string_value(json_array_get(one, 1)));
                (void)!pg_exec(pg, &q, &ignored);
        }
}

static void end(Scene *s)
{
        AUTO_ERR ignored = { 0 };
        size_t i;
        json_t *one;
        s->held = pg_close(s->held);
        json_array_foreach(s->databases, i, one) {
                const char *name = json_string_value(json_array_get(one, 1));
                AUTO_PG Pg *pg = lab_open((int)json_integer_value(json_array_get(one, 0)), NULL);
                AUTO_SQL q = { 0 };
                AUTO_ERR gone = { 0 };
                sql_add(&q, "update pg_database set datistemplate = false where datname = ");
                sql_value(&q, name);
                (void)!pg_exec(pg, &q, &gone);
                lab_drop((int)json_integer_value(json_array_get(one, 0)), name);
        }
        drop_roles(s);
        json_array_foreach(s->containers, i, one)
                free(kit_docker("rm", "--force", "--volumes", json_string_value(one), NULL));
        json_array_foreach(s->volumes, i, one)
                free(kit_docker("volume", "rm", "--force", json_string_value(one), NULL));
        json_array_foreach(s->images, i, one)
                free(kit_docker("rmi", "--force", json_string_value(one), NULL));
        json_t *all[] = { s->databases, s->roles, s->containers, s->volumes, s->images };
        for (i = 0; i < LEN(all); i++)
                json_decref(all[i]);
        (void)!io_remove_tree(s->dir, &ignored);
        free(s->dir);
}

static char *all_words(const FakeStep *f, const Err *err)
{
        AUTO_FREE char *problems = jx_dump(f->problems);
        return xasprintf("%s%s%s", problems, err->message ? " ERROR: " : "",
                         err->message ? err->message : "");
}

static void with_plant(const DryRow *r, const StepKind *k, Kit *kit)
{
        AUTO_ERR err = { 0 };
        AUTO_ERR why = { 0 };
        Scene s = begin(kit);
        FakeStep f = r->make(&s, k, true);
        bool ok = fake_dry(&f, &err);
        AUTO_FREE char *words = r->as == WARNED ? jx_words(f.warnings) : all_words(&f, &err);
        cr_expect((!ok || json_array_size(f.problems)) == (r->as != WARNED), "%s, %s: dry says %s",
                  r->kind, r->plant, ok ? "yes" : err.message);
        cr_expect_not_null(strstr(words, r->says), "%s, %s: it says %s", r->kind, r->plant, words);
        if (r->as != ONLY_SAID)
                cr_expect_eq(fake_run(&f, &why), r->as == WARNED,
                             "%s, %s: run() says otherwise: %s", r->kind, r->plant,
                             why.message ? why.message : "it went well");
        AUTO_ERR back = { 0 };
        if (r->as != ONLY_SAID && k->undo) /* also of a run() that ended half-way */
                cr_expect(fake_undo(&f, &back), "%s, %s: undo: %s", r->kind, r->plant,
                          back.message ? back.message : "?");
        fake_step_done(&f);
        end(&s);
}

/* The kind works where nothing is planted: its run() is tried with its first row, dry() with each.
 */
static void without_plant(const DryRow *r, const StepKind *k, bool first, Kit *kit)
{
        AUTO_ERR err = { 0 };
        AUTO_ERR why = { 0 };
        AUTO_ERR back = { 0 };
        Scene s = begin(kit);
        FakeStep f = r->make(&s, k, false);
        bool ok = fake_dry(&f, &err);
        AUTO_FREE char *words = all_words(&f, &err);
        cr_expect(ok && !json_array_size(f.problems), "%s, without %s: dry says no: %s", r->kind,
                  r->plant, words);
        if (r->as == WARNED)
                cr_expect_eq(json_array_size(f.warnings), 0,
                             "%s, without %s: a warning all the same", r->kind, r->plant);
        if (first)
                cr_expect(fake_run(&f, &why), "%s, without %s: dry said yes, and it failed: %s",
                          r->kind, r->plant, why.message ? why.message : "?");
        if (first && k->undo)
                cr_expect(fake_undo(&f, &back), "%s: undo: %s", r->kind,
                          back.message ? back.message : "?");
        fake_step_done(&f);
        end(&s);
}

void dry_prove(const DryRow *rows, Kit *kit)
{
        const char *only = getenv("DRY_ONLY"), *last = "";
        for (; rows->kind; last = rows->kind, rows++) {
                AUTO_ERR err = { 0 };
                const StepKind *k = step_kind_find(rows->kind, &err);
                cr_assert_not_null(k, "%s", err.message);
                if (only && !strstr(rows->kind, only))
                        continue;
                with_plant(rows, k, kit);
                without_plant(rows, k, !str_eq(last, rows->kind), kit);
        }
}
