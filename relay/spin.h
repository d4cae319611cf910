/* Looking out for events before going to sleep.
 *
 * An answer often comes sooner than it takes to fall asleep and to be woken. While one or two conversations are going
 * on, the loop looks out for it for SPIN_USEC: a request and its answer then take a fifth less time. In a crowd there
 * is always somebody to wait for, and a processor that is kept busy is missed by those who are to answer: then it gives
 * way once and looks once more, for what has come meanwhile is cheaper to fetch together.
 *
 * It does so while that succeeds; the first time in vain is the last, until a sleep turns out to have been short. And
 * if whoever was given way kept the processor for long, it is not given way for some time: who sleeps is sooner served
 * again than who gives way.
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
	unsigned pressed;		 /* sleeps before which it does not give way */
};

void spin_init(struct spin *s);

/* For every batch of events, and for every event: the address of what it belongs to. */
void spin_batch(struct spin *s);
void spin_event(struct spin *s, const void *source);

/* epoll_wait(2) with time-outs of its own: short ones, or none. 0: sleep now. */
int spin_wait(struct spin *s, int epoll_fd, struct epoll_event *events, int max);

/* A sleep is over that took so long. */
void spin_slept(struct spin *s, uint64_t usec);
