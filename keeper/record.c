#include "keeper/record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"

static const off_t size = sizeof(struct stats);

/* The flags that the proxy may set: they describe itself and its server. */
#define PROXY_FLAGS ((uint64_t)(STATS_FULL | STATS_LOOPBACK))

/* Another program writes this member while an instance is awake. */
#define HELD_BEGIN offsetof(struct stats, held_until)
#define HELD_END   (HELD_BEGIN + sizeof(((struct stats *)0)->held_until))

/* The size of memory shared with a proxy is sealed: whatever the proxy does stays within these pages. */
static struct stats *share(int *ret_memory)
{
	_cleanup_close_ int fd = memfd_create("sockwake", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stats *s = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, size) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		s = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (s == MAP_FAILED)
		return NULL;
	*ret_memory = steal_fd(&fd);
	return s;
}

/* Allocates the space before writing: a full file system then reports an error. */
static int open_file(const char *path, bool *ret_new, struct error *err)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	struct stat st;
	int r;

	if (fd < 0)
		return error_set(err, errno, "there will be no statistics: cannot open '%s' (%s)%s", path,
				 strerror(errno), io_remedy(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "there will be no statistics: '%s' is not a regular file; remove it",
				 path);
	*ret_new = st.st_size != size;
	r = *ret_new && ftruncate(fd, 0) < 0 ? errno : posix_fallocate(fd, 0, size);
	if (r != 0)
		return error_errno(err, r, "there will be no statistics: cannot write '%s'", path);
	return steal_fd(&fd);
}

static int find_path(const char *name, char ret[static PATH_MAX], struct error *err)
{
	const char *directory = getenv("RUNTIME_DIRECTORY");

	if (!directory || directory[0] != '/')
		return error_set(
			err, ENOENT,
			"there will be no statistics: the unit has no RuntimeDirectory=, 'sockwake refresh %s' "
			"writes it anew",
			name);
	/* the first of a list (systemd.exec(5)) */
	if (snprintf(ret, PATH_MAX, "%.*s/%s.stats", (int)strcspn(directory, ":"), directory, name) >= PATH_MAX)
		return error_set(err, ENAMETOOLONG, "there will be no statistics: '%s' is too long", directory);
	return 0;
}

void record_open(const char *name, struct record *ret, struct error *ret_why)
{
	char path[PATH_MAX];
	bool is_new = true;

	*ret = (struct record){.memory = -1, .file = -1, .file_to_read = -1};
	ret_why->text[0] = '\0';
	ret->shared = share(&ret->memory);
	if (find_path(name, path, ret_why) == 0)
		ret->file = open_file(path, &is_new, ret_why);
	if (ret->file >= 0) {
		ret->file_to_read = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		if (is_new || pread(ret->file, &ret->own, (size_t)size, 0) != size || !stats_is_ours(&ret->own))
			ret->own = (struct stats){};
	}
	ret->own.magic = STATS_MAGIC;
	ret->own.version = STATS_VERSION;
	ret->own.size = sizeof(struct stats);
}

void record_share(struct record *r)
{
	if (r->shared)
		*r->shared = r->own;
}

void record_share_client(struct record *r)
{
	if (!r->shared)
		return;
	r->shared->woken_by = r->own.woken_by;
	memcpy(r->shared->client, r->own.client, sizeof(r->own.client));
	__atomic_store_n(&r->shared->t_client, r->own.t_client, __ATOMIC_RELEASE);
}

void record_take_wake(struct record *r)
{
	if (!r->shared)
		return;
	r->own.t_dependencies = r->shared->t_dependencies;
	r->own.t_started = r->shared->t_started;
	r->own.t_inspected = r->shared->t_inspected;
	r->own.container_pid = r->shared->container_pid;
	r->own.flags |= r->shared->flags & STATS_FOUND_RUNNING;
}

/* Relaxed loads of whole words: the proxy may be counting. */
static uint64_t load(const uint64_t *field)
{
	return __atomic_load_n(field, __ATOMIC_RELAXED);
}

void record_take_traffic(struct record *r)
{
	const struct stats *s = r->shared;

	if (!s)
		return;
#define TAKE(field) (r->own.field = load(&s->field))
	TAKE(t_proxy);
	TAKE(t_ready);
	TAKE(t_last_activity);
	TAKE(connections);
	TAKE(connections_total);
	TAKE(connections_failed);
	TAKE(bytes_to_container);
	TAKE(bytes_from_container);
	TAKE(flows);
	TAKE(flows_total);
	TAKE(datagrams_dropped);
#undef TAKE
	for (size_t k = 0; k < STATS_LISTENING; k++)
		r->own.listening[k] = __atomic_load_n(&s->listening[k], __ATOMIC_RELAXED);
	r->own.flags = (r->own.flags & ~PROXY_FLAGS) | (load(&s->flags) & PROXY_FLAGS);
}

void record_write(const struct record *r)
{
	const char *bytes = (const char *)&r->own;

	if (r->file < 0)
		return;
	if (pwrite(r->file, bytes, HELD_BEGIN, 0) < 0 ||
	    pwrite(r->file, bytes + HELD_END, sizeof(struct stats) - HELD_END, HELD_END) < 0)
		return; /* cannot fail: the space is allocated, and nobody could be told */
}

void record_end_hold(struct record *r)
{
	uint64_t none = 0;

	r->own.held_until = 0;
	if (r->file >= 0 && pwrite(r->file, &none, sizeof(none), HELD_BEGIN) < 0)
		return;
}
