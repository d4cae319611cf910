/* One end of a connection, with what was read from it and what is to be written to it. Sockets may block or not: every call
 * is made without waiting, and wire_turn() is the one place that waits. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define WIRE_MAX (64U * 1024)

struct wire {
	int fd;
	bool ended;    /* the other side sends no more */
	bool gone;     /* the other side reads no more, or has closed the connection */
	uint64_t read; /* bytes so far */
	uint64_t sent;
	size_t in_start, in_end;
	size_t out_start, out_end;
	char in[WIRE_MAX];
	char out[WIRE_MAX];
};

void wire_begin(struct wire *w, int fd);

/* What was read and not taken yet. */
static inline const char *wire_in(const struct wire *w)
{
	return w->in + w->in_start;
}

static inline size_t wire_in_len(const struct wire *w)
{
	return w->in_end - w->in_start;
}

void wire_take(struct wire *w, size_t len);

/* How many bytes wire_put() would accept now, and how many are to be written. */
size_t wire_room(const struct wire *w);
static inline size_t wire_out_len(const struct wire *w)
{
	return w->out_end - w->out_start;
}

/* Adds to what is to be written. The caller has asked for the room. */
void wire_put(struct wire *w, const char *data, size_t len);

/* Waits until something can be read from an end that is to be read, or written to one that has something to be written, or
 * until an end is gone; then does it. Either may be NULL. Returns 1; 0 when the time is over (milliseconds, -1: never). */
int wire_turn(struct wire *client, bool read_client, struct wire *engine, bool read_engine, int timeout,
	      struct error *err);

/* Writes all that is to be written, until the deadline. False: that has failed. */
bool wire_flush(struct wire *w, uint64_t deadline);

/* Ends our side, and reads until the other side has ended its own, so that what we have written is not lost: closing a socket
 * with unread data resets the connection. A client that sends nothing for some seconds has read it, or never will. */
void wire_linger(struct wire *w);
