/* What a server says when it is asked whether it serves. Judging a reply is separate from getting it, so that it can
 * be tested and fuzzed byte by byte. Replies come from the container: nothing in them is trusted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "dial/patience.h"
#include "readiness/readiness.h"

#define SEEN_MAX 160

/* Of one reply nothing beyond this is read. It holds all that PostgreSQL sends to greet a session: closing with data
 * unread would reset the connection, which servers log. */
#define REPLY_MAX 2048

enum verdict {
	VERDICT_READY,
	VERDICT_NOT_YET, /* and `seen` says why */
	VERDICT_MORE,	 /* cannot be told from these bytes */
	VERDICT_TLS,	 /* the server speaks TLS, and we do not: no more can be told */
	VERDICT_DENIED,	 /* the server is ready, and lets nobody in who comes from elsewhere */
	VERDICT_MUTE,	 /* as VERDICT_NOT_YET: it took the connection and said nothing */
	VERDICT_FUTILE,	 /* as VERDICT_NOT_YET: there is no such command, or it cannot be run */
};

/* The request of a kind, behind the header of the PROXY protocol where the server expects one, into buffer; returns its
 * length, 0 where the server speaks first. */
#define HTTP_PATH_MAX 1024
#define REQUEST_MAX   (HTTP_PATH_MAX + 256)
size_t probe_request(const struct readiness *r, char buffer[static REQUEST_MAX]);

/* Judges the first len bytes of a reply. `complete` when there will be no more of them: then it is never
 * VERDICT_MORE, and never VERDICT_MUTE. seen is a part of a sentence, only written with VERDICT_NOT_YET. */
enum verdict probe_judge(enum readiness_kind kind, const uint8_t *reply, size_t len, bool complete,
			 char seen[static SEEN_MAX]);
