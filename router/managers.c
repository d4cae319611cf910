#include "router/managers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"

#define CGROUPS "/sys/fs/cgroup"
/* A manager that is started within two seconds of its stop was seen to take up to 90 s. */
#define START_SEC 20
/* Between two starts: a worker is its user's, who may ask without end. */
#define RETRY_USEC (2 * USEC_PER_SEC)

struct user {
	struct watch child; /* a pidfd of systemctl; -1: none runs */
	struct timer timer; /* when to stop the manager */
	struct managers *managers;
	struct user *next;
	uid_t uid;
	pid_t pid;
	uint64_t tried; /* when it was started last, CLOCK_MONOTONIC microseconds; 0: never */
	bool starting, ours, unused;
};

struct managers {
	struct loop *loop;
	uint64_t release_after; /* microseconds */
	struct managers_events events;
	struct user *first;
};

struct managers *managers_new(struct loop *loop, uint64_t release_after, const struct managers_events *events)
{
	struct managers *m = calloc(1, sizeof(*m));

	if (m)
		*m = (struct managers){.loop = loop, .release_after = release_after, .events = *events};
	return m;
}

/* The child of fork(): the bounding set allows it no capability that matters. Nobody else may end it, so it limits itself. */
static void run_systemctl(const char *verb, uid_t uid)
{
	char unit[32];
	const char *argv[] = {"systemctl", "--quiet", verb, unit, NULL};
	const char *environment[] = {"PATH=/usr/bin:/bin", NULL};
	sigset_t none;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)snprintf(unit, sizeof(unit), "user@%u.service", (unsigned)uid);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)alarm(START_SEC);
	if (null >= 0 && dup2(null, STDERR_FILENO) >= 0 && setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0)
		(void)execvpe(argv[0], (char **)argv, (char **)environment);
	_exit(EXIT_FAILURE);
}

static int spawn(struct user *u, const char *verb)
{
	u->pid = fork();
	if (u->pid == 0)
		run_systemctl(verb, u->uid);
	if (u->pid < 0)
		return -1;
	u->child.fd = (int)syscall(SYS_pidfd_open, u->pid, 0);
	return u->child.fd < 0 ? -1 : loop_watch(u->managers->loop, &u->child, EPOLLIN);
}

static void child_ended(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct user *u = container_of(watch, struct user, child);
	const struct managers_events *e = &u->managers->events;
	char why[256] = "";
	int status;

	(void)events;
	loop_unwatch(loop, watch);
	close(watch->fd);
	watch->fd = -1;
	timer_set(loop, &u->timer, u->unused && u->ours ? now_usec() + u->managers->release_after : USEC_INFINITY);
	if (waitpid(u->pid, &status, 0) < 0)
		status = -1;
	if (!u->starting) {
		u->ours = false;
		e->kept(e->data, u->uid, false);
		return;
	}
	u->starting = false;
	u->ours = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	e->kept(e->data, u->uid, u->ours);
	if (WIFSIGNALED(status))
		(void)snprintf(why, sizeof(why),
			       "your service manager has not started in time; try again in a minute, or log in");
	else if (!u->ours)
		(void)snprintf(why, sizeof(why),
			       "your service manager does not start; the administrator sees why: systemctl status "
			       "user@%u.service",
			       (unsigned)u->uid);
	e->started(e->data, u->uid, why);
}

/* What a manager has without anybody's asking for it: its own processes, Podman's that keeps a user's namespaces, and ours that
 * looks after a boot for containers that run (such a container counts itself). */
static bool is_one_of_managers(const char *name)
{
	static const char *const names[] = {"init.scope", "dbus.service", "podman-pause-", "sockwake-attend"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	}
	return false;
}

static bool has_processes(int directory)
{
	_cleanup_close_ int fd = openat(directory, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char byte;

	return fd >= 0 && read(fd, &byte, 1) == 1;
}

/* Takes over the descriptor. */
static bool runs_more(int directory)
{
	_cleanup_dir_ DIR *d = fdopendir(directory);
	struct dirent *entry;

	if (!d) {
		close(directory);
		return false;
	}
	if (has_processes(dirfd(d)))
		return true;
	while ((entry = readdir(d))) {
		int fd;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || is_one_of_managers(entry->d_name))
			continue;
		fd = openat(dirfd(d), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0 && runs_more(fd))
			return true;
	}
	return false;
}

bool managers_has_more(const char *cgroups, uid_t uid)
{
	char path[512];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/user.slice/user-%u.slice", cgroups, (unsigned)uid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && runs_more(fd);
}

static void timer_fired(struct loop *loop, struct timer *timer)
{
	struct user *u = container_of(timer, struct user, timer);

	if (u->child.fd >= 0 || !u->unused || !u->ours)
		return;
	if (managers_has_more(CGROUPS, u->uid) || spawn(u, "stop") < 0)
		timer_set(loop, timer, now_usec() + u->managers->release_after);
}

static struct user *find(const struct managers *m, uid_t uid)
{
	struct user *u = m->first;

	while (u && u->uid != uid)
		u = u->next;
	return u;
}

static struct user *add(struct managers *m, uid_t uid)
{
	struct user *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	*u = (struct user){
		.child = {.ready = child_ended, .fd = -1},
		.managers = m,
		.next = m->first,
		.uid = uid,
	};
	timer_add(m->loop, &u->timer, timer_fired);
	m->first = u;
	return u;
}

void managers_start(struct managers *m, uid_t uid)
{
	struct user *u = find(m, uid);

	if (!u)
		u = add(m, uid);
	if (u && u->starting)
		return;
	if (u && u->child.fd < 0 && (u->tried == 0 || time_since(u->tried) >= RETRY_USEC)) {
		u->tried = now_usec();
		u->starting = true;
		if (spawn(u, "start") == 0)
			return;
		u->starting = false;
	}
	m->events.started(m->events.data, uid, "your service manager cannot be started now; try again in a moment");
}

void managers_adopt(struct managers *m, uid_t uid)
{
	struct user *u = find(m, uid);

	if (!u)
		u = add(m, uid);
	if (!u)
		return;
	u->ours = true;
	managers_unused(m, uid);
}

void managers_unused(struct managers *m, uid_t uid)
{
	struct user *u = find(m, uid);

	if (!u || !u->ours)
		return;
	u->unused = true;
	if (u->child.fd < 0)
		timer_set(m->loop, &u->timer, now_usec() + m->release_after);
}

void managers_used(struct managers *m, uid_t uid)
{
	struct user *u = find(m, uid);

	if (u)
		u->unused = false;
}

bool managers_pending(const struct managers *m)
{
	for (const struct user *u = m->first; u; u = u->next) {
		if (u->ours || u->child.fd >= 0)
			return true;
	}
	return false;
}

void managers_each(const struct managers *m, void (*visit)(void *data, uid_t uid), void *data)
{
	for (const struct user *u = m->first; u; u = u->next) {
		if (u->ours)
			visit(data, u->uid);
	}
}
