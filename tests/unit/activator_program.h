/* Runs the activator as a process of its own, as the service manager would: sockets from descriptor 3 on, variables
 * set, a runtime directory. */
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "activator/activator.h"
#include "common/listen.h"

#define SOCKETS_MAX   4
#define ARGUMENTS_MAX 48

struct program {
	pid_t pid;
	int output; /* what it writes on standard output and standard error */
	char text[16384];
};

/* sockets: -1-terminated, may be NULL; arguments: NULL-terminated, without the program's name. */
static inline void program_start(struct program *p, const int *sockets, const char *const *arguments)
{
	int fds[2], n = 0;

	*p = (struct program){};
	if (pipe2(fds, O_CLOEXEC) < 0)
		abort();
	p->pid = fork();
	if (p->pid < 0)
		abort();
	if (p->pid == 0) {
		char *argv[ARGUMENTS_MAX] = {(char[]){"activator"}};
		char number[16];
		int argc = 1, copies[SOCKETS_MAX];

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (dup2(fds[1], STDOUT_FILENO) < 0 || dup2(fds[1], STDERR_FILENO) < 0)
			_exit(99);
		for (; sockets && sockets[n] >= 0; n++)
			copies[n] = fcntl(sockets[n], F_DUPFD_CLOEXEC, 100);
		for (int i = 0; i < n; i++) {
			if (dup2(copies[i], LISTEN_FDS_START + i) < 0)
				_exit(99);
		}
		if (n > 0) {
			snprintf(number, sizeof(number), "%d", getpid());
			setenv("LISTEN_PID", number, 1);
			snprintf(number, sizeof(number), "%d", n);
			setenv("LISTEN_FDS", number, 1);
		}
		for (; arguments[argc - 1]; argc++)
			argv[argc] = strdup(arguments[argc - 1]);
		exit(activator_run(argc, argv));
	}
	close(fds[1]);
	p->output = fds[0];
}

/* Waits for its end; returns its exit status, or minus the signal that ended it. */
static inline int program_finish(struct program *p)
{
	size_t len = 0;
	ssize_t n;
	int status;

	while ((n = read(p->output, p->text + len, sizeof(p->text) - len - 1)) > 0)
		len += (size_t)n;
	p->text[len] = '\0';
	close(p->output);
	if (waitpid(p->pid, &status, 0) != p->pid)
		abort();
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline int program_run(struct program *p, const int *sockets, const char *const *arguments)
{
	program_start(p, sockets, arguments);
	return program_finish(p);
}

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})
