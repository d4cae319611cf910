/* The unit that makes a pod of Podman's: a .pod Quadlet's, or of `podman generate systemd --new`. */
#pragma once

#include <stdbool.h>

#include "common/error.h"
#include "units/manager.h"

struct pod_unit {
	char *unit;	 /* p-pod.service; NULL: there is none */
	char *file;	 /* the path of the .pod file, or of the unit itself; may be NULL */
	bool is_quadlet; /* file is a .pod file */
	char **publish;	 /* NULL-terminated: the host ports that the pod publishes, as given to the engine */
	char *wanted_by; /* a target that starts it, and its containers with it; NULL for none */
	bool has_hosts_network;
};
void pod_unit_clear(struct pod_unit *p);

/* Finds the unit of the pod to which the container of a unit belongs. path: the object of the container's unit. The
 * caller clears *ret, also after an error. */
int pod_unit_find(struct manager *m, const char *path, struct pod_unit *ret, struct error *err);
