/* format.h: which tables go as binary COPY, and why the others do not.
 *
 * Binary spares the target the parsing, which is what a copy waits for: 1.8 times as fast on
 * rows of timestamps, numbers and json, a fifth on wide text, nothing on integers. Of a table
 * of 38 core types the binary form was the same, byte for byte, on 12, 14, 16 and 18. It is
 * used for a table when all of this holds, and text otherwise:
 *
 * - Every column is of a core type of the list in format.c, or a domain, enum, range,
 *   multirange, array or composite of such; and both servers send and receive each of these
 *   core types with functions of the same names. Types of extensions change their binary form
 *   without a word; the reg* types, which send an OID that means something else elsewhere, and
 *   xml, which would change its encoding declaration, are not on the list.
 * - Arrays and composites carry the OIDs of their element types, and before 14 a server refuses
 *   those that are not its own: of types made by users they go in binary only to 14 and later.
 * - Since 17 an interval may be infinite, which an older server would take for a finite one
 *   without a word (text is refused): from 17 on to anything older, intervals go as text. To a
 *   bundle, nobody knows to what it will be restored: text for both of these.
 * - The database's encoding is UTF8 on both sides. COPY's ENCODING option is not for binary:
 *   there the session's client_encoding rules, and a conversion there and back need not be the
 *   same bytes (EUC_JP). As text, with ENCODING of the source's database, nobody converts.
 * - We made the table: what an extension made may have other columns on the other side.
 *
 * The hash of a table is of the rows as they were sent, so it means something only together
 * with the format, which the manifest has. */
#pragma once

#include "pg/conn.h"
#include "transfer/choose/content.h"

typedef struct Content Content;

/* What a table's columns are made of, from the worst one. */
typedef enum TypeTraits {
        TYPES_OTHER = 1, /* not on the list: never binary */
        TYPES_OIDS = 2,  /* arrays or composites of users' types */
        TYPES_INTERVAL = 4,
} TypeTraits;

typedef struct FormatSides {
        int from, to;    /* majors; to 0: no server */
        bool bundle;     /* it is kept, too */
        bool same_types; /* core types are sent and received alike */
        bool utf8;       /* both */
} FormatSides;

/* Of the core types both sides have, as core_functions() lists them: "bool 16 boolsend
 * boolrecv,..". */
bool format_same_types(const char *sent, const char *received);
bool format_fits(const FormatSides *sides, int traits);

/* Sets .binary of every table. `to` NULL: no server; `portable`: text throughout. */
bool format_choose(Pg *from, Pg *to, bool bundle, bool portable, Content *c, Err *err) MUST_CHECK;

/* Before a part moves: would binary go through the encodings unchanged? NULL: not there. */
bool format_sessions(const Table *t, const Pg *from, const Pg *to, Err *err) MUST_CHECK;
