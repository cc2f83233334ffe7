/* marks.h: from libyaml's positions to bytes, and what may stand in a file at all.
 *
 * libyaml counts *characters* in mark.index: a byte-range edit after one `ä` would land in
 * the wrong place. Marks remembers the byte of every 64th character and walks from there. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "yaml/spot.h"

typedef struct Marks {
        const char *bytes;
        size_t n;
        size_t *every; /* byte of character 64 * i */
        size_t n_every;
} Marks;

/* Refuses invalid UTF-8 and NUL; strict: also control and bidi characters. */
bool marks_scan(Arena *a, const char *bytes, size_t n, bool strict, Marks *ret, YamlSpot *spot,
                Err *err) MUST_CHECK;
size_t marks_byte(const Marks *m, size_t character);

/* The first character of an unescaped scalar that must not be there, or 0. */
uint32_t marks_forbidden(const char *text, size_t n);
