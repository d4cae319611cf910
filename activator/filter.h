/* --no-wake-from: connections from some addresses (port scanners, monitoring) do not wake the container.
 *
 * A source is only known once a connection is accepted. So everything queued is accepted, what came from such an
 * address is reset, and the rest is handed down to the proxy (SOCKWAKE_ACCEPTED). Datagrams are looked at and stay in
 * the queue.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/cidr.h"
#include "common/error.h"

/* As many connections as are accepted at most and handed down; later ones stay in the queue. */
#define ACCEPTED_MAX 64

struct accepted {
	struct {
		int fd;	      /* would be reset, not closed, if this process died */
		int listener; /* counted from 0 */
	} items[ACCEPTED_MAX];
	size_t n;
};

/* Looks at everything queued on the sockets that systemd handed over. *ret_wake: something came from elsewhere. */
int filter_queue(const struct cidr *ranges, size_t n_ranges, struct accepted *ret, bool *ret_wake, struct error *err);

/* Makes the descriptors inheritable and sets SOCKWAKE_ACCEPTED, or removes it when there are none. They keep SO_LINGER
 * 0, so that a failure on the way to the proxy resets them; the proxy makes them ordinary again. */
int accepted_hand_down(const struct accepted *a, struct error *err);
