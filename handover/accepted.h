/* The clients that the keeper has accepted to identify them, as it passes them to the proxy: VARIABLE_ACCEPTED of
 * environment.h, "FD:LISTENER,…"; LISTENER counts the listening sockets from 0. */
#pragma once

#include <stddef.h>

#include "common/error.h"

struct accepted_client {
	int fd;
	int listener;
};

/* Appends one client to the `len` bytes of the text, and returns the new length. The text must have room for it. */
#define ACCEPTED_TEXT_MAX(clients) ((clients)*24)
size_t accepted_append(char *text, size_t size, size_t len, const struct accepted_client *c);

/* NULL and "" are an empty list. *ret is malloc()ed. The descriptors become non-blocking and close-on-exec. Fails if a
 * descriptor was not handed over or is named twice, or if there is no such listener. */
int accepted_decode(const char *text, size_t n_listeners, struct accepted_client **ret, size_t *ret_n,
		    struct error *err);
