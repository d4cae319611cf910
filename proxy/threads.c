#include "proxy/threads.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/accept.h"

/* Buffers are on the heap; what the loop puts on the stack is some KiB. */
#define STACK_SIZE (256U << 10)

static void wake(struct worker *w)
{
	if (eventfd_write(w->wakeup.fd, 1) < 0)
		return; /* it cannot overflow, and nobody could be told */
}

static void woken(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct worker *w = worker_of(loop);
	eventfd_t ignored;

	(void)events;
	(void)eventfd_read(watch->fd, &ignored);
	if (w->index == 0)
		return; /* its `after` reports what changed */
	if (atomic_load(&w->service->phase) != SERVING)
		accept_stop(w);
	if (atomic_load(&w->service->phase) == ENDING)
		loop->stop = true;
}

/* The first worker reports for all; it is told once until it has, and always when it waits for the last connection. */
static bool after(struct loop *loop)
{
	struct worker *w = worker_of(loop);
	bool more = worker_after(loop);

	if (!atomic_exchange(&w->service->changed, true) || (atomic_load(&w->service->phase) == DRAINING && !w->all))
		wake(&w->service->workers[0]);
	return more;
}

static void *run(void *arg)
{
	struct worker *w = arg;
	struct error err;

	/* epoll_wait(2) cannot fail on a valid descriptor. */
	if (worker_run(w, &err) < 0)
		abort();
	return NULL;
}

unsigned threads_default(const struct service *s)
{
	for (size_t i = 0; i < s->n_forwards; i++) {
		if (s->forwards[i].publish->type != SOCK_DGRAM && processors() > 1)
			return 2;
	}
	return 1;
}

int threads_open(struct service *s, struct error *err)
{
	for (unsigned i = 0; i < s->n_workers && s->n_workers > 1; i++) {
		struct worker *w = &s->workers[i];

		if (i > 0) {
			if (worker_init(w, s, i, err) < 0)
				return -1;
			w->loop.after = after;
		}
		w->wakeup = (struct watch){.ready = woken, .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
		if (w->wakeup.fd < 0 || loop_watch(&w->loop, &w->wakeup, EPOLLIN) < 0)
			return error_errno(err, errno, "cannot prepare worker %u", i);
	}
	return 0;
}

int threads_start(struct service *s, struct error *err)
{
	pthread_attr_t attr;
	int r = 0;

	if (s->n_workers < 2)
		return 0;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE < PTHREAD_STACK_MIN ? PTHREAD_STACK_MIN : STACK_SIZE);
	for (unsigned i = 1; i < s->n_workers && r == 0; i++) {
		struct worker *w = &s->workers[i];

		if (accept_start(w, err) < 0)
			return -1;
		r = pthread_create(&w->thread, &attr, run, w);
	}
	pthread_attr_destroy(&attr);
	return r == 0 ? 0 : error_errno(err, r, "cannot start a worker");
}

void threads_wake(struct service *s)
{
	for (unsigned i = 1; i < s->n_workers; i++)
		wake(&s->workers[i]);
}

void threads_join(struct service *s)
{
	for (unsigned i = 1; i < s->n_workers; i++)
		pthread_join(s->workers[i].thread, NULL);
}
