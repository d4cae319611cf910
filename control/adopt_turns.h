/* The containers of `sockwake adopt --all`, of which one may want a port that another one's instance has. */
#pragma once

#include "control/adoption.h"

/* A container's turn. */
struct adopt_turn {
	const struct container *container;
	struct create_request wish; /* no port: its labels cannot be read */
	char *before;		    /* the instance that is replaced, as JSON */
	bool done, moves;
};

/* The instance that was adopted for it before; NULL: none. */
const struct stored *adopt_turn_instance(const struct adoption *a, const struct adopt_turn *t);

/* Does the container want a port of an adopted instance whose container has its turn yet? */
bool adopt_turn_waits(const struct adoption *a, const struct adopt_turn *turns, size_t n, size_t k);

/* Of those that have their turn yet, sets `moves` for the ones that can exchange their ports among each other: nobody else is
 * in the way. Returns how many. */
size_t adopt_turns_move(const struct adoption *a, struct adopt_turn *turns, size_t n);
