#include "lifecycle/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fault.h"
#include "common/hash.h"
#include "common/io.h"
#include "common/log.h"
#include "instance/instance.h"

#define ID_LENGTH 64

/* Only taking a lock shared, for a moment, shows that it is held shared. Seen once, that may be another process that
 * checks. */
#define SHARED_LOOKS	     3
#define EXCLUSIVE_PAUSE_MSEC 20

const char *lock_name(enum backend_kind kind, const char *engine_socket, const char *container,
		      char ret[static LOCK_NAME_MAX])
{
	char real[PATH_MAX];
	uint64_t hash = fnv1a(fnv1a(fnv1a(FNV1A_BASIS, path_resolve(engine_socket, real)), "\n"), container);

	snprintf(ret, LOCK_NAME_MAX, "%s-%016llx.lock", backend_kind_name(kind), (unsigned long long)hash);
	return ret;
}

/* Name of the second lock: by `unit`, else by `id`, which has 64 digits. */
static const char *identity_name(const char *unit, const char *id, char ret[static LOCK_NAME_MAX])
{
	if (unit)
		snprintf(ret, LOCK_NAME_MAX, "unit-%016llx.lock", (unsigned long long)fnv1a(FNV1A_BASIS, unit));
	else
		snprintf(ret, LOCK_NAME_MAX, "%.*s.lock", ID_LENGTH, id);
	return ret;
}

/* Only the owner may open it: whoever can read it could lock it. */
static int lock_open(const char *path, struct error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_set(err, errno, "cannot open the lock '%s' (%s)%s", path, strerror(errno),
				 io_remedy(errno));
	return fd;
}

/* A full runtime directory must not refuse a client: only other users of the container miss the lock. */
static bool is_dispensable(const struct error *err)
{
	return err->code == ENOSPC || err->code == EDQUOT || err->code == EROFS;
}

/* Has the file been removed between opening and locking? Then another process may lock a new file of this name. */
static bool is_stale(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* flock(2) that gives up at the deadline, with errno EINTR. The timer ticks repeatedly, in case one tick comes just
 * before the system call. */
static int flock_until(int fd, int operation, uint64_t deadline)
{
	struct itimerval tick = {.it_interval.tv_usec = 100000, .it_value.tv_usec = 100000};
	struct sigaction interrupt = {.sa_handler = on_alarm}, before;
	int r, saved;

	if (flock(fd, operation | LOCK_NB) == 0)
		return 0;
	(void)sigaction(SIGALRM, &interrupt, &before);
	(void)setitimer(ITIMER_REAL, &tick, NULL);
	FAULT("lock:waits");
	do {
		r = flock(fd, operation);
	} while (r < 0 && errno == EINTR && !time_is_over(deadline));
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
			return is_dispensable(err) ? error_clear(err) : -1;
		FAULT("lock:opened");
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
	} while (!time_is_over(deadline));
	return error_set(err, ETIMEDOUT, "the lock '%s' is removed over and over", path);
}

int lock_exclusive(const char *path, uint64_t deadline, int *ret_fd, struct error *err)
{
	for (unsigned shared = 0;; (void)poll(NULL, 0, EXCLUSIVE_PAUSE_MSEC)) {
		_cleanup_close_ int fd = lock_open(path, err);

		*ret_fd = -1;
		if (fd < 0)
			return is_dispensable(err) ? error_clear(err) : -1;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			if (is_stale(fd))
				continue;
			*ret_fd = steal_fd(&fd);
			return 0;
		}
		error_errno(err, errno, "cannot lock '%s'", path);
		if (err->code != EWOULDBLOCK || deadline == 0)
			return -1;
		shared += flock(fd, LOCK_SH | LOCK_NB) == 0;
		if (shared == SHARED_LOOKS)
			return -1;
		if (time_is_over(deadline))
			return error_set(
				err, ETIMEDOUT,
				"the container is still being put to sleep, or removed, by another process, which "
				"holds the lock '%s'",
				path);
		error_clear(err);
	}
}

void container_lock_release(struct container_lock *l)
{
	close_fd(&l->named);
	close_fd(&l->identity);
}

/* How to take a lock. */
struct taking {
	bool exclusive;
	uint64_t deadline;
};

static int take(const char *directory, const char *file, struct taking how, int *ret_fd, struct error *err)
{
	uint64_t began = log_clock();
	char path[PATH_MAX];
	int r;

	if (snprintf(path, sizeof(path), "%s/%s", directory, file) >= (int)sizeof(path))
		return error_set(err, ENAMETOOLONG, "the runtime directory '%s' has too long a path", directory);
	r = how.exclusive ? lock_exclusive(path, how.deadline, ret_fd, err)
			  : lock_shared(path, how.deadline, ret_fd, err);
	log_debug("%s the lock '%s' (%s) after %.1f ms", r < 0 ? "does not get" : "has", path,
		  how.exclusive ? "exclusive" : "shared", log_took(began));
	return r;
}

