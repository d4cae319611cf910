#include "activator/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "common/parse.h"
#include "units/paths.h"

int runtime_directory(enum scope scope, char ret[static PATH_MAX], struct error *err)
{
	const char *given = getenv("RUNTIME_DIRECTORY");
	const char *base = getenv("XDG_RUNTIME_DIR");
	int n;

	if (given && *given) /* the first of a list (systemd.exec(5)) */
		n = snprintf(ret, PATH_MAX, "%.*s", (int)strcspn(given, ":"), given);
	else if (scope == SCOPE_SYSTEM)
		n = snprintf(ret, PATH_MAX, "/run/sockwake");
	else if (base && *base)
		n = snprintf(ret, PATH_MAX, "%s/sockwake", base);
	else
		n = snprintf(ret, PATH_MAX, "/run/user/%u/sockwake", geteuid());
	if (n >= PATH_MAX || ret[0] != '/')
		return error_set(err, EINVAL, "the runtime directory '%s' is not an absolute path", ret);
	return make_directories(ret, 0755, err);
}

static int runtime_path(const struct options *o, const char *file, char ret[static PATH_MAX], struct error *err)
{
	size_t len;

	if (runtime_directory(o->scope, ret, err) < 0)
		return -1;
	len = strlen(ret);
	if (snprintf(ret + len, PATH_MAX - len, "/%s", file) >= (int)(PATH_MAX - len))
		return error_set(err, ENAMETOOLONG, "the runtime directory '%s' has too long a path", ret);
	return 0;
}

int lock_path(const struct options *o, const char *engine_socket, char ret[static PATH_MAX], struct error *err)
{
	char file[LOCK_NAME_MAX];

	lock_name(o->backend, engine_socket, o->container, file);
	return runtime_path(o, file, ret, err);
}

/* Only its owner may open it: who can read it could lock it. */
static int lock_open(const char *path, struct error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_set(err, errno, "cannot open the lock '%s' (%s)%s", path, strerror(errno),
				 io_remedy(errno));
	return fd;
}

/* A full runtime directory is no reason to refuse a client: only whoever shares the container notices. */
static bool is_dispensable(const struct error *err)
{
	return err->code == ENOSPC || err->code == EDQUOT || err->code == EROFS;
}

/* Has the file been removed between opening and locking? Then somebody else may lock another one of this name. */
static bool is_stale(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* flock(2) that gives up at the deadline, with errno EINTR. The timer goes on ticking, so that a tick that comes just
 * before the system call is not the last one. */
static int flock_until(int fd, int operation, uint64_t deadline)
{
	struct itimerval tick = {.it_interval.tv_usec = 100000, .it_value.tv_usec = 100000};
	struct sigaction interrupt = {.sa_handler = on_alarm}, before;
	int r, saved;

	if (flock(fd, operation | LOCK_NB) == 0)
		return 0;
	(void)sigaction(SIGALRM, &interrupt, &before);
	(void)setitimer(ITIMER_REAL, &tick, NULL);
	do {
		r = flock(fd, operation);
	} while (r < 0 && errno == EINTR && now_usec() < deadline);
	saved = errno;
	tick = (struct itimerval){};
	(void)setitimer(ITIMER_REAL, &tick, NULL);
	(void)sigaction(SIGALRM, &before, NULL);
	errno = saved;
	return r;
}

int lock_shared(const char *path, uint64_t deadline, int *ret_fd, struct error *err)
{
	do {
		_cleanup_close_ int fd = lock_open(path, err);

		*ret_fd = -1;
		if (fd < 0)
			return is_dispensable(err) ? 0 : -1;
		if (flock_until(fd, LOCK_SH, deadline) < 0) {
			if (errno == EINTR)
				return error_set(err, ETIMEDOUT,
						 "the container was still going to sleep when the "
						 "time for its start was over");
			return error_errno(err, errno, "cannot lock '%s'", path);
		}
		if (!is_stale(fd)) {
			*ret_fd = steal_fd(&fd);
			return 0;
		}
	} while (now_usec() < deadline);
	return error_set(err, ETIMEDOUT, "the lock '%s' is removed over and over", path);
}

int lock_exclusive(const char *path, int *ret_fd, struct error *err)
{
	for (;;) {
		_cleanup_close_ int fd = lock_open(path, err);

		*ret_fd = -1;
		if (fd < 0)
			return is_dispensable(err) ? 0 : -1;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return error_errno(err, errno, "cannot lock '%s'", path);
		if (!is_stale(fd)) {
			*ret_fd = steal_fd(&fd);
			return 0;
		}
	}
}

static void format_run(const struct container *c, char ret[static RUN_TEXT_MAX])
{
	snprintf(ret, RUN_TEXT_MAX, "%s %s\n", c->id, c->started_at);
}

void lock_record(int lock_fd, const char *run)
{
	size_t len = strlen(run);

	if (pwrite(lock_fd, run, len, 0) != (ssize_t)len || ftruncate(lock_fd, (off_t)len) < 0)
		return; /* the directory is full, or there is no lock */
}

void lock_read(int lock_fd, char ret[static RUN_TEXT_MAX])
{
	ssize_t n = pread(lock_fd, ret, RUN_TEXT_MAX - 1, 0);

	ret[n > 0 ? n : 0] = '\0';
}

bool lock_holds(int lock_fd, const char *run)
{
	char recorded[RUN_TEXT_MAX];

	lock_read(lock_fd, recorded);
	return strcmp(run, recorded) == 0;
}

void lock_record_run(int lock_fd, const struct container *c)
{
	char run[RUN_TEXT_MAX];

	format_run(c, run);
	lock_record(lock_fd, run);
}

bool lock_is_own_run(int lock_fd, const struct container *c)
{
	char run[RUN_TEXT_MAX];

	format_run(c, run);
	return lock_holds(lock_fd, run);
}

/* By hand, or after a keeper that was killed, there is what that has left behind. */
static void read_file_of(const struct options *o, struct stats *ret)
{
	struct error ignored;
	char path[PATH_MAX], file[300];

	snprintf(file, sizeof(file), "%s.stats", o->name);
	if (runtime_path(o, file, path, &ignored) < 0 || stats_read(path, ret, &ignored) < 0)
		*ret = (struct stats){};
}

struct stats *runtime_stats(const struct options *o)
{
	static struct stats alone;
	const char *text = getenv("SOCKWAKE_STATS_FD");
	struct error ignored;
	struct stats *shared;
	uint64_t fd;

	if (text && parse_u64("SOCKWAKE_STATS_FD", text, 0, INT32_MAX, &fd, &ignored) == 0 &&
	    (shared = stats_map((int)fd, false, &ignored)))
		return shared;
	read_file_of(o, &alone);
	return &alone;
}
