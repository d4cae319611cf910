#include "handover/refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "handover/channel.h"
#include "handover/exit.h"
#include "handover/listen.h"

/* A hostile client could go on connecting for ever; clients beyond this number wait for the next activation. */
#define REFUSE_MAX 100000

static const char *signalled_program;

int refuse_accept(int listener)
{
	static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
		close(STDIN_FILENO); /* the lowest number: whatever the limit is, it can be used again */
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			refuse_close(STDIN_FILENO);
	}
	if (fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return fd;
}

void refuse_close(int fd)
{
	int before = errno;

	close(fd);
	if (fd == STDIN_FILENO)
		(void)open("/dev/null", O_RDONLY);
	errno = before;
}

static void refuse_stream(int listener)
{
	for (int left = REFUSE_MAX; left; left--) {
		int fd = refuse_accept(listener);

		if (fd >= 0)
			refuse_close(fd);
		else if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}

static void refuse_datagrams(int fd)
{
	char byte;

	for (int left = REFUSE_MAX; left && recv(fd, &byte, 0, MSG_DONTWAIT) >= 0;)
		left--;
}

void refuse_listeners(int count)
{
	for (int fd = LISTEN_FDS_START; fd < LISTEN_FDS_START + count; fd++) {
		int listening = 0, type = 0;
		socklen_t len = sizeof(listening);

		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0)
			continue;
		/* Without NonBlocking=yes in the unit the last accept4() would hang. */
		(void)fcntl(fd, F_SETFL, O_NONBLOCK);
		len = sizeof(type);
		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
			continue;
		if (listening)
			refuse_stream(fd);
		else if (type == SOCK_DGRAM)
			refuse_datagrams(fd);
	}
}

int refuse_queue(const struct error *err)
{
	_cleanup_close_ int notify = -1;
	int keeper = channel_inherited();
	struct error ignored;
	int count;

	refuse_on_signal(NULL);
	if (keeper >= 0) {
		notify_send(keeper, "FAILED=%s", err->text);
		return EXIT_REFUSED;
	}
	log_line(LOG_ERR, "%s", err->text);
	if (notify_connect(&notify, &ignored) == 0)
		notify_send(notify, "STATUS=%s", err->text);
	if (listen_fds(&count, &ignored) == 0)
		refuse_listeners(count);
	log_settle();
	return EXIT_REFUSED;
}

/* The functions that it calls neither allocate nor take locks (vsnprintf() of plain strings and integers, getenv() of
 * an environment that is complete by then), so it is safe at any time. */
static void on_signal(int sig)
{
	struct error err;

	error_set(&err, EINTR,
		  "%s was told to stop (signal %d) before the container was ready; waiting clients were refused",
		  signalled_program, sig);
	_exit(refuse_queue(&err));
}

void refuse_on_signal(const char *who)
{
	struct sigaction sa = {.sa_handler = who ? on_signal : SIG_DFL};

	signalled_program = who;
	sigfillset(&sa.sa_mask);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
}
