#include "activator/free_name.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/podman/names.h"
#include "common/log.h"
#include "units/paths.h"

/* Two lines. */
#define TEXT_MAX (2 * PATH_MAX + 2)

void free_name_remember(int lock_fd, const struct monitored *m, const char *proc)
{
	struct podman_lists lists;
	char text[TEXT_MAX];
	int n;

	if (lock_fd < 0 || !conmon_lists(m, proc, &lists))
		return;
	n = snprintf(text, sizeof(text), "%s\n%s\n", lists.graph, lists.run);
	/* What was cut short is not recalled. */
	if (ftruncate(lock_fd, 0) < 0 || pwrite(lock_fd, text, (size_t)n, 0) != n)
		log_debug("cannot remember where Podman lists its containers");
}

static bool parse_line(const char **text, char ret[static PATH_MAX])
{
	size_t len = strcspn(*text, "\n");

	if ((*text)[len] != '\n' || len >= PATH_MAX)
		return false;
	memcpy(ret, *text, len);
	ret[len] = '\0';
	*text += len + 1;
	return true;
}

static bool recall(int lock_fd, struct podman_lists *ret)
{
	char text[TEXT_MAX + 1];
	const char *rest = text;
	ssize_t n = pread(lock_fd, text, TEXT_MAX, 0);

	if (n <= 0)
		return false;
	text[n] = '\0';
	return parse_line(&rest, ret->graph) && parse_line(&rest, ret->run);
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec >= b->tv_nsec);
}

/* A file that was removed, or put in place, shows in its directory. */
static bool has_changed(const char *directory, const struct timespec *since)
{
	char path[PATH_MAX];
	struct stat st;

	if (stat(directory, &st) == 0 && is_later(&st.st_ctim, since))
		return true;
	return snprintf(path, sizeof(path), "%s/storage.conf", directory) >= (int)sizeof(path) ||
	       (stat(path, &st) == 0 && is_later(&st.st_ctim, since));
}

static bool configuration_has_changed(enum scope scope, const struct timespec *since)
{
	char own[PATH_MAX];
	struct error ignored;

	if (has_changed("/etc/containers", since) || has_changed("/usr/share/containers", since))
		return true;
	return scope == SCOPE_USER &&
	       (configuration_directory("containers", own, &ignored) < 0 || has_changed(own, since));
}

bool free_name_is_sure(int lock_fd, enum scope scope, const char *container)
{
	struct podman_lists lists;
	struct stat st;

	return lock_fd >= 0 && fstat(lock_fd, &st) == 0 && recall(lock_fd, &lists) &&
	       !configuration_has_changed(scope, &st.st_mtim) && podman_name_is_free(&lists, container);
}
