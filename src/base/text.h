/* text.h: the door through which text from outside enters.
 *
 * A table may be called "\033[2J", a NOTICE may hold half a UTF-8 character. text_clean()
 * makes it valid UTF-8 and shows control, bidi and invisible characters as escapes
 * (\n, \x1b, \u202e), so that nothing from outside can draw on a terminal or forge a line
 * of a log. Everything that came from a server, a child, a file's name or a container goes
 * through here once, on its way in. */
#pragma once

#include "base/base.h"

char *text_clean(const char *bytes, size_t n) MUST_CHECK; /* malloc()ed */
char *text_clean_str(const char *s) MUST_CHECK;           /* NULL becomes "" */
/* Keeps \n and \t; for multi-line detail panes. */
char *text_clean_lines(const char *bytes, size_t n) MUST_CHECK;

bool text_is_utf8(const char *bytes, size_t n);
/* Decodes one character; returns its length, or 0 when the bytes are not valid UTF-8. */
size_t text_decode(const char *bytes, size_t n, uint32_t *ret);
size_t text_encode(uint32_t c, char out[static 4]);

/* Nearest of `n` candidates to `word` by edit distance, or NULL when none is near. */
const char *text_nearest(const char *word, const char *const *candidates, size_t n);
