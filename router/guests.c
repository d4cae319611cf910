#include "router/guests.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/extremes.h"
#include "relay/pair.h"
#include "relay/worker_loop.h"
#include "router/answer.h"

#define TICK_USEC (10 * USEC_PER_MSEC)
/* After this time the dispatcher is told of a connection, which most do not last. */
#define MOMENT_USEC (200 * USEC_PER_MSEC)
/* How long a client waits for an engine: longer than whoever starts it, who has more to say. */
#define START_USEC (150 * USEC_PER_SEC)
/* How long a refused client may take to send its request, and then to read the answer. */
#define HEAD_USEC  (10 * USEC_PER_SEC)
#define DRAIN_USEC (2 * USEC_PER_SEC)

enum guest_state {
	GUEST_SILENT,  /* has sent nothing yet */
	GUEST_WAITING, /* for the engine to start */
	GUEST_AGAIN,   /* for the next tick */
	GUEST_REFUSED, /* its request is being read */
	GUEST_TOLD,    /* the answer was sent */
};

struct guest {
	struct watch watch; /* of the client; not while it is relayed */
	struct guest *prev, *next;
	enum guest_state state;
	uint32_t number;
	bool watched;
	bool contained; /* in a container of the user's, it seems */
	uint64_t limit; /* CLOCK_MONOTONIC microseconds; USEC_INFINITY: none */
	unsigned status;
	struct request_head head;
	bool told;		     /* the dispatcher knows what is in these: */
	char engine[16];	     /* that serves it */
	char line[REQUEST_LINE_MAX]; /* of its first request */
	char text[MESSAGE_TEXT_MAX]; /* of the answer; before, who the client is */
};

static void link_guest(struct guest **list, struct guest *guest)
{
	guest->prev = NULL;
	guest->next = *list;
	if (*list)
		(*list)->prev = guest;
	*list = guest;
}

static void unlink_guest(struct guest **list, struct guest *guest)
{
	if (guest->prev)
		guest->prev->next = guest->next;
	else
		*list = guest->next;
	if (guest->next)
		guest->next->prev = guest->prev;
}

static void report(struct guests *g, const struct message *m)
{
	if (g->channel.fd >= 0)
		(void)message_tell(g->channel.fd, m);
}

/* Ticks by then at the latest. */
static void tick_by(struct guests *g, uint64_t when)
{
	if (g->tick.when > when)
		timer_set(&g->worker.loop, &g->tick, when);
}

static void describe(const struct guest *guest, enum message_kind kind, struct message *ret)
{
	*ret = (struct message){.kind = kind, .number = guest->number};
	(void)snprintf(ret->engine, sizeof(ret->engine), "%s", guest->engine);
	(void)snprintf(ret->request, sizeof(ret->request), "%s", guest->line);
}

static void leave(struct guests *g, struct guest *guest, const uint64_t bytes[2], const char *how)
{
	struct message m;

	describe(guest, MESSAGE_ENDED, &m);
	if (bytes)
		memcpy(m.bytes, bytes, sizeof(m.bytes));
	(void)snprintf(m.text, sizeof(m.text), "%s", how);
	report(g, &m);
	guest->watch.ready = loop_ignore;
	guest->next = g->gone;
	g->gone = guest;
	g->n--;
	g->idle_since = now_usec();
	tick_by(g, g->idle_since + (g->draining ? 0 : g->idle_timeout));
}

/* Events of guests that have left may still be on their way: their memory is kept until now. */
static bool after_events(struct loop *loop)
{
	struct guests *g = guests_of(loop);

	while (g->gone) {
		struct guest *guest = g->gone;

		g->gone = guest->next;
		free(guest);
	}
	return worker_after(loop);
}

/* Before it is relayed. */
static void close_guest(struct guests *g, struct guest *guest, const char *how)
{
	if (guest->watched)
		loop_unwatch(&g->worker.loop, &guest->watch);
	close(guest->watch.fd);
	unlink_guest(&g->first, guest);
	leave(g, guest, NULL, how);
}

