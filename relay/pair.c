#include "relay/pair.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/pump.h"

/* #syscalls: close */

int pair_begin(struct worker *w, struct forward *forward, int client, int target, void *owner)
{
	struct connection *c = connection_new(w, forward, client, true);
	struct end *end;

	if (!c) {
		close(client);
		close(target);
		errno = ENOMEM;
		return -1;
	}
	descriptors_take(&w->service->descriptors, 2);
	c->owner = owner;
	end = &c->ends[TARGET];
	end->watch.fd = target;
	end->read_on = forward->family == AF_UNIX;
	if (loop_watch(&w->loop, &end->watch, RELAY_EVENTS) < 0) {
		c->owner = NULL;
		connection_close(w, c, true);
		errno = ENOMEM;
		return -1;
	}
	pump_start(w, c, 0);
	return 0;
}
