#include "router/system.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "router/guests.h"

struct system_worker {
	struct guests guests;
	struct sockaddr_un address;
};

static int connect_system(struct guests *g, int client, bool contained, char ret_engine[static 16], struct error *err)
{
	const struct system_worker *s = container_of(g, struct system_worker, guests);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)client;
	(void)contained;
	if (fd < 0)
		return error_errno(err, errno, "cannot open a socket");
	if (connect(fd, (const struct sockaddr *)&s->address, sizeof(s->address)) == 0) {
		(void)snprintf(ret_engine, 16, "system");
		return steal_fd(&fd);
	}
	if (errno == EAGAIN)
		return error_errno(err, EAGAIN, "its queue is full");
	return error_set(err, EHOSTDOWN, "the system's engine does not answer at %s (%s): sudo sockwake router status",
			 s->address.sun_path, strerror(errno));
}

static void start_nothing(struct guests *g)
{
	(void)g;
}

static void told_nothing(struct guests *g, const struct message *m)
{
	(void)g;
	(void)m;
}

int system_run(int channel, const char *engine_socket, uint64_t idle_timeout, struct error *err)
{
	static struct system_worker s = {
		.guests = {.connect = connect_system, .start = start_nothing, .told = told_nothing},
		.address = {.sun_family = AF_UNIX},
	};

	if (strlen(engine_socket) >= sizeof(s.address.sun_path))
		return error_set(err, ENAMETOOLONG, "the path '%s' is too long for a socket", engine_socket);
	(void)snprintf(s.address.sun_path, sizeof(s.address.sun_path), "%s", engine_socket);
	return guests_open(&s.guests, channel, idle_timeout, err) < 0 ? -1 : guests_run(&s.guests, err);
}
