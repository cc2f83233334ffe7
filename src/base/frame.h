/* frame.h: one JSON message on a unix socket: u32 length (big endian), then the bytes.
 *
 * A reader keeps a FrameReader per connection and feeds it what arrived; half frames wait,
 * oversized ones are an error and the connection is to be closed.
 *
 * A message may carry a password: every copy made here is wiped, and so is what jansson frees
 * (base/jsonx.h). */
#pragma once

#include "base/buf.h"
#include "base/jsonx.h"

typedef struct FrameReader {
        Buf in;
} FrameReader;

FrameReader frame_reader_init(void);
void frame_reader_done(FrameReader *r) NONNULL;
/* read()s once from fd. *ret_eof when the peer is gone. */
bool frame_fill(FrameReader *r, int fd, bool *ret_eof, Err *err) MUST_CHECK;
/* Next whole message, or *ret = NULL when there is none yet. */
bool frame_next(FrameReader *r, json_t **ret, Err *err) MUST_CHECK;
bool frame_send(int fd, const json_t *message, Err *err) MUST_CHECK;
