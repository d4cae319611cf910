/* Finds the process that listens on a port: the kernel's tables give the socket's inode, /proc/PID/fd the process that
 * has it open (proc(5)). */
#include "control/port_owner.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/parse.h"
#include "control/create_request.h"
#include "control/socket_table.h"
#include "units/manager.h"
#include "units/paths.h"
#include "units/socket_unit.h"
#include "units/store.h"

struct search {
	unsigned state;
	uint16_t port;
	uint64_t inode; /* 0: not found */
};

static bool is_sought(const struct socket_row *row, void *data)
{
	struct search *s = data;

	if (row->port == s->port && row->state == s->state)
		s->inode = row->inode;
	return s->inode == 0;
}

static uint64_t find_inode(int type, uint16_t port)
{
	static const char *const tables[2][2] = {{"/proc/net/tcp", "/proc/net/tcp6"},
						 {"/proc/net/udp", "/proc/net/udp6"}};
	bool udp = type == SOCK_DGRAM;
	struct search s = {.state = udp ? SOCKET_TABLE_CLOSE : SOCKET_TABLE_LISTEN, .port = port};

	for (size_t k = 0; k < 2 && s.inode == 0; k++)
		socket_table_each(tables[udp][k], is_sought, &s);
	return s.inode;
}

static bool has_open(const char *pid, const char *link)
{
	char path[300], target[64];
	_cleanup_dir_ DIR *dir = NULL;
	struct dirent *e;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);

		if (n > 0 && (size_t)n == strlen(link) && memcmp(target, link, (size_t)n) == 0)
			return true;
	}
	return false;
}

static bool find_process(uint64_t inode, char pid[static 16])
{
	_cleanup_dir_ DIR *dir = opendir("/proc");
	struct dirent *e;
	char link[40];

	snprintf(link, sizeof(link), "socket:[%llu]", (unsigned long long)inode);
	while (dir && (e = readdir(dir))) {
		if (strlen(e->d_name) < 16 && strspn(e->d_name, "0123456789") == strlen(e->d_name) &&
		    has_open(e->d_name, link)) {
			strcpy(pid, e->d_name);
			return true;
		}
	}
	return false;
}

/* The service that the process belongs to (cgroups(7)), as " of x.service"; "" for none. */
static void find_service(const char *pid, char *ret, size_t size)
{
	_cleanup_free_ char *text = NULL;
	struct error ignored;
	char path[64], *unit;
	size_t len;

	ret[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%s/cgroup", pid);
	if (file_read(AT_FDCWD, path, 65536, &text, NULL, &ignored) < 0)
		return;
	for (char *part = strtok_r(text, "/\n", &unit); part; part = strtok_r(NULL, "/\n", &unit)) {
		len = strlen(part);
		if (len > 8 && strcmp(part + len - 8, ".service") == 0 && strncmp(part, "user@", 5) != 0)
			snprintf(ret, size, " of %s", part);
	}
	text_make_printable(ret);
}

static bool listens_on(const struct instance *i, int type, uint16_t port)
{
	for (size_t k = 0; k < i->n_ports; k++) {
		if (i->ports[k].type == type && i->ports[k].port == port && !i->ports[k].path[0])
			return true;
	}
	return false;
}

/* An instance of the system: its sockets belong to process 1, whose descriptors only root sees. */
static bool find_instance(int type, uint16_t port, char *ret, size_t size)
{
	_cleanup_stored_list_ struct stored_list all = {};
	char directory[PATH_MAX];
	struct error ignored;

	if (unit_directory(SCOPE_SYSTEM, directory, &ignored) < 0 || store_scan(directory, &all, &ignored) < 0)
		return false;
	for (size_t k = 0; k < all.n; k++) {
		const struct stored *s = &all.items[k];

		if (s->problem || !listens_on(&s->instance, type, port))
			continue;
		snprintf(ret, size, "%s" SOCKET_SUFFIX ", of the instance '%s' of the system", s->instance.name,
			 s->instance.name);
		return true;
	}
	return false;
}

/* Its sockets belong to the manager, whose descriptors an ordinary user does not see. */
static bool find_socket_unit(int type, uint16_t port, char *ret, size_t size)
{
	char unit[UNIT_NAME_MAX];
	struct error ignored;

	for (unsigned k = 0; k < (geteuid() == 0 ? 1U : 2U); k++) {
		_cleanup_manager_ struct manager *m = NULL;

		if (manager_connect(k ? SCOPE_USER : SCOPE_SYSTEM, &m, &ignored) < 0 ||
		    !socket_unit_find(m, type, port, unit))
			continue;
		snprintf(ret, size, "the socket unit %s ('systemctl %sstop %s' closes it)", unit, k ? "--user " : "",
			 unit);
		text_make_printable(ret);
		return true;
	}
	return false;
}

/* Its units are known to its user alone. */
static void describe_manager(const char *pid, char *ret, size_t size)
{
	const struct passwd *user = NULL;
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%s", pid);
	if (strcmp(pid, "1") != 0 && stat(path, &st) == 0 && st.st_uid != geteuid())
		user = getpwuid(st.st_uid);
	if (user)
		snprintf(ret, size,
			 "a socket unit of the user '%s' (to whom 'systemctl --user list-sockets' shows which)",
			 user->pw_name);
	else
		snprintf(ret, size, "a socket unit ('systemctl list-sockets' shows which)");
}

void port_owner_describe(int type, uint16_t port, char *ret, size_t size)
{
	_cleanup_free_ char *name = NULL;
	char pid[16], path[64], service[128];
	struct error ignored;
	uint64_t inode = find_inode(type, port);

	if (find_instance(type, port, ret, size))
		return;
	if (!inode || !find_process(inode, pid)) {
		if (find_socket_unit(type, port, ret, size))
			return;
		snprintf(ret, size, "another program (as root, 'ss -l%cnp' shows which)",
			 type == SOCK_DGRAM ? 'u' : 't');
		return;
	}
	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	if (file_read(AT_FDCWD, path, 4096, &name, NULL, &ignored) == 0)
		name[strcspn(name, "\n")] = '\0';
	if (name && strcmp(name, "systemd") == 0 && find_socket_unit(type, port, ret, size))
		return;
	if (name && strcmp(name, "systemd") == 0)
		describe_manager(pid, ret, size);
	else {
		find_service(pid, service, sizeof(service));
		snprintf(ret, size, "%s (PID %s)%s", name ? name : "a process", pid, service);
	}
}
