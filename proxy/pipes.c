#include "proxy/pipes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Above this many slow readers of bulk data at a time the copying path takes over. */
#define PIPES_MAX 64

struct pipe *pipe_take(struct pipe_pool *pool)
{
	struct pipe *pipe = pool->free;
	int fds[2];

	if (pipe) {
		pool->free = pipe->next;
		return pipe;
	}
	if (pool->count >= PIPES_MAX || !descriptors_take(pool->descriptors, 2))
		return NULL;
	pipe = malloc(sizeof(*pipe));
	if (!pipe || pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		free(pipe);
		descriptors_give(pool->descriptors, 2);
		return NULL;
	}
	/* A smaller one, should the user have many (pipe(7), pipe-user-pages-soft), serves as well. */
	(void)fcntl(fds[0], F_SETPIPE_SZ, PIPE_SIZE);
	pool->count++;
	pipe->out = fds[0];
	pipe->in = fds[1];
	return pipe;
}

void pipe_give(struct pipe_pool *pool, struct pipe *pipe)
{
	pipe->next = pool->free;
	pool->free = pipe;
}

void pipe_discard(struct pipe_pool *pool, struct pipe *pipe)
{
	close(pipe->in);
	close(pipe->out);
	free(pipe);
	pool->count--;
	descriptors_give(pool->descriptors, 2);
}
