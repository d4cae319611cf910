#include "handover/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "instance/schedule.h"

bool stats_is_ours(const struct stats *s)
{
	return s->magic == STATS_MAGIC && s->version == STATS_VERSION && s->size == sizeof(*s);
}

/* What no run can reach: 2^50 microseconds are 35 years, and no line carries 2^60 bytes within them. */
#define TIME_MAX  (1ULL << 50)
#define COUNT_MAX (1ULL << 48)
#define BYTES_MAX (1ULL << 60)

bool stats_are_plausible(const struct stats *s)
{
	const uint64_t times[] = {s->t_spawned,	      s->t_main,    s->t_dependencies, s->t_started,
				  s->t_inspected,     s->t_proxy,   s->t_ready,	       s->t_accepting,
				  s->t_last_activity, s->t_waiting, s->t_client};
	const uint64_t counts[] = {s->wakes, s->connections, s->connections_total, s->connections_failed,
				   s->flows, s->flows_total, s->datagrams_dropped};
	uint64_t time = 0, count = 0;

	for (size_t k = 0; k < sizeof(times) / sizeof(*times); k++)
		time |= times[k];
	for (size_t k = 0; k < sizeof(counts) / sizeof(*counts); k++)
		count |= counts[k];
	return time < TIME_MAX && count < COUNT_MAX && (s->bytes_to_container | s->bytes_from_container) < BYTES_MAX;
}

struct stats *stats_map(int fd, int init, struct error *err)
{
	struct stats *s;
	struct stat st;

	if (fstat(fd, &st) < 0) {
		error_errno(err, errno, "cannot examine the statistics file");
		return NULL;
	}
	if (st.st_size != sizeof(*s) && (!init || ftruncate(fd, sizeof(*s)) < 0)) {
		error_set(err, EPROTO, "the statistics file has another size than this version of sockwake writes");
		return NULL;
	}
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (s == MAP_FAILED) {
		error_errno(err, errno, "cannot map the statistics file");
		return NULL;
	}
	if (!stats_is_ours(s)) {
		if (!init) {
			munmap(s, sizeof(*s));
			error_set(err, EPROTO, "the statistics file was written by another version of sockwake");
			return NULL;
		}
		memset(s, 0, sizeof(*s));
		s->magic = STATS_MAGIC;
		s->version = STATS_VERSION;
		s->size = sizeof(*s);
	}
	return s;
}

static uint64_t load(const uint64_t *field)
{
	return __atomic_load_n(field, __ATOMIC_RELAXED);
}

static int is_ahead(uint64_t until, uint64_t now)
{
	return until > now && until - now <= HOLD_MAX;
}

uint64_t stats_held_until(const struct stats *s, uint64_t wall_now)
{
	uint64_t until = load(&s->held_until), latest = is_ahead(until, wall_now) ? until : 0;

	for (int k = 0; k < STATS_WINDOWS; k++) {
		until = load(&s->warm[k].until);
		if (load(&s->warm[k].from) <= wall_now && is_ahead(until, wall_now) && until > latest)
			latest = until;
	}
	return latest;
}

/* Whoever may write to the directory may have put another file there: a pipe would block, a link would lead elsewhere,
 * and a file that is truncated under a mapping kills its reader. */
static int open_ours(const char *path, int flags, struct stats *ret, struct error *err)
{
	_cleanup_close_ int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return error_errno(err, errno, "cannot open '%s'", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size != sizeof(*ret) ||
	    pread(fd, ret, sizeof(*ret), 0) != sizeof(*ret) || !stats_is_ours(ret))
		return error_set(
			err, EPROTO,
			"'%s' is not a statistics file of this version of sockwake: the next wake writes it anew",
			path);
	return steal_fd(&fd);
}

int stats_hold(const char *path, uint64_t until, struct error *err)
{
	struct stats s;
	_cleanup_close_ int fd = open_ours(path, O_RDWR, &s, err);

	if (fd < 0)
		return -1;
	if (pwrite(fd, &until, sizeof(until), offsetof(struct stats, held_until)) != sizeof(until))
		return error_errno(err, errno, "cannot write '%s'", path);
	return 0;
}

int stats_read(const char *path, struct stats *ret, struct error *err)
{
	_cleanup_close_ int fd = open_ours(path, O_RDONLY, ret, err);

	return fd < 0 ? -1 : 0;
}
