/* Giving up privileges, for good. */
#pragma once

#include <stdbool.h>
#include <sys/capability.h>
#include <sys/types.h>

#include "common/error.h"

struct identity {
	uid_t uid;
	gid_t gid;
};

/* The numbers of a system user: of "UID:GID", or of a name in /etc/passwd and nowhere else, for no other code may run
 * here. Refuses root. */
int identity_find(const char *user, struct identity *ret, struct error *err);

int capability_is_effective(cap_value_t cap, bool *ret, struct error *err);

struct privileges {
	const struct identity *identity; /* whom to become, without supplementary groups; NULL: stay */
	bool keep_net_raw;		 /* CAP_NET_RAW survives, also the next exec; nothing else */
	/* Without CAP_SETPCAP neither the bounding set nor the securebits can be changed: an ordinary user in the
	 * host's network, who entered nothing. Is that accepted? No-new-privileges alone then keeps capabilities
	 * out. */
	bool bounding_may_stay;
};

/* Empties all five capability sets, locks the securebits so that being root means nothing, sets no-new-privileges, and
 * reads everything back: what is left is an error. capabilities(7) explains the sets. Not to be undone; after an error
 * the process must end. */
int privileges_drop(const struct privileges *p, struct error *err);
