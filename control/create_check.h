/* What a new instance is asked before anything is changed: its container, and its ports. */
#pragma once

#include "control/create_request.h"

/* Makes the instance fit its container, if that exists; notes what was changed or will surprise. */
int create_check_fit_container(struct create_request *r, const struct subject *s, struct error *err);

/* Puts a copy of value in the place of an allocated text of the instance. */
int text_replace(char **text, const char *value, struct error *err);

/* Refuses ports that another instance has, that are not free, or that this user may not use. `replaced` is the instance
 * that makes place, or NULL; one without ports has a configuration that cannot be read, and may listen anywhere: what
 * is in use then, the start of the socket tells. */
int create_check_ports(const struct instance *i, const struct stored_list *all, const struct instance *replaced,
		       struct error *err);