static void relay_closed(struct worker *w, const struct connection *c)
{
	struct guests *g = container_of(w, struct guests, worker);

	if (!c->owner)
		return;
	unlink_guest(&g->relayed, c->owner);
	leave(g, c->owner, c->moved,
	      c->ends[CLIENT].failed   ? "the client has gone"
	      : c->ends[TARGET].failed ? "the engine has gone"
				       : "");
}

/* A ping has no body: what follows is the next request. */
static void client_heard(struct worker *w, const struct connection *c, const char *data, size_t n)
{
	struct guest *guest = c->owner;

	if (!guest || !request_is_ping(guest->line))
		return;
	request_line(data, n, guest->line);
	guest->told = false;
	tick_by(container_of(w, struct guests, worker), now_usec() + MOMENT_USEC);
}

/* Waits for these events of the client; with 0 for its end alone: its request stays where it is meanwhile. */
static void watch_guest(struct guests *g, struct guest *guest, uint32_t events)
{
	int r = guest->watched ? loop_rewatch(&g->worker.loop, &guest->watch, events)
			       : loop_watch(&g->worker.loop, &guest->watch, events);

	if (r < 0)
		close_guest(g, guest, "out of memory");
	else
		guest->watched = true;
}

static void refuse_guest(struct guests *g, struct guest *guest, unsigned status, const char *why)
{
	guest->state = GUEST_REFUSED;
	guest->status = status;
	guest->limit = now_usec() + HEAD_USEC;
	(void)snprintf(guest->text, sizeof(guest->text), "%s", why);
	tick_by(g, guest->limit);
	watch_guest(g, guest, EPOLLIN);
}

static void relay_guest(struct guests *g, struct guest *guest, int engine)
{
	int client = guest->watch.fd;

	if (guest->watched)
		loop_unwatch(&g->worker.loop, &guest->watch);
	unlink_guest(&g->first, guest);
	link_guest(&g->relayed, guest);
	guest->watch.ready = loop_ignore;
	tick_by(g, now_usec() + MOMENT_USEC);
	if (pair_begin(&g->worker, &g->forward, client, engine, guest) < 0) {
		unlink_guest(&g->relayed, guest);
		leave(g, guest, NULL, "out of memory");
	}
}

static void begin(struct guests *g, struct guest *guest)
{
	struct error err;
	const struct guest_client client = {.fd = guest->watch.fd, .contained = guest->contained, .owner = guest->text};
	int fd = g->connect(g, &client, guest->engine, &err);

	if (fd >= 0) {
		relay_guest(g, guest, fd);
		return;
	}
	switch (err.code) {
	case ECONNREFUSED:
		guest->state = GUEST_WAITING;
		guest->limit = now_usec() + START_USEC;
		tick_by(g, guest->limit);
		watch_guest(g, guest, 0);
		g->start(g);
		break;
	case EAGAIN:
		guest->state = GUEST_AGAIN;
		watch_guest(g, guest, 0);
		tick_by(g, now_usec() + TICK_USEC);
		break;
	case EACCES:
	case EPERM:
		refuse_guest(g, guest, 403, err.text);
		break;
	default:
		refuse_guest(g, guest, 503, err.text);
		break;
	}
}

/* Looks at the first bytes without taking them: they are the engine's. */
static void hear(struct guests *g, struct guest *guest)
{
	char data[REQUEST_LINE_MAX];
	ssize_t n = recv(guest->watch.fd, data, sizeof(data), MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		watch_guest(g, guest, EPOLLIN);
		return;
	}
	if (n <= 0) {
		close_guest(g, guest, "the client sent nothing");
		return;
	}
	request_line(data, (size_t)n, guest->line);
	begin(g, guest);
}

