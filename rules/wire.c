#include "rules/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"

#define LINGER_IDLE (5 * USEC_PER_SEC)
#define LINGER_MAX  (300 * USEC_PER_SEC)

void wire_begin(struct wire *w, int fd)
{
	w->fd = fd;
	w->ended = w->gone = false;
	w->read = w->sent = 0;
	w->in_start = w->in_end = w->out_start = w->out_end = 0;
}

void wire_take(struct wire *w, size_t len)
{
	w->in_start += len;
	if (w->in_start == w->in_end)
		w->in_start = w->in_end = 0;
}

size_t wire_room(const struct wire *w)
{
	return WIRE_MAX - wire_out_len(w);
}

/* Moves what a buffer holds to its beginning. */
static void compact(char *buffer, size_t *start, size_t *end)
{
	memmove(buffer, buffer + *start, *end - *start);
	*end -= *start;
	*start = 0;
}

void wire_put(struct wire *w, const char *data, size_t len)
{
	if (len > WIRE_MAX - w->out_end)
		compact(w->out, &w->out_start, &w->out_end);
	if (w->out_end + len > WIRE_MAX)
		abort(); /* a caller has not asked for the room: never write beyond it */
	memcpy(w->out + w->out_end, data, len);
	w->out_end += len;
}

static void fill(struct wire *w)
{
	ssize_t n;

	if (w->in_end == WIRE_MAX)
		compact(w->in, &w->in_start, &w->in_end);
	if (w->in_end == WIRE_MAX)
		return;
	n = recv(w->fd, w->in + w->in_end, WIRE_MAX - w->in_end, MSG_DONTWAIT);
	if (n > 0) {
		w->in_end += (size_t)n;
		w->read += (uint64_t)n;
	} else if (n == 0) {
		w->ended = true;
	} else if (errno != EAGAIN) {
		w->ended = w->gone = true;
	}
}

static void drop_output(struct wire *w)
{
	w->gone = true;
	w->out_start = w->out_end = 0;
}

static void flush(struct wire *w)
{
	ssize_t n = send(w->fd, w->out + w->out_start, wire_out_len(w), MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n >= 0) {
		w->out_start += (size_t)n;
		w->sent += (uint64_t)n;
		if (w->out_start == w->out_end)
			w->out_start = w->out_end = 0;
	} else if (errno != EAGAIN) {
		drop_output(w);
	}
}

/* Writes without having waited: there is nearly always room. Has that changed anything? */
static bool flush_at_once(struct wire *w)
{
	size_t before = w ? wire_out_len(w) : 0;

	if (before == 0 || w->gone)
		return false;
	flush(w);
	return wire_out_len(w) < before;
}

static bool has_room_in(const struct wire *w)
{
	return wire_in_len(w) < WIRE_MAX;
}

/* What to poll for. An end that is gone would report it for ever. */
static struct pollfd wanted(const struct wire *w, bool read)
{
	bool reads = w && read && !w->ended && has_room_in(w);

	if (!w || (w->gone && !reads))
		return (struct pollfd){.fd = -1};
	return (struct pollfd){.fd = w->fd, .events = (short)((reads ? POLLIN : 0) | (wire_out_len(w) ? POLLOUT : 0))};
}

static void act(struct wire *w, bool read, short events)
{
	if (!w || !events)
		return;
	if (events & POLLOUT)
		flush(w);
	if (read && !w->ended && (events & (POLLIN | POLLHUP | POLLERR)))
		fill(w);
	/* Both directions are closed: what is read no longer waits for an answer. */
	if (events & (POLLHUP | POLLERR))
		drop_output(w);
}

int wire_turn(struct wire *client, bool read_client, struct wire *engine, bool read_engine, int timeout,
	      struct error *err)
{
	bool flushed_client = flush_at_once(client), flushed_engine = flush_at_once(engine);
	struct pollfd polled[2];
	int n;

	/* There is room now, so the caller may go on without anything to read. */
	if (flushed_client || flushed_engine)
		return 1;
	polled[0] = wanted(client, read_client);
	polled[1] = wanted(engine, read_engine);
	n = poll(polled, 2, timeout);
	if (n < 0 && errno != EINTR)
		return error_errno(err, errno, "cannot wait for the client and the engine");
	if (n == 0)
		return 0;
	if (n > 0) {
		act(client, read_client, polled[0].revents);
		act(engine, read_engine, polled[1].revents);
	}
	return 1;
}

bool wire_flush(struct wire *w, uint64_t deadline)
{
	struct error ignored;

	while (wire_out_len(w) && !w->gone) {
		if (wire_turn(w, false, NULL, false, timeout_msec(deadline), &ignored) <= 0)
			return false;
	}
	return !w->gone;
}

void wire_linger(struct wire *w)
{
	uint64_t deadline = time_from_now(LINGER_MAX);
	struct error ignored;

	if (!wire_flush(w, time_from_now(LINGER_IDLE)))
		return;
	(void)shutdown(w->fd, SHUT_WR);
	while (!w->ended && !w->gone && !time_is_over(deadline)) {
		w->in_start = w->in_end = 0;
		if (wire_turn(w, true, NULL, false, timeout_msec(time_from_now(LINGER_IDLE)), &ignored) <= 0)
			return;
	}
}
