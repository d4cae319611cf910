/* Waiting for a container that starts: until it is ready, until the deadline, or until it ends. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

struct patience {
	uint64_t started;  /* CLOCK_MONOTONIC microseconds, as the deadline */
	uint64_t deadline; /* USEC_INFINITY for none */
	int pidfd;	   /* of the container's first process, -1 for none */
};

/* Sleeps before the next look: a 32nd of the time waited so far, at least min_usec and at most 20 ms, or 250 ms after half
 * a minute, and where a look costs the container something. So what is ready after 50 ms is seen 1.6 ms later at most, and
 * ten minutes of waiting cost 4,000 looks. Not beyond the deadline. Fails with ESRCH when the container has ended. */
int patience_pause(const struct patience *p, uint64_t min_usec, bool costly, struct error *err);

/* Waits for poll(2) events on fd as well, at most until the earlier of `until` and the deadline. Returns 1 when fd has
 * an event, 0 when the time is over, -1 when the container has ended. */
int patience_poll(const struct patience *p, int fd, short events, uint64_t until, struct error *err);
