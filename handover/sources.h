/* What nshelper has arranged for the proxy to connect from, as it tells it: VARIABLE_SOURCES of environment.h, the
 * addresses separated by commas; or "host" when the network is the host's, which is left as it is. */
#pragma once

#include <stdbool.h>

#include <netinet/in.h>

#include "common/error.h"

struct sources {
	struct sockaddr_in ipv4;  /* sin_family 0: none */
	struct sockaddr_in6 ipv6; /* sin6_family 0: none */
	bool host;
};

/* Tells the next program. */
int sources_hand_on(bool host, bool ipv6, struct error *err);

/* 1: *ret is what nshelper has told; 0: it has told nothing. -1: an error. */
int sources_inherited(struct sources *ret, struct error *err);
