/* How many connections an account may begin in a moment. Beyond that they are closed unseen, which is done sooner than
 * whoever floods the socket can connect again: so there is room in its queue for everybody else. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "router/subordinates.h"

#define PACE_PERIOD_USEC 100000
#define PACE_LIMIT	 1000 /* in each period: twice what one client reaches that does nothing else */
#define PACE_REFUSED	 20   /* who is refused gets to a twentieth */
#define PACE_ACCOUNTS	 64   /* that are counted at once */

struct pace_accounts {
	struct {
		uint32_t key;
		unsigned n;
	} all[PACE_ACCOUNTS];
	unsigned n;
};

struct pace {
	struct subordinates subordinates; /* those of one range are one account */
	uint64_t since;			  /* when this period began */
	struct pace_accounts users, processes;
};

/* Counts one more connection of this user at `now`. False: there were enough of them in this period. Processes of root count
 * for themselves, and take no account from users: in a container, root may be somebody else. */
bool pace_allows(struct pace *p, const struct ucred *peer, uint64_t now);

/* The connection that was counted is refused. */
void pace_refused(struct pace *p, const struct ucred *peer);
