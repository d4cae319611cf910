/* Polls for events for a moment before going to sleep.
 *
 * An answer often arrives sooner than a thread can fall asleep and wake up. With one or two busy connections the loop
 * therefore polls for SPIN_USEC: a request and its answer then take a fifth less time. With more (a crowd) some answer
 * is always pending, and the servers need the processor: then the loop yields once and polls once more, as it is
 * cheaper to fetch events together.
 *
 * The loop goes on polling while that succeeds. After a failure it stops, until a sleep turns out to have been short.
 * If another process keeps the processor for long after a yield, the loop does not yield for some time: a thread that
 * sleeps gets the processor back sooner than one that yields.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#define SPIN_RECENT 4 /* the ends of two connections */

struct spin {
	bool possible; /* there is another processor, for the servers */
	bool pays;
	const void *recent[SPIN_RECENT]; /* owners of the latest events, all different */
	unsigned next;			 /* which of these to replace next */
	unsigned crowd;			 /* batches of events for which there is a crowd */
	unsigned pressed;		 /* how many sleeps to go before it yields again */
};

void spin_init(struct spin *s);

/* Call spin_batch() for every batch of events, spin_event() for every event, with the address of its owner. */
void spin_batch(struct spin *s);
void spin_event(struct spin *s, const void *source);

/* epoll_wait(2) with short time-outs of its own, or none. 0: sleep now. */
int spin_wait(struct spin *s, int epoll_fd, struct epoll_event *events, int max);

/* Reports how long a sleep took. */
void spin_slept(struct spin *s, uint64_t usec);
