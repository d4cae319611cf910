#include "common/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

static int is_ours(const struct stats *s)
{
	return s->magic == STATS_MAGIC && s->version == STATS_VERSION && s->size == sizeof(*s);
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
	if (!is_ours(s)) {
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

int stats_read(const char *path, struct stats *ret, struct error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, errno, "cannot open '%s'", path);
	if (pread(fd, ret, sizeof(*ret), 0) != sizeof(*ret) || !is_ours(ret))
		return error_set(err, EPROTO, "'%s' is not a statistics file of this version of sockwake", path);
	return 0;
}
