#include "relay/turns.h"

#include "common/clock.h"

#define RETRY_USEC (50 * USEC_PER_MSEC)

void turn_again(struct worker *w, struct connection *c)
{
	queue_add(&w->ready, c);
}

void turn_later(struct worker *w, struct connection *c)
{
	queue_add(&w->waiting, c);
	if (w->retry.when == USEC_INFINITY)
		timer_set(&w->loop, &w->retry, w->loop.now + RETRY_USEC);
}