static void answer(struct guests *g, struct guest *guest)
{
	char text[ANSWER_MAX];
	size_t n = answer_format(guest->status, guest->text, &guest->head, text);

	if (send(guest->watch.fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)n) {
		close_guest(g, guest, guest->text);
		return;
	}
	(void)shutdown(guest->watch.fd, SHUT_WR);
	guest->state = GUEST_TOLD;
	guest->limit = now_usec() + DRAIN_USEC;
	tick_by(g, guest->limit);
}

/* Reads the request, and what comes after it: bytes that nobody has read would cost the client the answer. */
static void read_refused(struct guests *g, struct guest *guest)
{
	char data[8192];

	for (int i = 0; i < 16; i++) {
		ssize_t n = recv(guest->watch.fd, data, sizeof(data), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			close_guest(g, guest, guest->text);
			return;
		}
		if (guest->state == GUEST_TOLD)
			continue;
		if (guest->head.length == 0)
			request_line(data, (size_t)n, guest->line);
		if (request_head_feed(&guest->head, data, (size_t)n)) {
			answer(g, guest);
			return; /* level-triggered: what is left comes next */
		}
		if (guest->head.length > REQUEST_HEAD_MAX) {
			close_guest(g, guest, guest->text);
			return;
		}
	}
}

static void guest_event(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct guests *g = guests_of(loop);
	struct guest *guest = container_of(watch, struct guest, watch);

	switch (guest->state) {
	case GUEST_SILENT:
		hear(g, guest);
		break;
	case GUEST_REFUSED:
	case GUEST_TOLD:
		read_refused(g, guest);
		break;
	default: /* it waits, and only its end is watched for */
		if (events & (EPOLLHUP | EPOLLERR))
			close_guest(g, guest, "the client has gone");
		break;
	}
}

static void take_client(struct guests *g, const struct message *m, int fd)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	struct message ended = {.kind = MESSAGE_ENDED, .number = m->number, .text = "out of memory"};

	if (!guest) {
		close(fd);
		report(g, &ended);
		return;
	}
	*guest = (struct guest){
		.watch = {.ready = guest_event, .fd = fd},
		.state = GUEST_SILENT,
		.number = m->number,
		.contained = m->contained,
		.limit = USEC_INFINITY,
	};
	link_guest(&g->first, guest);
	g->n++;
	(void)snprintf(guest->text, sizeof(guest->text), "%s", m->text);
	if (m->kind == MESSAGE_REFUSE)
		refuse_guest(g, guest, m->status, m->text);
	else
		hear(g, guest); /* most have sent their request by now, and need not be watched */
}

void guests_serve_waiting(struct guests *g)
{
	struct guest *next;

	for (struct guest *guest = g->first; guest; guest = next) {
		next = guest->next;
		if (guest->state == GUEST_WAITING || guest->state == GUEST_AGAIN)
			begin(g, guest);
	}
}

void guests_refuse_waiting(struct guests *g, unsigned status, const char *why)
{
	struct guest *next;

	for (struct guest *guest = g->first; guest; guest = next) {
		next = guest->next;
		if (guest->state == GUEST_WAITING)
			refuse_guest(g, guest, status, why);
	}
}

/* An idle worker offers to go, again and again: the dispatcher may have sent a client meanwhile. */
static void check_idle(struct guests *g, uint64_t now)
{
	struct message m = {.kind = MESSAGE_IDLE};

	if (g->channel.fd < 0) {
		g->worker.loop.stop = true;
		return;
	}
	if (g->draining && g->may_leave)
		(void)g->may_leave(g);
	if (g->draining ||
	    (now - most_of(g->idle_since, g->offered) >= g->idle_timeout && (!g->may_leave || g->may_leave(g))))
		report(g, &m);
	g->offered = now;
	tick_by(g, now + g->idle_timeout);
}

