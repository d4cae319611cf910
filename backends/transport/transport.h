/* Ways to reach an engine. HTTP (http.h) works over each of them; Docker and Podman know none.
 *
 * A new one is a table in a file of its own here: the form of its addresses, its options for libcurl, and the meaning
 * of its connection errors.
 */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>

#include "common/error.h"

/* For error messages. */
struct transport_peer {
	const char *title;   /* "Docker" */
	const char *address; /* as in http_open() */
	const char *enable;  /* the command that makes the engine answer */
	const char *group;   /* whose members may use its socket; NULL: there is none */
};

struct transport {
	const char *scheme; /* "unix", as in DOCKER_HOST=unix:///PATH */
	const char *origin; /* the beginning of URLs */
	long curl_parts;    /* of curl_global_init(3) */

	/* Is the address valid? */
	int (*check)(const char *address, struct error *err);

	/* Sets the options of libcurl, which copies the address. */
	bool (*prepare)(CURL *curl, const char *address);

	/* Replaces a connection error of http_perform() by ENOTCONN or EACCES. False: it is another error, and stays
	 * as it is. */
	bool (*explain)(const struct transport_peer *peer, struct error *err);
};

extern const struct transport unix_transport;
