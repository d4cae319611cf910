/* Starts a user's engine, by a process that is the user: waits for the user's service manager, which the dispatcher has
 * started if need be, then has it start the unit of each kind of engine in the configured order, until one is installed. */
#pragma once

#include "relay/loop.h"
#include "router/config.h"

struct rouse {
	struct loop *loop;
	const struct config *config;
	struct watch child; /* a pidfd of systemctl; -1: none runs */
	pid_t pid;
	struct timer limit;
	bool active;
	size_t next;	       /* the engine whose unit comes next */
	enum engine_kind kind; /* whose unit was started last */

	void (*ended)(struct rouse *r, const char *why); /* "": it serves, and is the engine `next` */
};

void rouse_init(struct rouse *r, struct loop *loop, const struct config *config,
		void (*ended)(struct rouse *r, const char *why));

/* The manager runs; r->active until `ended` is called. */
void rouse_begin(struct rouse *r);
