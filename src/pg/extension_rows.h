/* extension_rows.h: rows that an extension brought and somebody changed.
 *
 * Of a table that an extension keeps only in part (pg_extension.extcondition: spatial_ref_sys but
 * for PostGIS' own projections) a dump has the user's rows. The others come with the extension; one
 * that was changed, added among them or deleted goes back to what the extension says, in every dump
 * and copy. Where both servers have one version of it, what differs there was changed by somebody.
 *
 *      [{"extension": "postgis", "table": "public.spatial_ref_sys", "rows": 1, "keys": ["(4326)"],
 *        "here": "3.5.2", "there": "3.5.2"}] */
#pragma once

#include "base/jsonx.h"
#include "pg/conn.h"

/* Empty: they are the same. Both connections may stand in a transaction. */
bool pg_extension_rows_changed(Pg *source, Pg *target, json_t **ret, Err *err) MUST_CHECK;
/* Sentences: what differs, and whether somebody changed it. New reference. */
json_t *pg_extension_rows_words(const json_t *changed) MUST_CHECK;
/* Makes those of tables whose extension has one version on both sides as they are in the source;
 * *ret_rows: how many. In a transaction of its own on the target. */
bool pg_extension_rows_carry(Pg *source, Pg *target, int64_t *ret_rows, Err *err) MUST_CHECK;
