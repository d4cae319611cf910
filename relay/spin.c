#include "relay/spin.h"

#include <sched.h>

#include "common/clock.h"
#include "common/extremes.h"
#include "relay/processors.h"

/* #syscalls: clock_gettime epoll_pwait epoll_wait sched_yield */

#define SPIN_USEC      50
#define CROWD_BATCHES  8
#define PRESSED_USEC   2500 /* a scheduler's time slice, not the time to an answer */
#define PRESSED_SLEEPS 1000

void spin_init(struct spin *s)
{
	*s = (struct spin){.possible = processors() > 1};
}

void spin_batch(struct spin *s)
{
	if (s->crowd > 0)
		s->crowd--;
}

void spin_event(struct spin *s, const void *source)
{
	for (unsigned i = 0; i < SPIN_RECENT; i++) {
		if (s->recent[i] == source)
			return;
	}
	s->recent[s->next] = source;
	s->next = (s->next + 1) % SPIN_RECENT;
	s->crowd = CROWD_BATCHES;
}

int spin_wait(struct spin *s, int epoll_fd, struct epoll_event *events, int max)
{
	uint64_t now, until, before;
	int n;

	if (!s->pays)
		return 0;
	if (s->pressed > 0) {
		s->pressed--;
		return 0;
	}
	now = now_usec();
	until = now + SPIN_USEC;
	do {
		n = epoll_wait(epoll_fd, events, max, 0);
		if (n != 0)
			return n;
		before = now;
		sched_yield();
		now = now_usec();
		if (beyond(now, before) > PRESSED_USEC)
			s->pressed = PRESSED_SLEEPS;
	} while (s->crowd == 0 && now < until);
	return 0;
}

void spin_slept(struct spin *s, uint64_t usec)
{
	s->pays = s->possible && usec < SPIN_USEC;
}
