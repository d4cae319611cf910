#include "control/listen_check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "control/port_owner.h"

/* A socket address as systemd will bind it. Returns its length. */
static socklen_t bind_address(const struct publish *p, struct sockaddr_storage *ret)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

	*ret = (struct sockaddr_storage){};
	if (inet_pton(AF_INET, p->address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(p->port);
		return sizeof(*in);
	}
	if (p->address[0])
		inet_pton(AF_INET6, p->address, &in6->sin6_addr);
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(p->port);
	return sizeof(*in6);
}

/* Binds and listens for a moment. Returns 0 or an errno value. */
static int try_listen(const struct publish *p)
{
	struct sockaddr_storage address;
	socklen_t len = bind_address(p, &address);
	_cleanup_close_ int fd = socket(address.ss_family, p->type | SOCK_CLOEXEC, 0);
	int one = 1, zero = 0;

	if (fd < 0 && errno == EAFNOSUPPORT && !p->address[0]) { /* no IPv6 here: systemd falls back, too */
		struct publish v4 = *p;

		strcpy(v4.address, "0.0.0.0");
		return try_listen(&v4);
	}
	if (fd < 0)
		return errno;
	/* For TCP this ignores closing connections; for UDP it would ignore the owner of the port. */
	if (p->type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one));
	if (address.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(fd, (struct sockaddr *)&address, len) < 0)
		return errno;
	return p->type == SOCK_STREAM && listen(fd, 1) < 0 ? errno : 0;
}

/* systemd makes missing directories in the last existing one. */
static int check_place(const char *path, struct error *err)
{
	char directory[sizeof(((struct sockaddr_un *)0)->sun_path)];

	snprintf(directory, sizeof(directory), "%s", path);
	do {
		char *slash = strrchr(directory, '/');

		slash[slash == directory] = '\0'; /* the root stays "/" */
	} while (directory[1] && access(directory, F_OK) < 0 && errno == ENOENT);
	if (access(directory, W_OK | X_OK) < 0)
		return error_set(err, errno,
				 "cannot listen on '%s': '%s' (%s); take a directory that this user may write to", path,
				 directory, strerror(errno));
	return 0;
}

/* systemd would take the path from a server that listens there, so check first. */
static int check_path(const struct publish *p, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, p->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (check_place(p->path, err) < 0)
		return -1;
	if (lstat(p->path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, EEXIST, "'%s' exists and is not a socket: remove it, or listen elsewhere",
				 p->path);
	strcpy(address.sun_path, p->path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 && errno == ECONNREFUSED)
		return 0; /* left behind by a server that has ended */
	return error_set(err, EADDRINUSE, "another server listens on '%s'", p->path);
}

int listen_check_address(const struct publish *p, struct error *err)
{
	const char *protocol = p->type == SOCK_DGRAM ? "UDP" : "TCP";
	char holder[256];
	int code;

	if (p->path[0])
		return check_path(p, err);
	code = try_listen(p);
	if (code == 0)
		return 0;
	if (code == EADDRINUSE) {
		port_owner_describe(p->type, p->port, holder, sizeof(holder));
		return error_set(err, code, "the %s port %u is in use by %s: listen on another port, or stop that",
				 protocol, p->port, holder);
	}
	if (code == EACCES)
		return error_set(
			err, code,
			"this user may not listen on the %s port %u: take one from 1024 on, or have root lower "
			"net.ipv4.ip_unprivileged_port_start",
			protocol, p->port);
	return error_errno(err, code, "cannot listen on the %s port %u of '%s'", protocol, p->port, p->address);
}

bool listen_check_describe_obstacle(const struct instance *i, char *ret, size_t size)
{
	struct error err;

	for (size_t k = 0; k < i->n_ports; k++) {
		if (listen_check_address(&i->ports[k], &err) < 0) {
			snprintf(ret, size, "%s", err.text);
			return true;
		}
	}
	return false;
}

static bool is_absent(const struct publish *p)
{
	struct sockaddr_storage address;
	struct publish any = *p;
	_cleanup_close_ int fd = -1;
	socklen_t len;

	any.port = 0;
	len = bind_address(&any, &address);
	if (p->path[0] || !p->address[0] || (fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
		return false;
	return bind(fd, (struct sockaddr *)&address, len) < 0 && errno == EADDRNOTAVAIL;
}

bool listen_check_describe_absent(const struct instance *i, char *ret, size_t size)
{
	for (size_t k = 0; k < i->n_ports; k++) {
		if (!is_absent(&i->ports[k]))
			continue;
		snprintf(ret, size,
			 "no interface has the address %s now: clients reach port %u there as soon as one has it ('ip "
			 "address' lists those there are)",
			 i->ports[k].address, i->ports[k].port);
		return true;
	}
	return false;
}

/* How many sockets listen on the path, ours included? A server that is bound to a path whose file somebody has removed stays in
 * this list, too (proc_pid_net(5): the flags of a listener are __SO_ACCEPTCON). */
static unsigned count_listeners(const char *path)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/net/unix", "re");
	char line[512], there[256];
	unsigned flags, n = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*s %*s %x %*s %*s %*s %255s", &flags, there) == 2 && flags & 0x10000 &&
		    strcmp(there, path) == 0)
			n++;
	}
	return n;
}

int listen_check_files(const struct instance *i, struct error *err)
{
	for (size_t k = 0; k < i->n_ports; k++) {
		const char *path = i->ports[k].path;
		struct stat st;

		if (!path[0] || lstat(path, &st) < 0)
			continue;
		if (!S_ISSOCK(st.st_mode))
			return error_set(
				err, EEXIST,
				"'%s' is not the socket of '%s' any more, and would be deleted with it: move it "
				"away first",
				path, i->name);
		if (count_listeners(path) > 1)
			return error_set(
				err, EADDRINUSE,
				"another server listens on '%s' now, whose socket would be deleted with that of "
				"'%s': stop that server, or move its socket away first",
				path, i->name);
	}
	return 0;
}
