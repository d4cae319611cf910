/* Socket units of others, as the service manager has loaded them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "units/manager.h"
#include "units/paths.h"

/* The active socket unit that listens on this port, of SOCK_STREAM or SOCK_DGRAM, at whatever address. False: there is none, or
 * the manager does not tell. */
bool socket_unit_find(struct manager *m, int type, uint16_t port, char ret[static UNIT_NAME_MAX]);
