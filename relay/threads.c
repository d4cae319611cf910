#include "relay/threads.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/extremes.h"
#include "common/fault.h"
#include "relay/accept.h"
#include "relay/hand.h"
#include "relay/processors.h"
#include "relay/worker_loop.h"

/* #syscalls: clone3 clone futex rseq sched_getaffinity set_robust_list */

/* Buffers are on the heap; the loop uses some KiB of stack. */
#define STACK_SIZE (256U << 10)

void threads_take(struct worker *w)
{
	struct handed handed[HANDED_MAX];
	size_t n = hand_receive(w, handed);

	for (size_t i = 0; i < n; i++) {
		if (!handed[i].forward)
			continue;
		accept_serve(w, handed[i].forward, handed[i].fd);
		hand_taken(w);
	}
}

bool threads_are_accepting(const struct service *s)
{
	bool are = atomic_load(&s->accepting) > 0;

	for (unsigned i = 0; i < s->n_workers && !are; i++)
		are = atomic_load(&s->workers[i].handed) > 0;
	return are;
}

static void told(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct worker *w = worker_of(loop);

	(void)watch;
	(void)events;
	FAULT("hand:told");
	threads_take(w);
	if (w->index == 0)
		return; /* its `after` reports what changed */
	if (atomic_load(&w->service->phase) != SERVING)
		accept_stop(w);
	if (atomic_load(&w->service->phase) == ENDING)
		loop->stop = true;
}

/* The first worker reports for all. Other workers wake it once until it has, and always when it waits for the last
 * connection. */
static bool after(struct loop *loop)
{
	struct worker *w = worker_of(loop);
	bool more = worker_after(loop);

	if (!atomic_exchange(&w->service->changed, true) || (atomic_load(&w->service->phase) == DRAINING && !w->all))
		hand_wake(&w->service->workers[0]);
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
		if (hand_open(w, told, err) < 0)
			return -1;
	}
	return 0;
}

static size_t stack_size(void)
{
	size_t least = (size_t)PTHREAD_STACK_MIN; /* a constant or a call, depending on the C library's version */

	return most_of(STACK_SIZE, least);
}

int threads_start(struct service *s, struct error *err)
{
	pthread_attr_t attr;
	int r = 0;

	if (s->n_workers < 2)
		return 0;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, stack_size());
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
		hand_wake(&s->workers[i]);
}

void threads_join(struct service *s)
{
	for (unsigned i = 1; i < s->n_workers; i++)
		pthread_join(s->workers[i].thread, NULL);
	/* Connections that were handed over to a worker that had ended. */
	for (unsigned i = 0; i < s->n_workers && s->n_workers > 1; i++) {
		threads_take(&s->workers[i]);
		worker_finish(&s->workers[i]);
	}
}
