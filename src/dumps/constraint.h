/* constraint.h: pg_dump's ALTER TABLE .. ADD CONSTRAINT, said in a way that lets others work.
 *
 * ADD PRIMARY KEY builds its index under ACCESS EXCLUSIVE: the table's other indexes wait. The
 * same index made by CREATE UNIQUE INDEX shares the table, and ADD .. USING INDEX takes it over
 * in an instant. ADD FOREIGN KEY checks every row under SHARE ROW EXCLUSIVE on both tables; NOT
 * VALID makes that an instant too, and VALIDATE CONSTRAINT checks with weaker locks.
 *
 * The texts are dumpConstraint()'s of pg_dump.c, which writes them token by token in one order.
 * Whatever looks different in any way is not touched: the caller runs the entry as it is. */
#pragma once

#include "base/buf.h"

/* CREATE UNIQUE INDEX into `index`, ALTER TABLE .. USING INDEX into `take_over`. False: not a
 * primary key or unique constraint that can be made so (exclusion, WITHOUT OVERLAPS). */
bool constraint_as_index(const char *sql, Buf *index, Buf *take_over) MUST_CHECK NONNULL;

/* ADD .. NOT VALID into `add`, ALTER TABLE .. VALIDATE CONSTRAINT into `validate`. False: is NOT
 * VALID already and stays so, is NOT ENFORCED, or stands on a partitioned table. */
bool constraint_not_valid(const char *sql, Buf *add, Buf *validate) MUST_CHECK NONNULL;

/* The name, as the catalogs have it, of the index an ALTER TABLE .. ADD CONSTRAINT makes: it is one
 * of its schema's relations. False: it makes none (CHECK, NOT NULL, FOREIGN KEY). */
bool constraint_own_index(const char *sql, Buf *name) MUST_CHECK NONNULL;

/* "btree", "gin" .. of a CREATE INDEX; "btree" when the text does not say. malloc()ed. */
char *index_method(const char *sql) MUST_CHECK NONNULL;
