/* How an engine is reached. HTTP (http.h) speaks over any of these; Docker and Podman know none of them.
 *
 * A new one is a table in a file of its own here: what an address of it looks like, what libcurl has to be told, and what
 * it means when the engine cannot be reached.
 */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>

#include "common/error.h"

/* For the words of an error. */
struct transport_peer {
	const char *title;   /* "Docker" */
	const char *address; /* as in http_open() */
	const char *enable;  /* the command that makes it answer */
	const char *group;   /* whose members may use its socket; NULL: there is none */
};

struct transport {
	const char *scheme; /* "unix", as in DOCKER_HOST=unix:///PATH */
	const char *origin; /* what URLs begin with */
	long curl_parts;    /* of curl_global_init(3) */

	/* Can there be such an address? */
	int (*check)(const char *address, struct error *err);

	/* Tells libcurl, which keeps what it needs. */
	bool (*prepare)(CURL *curl, const char *address);

	/* Replaces an error of http_perform() that means that nothing was reached: ENOTCONN, EACCES. False: it means
	 * something else, and is left alone. */
	bool (*explain)(const struct transport_peer *peer, struct error *err);
};

extern const struct transport unix_transport;
