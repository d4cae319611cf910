#include "relay/accept.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cidr.h"
#include "common/clock.h"
#include "common/fault.h"
#include "relay/connect.h"
#include "relay/hand.h"
#include "relay/keepalive.h"

/* #syscalls: accept4 close getpeername setsockopt */

#define ACCEPT_BATCH 16
#define PAUSE_USEC   (100 * USEC_PER_MSEC)

struct acceptor {
	struct watch watch;
	struct forward *forward;
	bool drained; /* the queue was empty once: later connections have inherited the listener's options */
};

static void set_options(int fd, const struct relay_config *config)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	keepalive_set(fd, config);
}

static void reset_client(int fd)
{
	static const struct linger reset = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
}

static bool does_hold(const struct relay_config *config, int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	if (config->n_no_hold == 0 || getpeername(fd, (struct sockaddr *)&peer, &len) < 0)
		return true;
	for (size_t i = 0; i < config->n_no_hold; i++) {
		if (cidr_contains(&config->no_hold[i], (struct sockaddr *)&peer))
			return false;
	}
	return true;
}

void accept_serve(struct worker *w, struct forward *forward, int fd)
{
	struct connection *c = connection_new(w, forward, fd, does_hold(w->service->config, fd));

	if (!c) {
		reset_client(fd);
		descriptors_give(&w->service->descriptors, 2);
		return;
	}
	connect_target(w, c);
}

static void place(struct worker *w, struct forward *forward, int fd)
{
	struct worker *least = hand_least(w);

	if (least == w || !hand_over(least, forward, fd))
		accept_serve(w, forward, fd);
}

static void watch_listeners(struct worker *w)
{
	uint32_t events = EPOLLIN | (w->service->n_workers > 1 ? EPOLLEXCLUSIVE : 0);

	for (size_t i = 0; i < w->n_acceptors; i++) {
		/* Without memory even for this, tries again. */
		if (loop_watch(&w->loop, &w->acceptors[i].watch, events) < 0 && errno != EEXIST)
			timer_set(&w->loop, &w->resume, w->loop.now + PAUSE_USEC);
	}
}

static void unwatch_listeners(struct worker *w)
{
	for (size_t i = 0; i < w->n_acceptors; i++)
		loop_unwatch(&w->loop, &w->acceptors[i].watch);
}

static void pause_listeners(struct worker *w, bool shortage)
{
	w->paused = true;
	w->shortage = shortage;
	count_set(&w->counters.full, !shortage);
	unwatch_listeners(w);
	timer_set(&w->loop, &w->resume, w->loop.now + PAUSE_USEC);
}

void accept_resume(struct worker *w)
{
	if (atomic_load(&w->service->phase) != SERVING)
		return;
	if (w->paused && !descriptors_left(&w->service->descriptors, 2)) {
		timer_set(&w->loop, &w->resume, w->loop.now + PAUSE_USEC);
		return;
	}
	w->paused = w->shortage = false;
	count_set(&w->counters.full, 0);
	watch_listeners(w);
}

static void resume_fired(struct loop *loop, struct timer *timer)
{
	(void)timer;
	accept_resume(worker_of(loop));
}

/* Accepts one connection; returns whether to go on. */
static bool accept_one(struct worker *w, struct acceptor *a)
{
	int fd;

	if (!descriptors_take(&w->service->descriptors, 2)) {
		pause_listeners(w, false);
		return false;
	}
	fd = accept4(a->watch.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		FAULT("accept:taken");
		if (!a->drained && a->forward->family != AF_UNIX)
			set_options(fd, w->service->config);
		place(w, a->forward, fd);
		return true;
	}
	descriptors_give(&w->service->descriptors, 2);
	if (errno == EAGAIN)
		a->drained = true;
	else if (is_shortage(errno))
		pause_listeners(w, true);
	else
		return true; /* concerns this client alone: ECONNABORTED and the network errors of accept(2) */
	return false;
}

static void acceptor_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct acceptor *a = container_of(watch, struct acceptor, watch);
	struct worker *w = worker_of(loop);
	bool several = w->service->n_workers > 1;

	(void)events;
	FAULT("accept:begins");
	if (several) {
		atomic_fetch_add(&w->service->accepting, 1);
		if ((w->index > 0 && atomic_load(&w->service->leaving)) || atomic_load(&w->service->phase) != SERVING) {
			atomic_fetch_sub(&w->service->accepting, 1);
			return;
		}
	}
	for (int i = 0; i < ACCEPT_BATCH && accept_one(w, a); i++)
		;
	if (several)
		atomic_fetch_sub(&w->service->accepting, 1);
}

void accept_now(struct worker *w)
{
	for (size_t i = 0; i < w->n_acceptors; i++)
		acceptor_ready(&w->loop, &w->acceptors[i].watch, EPOLLIN);
}

void accept_adopt(struct worker *w, struct forward *forward, int fd)
{
	if (!descriptors_take(&w->service->descriptors, 2)) {
		reset_client(fd);
		return;
	}
	/* The socket was to be reset if one of the programs before, or this one, had failed. */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){}, sizeof(struct linger));
	if (forward->family != AF_UNIX)
		set_options(fd, w->service->config);
	place(w, forward, fd);
}

void accept_stop(struct worker *w)
{
	unwatch_listeners(w);
	timer_set(&w->loop, &w->resume, USEC_INFINITY);
}

void accept_prepare(const struct service *s)
{
	for (size_t i = 0; i < s->n_forwards; i++) {
		const struct forward *f = &s->forwards[i];

		if (f->publish->type != SOCK_DGRAM && f->family != AF_UNIX)
			set_options(f->fd, s->config);
	}
}

int accept_start(struct worker *w, struct error *err)
{
	struct service *s = w->service;

	timer_add(&w->loop, &w->resume, resume_fired);
	w->acceptors = calloc(s->n_forwards, sizeof(*w->acceptors));
	if (!w->acceptors)
		return error_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < s->n_forwards; i++) {
		struct forward *f = &s->forwards[i];

		if (f->publish->type == SOCK_DGRAM)
			continue;
		w->acceptors[w->n_acceptors++] = (struct acceptor){
			.watch = {.ready = acceptor_ready, .fd = f->fd},
			.forward = f,
		};
	}
	watch_listeners(w);
	return 0;
}
