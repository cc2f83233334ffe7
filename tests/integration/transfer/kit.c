#include "kit.h"

#include <stdio.h>
#include <unistd.h>

#include "../pg/proof.h"

char *kit_temporary(int major)
{
        AUTO_ERR err = { 0 };
        PgParams p;
        char *name = NULL, run[32];
        snprintf(run, sizeof run, "test_%d", (int)getpid());
        cr_assert(lab_params(major, NULL, &p));
        cr_assert(transfer_temporary_name(&p, run, &name, &err), "%s", err.message);
        return name;
}

static void kit_say(void *arg, const char *text)
{
        if (getenv("VERBOSE"))
                fprintf(stderr, "  %s\n", text);
}

static bool tolerate_nothing(void *arg, const char *object, const Err *error)
{
        fprintf(stderr, "not tolerated: %s: %s\n", object, error->message);
        return false;
}

Transfer *kit_transfer(void)
{
        return transfer_new(&(TransferHooks){ .say = kit_say, .tolerate = tolerate_nothing });
}

/* Rows of every table, as one text: two databases with the same answer have the same tables. */
static char *counts(int major, const char *database)
{
        AUTO_PG Pg *pg = lab_open(major, database);
        return lab_value(
                pg,
                "select string_agg(format('%s.%s=%s', n.nspname, c.relname, "
                "(xpath('/row/c/text()', query_to_xml(format('select count(*) as c from only "
                "%I.%I', n.nspname, c.relname), false, true, '')))[1]::text), E'\\n' order by "
                "n.nspname collate \"C\", c.relname collate \"C\") from pg_class c join "
                "pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and n.nspname !~ "
                "'^pg_' and n.nspname <> 'information_schema'");
}

static char *objects(int major, const char *database)
{
        AUTO_PG Pg *pg = lab_open(major, database);
        return lab_value(
                pg,
                "select (select count(*) from pg_index i join pg_class c on c.oid = i.indexrelid "
                "join pg_namespace n on n.oid = c.relnamespace where n.nspname !~ '^pg_') || ' "
                "indexes, ' || (select count(*) from pg_constraint k join pg_namespace n on n.oid "
                "= k.connamespace where k.contype <> 'n' and n.nspname !~ '^pg_' and n.nspname <> "
                "'information_schema') || ' constraints, ' || (select count(*) from pg_trigger "
                "where not tgisinternal) || ' triggers, ' || (select count(*) from pg_policy) || ' "
                "policies, ' || (select string_agg(oid || ':' || coalesce(md5(lo_get(oid)), ''), "
                "',' order by oid) from pg_largeobject_metadata) || ' ' || (select "
                "string_agg(coalesce(obj_description(oid, 'pg_largeobject'), '-'), ',' order by "
                "oid) from pg_largeobject_metadata) || ' ' || (select string_agg(c.oid::regclass "
                "|| '=' || (xpath('//last_value/text()', query_to_xml(format('select last_value, "
                "is_called from %s', c.oid::regclass), false, false, '')))[1] || "
                "(xpath('//is_called/text()', query_to_xml(format('select last_value, is_called "
                "from %s', c.oid::regclass), false, false, '')))[1], ' ' order by "
                "c.oid::regclass::text collate \"C\") from pg_class c where relkind = 'S') || ' ' "
                "|| coalesce(shobj_description((select oid from pg_database where datname = "
                "current_database()), 'pg_database'), 'no comment') || ' ' || (select count(*) "
                "from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase where "
                "d.datname = current_database())");
}

void kit_same(int a, const char *x, int b, const char *y)
{
        AUTO_FREE char *ca = counts(a, x);
        AUTO_FREE char *cb = counts(b, y);
        cr_assert_str_eq(ca, cb, "rows differ:\n%s\n---\n%s", ca, cb);
        AUTO_FREE char *oa = objects(a, x);
        AUTO_FREE char *ob = objects(b, y);
        cr_assert_str_eq(oa, ob, "objects differ:\n%s\n---\n%s", oa, ob);
}

/* The proof of pg/compare.h: every object, every row. */
void kit_proved(int a, const char *x, int b, const char *y)
{
        AUTO_ERR err = { 0 };
        AUTO_PG Pg *from = lab_open(a, x);
        AUTO_PG Pg *to = lab_open(b, y);
        AUTO_JSON report = NULL;
        OK(proof(from, to, &(CompareOptions){ 0 }, &report, &err));
        AUTO_FREE char *text = jx_dump(jx_get(report, "differences"));
        cr_assert(jx_bool(report, "equal", false), "%s", text);
}

void kit_drop(int major, const char *name)
{
        AUTO_ERR err = { 0 };
        PgParams p;
        bool dropped;
        cr_assert(lab_params(major, NULL, &p));
        AUTO_PG Pg *pg = lab_open(major, NULL);
        AUTO_FREE char *sql = xasprintf("select oid from pg_database where datname = '%s'", name);
        AUTO_FREE char *oid = lab_value(pg, sql);
        OK(transfer_drop(&p, name, atoll(oid ? oid : "0"), "test", &dropped, &err));
        cr_assert(dropped);
}

/* Copies into a server and a bundle at once; *ret_bundle may be NULL. */
char *kit_copy(int from, const char *database, int to, const char *root, char **ret_bundle)
{
        AUTO_ERR err = { 0 };
        AUTO_TRANSFER t = kit_transfer();
        PgParams source, target;
        TransferResult r;
        char *into = kit_temporary(to);
        AUTO_BUNDLEWRITER w = NULL;
        cr_assert(lab_params(from, database, &source) && lab_params(to, NULL, &target));
        TransferBackup b = { .source = source, .run = "r", .globals = true };
        if (ret_bundle) {
                OK(bundle_choose(root, database, ret_bundle, &err));
                OK(bundle_create(*ret_bundle, &(BundleOptions){ .run = "r" }, &w, &err));
                OK(transfer_bundle_begin(t, w, &b, &err));
        }
        TransferCopy c = { .source = source,
                           .target = &target,
                           .database = database,
                           .into = into,
                           .marker = "test",
                           .bundle = w };
        OK(transfer_copy(t, &c, &r, &err));
        if (ret_bundle) {
                BundleDone done;
                OK(transfer_bundle_end(t, w, &done, &err));
                free(done.path);
        }
        cr_assert_gt(r.rows, 0);
        cr_assert_eq(json_array_size(r.tolerated), 0);
        transfer_result_done(&r);
        return into;
}

bool kit_carry(int from, const char *db, int to, const char *into, Transfer *t, Err *err)
{
        PgParams target;
        TransferResult r = { 0 };
        TransferCopy c = { .target = &target, .database = db, .into = into, .marker = "test" };
        cr_assert(lab_params(from, db, &c.source) && lab_params(to, NULL, &target));
        bool ok = transfer_copy(t, &c, &r, err);
        transfer_result_done(&r);
        return ok;
}
