/* token.h: the tokens of one statement, for those who say it in other words. Of this room only. */
#pragma once

#include "base/base.h"

/* n 0: it is at its end. */
typedef struct Token {
        const char *p;
        size_t n;
} Token;

Token token(const char *p, const char *end);
const char *after(Token t);
bool is(Token t, const char *word);
/* Do these words stand here, in this order? `*p` goes behind them. */
bool words(const char **p, const char *end, const char *const *list, size_t n);
#define WORDS(p, end, ...)                                                                         \
        words(p, end, (const char *const[]){ __VA_ARGS__ },                                        \
              LEN(((const char *const[]){ __VA_ARGS__ })))
