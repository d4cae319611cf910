#include "relay/hand.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* #syscalls: read write */
/* #before: pipe2 */

static bool tell(struct worker *w, struct forward *forward, int fd)
{
	struct handed handed = {.forward = forward, .fd = fd};

	return write(w->told_in, &handed, sizeof(handed)) == sizeof(handed);
}

int hand_open(struct worker *w, void (*told)(struct loop *loop, struct watch *watch, uint32_t events),
	      struct error *err)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_errno(err, errno, "cannot prepare worker %u", w->index);
	w->told = (struct watch){.ready = told, .fd = fds[0]};
	w->told_in = fds[1];
	if (loop_watch(&w->loop, &w->told, EPOLLIN) < 0)
		return error_errno(err, errno, "cannot prepare worker %u", w->index);
	return 0;
}

static uint64_t load(struct worker *w)
{
	return count_get(&w->counters.connections) + atomic_load(&w->handed);
}

struct worker *hand_least(struct worker *w)
{
	struct service *s = w->service;
	struct worker *least = w;

	for (unsigned i = 0; i < s->n_workers; i++) {
		if (load(&s->workers[i]) < load(least))
			least = &s->workers[i];
	}
	return least;
}

bool hand_over(struct worker *w, struct forward *forward, int fd)
{
	atomic_fetch_add(&w->handed, 1);
	if (tell(w, forward, fd))
		return true;
	atomic_fetch_sub(&w->handed, 1);
	return false;
}

/* If the pipe is full, the worker wakes anyway. */
void hand_wake(struct worker *w)
{
	(void)tell(w, NULL, -1);
}

size_t hand_receive(struct worker *w, struct handed ret[static HANDED_MAX])
{
	ssize_t n = read(w->told.fd, ret, HANDED_MAX * sizeof(*ret));

	return n > 0 ? (size_t)n / sizeof(*ret) : 0;
}

void hand_taken(struct worker *w)
{
	atomic_fetch_sub(&w->handed, 1);
}
