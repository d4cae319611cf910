/* The second listening socket of the dispatcher, root's alone: whoever connects gets the report (status_report.h).
 *
 * First the workers are asked for the bytes of their connections, and have a moment to answer. Then a child without
 * capabilities, which is a copy of all that the dispatcher knows, writes: a reader that takes its time, or a slow look-up of an
 * account, delays nobody.
 */
#pragma once

#include "relay/loop.h"
#include "router/status_report.h"

#define STATUS_READERS_MAX 8

struct status_reader {
	struct watch child; /* a pidfd; -1: none */
	int fd;		    /* waits for the report; -1: none does */
	pid_t pid;
};

struct status_socket {
	struct watch listener;
	struct timer settle; /* when the workers have had their time */
	struct loop *loop;
	struct team *team;
	struct status_report report;
	struct status_reader readers[STATUS_READERS_MAX];
};

/* Watches the listening socket `fd`; -1: there is none. The members of `report` are set. */
int status_socket_open(struct status_socket *s, struct loop *loop, struct team *team, int fd, struct error *err);

/* Is a report on its way? */
bool status_socket_is_busy(const struct status_socket *s);
