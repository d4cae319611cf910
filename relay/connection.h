/* A connection: two sockets, and what was read from one and is still to be written to the other.
 *
 * Connections are carved from slabs and reused, so that accepting one allocates nothing on the steady path. One that is
 * closed while events are handed out keeps its memory until the batch is through (worker_loop.h).
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "relay/loop.h"
#include "relay/pipes.h"

struct worker;
struct forward;

enum { CLIENT, TARGET };

struct end {
	struct watch watch;   /* its socket; -1: none yet */
	uint16_t full_reads;  /* in a row: how we learn that it sends bulk data */
	bool readable : 1;    /* not known to be drained */
	bool writable : 1;    /* not known to be full */
	bool finished : 1;    /* its FIN is here, behind what is still to be read */
	bool read_on : 1;     /* a short read does not mean drained: an error waits behind it, or it is a Unix socket */
	bool urgent : 1;      /* it has sent urgent data */
	bool watches_out : 1; /* EPOLLOUT is asked for: it was full before */
	bool eof : 1;	      /* its FIN was read */
	bool shut : 1;	      /* we have sent it our FIN */
	bool failed : 1;      /* it was reset */
	uint32_t buffered_len; /* bytes read here that the other end has not taken yet */
	uint32_t buffered_pos; /* of the first of them in `buffered` */
	char *buffered;	       /* they are in memory, malloc()ed, */
	struct pipe *pipe;     /* … or in a pipe, or there are none */
};

enum connection_state {
	CONNECTION_WAITING, /* for another attempt to connect the target */
	CONNECTION_CONNECTING,
	CONNECTION_CONNECTED, /* but there was no memory to watch the client */
	CONNECTION_RELAYING,
	CONNECTION_CLOSED,
};

struct connection {
	struct end ends[2];
	struct forward *forward;
	struct connection *prev, *next; /* all of the worker */
	struct connection *queued;	/* next in the one queue it is in */
	uint64_t last_active;		/* CLOCK_MONOTONIC microseconds */
	uint16_t first;			/* the target address that this round of attempts began with */
	uint16_t attempt;		/* how many were tried in this round */
	uint8_t state;
	bool is_queued : 1;
	bool holds : 1;	    /* keeps the container awake */
	bool silent : 1;    /* will do so once its client has sent something (--hold data) */
	bool is_probed : 1; /* whether its server still has it: keepalive.h */
	bool anonymous : 1; /* --transparent: the target cannot be shown this client's address */
};

static inline bool end_has_buffered(const struct end *e)
{
	return e->buffered || e->pipe;
}

/* The kernel is short of something that will be there again in a moment. */
static inline bool is_shortage(int error)
{
	return error == ENOMEM || error == ENOBUFS || error == EMFILE || error == ENFILE || error == ENOSPC;
}

struct connection_queue {
	struct connection *first, **last;
};

/* A new connection around an accepted socket, which it owns from here, with two descriptors of the budget, one for the
 * target's end; NULL (no memory) leaves both to the caller. `counts`: may it keep the container awake? */
struct connection *connection_new(struct worker *w, struct forward *forward, int fd, bool counts);

/* The client of a silent one has sent something: from now on it holds. */
void connection_speaks(struct worker *w, struct connection *c);

/* Closes both ends and releases everything. With `reset` the peers see an RST (SO_LINGER of zero, socket(7)). */
void connection_close(struct worker *w, struct connection *c, bool reset);

/* Has it bytes that were read from one end and not yet written to the other? */
bool connection_has_buffered(const struct connection *c);

/* Makes the memory of closed connections available again: between two batches of events. */
void connection_reap(struct worker *w);

/* Closes the target's end alone, after a failed attempt. */
void connection_drop_target(struct connection *c);

void queue_init(struct connection_queue *q);
/* Does nothing when it is in a queue already. */
void queue_add(struct connection_queue *q, struct connection *c);
/* The next open one; NULL when there is none. Closed ones on the way are released. */
struct connection *queue_pop(struct worker *w, struct connection_queue *q);
