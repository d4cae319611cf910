/* The clients that wait to be served: in the listeners' backlogs, or accepted by the keeper to learn their address or
 * how long they have waited. The keeper never reads their data.
 *
 * No client waits longer than the start-up time-out, whatever the instance is doing: the queue then resets the
 * connection, or drops the datagram. It knows a time before which no waiting client can have arrived, and checks each
 * client when that time is too long ago (backlog.h). The other clients stay in the backlogs, for this keeper or the
 * next.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cidr.h"
#include "common/error.h"
#include "handover/accepted.h"

/* The keeper accepts, and hands down, at most this many connections; later ones stay in the backlog. */
#define ACCEPTED_MAX  64
#define LISTENERS_MAX 256 /* more than an instance may have */

struct client {
	int fd;
	int listener;	  /* counted from 0 */
	uint64_t arrived; /* CLOCK_MONOTONIC microseconds */
};

struct queue {
	int n; /* listeners, from LISTEN_FDS_START on */
	bool stream[LISTENERS_MAX];
	struct client accepted[ACCEPTED_MAX];
	size_t n_accepted;
	uint64_t limit; /* microseconds; USEC_INFINITY: clients may wait for ever */
	uint64_t
		since; /* CLOCK_MONOTONIC microseconds; no waiting client arrived before; USEC_INFINITY: nobody waits */
};

/* Takes over the sockets that systemd has passed to this process, and makes them non-blocking and close-on-exec. */
int queue_open(struct queue *q, uint64_t limit, struct error *err);

/* Can only datagrams wait? Those are dropped, where clients of the other protocols are refused. */
bool queue_is_of_datagrams(const struct queue *q);

/* Is a client waiting in the backlog of this listener? */
bool queue_listener_waits(int listener);

/* Is a client waiting? */
bool queue_waits(const struct queue *q);

/* Resets clients from these ranges, and accepts the others. False if none of the others is left. */
bool queue_admit(struct queue *q, const struct cidr *ranges, size_t n);

/* When queue_expire() must be called next; USEC_INFINITY: not before a client waits. */
uint64_t queue_deadline(const struct queue *q);

/* Resets all clients that have waited longer than the limit. Returns how many. */
size_t queue_expire(struct queue *q, uint64_t now);

/* Resets all clients. */
void queue_refuse(struct queue *q);

/* The accepted clients now belong to another program: only closes them here. */
void queue_forget_accepted(struct queue *q);

/* The accepted clients as VARIABLE_ACCEPTED has them (handover/accepted.h); "" for none. */
#define QUEUE_TEXT_MAX ACCEPTED_TEXT_MAX(ACCEPTED_MAX)
const char *queue_accepted_text(const struct queue *q, char ret[static QUEUE_TEXT_MAX]);
