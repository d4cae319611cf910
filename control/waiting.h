/* Clients that wait to be accepted, as far as the kernel shows them without privileges. */
#pragma once

#include <stdint.h>

#include "instance/instance.h"

/* The number of clients in the backlogs of the instance's TCP listeners. Unix and UDP sockets do not show theirs. */
uint64_t waiting_count(const struct instance *i);

/* Pure: the clients that a line of /proc/net/tcp or tcp6 adds; -1 if its socket does not listen. */
int64_t waiting_read_line(const struct instance *i, const char *line);
