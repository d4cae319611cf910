/* Who holds a port. */
#pragma once

#include "control/create_request.h"

/* Who listens there, as words for a sentence: "nginx (PID 4711)". */
void port_owner_describe(int type, uint16_t port, char *ret, size_t size);
