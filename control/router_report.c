#include "control/router_report.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/json.h"
#include "common/clock.h"
#include "common/parse.h"
#include "common/spawn.h"

#define REPORT_MAX  (16UL * 1024 * 1024)
#define REPORT_USEC (10 * USEC_PER_SEC)
#define VALUES_MAX  500000
#define CHECK_MAX   32768

/* All until the end, at most `max` bytes; malloc()ed, with a NUL. */
static int read_all(int fd, size_t max, char **ret, size_t *ret_len, struct error *err)
{
	uint64_t end = time_from_now(REPORT_USEC);
	_cleanup_free_ char *text = malloc(max + 1);
	size_t len = 0;

	while (text && len < max) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		uint64_t now = now_usec();
		ssize_t n;

		if (now >= end || poll(&p, 1, (int)((end - now) / USEC_PER_MSEC) + 1) <= 0)
			return error_set(err, ETIMEDOUT, "there was no answer in time");
		n = read(fd, text + len, max - len);
		if (n < 0)
			return error_errno(err, errno, "cannot read the answer");
		if (n == 0) {
			text[len] = '\0';
			*ret = steal_ptr(&text);
			*ret_len = len;
			return 0;
		}
		len += (size_t)n;
	}
	return error_set(err, EFBIG, "the answer is too long");
}

#define LOOK "'systemctl status sockwake-router.service sockwake-router.socket' shows why"

int router_report_ask(const char *socket_path, cJSON **ret, struct error *err)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	_cleanup_free_ char *text = NULL;
	size_t len;

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", socket_path);
	if (fd < 0)
		return error_errno(err, errno, "cannot open a socket");
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return error_set(err, errno, "the router does not answer at '%s' (%s): " LOOK, socket_path,
				 strerror(errno));
	if (read_all(fd, REPORT_MAX, &text, &len, err) < 0)
		return error_context(err, "the router does not answer: " LOOK);
	*ret = json_parse(text, len, VALUES_MAX);
	return *ret ? 0 : error_set(err, EPROTO, "the router does not answer: " LOOK);
}

static int start(const char *program, const char *restricted, int output, pid_t *ret)
{
	const char *argv[] = {program, "--check", restricted ? "--restricted" : NULL, "--config", restricted, NULL};

	return spawn(&(struct spawn){.argv = argv, .output = output, .errors = STDERR_FILENO}, ret);
}

int router_report_check(const char *program, const char *restricted, char **ret_allowed, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	int error, status, pipe_fds[2];
	struct error trouble;
	size_t len = 0;
	pid_t pid;
	bool read;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_errno(err, errno, "cannot make a pipe");
	error = start(program, restricted, pipe_fds[1], &pid);
	close(pipe_fds[1]);
	read = !error && read_all(pipe_fds[0], CHECK_MAX, &text, &len, &trouble) == 0;
	close(pipe_fds[0]);
	if (error)
		return error_set(err, error, "cannot run '%s' (%s): install sockwake again", program, strerror(error));
	if (waitpid(pid, &status, 0) < 0)
		status = -1;
	if (!read)
		return error_set(err, EPROTO, "'%s --check' did not end: %s", program, trouble.text);
	text[strcspn(text, "\n")] = '\0';
	text_make_printable(text);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return error_set(err, EINVAL, "%s configuration is wrong: %s", restricted ? "its" : "the router's",
				 text);
	*ret_allowed = steal_ptr(&text);
	return 0;
}
