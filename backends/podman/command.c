#include "backends/podman/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/podman/reply.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/spawn.h"

/* Its complaints go where ours go. timeout(1) ends it. A filter is a regular expression. Returns an errno value. */
static int start(const char *name, bool is_pod, char **env, uint64_t deadline, int output, pid_t *ret)
{
	char filter[CONTAINER_NAME_SIZE + sizeof("name=^$")], seconds[32];
	const char *argv[] = {"timeout", "--signal=KILL", seconds, "podman",   "ps",   "--all",
			      "--pod",	 "--filter",	  filter,  "--format", "json", NULL};
	const struct spawn program = {.argv = argv, .env = env, .output = output, .errors = STDERR_FILENO};

	snprintf(filter, sizeof(filter), "%s=^%s$", is_pod ? "pod" : "name", name);
	snprintf(seconds, sizeof(seconds), "%d.%03d", timeout_msec(deadline) / 1000, timeout_msec(deadline) % 1000);
	return spawn(&program, ret);
}

int podman_command_list(const char *name, bool is_pod, char **env, uint64_t deadline, struct container_list *ret,
			struct error *err)
{
	_cleanup_free_ char *text = NULL;
	int r, status = 0, ends[2];
	size_t size = 0;
	ssize_t len;
	FILE *output;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, errno, "cannot run 'podman ps'");
	r = start(name, is_pod, env, deadline, ends[1], &pid);
	close(ends[1]);
	if (r != 0) {
		close(ends[0]);
		return error_errno(err, r, "cannot run 'podman ps'");
	}
	output = fdopen(ends[0], "r");
	len = output ? getdelim(&text, &size, '\0', output) : -1;
	if (output)
		fclose(output);
	else
		close(ends[0]);
	(void)TEMP_FAILURE_RETRY(waitpid(pid, &status, 0));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return error_set(err, EPROTO, "'podman ps' %s: 'podman ps --all' may show why",
				 time_is_over(deadline) ? "did not end in time" : "has failed");
	return podman_parse_list(text ? text : "", len > 0 ? (size_t)len : 0, ret)
		       ? 0
		       : error_set(err, EPROTO, "'podman ps' says something that this version does not understand");
}
