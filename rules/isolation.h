/* What separates a container from the host and from other containers: namespaces, capabilities, security options; and networks. */
#pragma once

#include "rules/resolve.h"
#include "rules/schema.h"

#define CHECK(name) int name(const struct verdict *v, const struct schema_row *row, cJSON *item, struct error *err)

CHECK(isolation_check_mode);	     /* a namespace: "host", "container:NAME", or one that is free */
CHECK(isolation_check_network_mode); /* the same, or the name of a network */
CHECK(isolation_check_networks);     /* the keys of a map are networks */
CHECK(isolation_check_links);	     /* an array of "CONTAINER:ALIAS" */
CHECK(isolation_check_old_links);    /* the same, of the network "bridge": the engine copies the other's variables */
CHECK(isolation_check_container);    /* the name of a container */
CHECK(isolation_check_capabilities); /* of HostConfig.CapAdd */
CHECK(isolation_check_security);     /* HostConfig.SecurityOpt */
CHECK(isolation_check_groups);	     /* HostConfig.GroupAdd */

#undef CHECK

/* With a label in the rules, what is acted on is the full ID that goes to ret; the name otherwise. */
int isolation_check_network_name(const struct verdict *v, const char *name, char ret[static RESOLVE_ID_MAX],
				 struct error *err);

/* May the container use its networks now? The engine looks them up by their names when it starts, and another network may have
 * got the name of one that is gone. */
int isolation_check_joined(const struct verdict *v, const char *id, struct error *err);
