#include "relay/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/extremes.h"
#include "relay/keepalive.h"
#include "relay/packet.h"
#include "relay/turns.h"

/* #syscalls: ioctl read sendto setsockopt shutdown splice write */

/* Bytes of one direction in one turn: about two milliseconds. A socket that is left half-read closes its peer's window;
 * many streams then cost half as much again. */
#define QUANTUM	   (64UL * READ_SIZE)
#define READ_SIZE  65536U
#define BULK_READS 4	  /* full reads in a row that count as bulk; without a pipe, reads grow to the whole buffer */
#define BULK_LEAST 32768U /* with fewer bytes in a turn it is not bulk */
/* With more buffered memory than this, a worker reads less at a time, so a blocked connection buffers less. */
#define BUFFERED_MAX (64U << 20)
#define PRESSED_READ 4096U

static bool is_packets(const struct connection *c)
{
	return c->forward->publish->type == SOCK_SEQPACKET;
}

static void is_full(struct worker *w, struct end *e)
{
	e->writable = false;
	if (!e->watches_out && loop_rewatch(&w->loop, &e->watch, RELAY_EVENTS | EPOLLOUT) == 0)
		e->watches_out = true;
}

/* A socket call on an end failed. Either it is just not possible now, or the end has failed for good; then the data
 * received from it before must still be read. */
static void took_error(struct worker *w, struct connection *c, struct end *e, bool reading)
{
	if (errno == EAGAIN) {
		if (reading)
			e->readable = false;
		else
			is_full(w, e);
	} else if (is_shortage(errno)) {
		turn_later(w, c);
	} else if (errno != EINTR) {
		e->failed = true;
		e->read_on = true;
		e->readable = !reading;
	}
}

/* Buffers the data that the other end did not take. Without memory for it the stream is broken: both peers must be
 * reset. */
static void hold(struct worker *w, struct end *from, const char *data, size_t len)
{
	from->buffered = malloc(most_of(len, 1));
	if (!from->buffered) {
		from->failed = true;
		from->readable = false;
		return;
	}
	memcpy(from->buffered, data, len);
	from->buffered_len = (uint32_t)len;
	from->buffered_pos = 0;
	w->buffered += len;
}

static void flush_memory(struct worker *w, struct connection *c, struct end *from, struct end *to)
{
	const char *data = from->buffered + from->buffered_pos;
	ssize_t n = is_packets(c) ? packet_send(to, data, from->buffered_len)
				  : write(to->watch.fd, data, from->buffered_len);

	if (n < 0) {
		took_error(w, c, to, false);
		return;
	}
	if ((size_t)n < from->buffered_len)
		is_full(w, to);
	from->buffered_pos += (uint32_t)n;
	from->buffered_len -= (uint32_t)n;
	w->buffered -= (size_t)n;
	if (from->buffered_len == 0) {
		free(from->buffered);
		from->buffered = NULL;
	}
}

