/* Since when clients wait in the backlog of a TCP listener: sock_diag(7) tells without taking them out. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct backlog {
	size_t old;	     /* so many have waited at least that long; they are in front */
	uint64_t oldest_age; /* of the others, in microseconds; USEC_INFINITY: there are none */
};

/* Counts those who have waited for at least `age` microseconds. Returns -1 where the kernel does not tell. */
int backlog_look(int listener, uint64_t age, struct backlog *ret);
