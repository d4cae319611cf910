/* Waiting for a starting container: until it is ready, until the deadline, or until it ends. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

struct patience {
	uint64_t started;  /* CLOCK_MONOTONIC microseconds, like the deadline */
	uint64_t deadline; /* USEC_INFINITY: none */
	int pidfd;	   /* of the container's first process, -1 for none */
};

/* Sleeps before the next look: a 32nd of the time waited so far, at least min_usec and at most 20 ms; at most 250 ms
 * after half a minute, or if a look is `costly` for the container. So a server that is ready after 50 ms is seen at
 * most 1.6 ms later, and ten minutes of waiting cost 4,000 looks. Never sleeps beyond the deadline. Fails with ESRCH if
 * the container has ended. */
int patience_pause(const struct patience *p, uint64_t min_usec, bool costly, struct error *err);

/* Also waits for poll(2) events on fd, at most until the earlier of `until` and the deadline. Returns 1 if fd has an
 * event, 0 if the time is over, -1 if the container has ended. */
int patience_poll(const struct patience *p, int fd, short events, uint64_t until, struct error *err);
