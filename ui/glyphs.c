#include "ui/glyphs.h"

/* {character, console, ascii}: console 0 means "the font has it". */
static const struct {
        uint32_t u, console, ascii;
} table[] = {
        { 0x2713, 0x25cf, '+' }, /* ✓ ● */
        { 0x25cf, 0, '+' },      /* ● */
        { 0x25b8, 0, '*' },      /* ▸ */
        { 0x00b7, 0, '.' },      /* · */
        { 0x25a0, 0, '?' },      /* ■ */
        { 0x2717, 0, 'X' },      /* ✗ */
        { 0x2013, 0, '-' },      /* – */
        { 0x2014, '-', '-' },    { 0x2212, '-', '-' },
        { 0x203a, 0, '>' },                          /* › */
        { 0x2039, 0, '<' },      { 0x2501, 0, '#' }, /* ━ */
        { 0x2500, 0, '-' },                          /* ─ */
        { 0x2502, 0, '|' },                          /* │ */
        { 0x250c, 0, '+' },      { 0x2510, 0, '+' },
        { 0x2514, 0, '+' },      { 0x2518, 0, '+' },
        { 0x2581, '_', '_' }, /* ▁ .. █: four steps instead of eight */
        { 0x2582, '_', '_' },    { 0x2583, '.', '.' },
        { 0x2584, '.', '.' },    { 0x2585, '-', '-' },
        { 0x2586, '-', '-' },    { 0x2587, '=', '=' },
        { 0x2588, '=', '=' },    { 0x2190, 0, '<' }, /* arrows */
        { 0x2191, 0, '^' },      { 0x2192, 0, '>' },
        { 0x2193, 0, 'v' },      { 0x2018, '\'', '\'' },
        { 0x2019, '\'', '\'' },  { 0x201c, '"', '"' },
        { 0x201d, '"', '"' },    { 0x2026, '.', '.' },
        { 0x00ab, 0, '"' }, /* « » around hidden secrets */
        { 0x00bb, 0, '"' },      { 0x00d7, 0, 'x' },
        { 0x00a0, 0, ' ' },
};

uint32_t glyph_for_tier(Tier tier, uint32_t u)
{
        if (tier == TIER_UTF8)
                return u;
        for (size_t i = 0; i < LEN(table); i++)
                if (table[i].u == u)
                        return tier == TIER_ASCII ? table[i].ascii
                               : table[i].console ? table[i].console
                                                  : u;
        if (tier == TIER_CONSOLE && u >= 0xa0 && u < 0x180)
                return u; /* Latin letters are in every Lat font */
        return '?';
}
