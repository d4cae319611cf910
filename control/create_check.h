/* The checks of a new instance before any change: its container and its ports. */
#pragma once

#include "control/create_request.h"

/* Makes the instance fit its container, if that exists; notes changes and surprises. */
int create_check_fit_container(struct create_request *r, struct engine *e, const struct subject *s, struct error *err);

/* Refuses a group that does not exist, or that this user cannot give a socket to. */
int create_check_group(const struct instance *i, struct error *err);

/* Replaces an allocated text of the instance by a copy of value. */
int text_replace(char **text, const char *value, struct error *err);

/* Refuses ports that belong to another instance, are in use, or are forbidden to this user. `replaced` is the instance
 * to be replaced, or NULL, and `freed` are others that will be gone, or NULL. If one has no ports, its configuration
 * cannot be read and it may listen anywhere: then only the start of the socket shows conflicts. */
int create_check_ports(const struct instance *i, const struct stored_list *all, const struct instance *replaced,
		       const struct stored_list *freed, struct error *err);
