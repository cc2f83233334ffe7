/* direction_settings.c: settings that the database, a role in it or a function has, and another
 * major not. */
#include "base/majors.h"
#include "pg/catalog.h"
#include "transfer/direction.h"

/* Object, name, value, and whether it is a function's. */
#define ALL_OF_THEM                                                                                \
        "select case when r.rolname is null then 'database ' || quote_ident(d.datname) else "      \
        "format('role %s in database "                                                             \
        "%s', quote_ident(r.rolname), quote_ident(d.datname)) end, split_part(c.v, '=', 1), "      \
        "substr(c.v, strpos(c.v, "                                                                 \
        "'=') + 1), false, c.n from pg_db_role_setting s join pg_database d on d.oid = "           \
        "s.setdatabase left join pg_roles "                                                        \
        "r on r.oid = s.setrole, unnest(s.setconfig) with ordinality c(v, n) where d.datname = "   \
        "current_database() union "                                                                \
        "all select pg_describe_object('pg_proc'::regclass, p.oid, 0), split_part(c.v, '=', 1), "  \
        "substr(c.v, "                                                                             \
        "strpos(c.v, '=') + 1), true, c.n from pg_proc p, unnest(p.proconfig) with ordinality "    \
        "c(v, n) where p.oid >= "                                                                  \
        "16384 and " CAT_NOT_EXT("pg_proc", "p.oid") " order by 4, 1, 5"

/* Strings with a backslash in functions whose session said that it means more. */
#define BACKSLASHES                                                                                \
        "select pg_describe_object('pg_proc'::regclass, p.oid, 0) from pg_proc p where p.oid >= "  \
        "16384 and p.prolang in "                                                                  \
        "(select oid from pg_language where lanname in ('sql', 'plpgsql')) and p.prosrc ~ "        \
        "'[\\\\]' and not exists "                                                                 \
        "(select from unnest(p.proconfig) c where c ~ '^standard_conforming_strings=') "           \
        "and " CAT_NOT_EXT("pg_proc", "p.oid") " order by 1"

static void add(json_t *found, const char *object, const char *what, int since, const char *verdict,
                const char *how)
{
        json_t *j = json_object();
        jx_set_str(j, "object", object);
        jx_set_str(j, "what", what);
        jx_set_int(j, "since", since);
        jx_set_str(j, "verdict", verdict);
        jx_set_str(j, "how", how);
        json_array_append_new(found, j);
}

/* Without it the text of a function means something else: that is nobody's to decide but its
 * author's. */
static void one(json_t *found, const PgRes *r, int i, const SettingFate *f)
{
        const char *object = pg_cell(r, i, 0), *name = pg_cell(r, i, 1), *value = pg_cell(r, i, 2);
        bool function = pg_cell_bool(r, i, 3);
        AUTO_FREE char *what = f->meaning ? xasprintf("setting %s=%s", name, value)
                                          : xasprintf("setting %s", name);
        if (f->verdict == SETTING_RENAMED) {
                AUTO_FREE char *how = xasprintf("is called %s there: %s", f->now, f->why);
                add(found, object, what, f->since, "rewritten", how);
                return;
        }
        AUTO_FREE char *how =
                function && f->meaning
                        ? xasprintf("its text was written for it: %s. Then drop the setting",
                                    f->why)
                        : xasprintf("left out: %s", f->why);
        add(found, object, what, f->since,
            !f->meaning ? "rewritten"
            : function  ? "refused"
                        : "perhaps",
            how);
}

static bool functions_of_old_strings(Pg *source, const SettingFate *f, json_t *found, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        if (!pg_ask(source, BACKSLASHES, &r, err))
                return false;
        for (int i = 0; i < pg_rows(r); i++)
                add(found, pg_cell(r, i, 0), "a backslash in its text", f->since, "perhaps",
                    f->why);
        return true;
}

bool direction_settings(Pg *source, int target_major, json_t *found, Err *err)
{
        AUTO_PGRES PgRes *r = NULL;
        SettingFate strings = { SETTING_SAME };
        if (!pg_ask(source, ALL_OF_THEM, &r, err))
                return err_wrap(err, "looking for settings that are not there");
        for (int i = 0; i < pg_rows(r); i++) {
                SettingFate f = setting_fate_own(pg_cell(r, i, 1), pg_cell(r, i, 2), target_major);
                if (pg_major(source) == target_major || f.verdict == SETTING_SAME)
                        continue;
                one(found, r, i, &f);
                if (f.meaning && !pg_cell_bool(r, i, 3))
                        strings = f;
        }
        return strings.verdict == SETTING_SAME ||
               functions_of_old_strings(source, &strings, found, err) ||
               err_wrap(err, "looking for strings with backslashes");
}
