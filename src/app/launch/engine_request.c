#include "app/launch/engine_request.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "journal/run_dir.h"
#include "ui/client.h"

#define LOOK_MS 1000 /* how often it is looked whether the engine lives */
#define OUR_ID  1

static bool nobody(Err *err)
{
        err_set(err, ERR_LINK, "the engine of this run does not answer");
        return err_hint(
                err, "`pgsherpa status` says whether it lives, `pgsherpa resume` starts it again");
}

/* The reply that carries our id; what the engine says in between is for screens. A slow engine is
 * waited for, a dead one is not. */
static bool wait_for(Client *c, const char *run_dir, json_t **ret, Err *err)
{
        for (;;) {
                bool eof = false;
                AUTO_JSON m = NULL;
                if (!frame_next(&c->reader, &m, err))
                        return false;
                if (m && jx_int(m, "id", 0) == OUR_ID) {
                        *ret = json_incref(m);
                        return true;
                }
                if (m)
                        continue;
                struct pollfd p = { .fd = c->fd, .events = POLLIN };
                int n = poll(&p, 1, LOOK_MS);
                if ((n < 0 && errno == EINTR) || (n == 0 && run_lock_held(run_dir)))
                        continue;
                if (n <= 0)
                        return nobody(err);
                if (!frame_fill(&c->reader, c->fd, &eof, err))
                        return false;
                if (eof)
                        return nobody(err);
        }
}

bool engine_request(const char *run_dir, const char *who, json_t *command, json_t **ret_reply,
                    Err *err)
{
        Client CLEANUP(client_done) c;
        AUTO_JSON m = command;
        AUTO_JSON reply = NULL;
        client_init(&c, false);
        c.quiet = true;
        jx_set_int(m, "id", OUR_ID);
        if (!client_connect(&c, run_dir, who) || !client_send(&c, json_incref(m)))
                return nobody(err);
        if (!wait_for(&c, run_dir, &reply, err))
                return false;
        if (!jx_bool(reply, "ok", false)) {
                const char *hint = jx_str(reply, "hint", NULL);
                err_set(err, ERR_USER, "the engine refused: %s",
                        jx_str(reply, "error", "no reason given"));
                return hint ? err_hint(err, "%s", hint) : false;
        }
        if (ret_reply)
                *ret_reply = json_incref(reply);
        return true;
}
