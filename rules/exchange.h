/* One request on its way to the engine, and the answer on its way back; or a stream, if the engine makes one of the connection.
 *
 * Both directions go on at once: an engine may answer before it has the whole request. Nothing behind the request is passed on
 * unless the engine has granted a stream. A client that is gone ends the exchange. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "rules/frame.h"
#include "rules/head.h"
#include "rules/wire.h"

struct exchange {
	struct wire *client;
	struct wire *engine;
	const char *method;
	const char *text; /* head of the request, and its body if that was parsed */
	size_t text_len;
	struct frame *body; /* of the request, which still comes from the client; or ended */
	bool may_stream;    /* the connection may become a stream */
	bool upgrade;	    /* the client has asked for it */
	bool close;	    /* tell the client that its connection ends after this */

	/* the results */
	bool answered;	     /* the head of the answer is on its way to the client */
	bool streamed;	     /* the connection was a stream, and has ended */
	bool engine_closes;  /* the engine takes no more requests over its connection */
	struct head *answer; /* room for the head of the answer */
};

/* Performs it. Errors are the engine's: ECONNRESET, EPROTO. A client that is gone is none: client->gone tells. */
int exchange_run(struct exchange *x, struct error *err);
