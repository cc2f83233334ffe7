/* redact.h: the last net under the secrets.
 *
 * Every Secret is registered when it is made; redact_text() replaces each occurrence of its
 * bytes (also URL-encoded, base64, JSON-, shell- and SQL-escaped) and of a few unmistakable
 * patterns (password=..., ://user:...@, SCRAM-SHA-256$..., md5 + 32 hex digits) by
 * "(hidden)". Everything that goes to the journal, output/ or the screen from outside
 * passes here after text_clean(). Secrets shorter than 4 bytes are not searched for: they
 * would blank the alphabet. Nor are a few words that stand in every journal ("postgres"):
 * as a password they are no secret, and hiding them would hide every image name. */
#pragma once

#include "base/base.h"
#include "base/secret.h"

void redact_register(const Secret *s) NONNULL;
void redact_forget(const Secret *s) NONNULL;
char *redact_text(const char *text) MUST_CHECK NONNULL; /* malloc()ed copy */
/* For values that a program reads back (what undo needs, variables, facts): the same, except
 * for secrets that could just as well be somebody's name for something (shorter than 16, only
 * letters, digits, _ - . and /). A database "media" must not become "(hidden)" because its
 * password is "media" too; such values come from typed parameters, never from a Secret. */
char *redact_data(const char *text) MUST_CHECK NONNULL;
