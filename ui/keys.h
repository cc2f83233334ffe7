/* keys.h: every key as one number: a character is its code point, the rest stands here. */
#pragma once

enum {
        K_NONE = 0,
        K_UP = 0x110000,
        K_DOWN,
        K_LEFT,
        K_RIGHT,
        K_HOME,
        K_END,
        K_PGUP,
        K_PGDN,
        K_ENTER,
        K_ESC,
        K_TAB,
        K_BACKTAB,
        K_BACKSPACE,
        K_DELETE,
        K_PASTE_ON,
        K_PASTE_OFF,
};

#define K_CTRL(c) ((c)&0x1f)