/* Processes that wait for the lock notice that the file is gone, and make it anew. */
static void forget(const char *directory, const char *id)
{
	char path[PATH_MAX], file[LOCK_NAME_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", directory, identity_name(NULL, id, file)) < (int)sizeof(path))
		(void)unlink(path);
}

static int take_found(struct container_lock *l, const char *directory, const char *id, struct taking how,
		      struct error *err)
{
	char file[LOCK_NAME_MAX];

	if (strlen(id) != ID_LENGTH || strcmp(l->id, id) == 0)
		return 0;
	/* That container is gone, or this instance no longer uses it. Others that use it hold its lock. */
	if (l->id[0] && l->identity >= 0 && flock(l->identity, LOCK_EX | LOCK_NB) == 0)
		forget(directory, l->id);
	close_fd(&l->identity);
	if (take(directory, identity_name(NULL, id, file), how, &l->identity, err) < 0)
		return -1;
	strcpy(l->id, id);
	return 1;
}

static int take_both(struct container_lock *l, const char *directory, const char *named, const char *unit,
		     struct taking how, struct error *err)
{
	char file[LOCK_NAME_MAX], id[sizeof(l->id)];

	*l = NO_CONTAINER_LOCK;
	if (take(directory, named, how, &l->named, err) < 0)
		return -1;
	if (unit)
		return take(directory, identity_name(unit, l->id, file), how, &l->identity, err);
	return lock_read_id(l->named, id) && take_found(l, directory, id, how, err) < 0 ? -1 : 0;
}

int container_lock_shared(struct container_lock *l, const char *directory, const char *named, const char *unit,
			  uint64_t deadline, struct error *err)
{
	return take_both(l, directory, named, unit, (struct taking){false, deadline}, err);
}

int container_lock_exclusive(struct container_lock *l, const char *directory, const char *named, const char *unit,
			     uint64_t deadline, struct error *err)
{
	return take_both(l, directory, named, unit, (struct taking){true, deadline}, err);
}

int container_lock_found_shared(struct container_lock *l, const char *directory, const char *id, uint64_t deadline,
				struct error *err)
{
	return take_found(l, directory, id, (struct taking){false, deadline}, err);
}

int container_lock_found_exclusive(struct container_lock *l, const char *directory, const char *id, uint64_t deadline,
				   struct error *err)
{
	return take_found(l, directory, id, (struct taking){true, deadline}, err);
}

static void format_run(const struct container *c, bool own, char ret[static RUN_TEXT_MAX])
{
	snprintf(ret, RUN_TEXT_MAX, "%s%c%s\n", c->id, own ? ' ' : '?', c->started_at);
}

void lock_record(int lock_fd, const char *run)
{
	size_t len = strlen(run);

	if (pwrite(lock_fd, run, len, 0) != (ssize_t)len || ftruncate(lock_fd, (off_t)len) < 0)
		return; /* the directory was full, or there is no lock */
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

void lock_record_run(int lock_fd, const struct container *c, bool own)
{
	char run[RUN_TEXT_MAX];

	format_run(c, own, run);
	lock_record(lock_fd, run);
}

void lock_record_asleep(int lock_fd, const char *id)
{
	char text[RUN_TEXT_MAX];

	snprintf(text, sizeof(text), "%s\n", id);
	lock_record(lock_fd, text);
}

bool lock_is_asleep(int lock_fd)
{
	char text[RUN_TEXT_MAX];

	lock_read(lock_fd, text);
	return strlen(text) == ID_LENGTH + 1 && text[ID_LENGTH] == '\n';
}

static bool is_run(int lock_fd, const struct container *c, bool own)
{
	char run[RUN_TEXT_MAX];

	format_run(c, own, run);
	return lock_holds(lock_fd, run);
}

bool lock_is_own_run(int lock_fd, const struct container *c)
{
	return is_run(lock_fd, c, true);
}

bool lock_is_found_run(int lock_fd, const struct container *c)
{
	return is_run(lock_fd, c, false);
}

bool lock_is_run_of(int lock_fd, const char *id, bool own)
{
	char text[RUN_TEXT_MAX];

	lock_read(lock_fd, text);
	return strlen(id) == ID_LENGTH && strncmp(text, id, ID_LENGTH) == 0 && text[ID_LENGTH] == (own ? ' ' : '?');
}

bool lock_read_id(int lock_fd, char ret[static 65])
{
	char text[RUN_TEXT_MAX];

	lock_read(lock_fd, text);
	if (strspn(text, "0123456789abcdef") != ID_LENGTH)
		return false;
	snprintf(ret, ID_LENGTH + 1, "%.*s", ID_LENGTH, text);
	return true;
}
