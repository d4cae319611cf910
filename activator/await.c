/* The proxy checks whether the instance's own server is ready, inside the container's network namespace and with no
 * privilege left. The server of a dependency is checked in the same way, by a child process that runs the same two
 * programs:
 *
 *	nshelper [--user USER] [--unreachable] [--outside-source] -- proxy --await PORT --health-check CHECK
 *
 * Its exit status is the result. It writes what it waits for, and the reason of a failure, to standard error, a pipe to
 * this process: the status shows the one, and the journal gets one sentence and not two. It inherits only the pidfd:
 * neither the sockets of systemd, which a health check must not see, nor the locks.
 */
#include "activator/await.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "activator/tell.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/parse.h"
#include "handover/channel.h"
#include "handover/environment.h"
#include "handover/exit.h"

#define WORDS_MAX 13

/* The proxy ends by itself at the deadline, unless it hangs. */
#define GRACE USEC_PER_SEC

struct check {
	const char *words[WORDS_MAX]; /* NULL-terminated */
	char port[8];
};

/* The programs come from the command that this process will execute. Its other options concern the instance's own
 * container. */
static int build(const struct options *o, uint16_t port, const char *health_check, struct check *ret, struct error *err)
{
	char **word = o->command;
	const char *user = NULL;
	bool unreachable = false, outside_source = false;
	size_t n = 0;

	ret->words[n++] = *word++;
	for (; *word && strcmp(*word, "--") != 0; word++) {
		if (strcmp(*word, "--user") == 0 && word[1])
			user = *++word;
		unreachable |= strcmp(*word, "--unreachable") == 0;
		outside_source |= strcmp(*word, "--outside-source") == 0;
	}
	if (!*word || !word[1])
		return error_set(err, EINVAL,
				 "with --with the command to become has to be of the form NSHELPER … -- PROXY …");
	snprintf(ret->port, sizeof(ret->port), "%u", port);
	if (user) {
		ret->words[n++] = "--user";
		ret->words[n++] = user;
	}
	if (unreachable)
		ret->words[n++] = "--unreachable";
	if (outside_source)
		ret->words[n++] = "--outside-source";
	ret->words[n++] = "--";
	ret->words[n++] = word[1];
	ret->words[n++] = "--await";
	ret->words[n++] = ret->port;
	ret->words[n++] = "--health-check";
	ret->words[n++] = health_check;
	ret->words[n] = NULL;
	return 0;
}

static void prepare_environment(int pidfd, uint64_t deadline)
{
	struct error ignored;

	environment_forget(false);
	(void)environment_set_number(VARIABLE_PIDFD, (uint64_t)pidfd, &ignored);
	if (deadline != USEC_INFINITY)
		(void)environment_set_number(VARIABLE_DEADLINE, deadline, &ignored);
	(void)setenv("JOURNAL_STREAM", "", 1); /* lines begin with their priority alone */
}

/* Runs in the child; does not return. */
static void become(const struct check *c, int pidfd, uint64_t deadline, int output)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	prepare_environment(pidfd, deadline);
	if (dup2(output, STDERR_FILENO) == STDERR_FILENO &&
	    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0 && fcntl(pidfd, F_SETFD, 0) == 0)
		execvp(c->words[0], (char *const *)(uintptr_t)c->words);
	dprintf(STDERR_FILENO, "<3>cannot run '%s': %s\n", c->words[0], strerror(errno));
	_exit(EXIT_CANNOT_EXEC);
}

/* What the programs say, line by line. */
struct hearing {
	const struct options *options;
	const char *container; /* the dependency */
	struct told told;
	char line[1024]; /* the current one; what is too long is cut */
	size_t len;
	char said[1024]; /* the last one, without its priority (sd-daemon(3)) */
};

/* What the start waits for goes on to the keeper. */
static void take_line(struct hearing *h)
{
	char *line = h->line;

	line[h->len] = '\0';
	h->len = 0;
	text_make_printable(line);
	if (line[0] == '<' && line[1] && line[2] == '>')
		line += 3;
	if (strncmp(line, AWAIT_TELLS, strlen(AWAIT_TELLS)) == 0)
		tell_awaited(&h->told, NULL, "'%s', which comes before '%s', is not ready: %s", h->container,
			     h->options->container, line + strlen(AWAIT_TELLS));
	else if (line[0])
		snprintf(h->said, sizeof(h->said), "%s", line);
}

static void take_text(struct hearing *h, const char *text, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		if (text[k] == '\n')
			take_line(h);
		else if (h->len < sizeof(h->line) - 1)
			h->line[h->len++] = text[k];
	}
}

/* Reads until the other end is closed. False if it is still open at the given time. */
static bool read_until(int fd, uint64_t until, struct hearing *h)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char text[1024];
	ssize_t n = 1;
	int ready = 0;

	while (n > 0) {
		ready = poll(&p, 1, timeout_msec(until));
		if (ready == 0)
			return false;
		if (ready < 0)
			continue; /* a signal */
		n = read(fd, text, sizeof(text));
		if (n > 0)
			take_text(h, text, (size_t)n);
	}
	take_line(h);
	return true;
}

int await_ready(const struct options *o, const char *container, uint16_t port, const char *health_check, int pidfd,
		uint64_t deadline, struct error *err)
{
	uint64_t until = deadline == USEC_INFINITY ? USEC_INFINITY : deadline + GRACE;
	_cleanup_close_ int input = -1, output = -1;
	struct check check = {};
	struct hearing h = {.options = o, .container = container};
	int fds[2], status;
	pid_t pid;

	if (build(o, port, health_check, &check, err) < 0)
		return -1;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, errno, "cannot ask whether it is ready");
	input = fds[0];
	output = fds[1];
	pid = fork();
	if (pid < 0)
		return error_errno(err, errno, "cannot ask whether it is ready");
	if (pid == 0)
		become(&check, pidfd, deadline, output);
	close_fd(&output);
	if (!read_until(input, until, &h))
		(void)kill(pid, SIGKILL);
	(void)TEMP_FAILURE_RETRY(waitpid(pid, &status, 0));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		log_debug("the server on port %u is ready, says 'proxy --await'", port);
		return 0;
	}
	if (!h.said[0])
		return error_set(err, ECHILD, "its health check '%s' ended without an answer", health_check);
	return error_set(err, ECHILD, "%s", h.said);
}
