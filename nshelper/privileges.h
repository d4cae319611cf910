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

/* The numbers of a system user: from "UID:GID", or from a name in /etc/passwd. Looks nowhere else: no other code may
 * run here. Refuses root. */
int identity_find(const char *user, struct identity *ret, struct error *err);

int capability_is_effective(cap_value_t cap, bool *ret, struct error *err);

struct privileges {
	const struct identity *identity; /* the user to become, without supplementary groups; NULL: stay */
	bool keep_net_raw;		 /* keep CAP_NET_RAW, also over the next exec; nothing else */
	/* Without CAP_SETPCAP, neither the bounding set nor the securebits can be changed: so it is for an ordinary
	 * user in the host's network, who has entered nothing. If true, that is accepted: no-new-privileges alone then
	 * keeps capabilities out. */
	bool bounding_may_stay;
};

/* Empties all five capability sets, locks the securebits so that uid 0 has no privileges, sets no-new-privileges, and
 * reads everything back: a remaining privilege is an error. capabilities(7) explains the sets. Cannot be undone; after
 * an error the process must end. */
int privileges_drop(const struct privileges *p, struct error *err);
