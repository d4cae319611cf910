/* Messages between workers, through one pipe for each worker: "serve this accepted connection", or "check the phase of
 * the service". */
#pragma once

#include "relay/worker.h"

/* Smaller than PIPE_BUF, so it is written and read whole (pipe(7)). */
struct handed {
	struct forward *forward; /* NULL: check the phase */
	int fd;			 /* otherwise: its new client, accepted */
};

/* Opens the pipe. The loop calls `told` when a message is there. */
int hand_open(struct worker *w, void (*told)(struct loop *loop, struct watch *watch, uint32_t events),
	      struct error *err);

/* The worker with the fewest connections; w if no other has fewer. */
struct worker *hand_least(struct worker *w);

/* Hands over an accepted connection; false: w cannot be told, and the caller still owns the connection. */
bool hand_over(struct worker *w, struct forward *forward, int fd);

/* Makes the worker check the phase. */
void hand_wake(struct worker *w);

/* Reads connections that were handed over, at most HANDED_MAX at a time. After a worker has counted one, it calls
 * hand_taken(). */
#define HANDED_MAX 64
size_t hand_receive(struct worker *w, struct handed ret[static HANDED_MAX]);
void hand_taken(struct worker *w);
