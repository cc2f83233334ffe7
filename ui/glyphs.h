/* glyphs.h: what a poorer alphabet shows instead.
 *
 * The console tier is what Debian's stock console fonts have (Lat15-Fixed16): no check mark,
 * no eighth blocks. The ASCII tier is for vt100, LANG=C and serial lines. Every replacement
 * has the width of one column, so layouts do not move. */
#pragma once

#include "ui/canvas.h"

/* u is at least 0x80; the answer may be ASCII. */
uint32_t glyph_for_tier(Tier tier, uint32_t u);
