/* A worker without a proxy around it: a test calls its parts one by one, at the times it chooses. */
#pragma once

#include "tests/unit/proxy_fixture.h"

#include "relay/worker_loop.h"

#define RELAY_BUDGET 100  /* descriptors */
#define RELAY_NOW    1000 /* of CLOCK_MONOTONIC, for the worker */

struct relay {
	struct relay_config config;
	struct service service;
	struct worker worker;
	struct publish publish;
	struct forward forward;
	struct target targets[2];
};

static inline void relay_begin(struct relay *r, int type)
{
	struct error err;

	memset(r, 0, sizeof(*r));
	r->config.startup_timeout = r->config.connection_timeout = USEC_INFINITY;
	r->publish.type = type;
	r->forward = (struct forward){.publish = &r->publish, .family = AF_INET, .fd = -1, .targets = r->targets};
	r->service = (struct service){.config = &r->config,
				      .forwards = &r->forward,
				      .n_forwards = 1,
				      .workers = &r->worker,
				      .n_workers = 1,
				      .descriptors.free = RELAY_BUDGET};
	assert_int_equal(worker_init(&r->worker, &r->service, 0, &err), 0);
	r->worker.loop.now = RELAY_NOW;
}

/* Keeps references to the memory that a worker never frees, as a proxy ends soon: the leak sanitizer finds it here. All
 * connections must be closed. */
static inline void relay_keep(struct worker *w)
{
	static struct {
		struct connection *free;
		struct udp *udp;
		struct pipe *pipes;
	} kept[64] __attribute__((used)); /* although nobody reads it */
	static size_t n;

	connection_reap(w);
	assert_true(n < sizeof(kept) / sizeof(*kept));
	kept[n].free = w->free;
	kept[n].pipes = w->pipes.free;
	kept[n++].udp = w->udp;
}

static inline void relay_end(struct relay *r)
{
	while (r->worker.all)
		connection_close(&r->worker, r->worker.all, true);
	assert_int_equal(r->service.descriptors.free + 2 * (int)r->worker.pipes.count, RELAY_BUDGET);
	assert_int_equal(r->worker.buffered, 0);
	relay_keep(&r->worker);
	free(r->worker.buffer);
	loop_close(&r->worker.loop);
}

/* Fires a timer at this time. */
static inline void relay_fire(struct relay *r, struct timer *timer, uint64_t now)
{
	r->worker.loop.now = now;
	timer->when = USEC_INFINITY;
	timer->fire(&r->worker.loop, timer);
}

/* One turn of the loop, without its clock: the present events, then the remaining work. */
static inline void relay_turn(struct relay *r)
{
	struct epoll_event events[16];
	int n = epoll_wait(r->worker.loop.epoll_fd, events, 16, 0);

	for (int i = 0; i < n; i++) {
		struct watch *watch = events[i].data.ptr;

		watch->ready(&r->worker.loop, watch, events[i].events);
	}
	(void)worker_after(&r->worker.loop);
}

/* A pair of connected sockets within this process; the first is for the worker. */
static inline void relay_pair(int type, int fds[2])
{
	int listener;

	if (type != SOCK_STREAM) {
		assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
		return;
	}
	listener = bound(SOCK_STREAM);
	fds[1] = connect_to(SOCK_STREAM, port_of(listener));
	fds[0] = accept_from(listener);
	for (int k = 0; k < 2; k++)
		assert_int_equal(fcntl(fds[k], F_SETFL, O_NONBLOCK), 0);
	close(listener);
}

static inline struct connection *relay_connection(struct relay *r, int client)
{
	assert_true(descriptors_take(&r->service.descriptors, 2));
	return connection_new(&r->worker, &r->forward, client, true);
}
