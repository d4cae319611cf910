/* The ports in a reply, as in reply.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "backends/backend.h"
#include "backends/json.h"

/* {"80/tcp": [{"HostIp": "", "HostPort": "8080"}], …} */
bool reply_port_bindings(const cJSON *object, const char *key, struct container *ret);

/* Adds one port, unless the container publishes absurdly many. 0.0.0.0 and :: become "". */
bool reply_add_port(struct container *ret, const char *address, int64_t host_port, int64_t container_port,
		    const char *protocol);

/* {"80/tcp": …, …}: sets *ret to the lowest TCP port, if *ret is 0 or higher. */
bool reply_exposed_ports(const cJSON *object, const char *key, uint16_t *ret);
