/* How long clients have been waiting in the backlog of a TCP listener: sock_diag(7) tells without accepting them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct backlog {
	size_t old;		 /* clients that have waited at least that long; they are in front */
	uint64_t oldest_age;	 /* of the oldest of the others, in microseconds; USEC_INFINITY: there are none */
	uint64_t first_age;	 /* of the oldest of all; USEC_INFINITY: there are none */
	unsigned char first[16]; /* its address, IPv4 as ::ffff:A.B.C.D */
};

/* Counts the clients that have waited for at least `age` microseconds. Returns -1 if the kernel does not tell. */
int backlog_look(int listener, uint64_t age, struct backlog *ret);
