/* The clients that the keeper has accepted to learn who they are, as it hands them to the proxy: VARIABLE_ACCEPTED of
 * environment.h, "FD:LISTENER,…", where LISTENER counts the listening sockets from 0. */
#pragma once

#include <stddef.h>

#include "common/error.h"

struct accepted_client {
	int fd;
	int listener;
};

/* "" for none. */
#define ACCEPTED_TEXT_MAX(clients) ((clients)*24)
void accepted_encode(const struct accepted_client *clients, size_t n, char *ret, size_t size);

/* NULL and "" are an empty list. *ret is malloc()ed. The descriptors become non-blocking and close-on-exec. It is an error
 * when one was not handed over, or is named twice, and when there is no such listener. */
int accepted_decode(const char *text, size_t n_listeners, struct accepted_client **ret, size_t *ret_n,
		    struct error *err);
