#include "router/place.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/parse.h"

#define PROC_TEXT_MAX 4096
#define HEX_OF_ID     64 /* an identifier of a container, of both engines */

/* Reads a file of /proc/PID; a text that is longer is cut off. */
static int read_proc(pid_t pid, const char *file, char ret[static PROC_TEXT_MAX])
{
	char path[64];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -1;
	n = read(fd, ret, PROC_TEXT_MAX - 1);
	ret[n > 0 ? n : 0] = '\0';
	return n > 0 ? 0 : -1;
}

/* The control group of version 2, "/a/b"; "" if there is none. */
static const char *unified_path(const char *cgroup)
{
	const char *line = strstr(cgroup, "0::/");

	return line && (line == cgroup || line[-1] == '\n') ? line + 3 : "";
}

static size_t count_digits(const char *p)
{
	size_t n = 0;

	while (isxdigit((unsigned char)p[n]) && !isupper((unsigned char)p[n]))
		n++;
	return n;
}

/* Both engines, and those of Kubernetes, name the control group of a container after the 64 digits of its identifier. */
static bool looks_like_container(const char *cgroup)
{
	for (const char *p = cgroup; *p;) {
		size_t n = count_digits(p);

		if (n == HEX_OF_ID)
			return true;
		p += n + (n == 0);
	}
	return false;
}

/* The identifier, where only root can have made a control group of this name: users make groups of any name below their
 * own. */
static void find_identifier(const char *cgroup, char ret[static PLACE_CONTAINER_MAX])
{
	static const char *const places[] = {"/system.slice/docker-", "/docker/", "/machine.slice/libpod-"};
	const char *path = unified_path(cgroup);

	ret[0] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		size_t n = strlen(places[i]);

		if (strncmp(path, places[i], n) == 0 && count_digits(path + n) == HEX_OF_ID)
			(void)snprintf(ret, PLACE_CONTAINER_MAX, "%.*s", HEX_OF_ID, path + n);
	}
}

uid_t place_slice(const char *cgroup)
{
	unsigned uid;
	int end = 0;

	if (sscanf(unified_path(cgroup), "/user.slice/user-%10u.slice/%n", &uid, &end) != 1 || end == 0)
		return PLACE_NOBODY;
	return uid;
}

enum place_kind place_of(const char *cgroup, size_t pid_namespaces, bool host_users, uid_t uid,
			 char container[static PLACE_CONTAINER_MAX])
{
	find_identifier(cgroup, container);
	if (!looks_like_container(cgroup) && pid_namespaces == 1 && host_users)
		return PLACE_HOST;
	/* Rootless containers always have a user namespace; a rootful one may be anywhere (--cgroup-parent). */
	return !host_users && place_slice(cgroup) == uid ? PLACE_OWN_CONTAINER : PLACE_CONTAINER;
}

/* In how many PID namespaces the process is, from that of this procfs on: the numbers in "NSpid:	12	3"; 0: unknown. */
static size_t count_pid_namespaces(const char *status)
{
	const char *line = strstr(status, "\nNSpid:");
	size_t n = 0;

	if (!line)
		return 0;
	for (const char *p = line + strlen("\nNSpid:"); *p && *p != '\n'; p++)
		n += isdigit((unsigned char)*p) && !isdigit((unsigned char)p[-1]);
	return n;
}

/* Does the process map the same users as this one? One that has made a namespace of its own does not. */
static int has_users_of_host(pid_t pid, bool *ret)
{
	static char ours[PROC_TEXT_MAX];
	char theirs[PROC_TEXT_MAX];

	if ((!*ours && read_proc(getpid(), "uid_map", ours) < 0) || read_proc(pid, "uid_map", theirs) < 0)
		return -1;
	*ret = strcmp(theirs, ours) == 0;
	return 0;
}

bool place_has_ended(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, 0) != 0;
}

static void read_command(const char *status, char ret[static 16])
{
	const char *name = strncmp(status, "Name:\t", 6) == 0 ? status + 6 : "";

	(void)snprintf(ret, 16, "%.*s", (int)strcspn(name, "\n"), name);
	text_make_printable(ret);
}

/* The number of the process stands for the process only as long as the pidfd says that it has not ended. */
static void look(pid_t pid, int pidfd, uid_t uid, struct place *ret)
{
	char cgroup[PROC_TEXT_MAX], status[PROC_TEXT_MAX];
	size_t namespaces;
	bool host_users;

	*ret = (struct place){.kind = PLACE_UNKNOWN, .slice = PLACE_NOBODY};
	if (pidfd < 0 || read_proc(pid, "status", status) < 0 || read_proc(pid, "cgroup", cgroup) < 0 ||
	    has_users_of_host(pid, &host_users) < 0)
		return;
	namespaces = count_pid_namespaces(status);
	if (namespaces == 0 || place_has_ended(pidfd))
		return;
	read_command(status, ret->command);
	ret->kind = place_of(cgroup, namespaces, host_users, uid, ret->container);
	if (!host_users)
		ret->slice = place_slice(cgroup);
}

/* The number that the kernel gives to each process once (pidfs, Linux 6.9); 0 if this kernel has none. Before, all pidfds had
 * one inode. */
static ino_t identify(int pidfd)
{
	static ino_t common;
	struct stat st;

	if (common == 0) {
		_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

		if (fd < 0 || fstat(fd, &st) < 0)
			return 0;
		common = st.st_ino;
	}
	return fstat(pidfd, &st) == 0 && st.st_ino != common ? st.st_ino : 0;
}

/* A process that connects again is where it was: it cannot leave its PID namespace, and what it does to its users or control
 * group makes it no process of the host. */
static struct known {
	ino_t inode; /* 0: none */
	uid_t uid;
	struct place place;
} known[64];

void place_find(pid_t pid, int pidfd, uid_t uid, struct place *ret)
{
	ino_t inode = pidfd < 0 ? 0 : identify(pidfd);
	struct known *k = &known[inode % (sizeof(known) / sizeof(*known))];

	if (inode != 0 && k->inode == inode && k->uid == uid) {
		*ret = k->place;
		return;
	}
	look(pid, pidfd, uid, ret);
	if (inode != 0 && ret->kind != PLACE_UNKNOWN)
		*k = (struct known){.inode = inode, .uid = uid, .place = *ret};
}
