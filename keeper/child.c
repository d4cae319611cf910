#include "keeper/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/signals.h"
#include "handover/exit.h"
#include "handover/listen.h"

int program_open(const char *path, struct program *ret, struct error *err)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0 || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
		return error_set(err, errno,
				 "cannot run '%s' (%s): install sockwake again, then 'sockwake refresh --all'", path,
				 strerror(errno));
	*ret = (struct program){.path = path, .fd = steal_fd(&fd)};
	return 0;
}

static void inherit_number(struct inheritance *i, enum variable variable, uint64_t value)
{
	if (i->n_numbers == sizeof(i->numbers) / sizeof(*i->numbers))
		abort();
	i->numbers[i->n_numbers].variable = variable;
	i->numbers[i->n_numbers++].value = value;
}

void inherit_deadline(struct inheritance *i, uint64_t deadline)
{
	if (deadline != USEC_INFINITY)
		inherit_number(i, VARIABLE_DEADLINE, deadline);
}

void inherit_open(struct inheritance *i, int fd)
{
	if (fd >= 0 && i->n_fds < INHERIT_MAX)
		i->fds[i->n_fds++] = fd;
}

void inherit_fd(struct inheritance *i, enum variable variable, int fd)
{
	if (fd < 0 || i->n_fds == INHERIT_MAX)
		return;
	inherit_open(i, fd);
	inherit_number(i, variable, (uint64_t)fd);
}

static void set_environment(const struct inheritance *i)
{
	struct error ignored;

	environment_forget(i->listeners > 0);
	for (size_t k = 0; k < i->n_numbers; k++)
		(void)environment_set_number(i->numbers[k].variable, i->numbers[k].value, &ignored);
	if (i->accepted && *i->accepted)
		(void)environment_set_text(VARIABLE_ACCEPTED, i->accepted, &ignored);
	log_hand_on();
	if (i->listeners)
		listen_hand_on(i->listeners);
}

static void keep_open(int fd)
{
	(void)fcntl(fd, F_SETFD, 0);
}

/* Runs in the child process; does not return. */
static void become(const struct program *p, char *const *argv, const struct inheritance *i, pid_t keeper)
{
	const sigset_t none = signals_none();

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != keeper)
		_exit(EXIT_CANNOT_EXEC);
	set_environment(i);
	for (size_t k = 0; k < i->n_fds; k++)
		keep_open(i->fds[k]);
	for (int k = 0; k < i->listeners; k++)
		keep_open(LISTEN_FDS_START + k);
	if (i->no_files)
		(void)setrlimit(RLIMIT_FSIZE, &(struct rlimit){});
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)execveat(p->fd, "", argv, environ, AT_EMPTY_PATH);
	_exit(EXIT_CANNOT_EXEC);
}

int child_start(struct child *c, const struct program *p, char *const *argv, const struct inheritance *i,
		struct error *err)
{
	struct inheritance all = *i;
	pid_t keeper = getpid();
	int ends[2];

	if (channel_open(ends, err) < 0)
		return -1;
	inherit_fd(&all, VARIABLE_KEEPER, ends[1]);
	c->pid = fork();
	if (c->pid == 0)
		become(p, argv, &all, keeper);
	close(ends[1]);
	if (c->pid < 0) {
		c->pid = 0;
		close(ends[0]);
		return error_errno(err, errno, "cannot start %s", c->name);
	}
	close_fd(&c->channel);
	c->channel = ends[0];
	return 0;
}

bool child_reap(struct child *c)
{
	if (c->pid == 0 || waitpid(c->pid, &c->status, WNOHANG) != c->pid)
		return false;
	c->pid = 0;
	return true;
}

int child_result(const struct child *c, char *ret, size_t size)
{
	if (WIFSIGNALED(c->status))
		snprintf(ret, size, "was killed by signal %d", WTERMSIG(c->status));
	else
		snprintf(ret, size, "ended with status %d", WEXITSTATUS(c->status));
	return c->status == 0 ? 0 : -1;
}

void child_signal(const struct child *c, int signal)
{
	if (c->pid > 0)
		(void)kill(c->pid, signal);
}
