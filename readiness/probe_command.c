/* A command of the user's as a health check. */
#include "readiness/probe_command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/spawn.h"
#include "handover/environment.h"
#include "handover/exit.h"
#include "readiness/probes.h"

#define PLACEHOLDER "{container_port}"

/* A copy of the command with every {container_port} replaced; the caller frees it. NULL if there is no memory. */
static char *substitute(const char *command, uint16_t port)
{
	char *text = strdup(command), *end = text; /* no port is longer than the placeholder */
	const char *found;

	while (text && (found = strstr(command, PLACEHOLDER))) {
		end = mempcpy(end, command, (size_t)(found - command));
		end += sprintf(end, "%u", port);
		command = found + strlen(PLACEHOLDER);
	}
	if (text)
		strcpy(end, command);
	return text;
}

/* sh in a process group of its own. Returns an errno value. */
static int start(const char *command, char **env, pid_t *ret_pid)
{
	const char *argv[] = {"/bin/sh", "-c", command, NULL};
	const struct spawn program = {
		.argv = argv, .env = env, .output = SPAWN_NOWHERE, .errors = SPAWN_NOWHERE, .group = true};

	return spawn(&program, ret_pid);
}

static enum verdict judge_exit(const siginfo_t *info, char seen[static SEEN_MAX])
{
	if (info->si_code != CLD_EXITED)
		snprintf(seen, SEEN_MAX, "the health-check command was killed by signal %d", info->si_status);
	else if (info->si_status == 0)
		return VERDICT_READY;
	else
		snprintf(seen, SEEN_MAX, "the health-check command still exits with status %d", info->si_status);
	return info->si_code == CLD_EXITED && (info->si_status == EXIT_CANNOT_EXEC || info->si_status == EXIT_NOT_FOUND)
		       ? VERDICT_FUTILE
		       : VERDICT_NOT_YET;
}

int probe_command(const char *command, uint16_t port, const struct patience *patience, char seen[static SEEN_MAX],
		  struct error *err)
{
	_cleanup_free_ char *text = substitute(command, port);
	_cleanup_free_ char **env = environment_for_others();
	_cleanup_close_ int pidfd = -1;
	siginfo_t info = {.si_pid = 0};
	pid_t pid;
	int r;

	if (!text || !env)
		return error_errno(err, ENOMEM, "cannot prepare the health-check command");
	r = start(text, env, &pid);
	if (r != 0)
		return error_errno(err, r, "cannot run the health-check command with /bin/sh");
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	r = pidfd < 0 ? 0 : patience_poll(patience, pidfd, POLLIN, patience->deadline, err);
	/* Also kills what the command left running. The group's number cannot have been reused: its leader has not been
	 * reaped. */
	(void)kill(-pid, SIGKILL);
	(void)TEMP_FAILURE_RETRY(waitid(P_PID, (id_t)pid, &info, WEXITED));
	if (r <= 0) {
		snprintf(seen, SEEN_MAX, "the health-check command did not end");
		return r < 0 ? -1 : VERDICT_NOT_YET;
	}
	return (int)judge_exit(&info, seen);
}
