/* Which engine a caller is brought to: the one decision of the dispatcher. */
#pragma once

#include "router/config.h"
#include "router/peer.h"

enum route {
	ROUTE_OWN,    /* an engine of the caller's own, by an identity worker */
	ROUTE_SYSTEM, /* the system's, as it is */
	ROUTE_POLICY, /* the system's, under rules */
	ROUTE_NONE,   /* refused */
};

/* ret_why: for ROUTE_NONE, the sentence for the caller. */
#define ROUTE_WHY_MAX 512
enum route route_of(const struct config *c, const struct peer *p, char ret_why[static ROUTE_WHY_MAX]);

/* May the manager of this user be started? False: *err says why not. */
bool route_may_start(const struct config *c, uid_t uid, const gid_t *groups, size_t n_groups, struct error *err);