static void flush_pipe(struct worker *w, struct connection *c, struct end *from, struct end *to)
{
	ssize_t n = splice(from->pipe->out, NULL, to->watch.fd, NULL, from->buffered_len,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (n < 0) {
		took_error(w, c, to, false);
		return;
	}
	from->buffered_len -= (uint32_t)n;
	if (from->buffered_len == 0) {
		pipe_give(&w->pipes, from->pipe);
		from->pipe = NULL;
	}
}

static ssize_t pass_packet(struct worker *w, struct connection *c, struct end *from, struct end *to)
{
	char *data;
	bool end;
	ssize_t n = packet_receive(w, from, &data, &end);

	if (n < 0) {
		took_error(w, c, from, true);
	} else if (end) {
		from->eof = true;
	} else if (packet_send(to, data, (size_t)n) < 0) {
		took_error(w, c, to, false);
		if (!to->failed)
			hold(w, from, data, (size_t)n);
	}
	if (data != w->buffer)
		free(data);
	return n;
}

static size_t read_size(const struct worker *w, const struct end *from)
{
	if (w->buffered >= BUFFERED_MAX)
		return PRESSED_READ;
	return from->full_reads < BULK_READS ? READ_SIZE : BUFFER_SIZE;
}

static ssize_t copy(struct worker *w, struct connection *c, struct end *from, struct end *to)
{
	size_t size = read_size(w, from);
	int at_mark = 0;
	ssize_t n, sent;

	/* A receive stops before the urgent byte, which is then sent alone. */
	if (from->urgent && ioctl(from->watch.fd, SIOCATMARK, &at_mark) == 0 && at_mark)
		size = 1;
	n = read(from->watch.fd, w->buffer, size);
	if (n < 0)
		took_error(w, c, from, true);
	if (n == 0)
		from->eof = true;
	if (n <= 0)
		return n;
	if (w->service->heard && from == &c->ends[CLIENT])
		w->service->heard(w, c, w->buffer, (size_t)n);
	if ((size_t)n < size) {
		/* Drained; if the FIN had arrived before this call, it is next. */
		from->readable = from->read_on;
		from->eof = from->finished && !from->read_on;
	}
	from->full_reads = (size_t)n >= READ_SIZE ? (uint16_t)(from->full_reads + 1) : 0;
	/* Not always send(2): it has flags, which every filter of seccomp(2) would check (seccomp.c). SIGPIPE is
	 * ignored. */
	sent = at_mark ? send(to->watch.fd, w->buffer, 1, MSG_OOB | MSG_NOSIGNAL)
		       : write(to->watch.fd, w->buffer, (size_t)n);
	if (sent == n)
		return n;
	if (sent < 0) {
		took_error(w, c, to, false);
		sent = 0;
	} else {
		is_full(w, to);
	}
	if (!to->failed)
		hold(w, from, w->buffer + sent, (size_t)(n - sent));
	return n;
}

/* Fills a pipe; the caller flushes it. */
static ssize_t fill(struct worker *w, struct connection *c, struct end *from)
{
	ssize_t n = splice(from->watch.fd, NULL, from->pipe->in, NULL, PIPE_SIZE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (n > 0) {
		from->buffered_len = (uint32_t)n;
		return n;
	}
	if (n < 0)
		took_error(w, c, from, true);
	else
		from->eof = true;
	pipe_give(&w->pipes, from->pipe);
	from->pipe = NULL;
	return n;
}

static ssize_t take(struct worker *w, struct connection *c, struct end *from, struct end *to)
{
	if (is_packets(c))
		return pass_packet(w, c, from, to);
	if (from->full_reads >= BULK_READS && !from->urgent)
		from->pipe = pipe_take(&w->pipes);
	return from->pipe ? fill(w, c, from) : copy(w, c, from, to);
}

static void flush(struct worker *w, struct connection *c, struct end *from, struct end *to)
{
	if (from->pipe)
		flush_pipe(w, c, from, to);
	else
		flush_memory(w, c, from, to);
}

/* One direction's share of a turn. Returns whether more could be moved at once. */
static bool pump(struct worker *w, struct connection *c, struct end *from, struct end *to)
{
	size_t moved = 0;

	/* A shortage of memory queues the connection; that ends its turn. */
	while (to->writable && !to->failed && !c->is_queued && moved < QUANTUM) {
		if (end_has_buffered(from)) {
			flush(w, c, from, to);
		} else if (from->readable && !from->eof) {
			ssize_t n = take(w, c, from, to);

			moved += n < 0 ? 0 : (size_t)n;
		} else {
			break;
		}
	}
	count_add(&w->counters.bytes[from - c->ends], moved);
	c->moved[from - c->ends] += moved;
	if (c->silent && moved > 0 && from == &c->ends[CLIENT])
		connection_speaks(w, c);
	if (moved >= BULK_LEAST)
		w->loop.bulk = true;
	else if (moved > 0 && !from->readable)
		from->full_reads = 0;
	return moved >= QUANTUM;
}

static bool is_through(const struct end *from)
{
	return from->eof && !end_has_buffered(from);
}

/* Passes on FINs and resets. A closed connection gets no further turn. */
static void settle(struct worker *w, struct connection *c)
{
	struct end *client = &c->ends[CLIENT], *target = &c->ends[TARGET];

	if (client->failed || target->failed) {
		connection_close(w, c, true);
		return;
	}
	if ((is_through(client) && (client->gone || is_through(target))) || (is_through(target) && target->gone)) {
		connection_close(w, c, false);
		return;
	}
	if (is_through(client) && !target->shut)
		target->shut = shutdown(target->watch.fd, SHUT_WR) == 0;
	if (is_through(target) && !client->shut) {
		client->shut = shutdown(client->watch.fd, SHUT_WR) == 0;
		keepalive_watch(w);
	}
}

void pump_turn(struct worker *w, struct connection *c)
{
	struct end *client = &c->ends[CLIENT], *target = &c->ends[TARGET];
	bool more = pump(w, c, client, target);

	more |= pump(w, c, target, client);
	/* The data that a peer sent before it went away is finite. */
	while (more && (client->failed || target->failed))
		more = client->failed ? pump(w, c, client, target) : pump(w, c, target, client);
	c->last_active = w->loop.now;
	settle(w, c);
	if (more && c->state != CONNECTION_CLOSED)
		turn_again(w, c);
}

/* An edge is reported once: if it is not noted here, it is lost. */
static void note(struct end *e, uint32_t events)
{
	const int on = 1;

	if (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		e->readable = true;
	if (events & EPOLLRDHUP)
		e->finished = true;
	if (events & (EPOLLPRI | EPOLLHUP | EPOLLERR))
		e->read_on = true;
	if (events & EPOLLPRI && !e->urgent)
		e->urgent = setsockopt(e->watch.fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)) == 0;
	if (events & EPOLLERR)
		e->failed = true;
	if (events & EPOLLHUP)
		e->gone = true;
	if (events & EPOLLOUT)
		e->writable = true;
}

static void relay_event(struct worker *w, struct connection *c, struct end *e, uint32_t events)
{
	note(e, events);
	if (!c->is_queued)
		pump_turn(w, c);
}

static void client_event(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct connection *c = container_of(watch, struct connection, ends[CLIENT].watch);

	relay_event(worker_of(loop), c, &c->ends[CLIENT], events);
}

static void target_event(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct connection *c = container_of(watch, struct connection, ends[TARGET].watch);

	relay_event(worker_of(loop), c, &c->ends[TARGET], events);
}

static int watch_client(struct worker *w, struct end *client)
{
	client->watches_out = !client->writable; /* it was full before it was watched */
	return loop_watch(&w->loop, &client->watch, RELAY_EVENTS | (client->watches_out ? EPOLLOUT : 0));
}

void pump_start(struct worker *w, struct connection *c, uint32_t events)
{
	struct end *client = &c->ends[CLIENT], *target = &c->ends[TARGET];

	c->state = CONNECTION_RELAYING;
	client->watch.ready = client_event;
	target->watch.ready = target_event;
	client->readable = client->writable = target->writable = true;
	client->read_on = c->forward->family == AF_UNIX;
	note(target, events);
	if (is_packets(c))
		packet_start(c);
	/* Most clients have sent data already; only later data causes an event. */
	pump_turn(w, c);
	if (c->state != CONNECTION_CLOSED && watch_client(w, client) < 0) {
		c->state = CONNECTION_CONNECTED;
		turn_later(w, c);
	}
}

bool pump_begin_with(struct connection *c, const char *data, size_t len)
{
	struct end *target = &c->ends[TARGET];
	ssize_t n = is_packets(c) ? packet_send(target, data, len) : write(target->watch.fd, data, len);

	if (n == (ssize_t)len)
		return true;
	if (n >= 0 || (errno != ECONNRESET && errno != EPIPE))
		return false;
	target->failed = target->read_on = target->readable = true;
	return true;
}

void pump_finish(struct worker *w, struct connection *c)
{
	struct end *client = &c->ends[CLIENT], *target = &c->ends[TARGET];
	bool whole;

	if (c->state == CONNECTION_RELAYING) {
		target->readable = target->read_on = client->writable = true;
		while (pump(w, c, target, client))
			;
	}
	whole = c->state == CONNECTION_RELAYING && is_through(target) && !target->failed && !client->failed;
	connection_close(w, c, !whole);
}
