/* report_text.h: a comparison's report for people: on the terminal, in a log, as Markdown.
 *
 * Every text from a server is cleaned on the way; lines of a definition's difference stay lines. */
#pragma once

#include "base/buf.h"
#include "base/jsonx.h"

#define REPORT_TEXT_MAX (16 * 1024 * 1024) /* a thousand differences with all their lines */

/* format: "text", "md" or "json". */
void report_write(const json_t *report, const char *format, Buf *to);
/* "app.users, content: source 12, target 13; rows (7) differs in mail, (9) missing": one line of
 * one difference, without its kind's colour; malloc()ed. */
char *report_difference_line(const json_t *difference) MUST_CHECK;
/* "equal: 38 tables, .." or "3 differences: ..", one line; malloc()ed. */
char *report_verdict(const json_t *report) MUST_CHECK;
