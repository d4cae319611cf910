/* Waits until another process has a file open. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

static inline bool has_open(pid_t pid, const char *path)
{
	char directory[32], target[PATH_MAX];
	bool found = false;
	struct dirent *e;
	DIR *dir;

	snprintf(directory, sizeof(directory), "/proc/%d/fd", pid);
	dir = opendir(directory);
	while (dir && !found && (e = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);

		target[n > 0 ? n : 0] = '\0';
		found = strcmp(target, path) == 0;
	}
	if (dir)
		closedir(dir);
	return found;
}

static inline void await_open(pid_t pid, const char *path)
{
	for (int k = 0; !has_open(pid, path); k++) {
		if (k == 10000)
			fail_msg("process %d does not open '%s'", pid, path);
		usleep(1000);
	}
}
