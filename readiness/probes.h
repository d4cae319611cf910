/* The questions to a server, and its answers. Judging a reply is separate from getting it, so it can be tested and
 * fuzzed byte by byte. Replies come from the container: nothing in them is trusted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "dial/patience.h"
#include "readiness/readiness.h"

#define SEEN_MAX 160

/* A reply is read up to this length. It holds everything that PostgreSQL sends to greet a session: closing with unread
 * data would reset the connection, which servers log. */
#define REPLY_MAX 2048

enum verdict {
	VERDICT_READY,
	VERDICT_NOT_YET, /* `seen` says why */
	VERDICT_MORE,	 /* these bytes are too few to tell */
	VERDICT_TLS,	 /* the server speaks TLS, and we do not: nothing more can be found out */
	VERDICT_DENIED,	 /* the server is ready, and refuses everybody from elsewhere */
	VERDICT_MUTE,	 /* as VERDICT_NOT_YET: it accepted the connection and sent nothing */
	VERDICT_FUTILE,	 /* as VERDICT_NOT_YET: the command does not exist, or cannot be run */
};

/* Writes the request of a kind into buffer, after the header of the PROXY protocol if the server expects one. Returns
 * its length, 0 if the server speaks first. */
#define HTTP_PATH_MAX 1024
#define REQUEST_MAX   (HTTP_PATH_MAX + 256)
size_t probe_request(const struct readiness *r, char buffer[static REQUEST_MAX]);

/* Judges the first len bytes of a reply. If it is `complete`, the verdict is never VERDICT_MORE, and never
 * VERDICT_MUTE. seen is a part of a sentence, only written with VERDICT_NOT_YET. */
enum verdict probe_judge(enum readiness_kind kind, const uint8_t *reply, size_t len, bool complete,
			 char seen[static SEEN_MAX]);
