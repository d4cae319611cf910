/* Peers that have vanished must not keep a container awake. */
#pragma once

#include "relay/worker.h"

/* For clients. Probes start after --keepalive of silence. If a peer answers none of eight, the kernel reports it as
 * gone (tcp(7)). Connections accepted later inherit the options from the listener. */
void keepalive_set(int fd, const struct relay_config *config);

/* A server that closes its socket sends the same FIN as one that has only finished sending. Its client may not notice:
 * many connection pools find out at their next request. So when the server has sent its FIN, and the client has sent
 * none for --keepalive, the relay probes the server's end as well: if no process has that socket any more, the kernel
 * there answers with a reset. keepalive_init() prepares the timer, keepalive_watch() starts it. */
void keepalive_init(struct worker *w);
void keepalive_watch(struct worker *w);
