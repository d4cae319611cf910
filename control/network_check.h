/* Whose network a container has, and what that means for the ports of an instance: the containers of a pod, and those
 * with --network container:X or `network_mode: service:x`, have the network of another container, where their ports are
 * published; others have the host's. */
#pragma once

#include "backends/backend.h"
#include "instance/instance.h"

/* Refuses ports on which the server could not listen, or the engine not publish, while the instance listens there. c:
 * the instance's own container. */
int network_check(struct engine *e, const struct instance *i, const struct container *c, struct error *err);

/* The same for a dependency. */
int network_check_dependency(struct engine *e, const struct instance *i, const struct dependency *d,
			     const struct container *c, struct error *err);

/* The same for a container that has, or will have, the host's network. */
int network_check_hosts(const struct instance *i, const char *container, struct error *err);

/* Notes what the checks let pass: the host's network, and (ports_too) the ports that the engine publishes for the
 * container, which bypass the sockets that systemd holds. */
void network_note(struct engine *e, const struct instance *i, const struct container *c, bool ports_too);

/* whose: "the container 'web'"; ports: "80, 443"; "": notes nothing. */
void network_note_bypass(const char *whose, const char *ports);
