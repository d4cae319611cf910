/* The clients that the keeper has accepted to learn who they are, as it hands them to the proxy: VARIABLE_ACCEPTED of
 * environment.h, "FD:LISTENER,…", where LISTENER counts the listening sockets from 0. */
#pragma once

#include <stddef.h>

#include "common/error.h"

struct accepted_client {
	int fd;
	int listener;
};

/* Writes one more behind the `len` bytes that are there, and returns how many there are then: of no more clients than the
 * text has room for. */
#define ACCEPTED_TEXT_MAX(clients) ((clients)*24)
size_t accepted_append(char *text, size_t size, size_t len, const struct accepted_client *c);

/* NULL and "" are an empty list. *ret is malloc()ed. The descriptors become non-blocking and close-on-exec. It is an error
 * when one was not handed over, or is named twice, and when there is no such listener. */
int accepted_decode(const char *text, size_t n_listeners, struct accepted_client **ret, size_t *ret_n,
		    struct error *err);
