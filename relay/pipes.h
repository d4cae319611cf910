/* Pipes for splice(2), lent as long as there is data in them. The pipe emptied last is used next, so a busy loop moves
 * gigabytes through one or two pipes, whose memory stays in the processor's cache.
 *
 * The number of pipes is bounded; without one the caller copies.
 */
#pragma once

#include <stdatomic.h>

#include "relay/descriptors.h"

/* Needs fewer calls and packets per gigabyte than a smaller pipe; with 1 MiB a single stream gets slower. */
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
	unsigned skip; /* after a failure: how many takes to skip before the next attempt */
};

/* NULL if the limit is reached, or there are no descriptors or memory for another pipe. */
struct pipe *pipe_take(struct pipe_pool *pool);

/* Gives back an empty pipe. */
void pipe_give(struct pipe_pool *pool, struct pipe *pipe);

/* Discards the data of a pipe and gives the pipe back. */
void pipe_discard(struct pipe_pool *pool, struct pipe *pipe);
