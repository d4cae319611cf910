/* Clients that wait to be accepted, as far as the kernel shows them without privileges. */
#pragma once

#include <stdint.h>

#include "control/socket_table.h"
#include "instance/instance.h"

/* The number of clients in the backlogs of the instance's TCP listeners. Unix and UDP sockets do not show theirs. */
uint64_t waiting_count(const struct instance *i);

/* A part of waiting_count(), pure: adds the backlog of a listener of the instance. False: no listeners follow. */
struct waiting {
	const struct instance *instance;
	uint64_t count;
};
bool waiting_add(const struct socket_row *row, void *waiting);
