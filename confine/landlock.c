/* Landlock (landlock(7), Documentation/userspace-api/landlock.rst): denies the whole file system, TCP connections to
 * ports other than the targets', TCP binds to a chosen port, and signals and abstract Unix sockets to the outside.
 *
 * Each version (ABI) of the kernel's interface adds rights. A right that is handled, and not allowed by a rule, is
 * denied. We define the numbers ourselves because the headers may be older than the kernel.
 */
#include "confine/landlock.h"

#include <errno.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/extremes.h"

struct net_port_attr {
	uint64_t allowed_access;
	uint64_t port;
};

#define RULE_NET_PORT	    2
#define NET_BIND_TCP	    (1ULL << 0)
#define NET_CONNECT_TCP	    (1ULL << 1)
#define SCOPE_ABSTRACT_UNIX (1ULL << 0)
#define SCOPE_SIGNAL	    (1ULL << 1)
#define FS_RIGHTS(n)	    ((1ULL << (n)) - 1)

struct landlock_denied landlock_denied(long abi, bool transparent)
{
	/* All file system rights of an ABI: 13 at first, then REFER, TRUNCATE, IOCTL_DEV. A transparent proxy binds to
	 * its clients' addresses. */
	const uint64_t all = NET_CONNECT_TCP | (transparent ? 0 : NET_BIND_TCP);
	const struct landlock_denied denied[] = {
		{0, 0, 0},
		{FS_RIGHTS(13), 0, 0},
		{FS_RIGHTS(14), 0, 0},
		{FS_RIGHTS(15), 0, 0},
		{FS_RIGHTS(15), all, 0},
		{FS_RIGHTS(16), all, 0},
		{FS_RIGHTS(16), all, SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL},
	};

	return denied[abi < 0 ? 0 : least_of((uint64_t)abi, sizeof(denied) / sizeof(*denied) - 1)];
}

static int allow_port(int ruleset, uint64_t access, uint16_t port, struct error *err)
{
	struct net_port_attr rule = {.allowed_access = access, .port = port};

	if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) < 0)
		return error_errno(err, errno, "cannot allow %s port %u",
				   access == NET_BIND_TCP ? "binding to" : "connections to", port);
	return 0;
}

static int allow_ports(int ruleset, const struct confinement *c, struct error *err)
{
	for (size_t i = 0; i < c->n_ports; i++) {
		if (allow_port(ruleset, NET_CONNECT_TCP, c->ports[i], err) < 0)
			return -1;
	}
	/* Port 0: the kernel chooses the port. */
	if (c->transparent || (!c->sources[0] && !c->sources[1]))
		return 0;
	return allow_port(ruleset, NET_BIND_TCP, 0, err);
}

int landlock_restrict(const struct confinement *c, unsigned *missing, struct error *err)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_denied denied = landlock_denied(abi, c->transparent);
	_cleanup_close_ int ruleset = -1;

	if (!denied.network)
		*missing |= UNCONFINED_PORTS;
	if (!denied.file_system) {
		*missing |= UNCONFINED_LANDLOCK;
		return 0;
	}
	/* An older kernel accepts the longer structure if the members that it does not know are zero. */
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &denied, sizeof(denied), 0);
	if (ruleset < 0)
		return error_errno(err, errno, "cannot make a Landlock ruleset");
	if (denied.network && allow_ports(ruleset, c, err) < 0)
		return -1;
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return error_errno(err, errno, "cannot restrict this process by Landlock");
	return 0;
}
