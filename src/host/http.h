/* http.h: one health page, fetched with suspicion.
 *
 *      HttpAnswer a = {0};
 *      if (!http_get(&(HttpRequest){ .url = url, .timeout_ms = 5000 }, &a, err)) ...
 *      if (a.status == 200) ...
 *      http_answer_done(&a);
 *
 * Only http and https; no names or passwords in the URL; certificates are checked; redirects
 * are followed within the same host only; no proxy of the environment; a body ends at
 * LIMIT_HTTP_BODY. Any HTTP status is an answer, not an error. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

typedef struct HttpRequest {
        const char *url;
        int64_t timeout_ms; /* 0: 10 s */
        const volatile bool *cancel;
} HttpRequest;

typedef struct HttpAnswer {
        long status;
        int64_t ms;
        Buf body;
        char *url; /* where it came from, after redirects */
} HttpAnswer;

bool http_get(const HttpRequest *request, HttpAnswer *ret, Err *err) MUST_CHECK;
void http_answer_done(HttpAnswer *a) NONNULL;
