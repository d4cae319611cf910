/* How a server's answers to a foreign address find back to the proxy beside it.
 *
 * The proxy's socket to the server is bound to the client's address (IP_TRANSPARENT) and carries a mark (SO_MARK). The
 * server's socket takes the mark of the connection request over (net.ipv4.tcp_fwmark_accept, which holds for IPv6 as
 * well), so both directions are marked. A rule sends what is marked to a table of its own, where every address is local:
 * the answer stays in the namespace and reaches the proxy. All other traffic does not meet that table.
 */
#include "nshelper/transparent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "nshelper/routes.h"

/* /proc/sys/net shows the network namespace of the reading task, not of the one who mounted it. */
#define FWMARK_ACCEPT "sys/net/ipv4/tcp_fwmark_accept"

/* A procfs that is mounted nowhere, so that no read-only mount over /proc/sys stands in the way. Needs CAP_SYS_ADMIN
 * where the PID namespace belongs to, so only system scope has it. -1 with errno. */
static int open_detached_proc(void)
{
	_cleanup_close_ int context = fsopen("proc", FSOPEN_CLOEXEC);

	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

/* For writing, past the read-only /proc/sys of ProtectKernelTunables= and of containers. */
static int open_fwmark_accept(void)
{
	_cleanup_close_ int proc = -1;
	int fd = open("/proc/" FWMARK_ACCEPT, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 || errno != EROFS)
		return fd;
	proc = open_detached_proc();
	if (proc >= 0)
		return openat(proc, FWMARK_ACCEPT, O_WRONLY | O_CLOEXEC);
	errno = EROFS;
	return -1;
}

static bool fwmark_accept_is_enabled(void)
{
	_cleanup_close_ int fd = open("/proc/" FWMARK_ACCEPT, O_RDONLY | O_CLOEXEC);
	char value = '0';

	return fd >= 0 && read(fd, &value, 1) == 1 && value != '0';
}

static int enable_fwmark_accept(struct error *err)
{
	_cleanup_close_ int fd = -1;

	if (fwmark_accept_is_enabled())
		return 0;
	fd = open_fwmark_accept();
	if (fd >= 0 && write(fd, "1", 1) == 1)
		return 0;
	if (errno == EROFS)
		return error_set(err, EROFS,
				 "--transparent has to write '/proc/" FWMARK_ACCEPT
				 "', which is read-only here: take ProtectKernelTunables= out of the unit");
	return error_errno(err, errno, "--transparent cannot write '/proc/" FWMARK_ACCEPT "'");
}

int transparent_install(uint32_t mark, struct error *err)
{
	if (enable_fwmark_accept(err) < 0)
		return -1;
	return routes_install(mark, TRANSPARENT_TABLE, err);
}
