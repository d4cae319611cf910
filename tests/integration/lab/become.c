/* become UID GID GROUP,... CGROUP COMMAND...: runs a command as that user and in that control group, which its owner makes.
 * Python would have to copy itself for that, and setpriv and a shell cost more than many a command of a test. Linked
 * statically, it starts in no time. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GROUPS_MAX = 64 };

/* The manager of a user cannot use what root makes there. */
static void join(const char *cgroup, uid_t uid)
{
	char path[PATH_MAX];
	int fd;

	setfsuid(uid);
	if (mkdir(cgroup, 0755) < 0 && errno != EEXIST)
		err(125, "mkdir %s", cgroup);
	setfsuid(0);
	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) < 0)
		err(125, "%s", path);
	close(fd);
}

static size_t parse_groups(char *list, gid_t *groups)
{
	size_t n = 0;

	for (char *group = strtok(list, ","); group && n < GROUPS_MAX; group = strtok(NULL, ","))
		groups[n++] = (gid_t)strtoul(group, NULL, 10);
	return n;
}

int main(int argc, char **argv)
{
	gid_t groups[GROUPS_MAX], gid;
	size_t n;
	uid_t uid;

	if (argc < 6)
		errx(125, "usage: become UID GID GROUP,... CGROUP COMMAND...");
	uid = (uid_t)strtoul(argv[1], NULL, 10);
	gid = (gid_t)strtoul(argv[2], NULL, 10);
	n = parse_groups(argv[3], groups);
	join(argv[4], uid);
	if (setgroups(n, groups) < 0 || setgid(gid) < 0 || setuid(uid) < 0)
		err(125, "user %s", argv[1]);
	execvp(argv[5], argv + 5);
	err(127, "%s", argv[5]);
}
