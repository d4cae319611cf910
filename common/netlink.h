/* What a netlink acknowledgement says (netlink(7), NLMSG_ERROR). */
#pragma once

#include <errno.h>
#include <linux/netlink.h>

#define NETLINK_ERRNO_MAX 4095 /* MAX_ERRNO of the kernel */

/* The errno value, 0 for success. The kernel sends it negated; anything else makes no sense. */
static inline int netlink_errno(const struct nlmsgerr *e)
{
	return e->error > 0 || e->error < -NETLINK_ERRNO_MAX ? EPROTO : -e->error;
}
