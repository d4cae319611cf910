/* Pipes for splice(2), lent for as long as data lies in them: a pipe that was just emptied is the next to be used, so a
 * busy loop moves gigabytes through one or two of them, whose memory stays in the processor's cache.
 *
 * Their number is bounded; without one the caller copies.
 */
#pragma once

#include <stdatomic.h>

#include "relay/descriptors.h"

/* Fewer calls and packets a gigabyte than with less; with 1 MiB a single stream gets slower. */
#define PIPE_SIZE (512 << 10)

struct pipe {
	int in, out;
	struct pipe *next;
};

struct pipe_pool {
	struct descriptors *descriptors;
	struct pipe *free;
	unsigned count;
	unsigned n_free;
	unsigned skip; /* takes until another one is tried for, after that failed */
};

/* NULL when there are enough of them, or no descriptors or memory for one more. */
struct pipe *pipe_take(struct pipe_pool *pool);

/* Gives back an empty pipe. */
void pipe_give(struct pipe_pool *pool, struct pipe *pipe);

/* Gives back a pipe whose data is discarded. */
void pipe_discard(struct pipe_pool *pool, struct pipe *pipe);
