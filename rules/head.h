/* The head of an HTTP/1.1 message, parsed strictly: what an engine might read differently from us is refused.
 *
 * Refused are bare CR and LF, folded lines, control characters and bytes beyond ASCII, blanks before a colon, repeated
 * fields but those that lists are made of, other versions than HTTP/1.1, and more than HEAD_MAX bytes or 64 fields. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"

#define HEAD_MAX	(56U * 1024) /* X-Registry-Config has the tokens of all registries */
#define HEAD_FIELDS_MAX 64

struct head_field {
	const char *name; /* in lower case */
	const char *value;
};

struct head {
	const char *method; /* a request's */
	const char *target;
	int status; /* an answer's */
	const char *reason;
	struct head_field fields[HEAD_FIELDS_MAX];
	size_t n;
	char text[HEAD_MAX + 1]; /* what the others point into */
};

/* How long is the head at the beginning of these bytes, with the empty line? 0: it is not complete. -1: it never will be. */
ssize_t head_length(const char *in, size_t len, struct error *err);

/* Parses a head of that length. The code of an error is EINVAL. */
int head_parse_request(const char *in, size_t len, struct head *ret, struct error *err);
int head_parse_answer(const char *in, size_t len, struct head *ret, struct error *err);

/* The value of a field, whose name is in lower case; NULL if there is none. */
const char *head_field(const struct head *h, const char *name);

/* Is this word in the comma-separated list of the field? Words are compared without regard to case. */
bool head_field_has(const struct head *h, const char *name, const char *word);
