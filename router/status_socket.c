#include "router/status_socket.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "confine/capabilities.h"
#include "handover/listen.h"

/* How long the workers may count. */
#define SETTLE_USEC (50 * USEC_PER_MSEC)
/* How long a reader may take. */
#define WRITE_SEC 5

/* The child of fork(). It must not keep the channels of the workers open, whose ends tell them to end. */
static void write_report(const struct status_report *report, int client)
{
	struct error err;
	FILE *to;
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)alarm(WRITE_SEC);
	if (capabilities_drop(false, &err) < 0 || dup2(client, STDERR_FILENO + 1) < 0 ||
	    close_range(STDERR_FILENO + 2, ~0U, 0) < 0)
		_exit(EXIT_FAILURE);
	to = fdopen(STDERR_FILENO + 1, "w");
	_exit(to && status_report_write(report, to) ? EXIT_SUCCESS : EXIT_FAILURE);
}

static void child_ended(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct status_reader *r = container_of(watch, struct status_reader, child);

	(void)events;
	if (watch->fd < 0)
		return;
	loop_unwatch(loop, watch);
	close(watch->fd);
	watch->fd = -1;
	(void)waitpid(r->pid, NULL, 0);
}

static void serve_reader(struct status_socket *s, struct status_reader *r)
{
	r->pid = fork();
	if (r->pid == 0)
		write_report(&s->report, r->fd);
	close(r->fd);
	r->fd = -1;
	if (r->pid < 0)
		return;
	r->child.fd = (int)syscall(SYS_pidfd_open, r->pid, 0);
	if (r->child.fd >= 0 && loop_watch(s->loop, &r->child, EPOLLIN) == 0)
		return;
	(void)kill(r->pid, SIGKILL);
	(void)waitpid(r->pid, NULL, 0);
	if (r->child.fd >= 0)
		close(r->child.fd);
	r->child.fd = -1;
}

static void settled(struct loop *loop, struct timer *timer)
{
	struct status_socket *s = container_of(timer, struct status_socket, settle);

	(void)loop;
	for (size_t k = 0; k < STATUS_READERS_MAX; k++) {
		if (s->readers[k].fd >= 0)
			serve_reader(s, &s->readers[k]);
	}
}

static void ask_workers(const struct team *team)
{
	const struct message message = {.kind = MESSAGE_COUNT};

	for (const struct member *m = team->first; m; m = m->next) {
		if (m->channel.fd >= 0)
			(void)message_send(m->channel.fd, &message, -1);
	}
}

static struct status_reader *free_reader(struct status_socket *s)
{
	for (size_t k = 0; k < STATUS_READERS_MAX; k++) {
		if (s->readers[k].fd < 0 && s->readers[k].child.fd < 0)
			return &s->readers[k];
	}
	return NULL;
}

/* One reader too many gets nothing. */
static void listener_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct status_socket *s = container_of(watch, struct status_socket, listener);
	int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC);
	struct status_reader *r = free_reader(s);

	(void)events;
	if (fd < 0)
		return;
	if (!r) {
		close(fd);
		return;
	}
	r->fd = fd;
	ask_workers(s->team);
	timer_set(loop, &s->settle, now_usec() + SETTLE_USEC);
}

int status_socket_open(struct status_socket *s, struct loop *loop, struct team *team, int fd, struct error *err)
{
	if (fd >= 0)
		(void)listen_make_private(fd);
	s->listener = (struct watch){.ready = listener_ready, .fd = fd};
	s->loop = loop;
	s->team = team;
	for (size_t k = 0; k < STATUS_READERS_MAX; k++)
		s->readers[k] = (struct status_reader){.child = {.ready = child_ended, .fd = -1}, .fd = -1};
	timer_add(loop, &s->settle, settled);
	if (fd >= 0 && loop_watch(loop, &s->listener, EPOLLIN) < 0)
		return error_errno(err, errno, "cannot watch the socket of 'sockwake router status'");
	return 0;
}

bool status_socket_is_busy(const struct status_socket *s)
{
	for (size_t k = 0; k < STATUS_READERS_MAX; k++) {
		if (s->readers[k].fd >= 0 || s->readers[k].child.fd >= 0)
			return true;
	}
	return false;
}
