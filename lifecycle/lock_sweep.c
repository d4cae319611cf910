#include "lifecycle/lock_sweep.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/fault.h"

static const char suffix[] = ".lock";

/* Is it PREFIX, `digits` hexadecimal digits, and the suffix? */
static bool has_form(const char *file, const char *prefix, size_t digits)
{
	size_t len = strlen(prefix);

	return strncmp(file, prefix, len) == 0 && strspn(file + len, "0123456789abcdef") == digits &&
	       strcmp(file + len + digits, suffix) == 0;
}

static bool is_second(const char *file)
{
	return has_form(file, "", 64) || has_form(file, "unit-", 16);
}

static bool is_first(const char *file)
{
	return has_form(file, "docker-", 16) || has_form(file, "podman-", 16);
}

/* Processes that wait for the lock notice that the file is gone, and make it anew. */
static void remove_unheld(int directory, const char *file)
{
	_cleanup_close_ int fd = openat(directory, file, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	FAULT("sweep:opened");
	/* Before it was locked here, another process may have removed it, and a third made it anew. */
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0)
		(void)unlinkat(directory, file, 0);
}

void lock_sweep(const char *directory, bool named, const char *const *used, size_t n)
{
	_cleanup_dir_ DIR *d = opendir(directory);
	struct dirent *entry;

	if (!d)
		return;
	while ((entry = readdir(d))) {
		bool wanted = !named || !is_first(entry->d_name);

		for (size_t k = 0; k < n && !wanted; k++)
			wanted = strcmp(entry->d_name, used[k]) == 0;
		if (is_second(entry->d_name) || !wanted)
			remove_unheld(dirfd(d), entry->d_name);
	}
}
