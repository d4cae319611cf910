#include "keeper/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"

#define PREPARED_MSEC 1000

static void forget_child(struct child *c)
{
	c->pid = 0;
	close_fd(&c->channel);
}

/* What is the keeper's alone: the container, its locks, the word to the service manager. */
static void forget_keeper(struct keeper *k)
{
	int *const descriptors[] = {&k->activator.fd,	     &k->nshelper.fd,  &k->proxy.fd,
				    &k->notify_fd,	     &k->signal_fd,    &k->pidfd,
				    &k->record.file_to_read, &k->record.memory};

	for (size_t n = 0; n < sizeof(descriptors) / sizeof(*descriptors); n++)
		close_fd(descriptors[n]);
	while (k->n_locks > 0)
		close_fd(&k->locks[--k->n_locks]);
	forget_child(&k->waker);
	forget_child(&k->relay);
	forget_child(&k->sleeper);
	forget_child(&k->notifier);
	k->deadline = USEC_INFINITY;
	if (k->ready) /* they are the proxy's */
		queue_forget_accepted(&k->queue);
}

/* ps(1) shows the words that it was started with, in the place where they are: there are no two keepers. */
static void take_name(void)
{
	static const char name[] = "guard";
	char *slash = strrchr(program_invocation_name, '/'), *word = slash ? slash + 1 : program_invocation_name;

	(void)prctl(PR_SET_NAME, name);
	if (strlen(word) >= strlen(name))
		strcpy(word, name);
}

/* Signals stay blocked: SIGKILL ends it, by the keeper or by systemd. */
static _Noreturn void stand_by(struct keeper *k, int alive, int prepared)
{
	char nothing;

	take_name();
	forget_keeper(k);
	close(prepared);
	/* Whoever comes from now on may still be there when this has its turn. */
	if (k->queue.since == USEC_INFINITY)
		k->queue.since = now_usec();
	while (read(alive, &nothing, sizeof(nothing)) < 0 && errno == EINTR)
		;
	for (;;)
		keeper_wait(k, time_after(now_usec(), USEC_PER_SEC), true);
}

static void fork_guard(struct keeper *k, const int alive[2], const int prepared[2])
{
	k->guard = fork();
	if (k->guard == 0) {
		close(alive[1]);
		close(prepared[0]);
		stand_by(k, alive[0], prepared[1]);
	}
	if (k->guard < 0)
		k->guard = 0;
}

/* Its copies of the container's locks are gone when it is prepared: who puts to sleep must not find them held. */
static bool is_prepared(int fd)
{
	return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, PREPARED_MSEC) == 1;
}

void guard_start(struct keeper *k)
{
	int alive[2], prepared[2];

	if (k->guard || pipe2(alive, O_CLOEXEC) < 0)
		return;
	if (pipe2(prepared, O_CLOEXEC) < 0) {
		close(alive[0]);
		close(alive[1]);
		return;
	}
	fork_guard(k, alive, prepared);
	close(alive[0]);
	close(prepared[1]);
	k->guard_alive = alive[1];
	if (k->guard && !is_prepared(prepared[0]))
		guard_end(k);
	close(prepared[0]);
	if (!k->guard)
		close_fd(&k->guard_alive);
}

void guard_end(struct keeper *k)
{
	if (k->guard == 0)
		return;
	(void)kill(k->guard, SIGKILL);
	close_fd(&k->guard_alive);
	while (waitpid(k->guard, NULL, 0) < 0 && errno == EINTR)
		;
	k->guard = 0;
}
