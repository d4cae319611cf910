/* A service that does nothing but answer: one byte to every client in the queue of the socket that systemd handed over,
 * then it is done. What it costs to have it started is what socket activation itself costs. */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTENER 3 /* SD_LISTEN_FDS_START, sd_listen_fds(3) */

int main(void)
{
	struct pollfd listener = {.fd = LISTENER, .events = POLLIN};

	do {
		int client = accept4(LISTENER, NULL, NULL, SOCK_CLOEXEC);

		if (client < 0 || write(client, "!", 1) != 1)
			return 1;
		close(client);
	} while (poll(&listener, 1, 0) > 0);
	return 0;
}
