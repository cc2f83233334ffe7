#include "base/err.h"

#include <stdio.h>

PRINTF(3, 0) static void fill(Err *err, ErrKind kind, const char *fmt, va_list ap)
{
        char *message = xvasprintf(fmt, ap); /* first: ap may hold err->message */
        err_clear(err);
        err->kind = kind;
        err->message = message;
}

bool err_set(Err *err, ErrKind kind, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        fill(err, kind, fmt, ap);
        va_end(ap);
        return false;
}

bool err_set_errno(Err *err, int sys_errno, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *what = xvasprintf(fmt, ap);
        va_end(ap);
        err_clear(err);
        err->kind = ERR_SYSTEM;
        err->sys_errno = sys_errno;
        char text[128];
        const char *why = strerror_r(sys_errno, text, sizeof text);
        err->message = xasprintf("%s: %s", what, why);
        return false;
}

bool err_wrap(Err *err, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        AUTO_FREE char *outer = xvasprintf(fmt, ap);
        va_end(ap);
        AUTO_FREE char *inner = err->message;
        err->message = inner ? xasprintf("%s: %s", outer, inner) : xstrdup(outer);
        if (err->kind == ERR_NONE)
                err->kind = ERR_SYSTEM;
        return false;
}

bool err_hint(Err *err, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        char *hint = xvasprintf(fmt, ap); /* first: ap may hold err->hint */
        va_end(ap);
        free(err->hint);
        err->hint = hint;
        return false;
}

void err_clear(Err *err)
{
        free(err->message);
        free(err->hint);
        *err = (Err){ 0 };
}

void err_move(Err *to, Err *from)
{
        err_clear(to);
        *to = *from;
        *from = (Err){ 0 };
}

bool err_is_retryable(const Err *err)
{
        if (err->kind == ERR_LINK)
                return true;
        /* PostgreSQL manual, appendix A: 40001 serialization, 40P01 deadlock, 53300 too many
         * connections, 57P03 cannot connect now, class 08 connection exceptions. */
        static const char *const states[] = { "40001", "40P01", "53300", "57P03" };
        for (size_t i = 0; i < LEN(states); i++)
                if (str_eq(err->sqlstate, states[i]))
                        return true;
        return err->kind == ERR_SERVER && str_starts(err->sqlstate, "08");
}

const char *err_kind_name(ErrKind kind)
{
        static const char *const names[] = { "none",    "user",   "server",   "link",
                                             "command", "system", "cancelled" };
        return (unsigned)kind < LEN(names) ? names[kind] : "unknown";
}
