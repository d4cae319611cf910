/* A connection: two sockets, and the bytes that were read from one and not yet written to the other.
 *
 * Connections are carved from slabs and reused, so accepting one usually allocates nothing. A connection that is closed
 * while events are delivered keeps its memory until the end of the batch (worker_loop.h).
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
	uint16_t full_reads;  /* in a row: a sign of bulk data */
	bool readable : 1;    /* not known to be drained */
	bool writable : 1;    /* not known to be full */
	bool finished : 1;    /* its FIN has arrived, behind data still to be read */
	bool read_on : 1;     /* a short read does not mean drained: an error follows, or it is a Unix socket */
	bool urgent : 1;      /* it has sent urgent data */
	bool watches_out : 1; /* EPOLLOUT is watched: it was full before */
	bool eof : 1;	      /* its FIN was read */
	bool shut : 1;	      /* we have sent it a FIN */
	bool failed : 1;      /* it was reset */
	bool gone : 1; /* both directions have ended: the peer of a Unix socket has closed it and will read nothing */
	uint32_t buffered_len; /* bytes read here that the other end has not taken yet */
	uint32_t buffered_pos; /* of the first of them in `buffered` */
	char *buffered;	       /* they are in memory, malloc()ed, */
	struct pipe *pipe;     /* … or in a pipe, or there are none */
};

enum connection_state {
	CONNECTION_WAITING, /* for another attempt to connect to the target */
	CONNECTION_CONNECTING,
	CONNECTION_CONNECTED, /* but there was no memory to watch the client */
	CONNECTION_RELAYING,
	CONNECTION_CLOSED,
};

struct connection {
	struct end ends[2];
	struct forward *forward;
	struct connection *prev, *next; /* all of this worker */
	struct connection *queued;	/* next in its queue; it is in one at most */
	uint64_t last_active;		/* CLOCK_MONOTONIC microseconds */
	uint64_t moved[2];		/* bytes that were read from each end */
	void *owner;			/* of the caller of pair_begin() (pair.h) */
	uint16_t first;			/* the target address with which this round of attempts began */
	uint16_t attempt;		/* how many were tried in this round */
	uint8_t state;
	bool is_queued : 1;
	bool holds : 1;	    /* keeps the container awake */
	bool silent : 1;    /* will hold once its client has sent data (--hold data) */
	bool is_probed : 1; /* the server's end is probed: keepalive.h */
	bool anonymous : 1; /* --transparent: the target cannot see this client's address */
};

static inline bool end_has_buffered(const struct end *e)
{
	return e->buffered || e->pipe;
}

/* The kernel is short of something, but only for a moment. */
static inline bool is_shortage(int error)
{
	return error == ENOMEM || error == ENOBUFS || error == EMFILE || error == ENFILE || error == ENOSPC;
}

struct connection_queue {
	struct connection *first, **last;
};

/* A new connection. It takes over the accepted socket and two descriptors of the budget, one of them for the target's
 * end. NULL (no memory) leaves both to the caller. `counts`: may it keep the container awake? */
struct connection *connection_new(struct worker *w, struct forward *forward, int fd, bool counts);

/* The client of a silent connection has sent data: from now on the connection holds. */
void connection_speaks(struct worker *w, struct connection *c);

/* Closes both ends and releases everything. With `reset` the peers get an RST (SO_LINGER of zero, socket(7)). */
void connection_close(struct worker *w, struct connection *c, bool reset);

/* Are there bytes that were read from one end and not yet written to the other? */
bool connection_has_buffered(const struct connection *c);

/* Makes the memory of closed connections available again; to be called between two batches of events. */
void connection_reap(struct worker *w);

/* Closes only the target's end, after a failed attempt. */
void connection_drop_target(struct connection *c);

void queue_init(struct connection_queue *q);
/* Does nothing if the connection is in a queue already. */
void queue_add(struct connection_queue *q, struct connection *c);
/* The next open connection; NULL if there is none. Releases closed ones on the way. */
struct connection *queue_pop(struct worker *w, struct connection_queue *q);
