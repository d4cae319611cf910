/* Who holds a port. */
#pragma once

#include "control/create_request.h"

/* Describes the process that listens on a port: "nginx (PID 4711)". */
void port_owner_describe(int type, uint16_t port, char *ret, size_t size);
