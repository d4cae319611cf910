/* How a server's answers to a foreign address find their way back to the proxy beside it.
 *
 * The proxy's socket to the server is bound to the client's address (IP_TRANSPARENT) and carries a mark (SO_MARK). The
 * server's socket inherits the mark of the connection request (net.ipv4.tcp_fwmark_accept, which applies to IPv6 as
 * well), so both directions are marked. If no server listens, the kernel answers with a reset, which inherits the mark
 * of the request (net.ipv4.fwmark_reflect, net.ipv6.fwmark_reflect): without the mark the reset would leave the
 * namespace, or find no route at all, and the proxy would wait in vain. A rule sends marked packets to a table of its
 * own, where every address is local: the answer stays in the namespace and reaches the proxy. Other traffic never uses
 * that table.
 */
#include "nshelper/transparent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "nshelper/routes.h"

/* /proc/sys/net shows the network namespace of the reading task, not of the task that mounted it. */
static const char *const switches[] = {
	"sys/net/ipv4/tcp_fwmark_accept", "sys/net/ipv4/fwmark_reflect",
	"sys/net/ipv6/fwmark_reflect", /* missing without IPv6 */
};

/* A procfs that is mounted nowhere, so that a read-only mount over /proc/sys is not in the way. Needs CAP_SYS_ADMIN in
 * the user namespace that owns the PID namespace, so only system scope has it. Returns -1 with errno set. */
static int open_detached_proc(void)
{
	_cleanup_close_ int context = fsopen("proc", FSOPEN_CLOEXEC);

	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

/* Opens it for writing, despite the read-only /proc/sys of ProtectKernelTunables= and of containers. */
static int open_switch(const char *path, const char *name)
{
	_cleanup_close_ int proc = -1;
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 || errno != EROFS)
		return fd;
	proc = open_detached_proc();
	if (proc >= 0)
		return openat(proc, name, O_WRONLY | O_CLOEXEC);
	errno = EROFS;
	return -1;
}

static bool is_on(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char value = '0';

	return fd >= 0 && read(fd, &value, 1) == 1 && value != '0';
}

static int switch_on(const char *name, struct error *err)
{
	_cleanup_close_ int fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s", name);
	if (is_on(path))
		return 0;
	fd = open_switch(path, name);
	if ((fd >= 0 && write(fd, "1", 1) == 1) || (fd < 0 && errno == ENOENT))
		return 0;
	if (errno == EROFS)
		return error_set(err, EROFS,
				 "--transparent has to write '%s', which is read-only here: take "
				 "ProtectKernelTunables= out of the unit",
				 path);
	return error_errno(err, errno, "--transparent cannot write '%s'", path);
}

int transparent_install(uint32_t mark, struct error *err)
{
	for (size_t i = 0; i < sizeof(switches) / sizeof(*switches); i++) {
		if (switch_on(switches[i], err) < 0)
			return -1;
	}
	return routes_install(mark, TRANSPARENT_TABLE, err);
}
