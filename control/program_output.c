#include "control/program_output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/spawn.h"

#define LIMIT_USEC (10 * USEC_PER_SEC)
#define OUTPUT_MAX 32768

int program_output_read(int fd, size_t max, char **ret, size_t *ret_len, struct error *err)
{
	uint64_t end = time_from_now(LIMIT_USEC);
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

int program_output(const char *const *argv, bool errors, char **ret, bool *ret_good, struct error *err)
{
	_cleanup_free_ char *text = NULL;
	int fds[2], status = -1, r;
	struct error trouble;
	size_t len = 0;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, errno, "cannot make a pipe");
	r = spawn(&(struct spawn){.argv = argv, .output = fds[1], .errors = errors ? fds[1] : STDERR_FILENO}, &pid);
	close(fds[1]);
	if (r != 0) {
		close(fds[0]);
		return error_set(err, r, "cannot run '%s' (%s)", argv[0], strerror(r));
	}
	r = program_output_read(fds[0], OUTPUT_MAX, &text, &len, &trouble);
	close(fds[0]);
	if (r < 0)
		(void)kill(pid, SIGKILL);
	(void)TEMP_FAILURE_RETRY(waitpid(pid, &status, 0));
	if (r < 0)
		return error_set(err, EPROTO, "'%s' did not end: %s", argv[0], trouble.text);
	*ret_good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	*ret = steal_ptr(&text);
	return 0;
}
