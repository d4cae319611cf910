#include "dial/target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/parse.h"
#include "dial/patience.h"
#include "dial/sock_diag.h"
#include "handover/environment.h"

/* #syscalls: bind close connect setsockopt socket */

#define UNIX_PREFIX "unix:"

struct target_list {
	struct target targets[TARGETS_MAX];
	size_t n;
};

static void add_ipv4(struct target_list *list, const struct in_addr *address)
{
	struct target *t = &list->targets[list->n++];
	struct sockaddr_in *sin = (struct sockaddr_in *)&t->addr;

	sin->sin_family = AF_INET;
	sin->sin_addr = *address;
	t->len = sizeof(*sin);
}

static void add_ipv6(struct target_list *list, const struct in6_addr *address, uint32_t scope)
{
	struct target *t = &list->targets[list->n++];
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&t->addr;

	sin6->sin6_family = AF_INET6;
	sin6->sin6_addr = *address;
	sin6->sin6_scope_id = scope;
	t->len = sizeof(*sin6);
}

/* "ADDR" or "[ADDR]" without the brackets and without "%INTERFACE", whose index goes to *ret_scope. */
static int split_address(const char *s, char ret[static INET6_ADDRSTRLEN], uint32_t *ret_scope)
{
	char copy[INET6_ADDRSTRLEN + IF_NAMESIZE + 2];
	size_t len = strlen(s);
	char *percent;

	if (len >= 2 && s[0] == '[' && s[len - 1] == ']') {
		s++;
		len -= 2;
	}
	if (len >= sizeof(copy))
		return -1;
	memcpy(copy, s, len);
	copy[len] = '\0';
	*ret_scope = 0;
	percent = strchr(copy, '%');
	if (percent) {
		*percent = '\0';
		*ret_scope = if_nametoindex(percent + 1);
		if (*ret_scope == 0)
			return -1;
	}
	if (strlen(copy) >= INET6_ADDRSTRLEN)
		return -1;
	memcpy(ret, copy, strlen(copy) + 1);
	return 0;
}

static int add_address(struct target_list *list, const char *s, struct error *err)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr v6;
	struct in_addr v4;
	uint32_t scope;

	if (list->n == TARGETS_MAX)
		return error_set(err, 0, "more than %d targets are named; name those the server listens on",
				 TARGETS_MAX);
	if (split_address(s, text, &scope) == 0) {
		if (scope == 0 && inet_pton(AF_INET, text, &v4) == 1) {
			add_ipv4(list, &v4);
			return 0;
		}
		/* A server on an IPv4 address is found by that address, not by the mapped one. */
		if (inet_pton(AF_INET6, text, &v6) == 1 && !IN6_IS_ADDR_V4MAPPED(&v6) &&
		    IN6_IS_ADDR_LINKLOCAL(&v6) == (scope != 0)) {
			add_ipv6(list, &v6, scope);
			return 0;
		}
	}
	return error_set(
		err, 0,
		"the target '%s' is not an address: write IPv4, IPv6 (a link-local one with %%INTERFACE), or, as "
		"the only target, unix:/PATH",
		s);
}

/* The namespace's own addresses, for servers that listen only there. */
static int add_own_addresses(struct target_list *list, struct error *err)
{
	struct ifaddrs *all;

	if (getifaddrs(&all) < 0)
		return error_errno(err, errno, "cannot list the addresses in the container");
	for (struct ifaddrs *i = all; i && list->n < TARGETS_MAX; i = i->ifa_next) {
		if (!i->ifa_addr || !(i->ifa_flags & IFF_UP) || (i->ifa_flags & IFF_LOOPBACK))
			continue;
		if (i->ifa_addr->sa_family == AF_INET) {
			add_ipv4(list, &((struct sockaddr_in *)i->ifa_addr)->sin_addr);
		} else if (i->ifa_addr->sa_family == AF_INET6) {
			const struct in6_addr *a = &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr;

			if (!IN6_IS_ADDR_LINKLOCAL(a))
				add_ipv6(list, a, 0);
		}
	}
	freeifaddrs(all);
	return 0;
}

static int add_default(struct target_list *list, struct error *err)
{
	static const struct in_addr loopback = {.s_addr = 0};
	struct in_addr v4 = loopback;

	v4.s_addr = htonl(INADDR_LOOPBACK);
	add_ipv4(list, &v4);
	add_ipv6(list, &in6addr_loopback, 0);
	return add_own_addresses(list, err);
}

static int container_root(int *ret_fd, struct error *err)
{
	if (environment_fd(VARIABLE_ROOT, ret_fd, err) < 0)
		return -1;
	if (*ret_fd < 0)
		return error_set(err, 0,
				 "a target unix:/PATH needs the container's root directory in %s; run nshelper with "
				 "--container-root",
				 environment_name(VARIABLE_ROOT));
	return 0;
}

/* Changes to a directory below root, with every symbolic link on the way resolved as if root were "/": openat2(2). */
static int enter_directory(int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	_cleanup_close_ int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -1 : fchdir(fd);
}