static void tell_of_relayed(struct guests *g)
{
	struct message m;

	for (struct guest *guest = g->relayed; guest; guest = guest->next) {
		if (guest->told)
			continue;
		describe(guest, MESSAGE_BEGAN, &m);
		report(g, &m);
		guest->told = true;
	}
}

static void ticked(struct loop *loop, struct timer *timer)
{
	struct guests *g = guests_of(loop);
	uint64_t now = now_usec();
	struct guest *next;

	(void)timer;
	for (struct guest *guest = g->first; guest; guest = next) {
		next = guest->next;
		if (guest->state == GUEST_AGAIN)
			begin(g, guest);
		else if (guest->limit <= now && guest->state == GUEST_WAITING)
			refuse_guest(g, guest, 503, "your engine has not started in time; try again");
		else if (guest->limit <= now)
			close_guest(g, guest, guest->text);
		else if (guest->limit != USEC_INFINITY)
			tick_by(g, guest->limit);
	}
	tell_of_relayed(g);
	if (g->n == 0)
		check_idle(g, now);
}

static void drain(struct guests *g)
{
	struct guest *next;

	g->draining = true;
	for (struct guest *guest = g->first; guest; guest = next) {
		next = guest->next;
		if (guest->state == GUEST_SILENT)
			close_guest(g, guest, "the router ends");
	}
	tick_by(g, now_usec());
}

/* The dispatcher reads meanwhile; what its socket does not take is told the next time. */
static void tell_bytes(struct guests *g)
{
	tell_of_relayed(g);
	for (const struct connection *c = g->worker.all; c; c = c->next) {
		const struct guest *guest = c->owner;
		struct message m = {.kind = MESSAGE_BYTES};

		if (!guest)
			continue;
		m.number = guest->number;
		memcpy(m.bytes, c->moved, sizeof(m.bytes));
		report(g, &m);
	}
}

static void channel_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct guests *g = guests_of(loop);
	struct message m;
	int fd, r;

	(void)events;
	while ((r = message_receive(watch->fd, &m, &fd)) > 0) {
		switch (m.kind) {
		case MESSAGE_SERVE:
		case MESSAGE_REFUSE:
			if (fd >= 0)
				take_client(g, &m, fd);
			continue;
		case MESSAGE_DRAIN:
			drain(g);
			break;
		case MESSAGE_COUNT:
			tell_bytes(g);
			break;
		default:
			g->told(g, &m);
			break;
		}
		if (fd >= 0)
			close(fd);
	}
	if (r < 0 && (errno == EAGAIN || errno == EINTR || errno == EBADMSG))
		return;
	loop_unwatch(loop, watch);
	close(watch->fd);
	watch->fd = -1;
	drain(g);
}

int guests_open(struct guests *g, int channel, uint64_t idle_timeout, struct error *err)
{
	static const struct publish publish = {.type = SOCK_STREAM};

	g->relay = (struct relay_config){.connection_timeout = USEC_INFINITY, .startup_timeout = USEC_INFINITY};
	g->forward = (struct forward){.publish = &publish, .fd = -1, .family = AF_UNIX};
	g->service.config = &g->relay;
	g->service.workers = &g->worker;
	g->service.n_workers = 1;
	g->service.closed = relay_closed;
	g->service.heard = client_heard;
	descriptors_init(&g->service.descriptors, 16);
	if (worker_init(&g->worker, &g->service, 0, err) < 0)
		return -1;
	g->worker.loop.after = after_events;
	timer_add(&g->worker.loop, &g->tick, ticked);
	g->channel = (struct watch){.ready = channel_ready, .fd = channel};
	g->idle_timeout = idle_timeout;
	g->idle_since = now_usec();
	tick_by(g, g->idle_since + idle_timeout);
	return loop_watch(&g->worker.loop, &g->channel, EPOLLIN) < 0
		       ? error_errno(err, errno, "cannot watch the channel to the dispatcher")
		       : 0;
}

int guests_run(struct guests *g, struct error *err)
{
	return worker_run(&g->worker, err);
}
