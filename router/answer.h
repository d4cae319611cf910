/* An error as an answer of HTTP/1.1 that docker, compose and the SDKs show as one line: {"message": …}. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The head of a request, as far as it has been read. */
struct request_head {
	size_t length;
	char method[5];	 /* its first letters */
	unsigned ending; /* how much of the empty line at its end was seen */
};

#define REQUEST_HEAD_MAX (64UL * 1024)

/* Reads more of it; true: it has ended, within these bytes. */
bool request_head_feed(struct request_head *h, const char *data, size_t len);

#define ANSWER_MAX 4096

/* Writes the whole answer and returns its length. A request by HEAD gets no body. */
size_t answer_format(unsigned status, const char *message, const struct request_head *h, char ret[static ANSWER_MAX]);

/* The first line of a request, printable, without its query (which may contain secrets) and its version, from the first
 * bytes of it. */
#define REQUEST_LINE_MAX 256
/* Is this the line of a ping, by which docker(1) begins each connection? */
bool request_is_ping(const char *line);

void request_line(const char *data, size_t len, char ret[static REQUEST_LINE_MAX]);
