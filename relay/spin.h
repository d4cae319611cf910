/* Looking out for events before going to sleep.
 *
 * An answer often comes sooner than it takes to fall asleep and to be woken. While one or two conversations are going
 * on, the loop looks out for it for SPIN_USEC: a request and its answer then take a fifth less time. In a crowd there
 * is always somebody to wait for, and the servers need the processor: then the loop yields once and looks once more, as
 * events that have come meanwhile are cheaper to fetch together.
 *
 * It goes on while that succeeds, and stops at the first failure until a sleep turns out to have been short. If another
 * process kept the processor for long after a yield, the loop does not yield for some time: a sleeper gets the processor
 * back sooner than one who yields.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#define SPIN_RECENT 4 /* the ends of two conversations */

struct spin {
	bool possible; /* there is another processor for those that are waited for */
	bool pays;
	const void *recent[SPIN_RECENT]; /* whose events came, the last ones that differ */
	unsigned next;			 /* of these, to be replaced */
	unsigned crowd;			 /* batches of events for which it counts as one */
	unsigned pressed;		 /* sleeps before which it does not yield */
};

void spin_init(struct spin *s);

/* For every batch of events, and for every event: the address of what it belongs to. */
void spin_batch(struct spin *s);
void spin_event(struct spin *s, const void *source);

/* epoll_wait(2) with time-outs of its own: short ones, or none. 0: sleep now. */
int spin_wait(struct spin *s, int epoll_fd, struct epoll_event *events, int max);

/* Reports how long a sleep took. */
void spin_slept(struct spin *s, uint64_t usec);
