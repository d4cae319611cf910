#include "control/router_place.h"

#include <dirent.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/cleanup.h"

/* All listening Unix sockets, with the files that they are bound to: sock_diag(7). */
static int ask_kernel(void)
{
	const struct {
		struct nlmsghdr header;
		struct unix_diag_req request;
	} message = {
		.header = {.nlmsg_len = sizeof(message),
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.request = {.sdiag_family = AF_UNIX, .udiag_states = 1U << TCP_LISTEN, .udiag_show = UDIAG_SHOW_VFS},
	};
	_cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd < 0 || send(fd, &message, sizeof(message), 0) != (ssize_t)sizeof(message))
		return -1;
	return steal_fd(&fd);
}

static bool is_bound_to(const struct nlmsghdr *message, const struct stat *file)
{
	const char *data = (const char *)NLMSG_DATA(message) + NLMSG_ALIGN(sizeof(struct unix_diag_msg));
	const char *end = (const char *)message + message->nlmsg_len;

	while (data + sizeof(struct nlattr) <= end) {
		struct nlattr attribute;
		struct unix_diag_vfs vfs;

		memcpy(&attribute, data, sizeof(attribute));
		if (attribute.nla_len < sizeof(attribute) || attribute.nla_len > end - data)
			return false;
		if (attribute.nla_type == UNIX_DIAG_VFS && attribute.nla_len >= sizeof(attribute) + sizeof(vfs)) {
			memcpy(&vfs, data + NLA_HDRLEN, sizeof(vfs));
			/* The kernel's own form of a device number. */
			return vfs.udiag_vfs_ino == (uint32_t)file->st_ino &&
			       vfs.udiag_vfs_dev == (major(file->st_dev) << 20 | minor(file->st_dev));
		}
		data += NLA_ALIGN(attribute.nla_len);
	}
	return false;
}

/* The number of the listening socket that is bound to this file. 1: found; 0: there is none; -1: the kernel does not tell. */
static int find_listener(const struct stat *file, uint32_t *ret)
{
	_cleanup_close_ int fd = ask_kernel();
	_Alignas(struct nlmsghdr) char data[32768];
	int found = 0;

	while (fd >= 0) {
		ssize_t n = recv(fd, data, sizeof(data), 0);

		if (n <= 0)
			return -1;
		for (struct nlmsghdr *m = (struct nlmsghdr *)data; NLMSG_OK(m, n); m = NLMSG_NEXT(m, n)) {
			if (m->nlmsg_type == NLMSG_DONE)
				return found;
			if (m->nlmsg_type == NLMSG_ERROR)
				return -1;
			if (found == 0 && is_bound_to(m, file)) {
				*ret = ((const struct unix_diag_msg *)NLMSG_DATA(m))->udiag_ino;
				found = 1;
			}
		}
	}
	return -1;
}

/* Whose descriptors may not be seen has it. */
static bool has_socket(pid_t pid, uint32_t number)
{
	char path[64], wanted[64], target[64];
	_cleanup_dir_ DIR *d = NULL;
	struct dirent *entry;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	(void)snprintf(wanted, sizeof(wanted), "socket:[%u]", (unsigned)number);
	d = opendir(path);
	if (!d)
		return true;
	while ((entry = readdir(d))) {
		ssize_t n = readlinkat(dirfd(d), entry->d_name, target, sizeof(target) - 1);

		target[n > 0 ? n : 0] = '\0';
		if (strcmp(target, wanted) == 0)
			return true;
	}
	return false;
}

enum router_place router_place_look(const char *path, pid_t holder)
{
	struct stat file;
	uint32_t number;

	if (stat(path, &file) < 0 || !S_ISSOCK(file.st_mode))
		return ROUTER_PLACE_EMPTY;
	switch (find_listener(&file, &number)) {
	case 0:
		return ROUTER_PLACE_EMPTY;
	case 1:
		return has_socket(holder, number) ? ROUTER_PLACE_HELD : ROUTER_PLACE_FOREIGN;
	default:
		return ROUTER_PLACE_HELD;
	}
}
