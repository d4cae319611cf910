/* Who waits to be accepted, as far as the kernel tells without privileges. */
#pragma once

#include <stdint.h>

#include "instance/instance.h"

/* How many clients are in the backlogs of the instance's TCP listeners. Unix sockets and UDP tell nothing. */
uint64_t waiting_count(const struct instance *i);

/* Pure: what a line of /proc/net/tcp or tcp6 adds to that; -1 for one of a socket that does not listen. */
int64_t waiting_read_line(const struct instance *i, const char *line);
