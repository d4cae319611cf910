/* The sockets passed by systemd, each matched to its --forward. */
#pragma once

#include "relay/service.h"

/* Fills *ret with one forward for each of the configuration's, in its order, with the socket and its family. A socket
 * without a --forward, and a --forward without a socket, are errors. *ret is malloc()ed. The sockets become
 * non-blocking and close-on-exec. */
int listeners_match(const struct relay_config *config, struct forward **ret, struct error *err);

/* Connections that the keeper has accepted already (handover/accepted.h). */
struct accepted {
	int fd;
	struct forward *forward;
};

/* Reads the text, and finds the forward of each. *ret is malloc()ed; the descriptors become non-blocking and close-on-exec. */
int accepted_parse(const char *text, struct forward *forwards, size_t n_forwards, struct accepted **ret, size_t *ret_n,
		   struct error *err);
