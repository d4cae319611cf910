/* The result in a netlink acknowledgement (netlink(7), NLMSG_ERROR). */
#pragma once

#include <errno.h>
#include <linux/netlink.h>

#define NETLINK_ERRNO_MAX 4095 /* MAX_ERRNO of the kernel */

/* The errno value, 0 for success. The kernel sends it negated; other values are invalid. */
static inline int netlink_errno(const struct nlmsgerr *e)
{
	return e->error > 0 || e->error < -NETLINK_ERRNO_MAX ? EPROTO : -e->error;
}
