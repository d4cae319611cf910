#include "control/unit_log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/spawn.h"

#define WORDS_MAX 12

/* journalctl(1): without -n it shows all, but with -f only ten lines. */
static void compose(const struct instance *i, const struct log_options *options, const char *lines,
		    const char *words[static WORDS_MAX])
{
	size_t n = 0;

	words[n++] = "journalctl";
	if (i->scope == SCOPE_USER)
		words[n++] = "--user";
	words[n++] = "--unit";
	words[n++] = i->unit;
	words[n++] = "--output=cat";
	words[n++] = "--no-pager";
	words[n++] = "--quiet";
	words[n++] = lines;
	if (options->follow)
		words[n++] = "--follow";
	words[n] = NULL;
}

static void pass_on(int from, log_sink sink, void *data)
{
	char buffer[4096];
	ssize_t n;

	while ((n = read(from, buffer, sizeof(buffer))) > 0 || (n < 0 && errno == EINTR)) {
		if (n > 0 && !sink(data, STDOUT_FILENO, buffer, (size_t)n))
			return;
	}
}

int unit_log_show(const struct instance *i, const struct log_options *options, log_sink sink, void *data,
		  struct error *err)
{
	_cleanup_close_ int from = -1, to = -1;
	const char *words[WORDS_MAX];
	int fds[2], status = 0, r;
	char lines[32] = "--lines=all";
	pid_t pid;

	if (options->tail)
		snprintf(lines, sizeof(lines), "--lines=%u", options->tail);
	compose(i, options, lines, words);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, errno, "cannot read the journal of '%s'", i->unit);
	from = fds[0], to = fds[1];
	r = spawn(&(struct spawn){.argv = words, .output = to, .errors = STDERR_FILENO}, &pid);
	if (r != 0)
		return error_errno(err, r, "cannot run 'journalctl' for the output of '%s'", i->unit);
	close_fd(&to);
	pass_on(from, sink, data);
	close_fd(&from); /* ends a journalctl that follows */
	(void)TEMP_FAILURE_RETRY(waitpid(pid, &status, 0));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return error_set(err, EIO, "'journalctl' could not show the journal of '%s': its own words are above", i->unit);
}
