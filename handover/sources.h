/* The addresses from which the proxy connects, as nshelper has arranged them: VARIABLE_SOURCES of environment.h,
 * separated by commas; or "host": the network is the host's, which nshelper does not change. */
#pragma once

#include <stdbool.h>

#include <netinet/in.h>

#include "common/error.h"

struct sources {
	struct sockaddr_in ipv4;  /* sin_family 0: none */
	struct sockaddr_in6 ipv6; /* sin6_family 0: none */
	bool host;
};

/* Sets the variable for the next program. */
int sources_hand_on(bool host, bool ipv6, struct error *err);

/* 1: *ret holds what nshelper has set; 0: it has set nothing; -1: an error. */
int sources_inherited(struct sources *ret, struct error *err);
