#include "relay/pipes.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* #syscalls: close fcntl pipe2 */

/* With more slow readers of bulk data than this, the copying path takes over. */
#define PIPES_MAX 64

#define PIPES_KEPT 8 /* unused pipes to keep: they count against a limit of the user */
#define PIPE_LEAST (64 << 10)
#define SKIP_TAKES 1024 /* how many takes the caller copies before the pool tries to open a pipe again */

/* Opens a pipe that is large enough to be worth it. A user with many pipes gets tiny ones (pipe(7),
 * pipe-user-pages-soft). */
static int open_pipe(int fds[2])
{
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	if (fcntl(fds[0], F_SETPIPE_SZ, PIPE_SIZE) >= 0 || fcntl(fds[0], F_GETPIPE_SZ) >= PIPE_LEAST)
		return 0;
	close(fds[0]);
	close(fds[1]);
	return -1;
}

static struct pipe *make(struct pipe_pool *pool)
{
	struct pipe *pipe;
	int fds[2];

	if (pool->count >= PIPES_MAX || !descriptors_take(pool->descriptors, 2))
		return NULL;
	pipe = malloc(sizeof(*pipe));
	if (!pipe || open_pipe(fds) < 0) {
		free(pipe);
		descriptors_give(pool->descriptors, 2);
		return NULL;
	}
	pool->count++;
	pipe->out = fds[0];
	pipe->in = fds[1];
	return pipe;
}

struct pipe *pipe_take(struct pipe_pool *pool)
{
	struct pipe *pipe = pool->free;

	if (pipe) {
		pool->free = pipe->next;
		pool->n_free--;
		return pipe;
	}
	if (pool->skip > 0) {
		pool->skip--;
		return NULL;
	}
	pipe = make(pool);
	if (!pipe)
		pool->skip = SKIP_TAKES;
	return pipe;
}

void pipe_give(struct pipe_pool *pool, struct pipe *pipe)
{
	if (pool->n_free >= PIPES_KEPT) {
		pipe_discard(pool, pipe);
		return;
	}
	pipe->next = pool->free;
	pool->free = pipe;
	pool->n_free++;
}

void pipe_discard(struct pipe_pool *pool, struct pipe *pipe)
{
	close(pipe->in);
	close(pipe->out);
	free(pipe);
	pool->count--;
	descriptors_give(pool->descriptors, 2);
}
