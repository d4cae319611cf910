/* What workers tell each other, through a pipe of each: a connection that was accepted for another one, or to look at the
 * phase of the service. */
#pragma once

#include "relay/worker.h"

/* Written and read whole, for it is smaller than PIPE_BUF (pipe(7)). */
struct handed {
	struct forward *forward; /* NULL: look at the phase */
	int fd;			 /* otherwise its new client, accepted */
};

/* Opens the pipe, and has `told` called when something is in there. */
int hand_open(struct worker *w, void (*told)(struct loop *loop, struct watch *watch, uint32_t events),
	      struct error *err);

/* Who has fewest connections; w, when nobody has fewer. */
struct worker *hand_least(struct worker *w);

/* Hands an accepted connection over; false: w cannot be told, and the caller still has it. */
bool hand_over(struct worker *w, struct forward *forward, int fd);

/* Makes it look at the phase. */
void hand_wake(struct worker *w);

/* What has been handed over: at most HANDED_MAX at a time. Whoever serves one counts it, and then says hand_taken(). */
#define HANDED_MAX 64
size_t hand_receive(struct worker *w, struct handed ret[static HANDED_MAX]);
void hand_taken(struct worker *w);
