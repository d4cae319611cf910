/* Requests of our own to the engine, each over a connection of its own: what is the container of this name? */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

struct inquiry {
	int (*open_engine)(void *data, struct error *err); /* a connected socket, or -1 */
	void *data;
};

struct inquiry_answer {
	int status;
	char *body; /* malloc()ed, with a NUL that len does not count; never NULL after success */
	size_t len;
	bool of_podman; /* the engine says so in its head */
};

/* Sends one request, with this JSON unless it is NULL, and reads the answer. The caller clears *ret, also after an error. */
int inquiry_make(const struct inquiry *q, const char *method, const char *target, const char *json,
		 struct inquiry_answer *ret, struct error *err);

void inquiry_answer_clear(struct inquiry_answer *a);

#define _cleanup_answer_ _cleanup_(inquiry_answer_clear)
