/* Runs the activator as a process of its own: by hand, perhaps with sockets from descriptor 3 on; or as a keeper would,
 * which the test then is. */
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "activator/activator.h"
#include "common/cleanup.h"
#include "handover/channel.h"
#include "handover/listen.h"
#include "handover/stats.h"

#define SOCKETS_MAX   4
#define ARGUMENTS_MAX 48

struct program {
	pid_t pid;
	int output; /* what it writes on standard output and standard error */
	char text[16384];

	/* With a keeper: */
	bool kept;
	int channel;	      /* -1: it runs by hand */
	struct stats *stats;  /* shared with it */
	struct message woken; /* what WOKEN=1 has brought */
	char awaited[1024];   /* the last AWAITED=; "" */
	char hint[1024];      /* the last HINT=; "" */
	unsigned starting;    /* so often it said STARTING=1 */
	unsigned vain;	      /* and VAIN=1 */
	char failed[1024];    /* FAILED=; "" */
	unsigned messages;    /* of any kind */
};

/* The child's part: descriptors and variables as the service manager sets them. */
static inline void program_take_sockets(const int *sockets)
{
	int copies[SOCKETS_MAX], n = 0;
	char number[16];

	for (; sockets && sockets[n] >= 0; n++)
		copies[n] = fcntl(sockets[n], F_DUPFD_CLOEXEC, 100);
	for (int i = 0; i < n; i++) {
		if (dup2(copies[i], LISTEN_FDS_START + i) < 0)
			_exit(99);
	}
	if (n == 0)
		return;
	snprintf(number, sizeof(number), "%d", getpid());
	setenv("LISTEN_PID", number, 1);
	snprintf(number, sizeof(number), "%d", n);
	setenv("LISTEN_FDS", number, 1);
}

/* The child's part: descriptors and variables as a keeper sets them. */
static inline void program_take_keeper(int channel, int stats)
{
	if (dup2(channel, 90) < 0 || dup2(stats, 91) < 0)
		_exit(99);
	setenv("SOCKWAKE_KEEPER_FD", "90", 1);
	setenv("SOCKWAKE_STATS_FD", "91", 1);
}

/* What the keeper has written before; NULL: nothing. */
static void (*program_seed)(struct stats *s);

static inline void program_share_stats(struct program *p, int *ret_fd)
{
	struct error err;

	*ret_fd = memfd_create("stats", MFD_CLOEXEC);
	p->stats = *ret_fd < 0 ? NULL : stats_map(*ret_fd, 1, &err);
	if (!p->stats)
		abort();
	if (program_seed)
		program_seed(p->stats);
}

static inline void program_spawn(struct program *p, const int *sockets, const char *const *arguments, bool kept)
{
	int fds[2], ends[2] = {-1, -1}, stats = -1;
	struct error err;

	*p = (struct program){.kept = kept, .channel = -1};
	if (pipe2(fds, O_CLOEXEC) < 0 || (kept && channel_open(ends, &err) < 0))
		abort();
	if (kept)
		program_share_stats(p, &stats);
	p->pid = fork();
	if (p->pid < 0)
		abort();
	if (p->pid == 0) {
		char *argv[ARGUMENTS_MAX] = {(char[]){"activator"}};
		int argc = 1;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (dup2(fds[1], STDOUT_FILENO) < 0 || dup2(fds[1], STDERR_FILENO) < 0)
			_exit(99);
		if (kept)
			program_take_keeper(ends[1], stats);
		program_take_sockets(sockets);
		close_fd(&ends[0]);
		close_fd(&ends[1]);
		for (; arguments[argc - 1]; argc++)
			argv[argc] = strdup(arguments[argc - 1]);
		exit(activator_run(argc, argv));
	}
	close(fds[1]);
	close_fd(&ends[1]);
	close_fd(&stats);
	p->output = fds[0];
	p->channel = ends[0];
}

/* By hand. sockets: -1-terminated, may be NULL; arguments: NULL-terminated, without the program's name. */
static inline void program_start(struct program *p, const int *sockets, const char *const *arguments)
{
	program_spawn(p, sockets, arguments, false);
}

/* The test is its keeper. */
static inline void program_start_kept(struct program *p, const char *const *arguments)
{
	program_spawn(p, NULL, arguments, true);
}

/* Takes what it has told its keeper by now. */
static inline void program_listen(struct program *p)
{
	struct message m;
	char word[8];
	bool closed;

	while (p->channel >= 0 && channel_receive(p->channel, &m, &closed)) {
		p->messages++;
		(void)message_value(&m, "AWAITED", p->awaited, sizeof(p->awaited));
		(void)message_value(&m, "HINT", p->hint, sizeof(p->hint));
		p->starting += message_value(&m, "STARTING", word, sizeof(word));
		p->vain += message_value(&m, "VAIN", word, sizeof(word));
		(void)message_value(&m, "FAILED", p->failed, sizeof(p->failed));
		if (message_value(&m, "WOKEN", word, sizeof(word)) && strcmp(word, "1") == 0 && p->woken.n_fds == 0) {
			p->woken = m;
			m.n_fds = 0;
		}
		message_clear(&m);
	}
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
	program_listen(p);
	close_fd(&p->channel);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline int program_run(struct program *p, const int *sockets, const char *const *arguments)
{
	program_start(p, sockets, arguments);
	return program_finish(p);
}

static inline int program_run_kept(struct program *p, const char *const *arguments)
{
	program_start_kept(p, arguments);
	return program_finish(p);
}

/* Gives back what a run with a keeper has brought. */
static inline void program_release(struct program *p)
{
	message_clear(&p->woken);
	if (p->stats)
		munmap(p->stats, sizeof(*p->stats));
	p->stats = NULL;
}

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})