static int add_unix(struct target_list *list, const char *path, const struct patience *patience, struct error *err)
{
	struct target *t = &list->targets[0];
	struct sockaddr_un *sun = (struct sockaddr_un *)&t->addr;
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *directory = NULL;
	int root = -1;

	if (!path_is_valid(path) || !slash[1] || strcmp(slash + 1, ".") == 0 ||
	    strlen(slash + 1) >= sizeof(sun->sun_path))
		return error_set(err, 0, "the target 'unix:%s' is not the absolute path of a socket", path);
	if (container_root(&root, err) < 0)
		return -1;
	directory = strndup(path, (size_t)(slash + 1 - path));
	if (!directory)
		return error_errno(err, ENOMEM, "cannot remember the directory of '%s'", path);
	while (enter_directory(root, directory) < 0) {
		/* EAGAIN: something was renamed during the lookup, see openat2(2). */
		if (errno != ENOENT && errno != EAGAIN)
			return error_errno(err, errno, "cannot enter the directory '%s' in the container", directory);
		if (time_is_over(patience->deadline))
			return error_set(
				err, ETIMEDOUT,
				"the container was not ready in time: it has no directory '%s'; check --target",
				directory);
		if (patience_pause(patience, USEC_PER_MSEC, false, err) < 0)
			return -1;
	}
	sun->sun_family = AF_UNIX;
	strcpy(sun->sun_path, slash + 1);
	t->path = path;
	t->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(sun->sun_path) + 1);
	list->n = 1;
	return 0;
}

static bool is_unix(const char *address)
{
	return strncmp(address, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0;
}

static int collect(char **addresses, const struct patience *patience, struct target_list *list, struct error *err)
{
	if (!addresses || !addresses[0])
		return add_default(list, err);
	if (is_unix(addresses[0]) && !addresses[1])
		return add_unix(list, addresses[0] + strlen(UNIX_PREFIX), patience, err);
	for (; *addresses; addresses++) {
		if (add_address(list, *addresses, err) < 0)
			return -1;
	}
	return 0;
}

int targets_resolve(char **addresses, uint64_t deadline_usec, int pidfd, struct target **ret, size_t *ret_n,
		    struct error *err)
{
	struct patience patience = {.started = now_usec(), .deadline = deadline_usec, .pidfd = pidfd};
	struct target_list list = {.n = 0};

	if (collect(addresses, &patience, &list, err) < 0)
		return -1;
	*ret = malloc(list.n * sizeof(struct target));
	if (!*ret)
		return error_errno(err, ENOMEM, "cannot remember the targets");
	memcpy(*ret, list.targets, list.n * sizeof(struct target));
	*ret_n = list.n;
	return 0;
}

size_t targets_without_ours(struct target *targets, size_t n, int type, uint16_t port)
{
	_cleanup_close_ int diag = -1;
	struct error ignored;
	size_t left = 0;

	/* If the kernel cannot be asked, all stay. */
	diag = sock_diag_open(type, &ignored);
	for (size_t i = 0; i < n; i++) {
		struct target t = target_with_port(&targets[i], port);

		if (diag < 0 || sock_diag_look(diag, type, &t) != SOCKET_OURS)
			targets[left++] = targets[i];
	}
	return left;
}

/* connect(2) chooses the port, when the kernel knows the destination: then connections to several servers can share one
 * (ip(7), IP_BIND_ADDRESS_NO_PORT). No interface has the source: for IPv4 its route suffices, for IPv6 an option must
 * allow it. */
static int bind_source(int fd, const struct target *t)
{
	int on = 1;

	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) < 0)
		return -1;
	if (t->source->sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on)) < 0)
		return -1;
	return bind(fd, t->source, t->source_len);
}

int target_connect(int fd, const struct target *t)
{
	if (t->source && bind_source(fd, t) < 0)
		return -1;
	return connect(fd, (const struct sockaddr *)&t->addr, t->len);
}

struct target target_with_port(const struct target *t, uint16_t port)
{
	struct target r = *t;

	if (r.addr.ss_family == AF_INET)
		((struct sockaddr_in *)&r.addr)->sin_port = htons(port);
	else if (r.addr.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&r.addr)->sin6_port = htons(port);
	return r;
}

const char *target_text(const struct target *t, char buffer[static TARGET_TEXT_MAX])
{
	const void *address = &((const struct sockaddr_in *)&t->addr)->sin_addr;

	if (t->addr.ss_family == AF_UNIX) {
		snprintf(buffer, TARGET_TEXT_MAX, UNIX_PREFIX "%s", t->path);
		return buffer;
	}
	if (t->addr.ss_family == AF_INET6)
		address = &((const struct sockaddr_in6 *)&t->addr)->sin6_addr;
	if (!inet_ntop(t->addr.ss_family, address, buffer, TARGET_TEXT_MAX))
		buffer[0] = '\0';
	return buffer;
}
