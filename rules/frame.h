/* Where the body of an HTTP message ends: nowhere, after a number of bytes, after the last chunk, or with the connection. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "rules/head.h"
#include "rules/wire.h"

enum frame_kind { FRAME_NONE, FRAME_LENGTH, FRAME_CHUNKED, FRAME_UNTIL_END };

struct frame {
	enum frame_kind kind;
	enum { FRAME_SIZE, FRAME_DATA, FRAME_AFTER_DATA, FRAME_TRAILER, FRAME_ENDED } state;
	uint64_t left; /* bytes of the body, or of the chunk */
	bool lenient;  /* ignore extensions of chunks, and trailers */
};

/* The framing of a request's body. Refused: both lengths, an invalid one, other encodings than chunked. */
int frame_of_request(const struct head *h, struct frame *ret, struct error *err);

/* The framing of an answer's body, to a request with this method. */
int frame_of_answer(const struct head *h, const char *method, struct frame *ret, struct error *err);

static inline bool frame_has_ended(const struct frame *f)
{
	return f->state == FRAME_ENDED;
}

/* Finds the next piece of the body at the beginning of these bytes. Returns how many bytes it takes with its framing, 0 if it
 * needs more. The piece may be empty. */
ssize_t frame_next(struct frame *f, const char *in, size_t len, const char **ret, size_t *ret_len, struct error *err);

/* How large a piece may be for frame_put() now; 0: there is no room. */
size_t frame_room(const struct frame *f, const struct wire *to);

/* Writes a piece with the framing of f, which must fit; and what follows the last piece. */
void frame_put(const struct frame *f, struct wire *to, const char *data, size_t len);
void frame_put_end(const struct frame *f, struct wire *to);
#define FRAME_END_MAX 8 /* bytes that frame_put_end() writes at most */
