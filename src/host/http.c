#include "host/http.h"

#include <curl/curl.h>
#include <pthread.h>

#include "base/limits.h"
#include "base/text.h"

#define MAX_HOPS 5

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
        Buf *b = arg;
        size_t len = size * n, room = b->max - b->len;
        buf_add(b, bytes, MIN(len, room)); /* what is over the limit is read and dropped */
        return len;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
        const HttpRequest *r = arg;
        return r->cancel && *r->cancel;
}

static void init_once(void)
{
        curl_global_init(CURL_GLOBAL_DEFAULT);
}

static char *part(CURLU *u, CURLUPart which)
{
        char *text = NULL;
        if (curl_url_get(u, which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
                return xstrdup("");
        char *copy = xstrdup(text);
        curl_free(text);
        return copy;
}

/* Same host; http may become https, never the other way. */
static bool stays(const char *from, const char *to)
{
        CURLU *a = curl_url(), *b = curl_url();
        bool ok = curl_url_set(a, CURLUPART_URL, from, 0) == CURLUE_OK &&
                  curl_url_set(b, CURLUPART_URL, to, 0) == CURLUE_OK;
        if (ok) {
                AUTO_FREE char *ha = part(a, CURLUPART_HOST), *hb = part(b, CURLUPART_HOST);
                AUTO_FREE char *sa = part(a, CURLUPART_SCHEME), *sb = part(b, CURLUPART_SCHEME);
                ok = strcasecmp(ha, hb) == 0 && (str_eq(sa, sb) || str_eq(sb, "https"));
        }
        curl_url_cleanup(a);
        curl_url_cleanup(b);
        return ok;
}

static bool acceptable(const char *url, Err *err)
{
        AUTO_FREE char *clean = text_clean_str(url);
        CURLU *u = curl_url();
        bool parsed = curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK;
        AUTO_FREE char *user = parsed ? part(u, CURLUPART_USER) : xstrdup("");
        AUTO_FREE char *scheme = parsed ? part(u, CURLUPART_SCHEME) : xstrdup("");
        curl_url_cleanup(u);
        if (!parsed || (!str_eq(scheme, "http") && !str_eq(scheme, "https"))) {
                err_set(err, ERR_USER, "`%s` is not a URL that can be checked", clean);
                return err_hint(err, "write it as http://127.0.0.1:8080/health");
        }
        if (*user)
                return err_set(err, ERR_USER,
                               "a URL with a name or password in it is not asked "
                               "(it would stand in the journal)");
        return true;
}

static bool fetch(CURL *c, const HttpRequest *r, const char *url, HttpAnswer *ret, char **ret_next,
                  Err *err)
{
        char said[CURL_ERROR_SIZE] = "";
        buf_reset(&ret->body);
        curl_easy_reset(c);
        curl_easy_setopt(c, CURLOPT_URL, url);
        curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(c, CURLOPT_PROXY, "");
        curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)(r->timeout_ms ? r->timeout_ms : 10000));
        curl_easy_setopt(c, CURLOPT_USERAGENT, "pgsherpa");
        curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(c, CURLOPT_WRITEDATA, &ret->body);
        curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt(c, CURLOPT_XFERINFODATA, r);
        curl_easy_setopt(c, CURLOPT_ERRORBUFFER, said);
        CURLcode code = curl_easy_perform(c);
        if (code != CURLE_OK) {
                AUTO_FREE char *clean = text_clean_str(url);
                AUTO_FREE char *why = text_clean_str(*said ? said : curl_easy_strerror(code));
                bool cancelled = code == CURLE_ABORTED_BY_CALLBACK;
                return err_set(err, cancelled ? ERR_CANCELLED : ERR_LINK, "%s: %s", clean,
                               cancelled ? "stopped on request" : why);
        }
        curl_off_t us = 0;
        char *next = NULL;
        curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &ret->status);
        curl_easy_getinfo(c, CURLINFO_TOTAL_TIME_T, &us);
        curl_easy_getinfo(c, CURLINFO_REDIRECT_URL, &next);
        ret->ms += us / 1000;
        *ret_next = next ? xstrdup(next) : NULL;
        return true;
}

bool http_get(const HttpRequest *request, HttpAnswer *ret, Err *err)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        pthread_once(&once, init_once);
        *ret = (HttpAnswer){ .body = buf_init(LIMIT_HTTP_BODY) };
        if (!acceptable(request->url, err))
                return false;
        ret->url = xstrdup(request->url);
        CURL *c = curl_easy_init();
        bool ok = false;
        for (int hop = 0;; hop++) {
                AUTO_FREE char *next = NULL;
                ok = fetch(c, request, ret->url, ret, &next, err);
                if (!ok || !next)
                        break;
                AUTO_FREE char *clean = text_clean_str(next);
                if (!stays(ret->url, next))
                        ok = err_set(err, ERR_USER, "%s sends us on to another place: %s",
                                     request->url, clean);
                else if (hop >= MAX_HOPS)
                        ok = err_set(err, ERR_USER, "%s goes on redirecting", request->url);
                else if (!acceptable(next, err))
                        ok = false;
                if (!ok)
                        break;
                free(ret->url);
                ret->url = xstrdup(next);
        }
        curl_easy_cleanup(c);
        return ok;
}

void http_answer_done(HttpAnswer *a)
{
        buf_done(&a->body);
        free(a->url);
        *a = (HttpAnswer){ 0 };
}
