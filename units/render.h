/* The unit files of an instance as text; no I/O. docs/architecture.md shows the programs that they start. */
#pragma once

#include "common/cleanup.h"
#include "instance/instance.h"

#define MANAGED_BY_LINE	       "X-ManagedBy=sockwake"
#define INSTANCE_CONFIG_PREFIX "X-InstanceConfig="

/* systemd closes the socket after this many starts of the service by the socket in this many seconds. */
#define TRIGGER_LIMIT_BURST   50
#define TRIGGER_LIMIT_SECONDS 10

struct rendered {
	char *socket;  /* NAME.socket */
	char *service; /* NAME.service */
	char *timer;   /* NAME.timer; NULL: the instance has no schedule */
};

/* Validates the instance first: none of its values can become a directive, a specifier or a variable. The caller
 * clears *ret, also after an error. */
int units_render(const struct instance *i, struct rendered *ret, struct error *err);

void rendered_clear(struct rendered *r);
#define _cleanup_rendered_ _cleanup_(rendered_clear)
