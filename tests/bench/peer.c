/* peer serve PORT          echoes UDP datagrams; keeps TCP connections for as long as their clients do, silent after a
 *                          byte that says that they have arrived
 * peer ping PORT SECONDS   sends 64 bytes to 127.0.0.1, waits for them to come back, and so on; prints round trips a
 *                          second, the 99th percentile in microseconds, and how many did not come back within 0.2 s */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define PAYLOAD	  64
#define TRIPS_MAX (4U << 20)
#define PATIENCE  200000 /* microseconds */

static struct sockaddr_in address(uint32_t host, const char *port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)),
		.sin_addr.s_addr = htonl(host),
	};
}

static int serving(int type, const char *port)
{
	struct sockaddr_in any = address(INADDR_ANY, port);
	int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
	const int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 || (type == SOCK_STREAM && listen(fd, 4096) < 0))
		err(1, "port %s", port);
	return fd;
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		err(1, "epoll_ctl");
}

static void echo(int fd)
{
	struct sockaddr_storage from;
	char data[65536];

	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &len);

		if (n < 0)
			return;
		(void)sendto(fd, data, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
}

static void keep(int epoll, int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		if (write(fd, "!", 1) != 1)
			close(fd);
		else
			watch(epoll, fd);
	}
}

_Noreturn static void serve(const char *port)
{
	int datagrams = serving(SOCK_DGRAM, port), listener = serving(SOCK_STREAM, port), epoll = epoll_create1(0);
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	watch(epoll, datagrams);
	watch(epoll, listener);
	for (;;) {
		struct epoll_event event;
		char ignored[512];

		if (epoll_wait(epoll, &event, 1, -1) < 0)
			continue;
		if (event.data.fd == datagrams)
			echo(datagrams);
		else if (event.data.fd == listener)
			keep(epoll, listener);
		else if (read(event.data.fd, ignored, sizeof(ignored)) <= 0)
			close(event.data.fd);
	}
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Answers that come too late are of an earlier number and are passed over. */
static int is_answered(int fd, uint32_t number)
{
	uint32_t data[PAYLOAD / sizeof(uint32_t)] = {number};

	if (send(fd, data, sizeof(data), 0) != sizeof(data))
		return 0;
	do {
		if (recv(fd, data, sizeof(data), 0) != sizeof(data))
			return 0;
	} while (data[0] != number);
	return 1;
}

static int ping(const char *port, double seconds)
{
	struct sockaddr_in to = address(INADDR_LOOPBACK, port);
	const struct timeval patience = {.tv_usec = PATIENCE};
	uint32_t *trips = malloc(TRIPS_MAX * sizeof(*trips));
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint32_t n = 0, lost = 0;
	uint64_t began, end, took;

	if (!trips || fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		err(1, "port %s", port);
	began = now();
	end = began + (uint64_t)(seconds * 1e9);
	for (uint64_t sent = began, back; sent < end && n < TRIPS_MAX; sent = back) {
		int answered = is_answered(fd, n + lost);

		back = now();
		if (answered)
			trips[n++] = (uint32_t)(back - sent);
		else
			lost++;
	}
	took = now() - began;
	if (n == 0)
		errx(1, "port %s: no answer", port);
	qsort(trips, n, sizeof(*trips), ascending);
	printf("%.1f %.1f %u\n", n * 1e9 / (double)took, trips[(uint64_t)n * 99 / 100] / 1e3, lost);
	return 0;
}

int main(int argc, char *argv[])
{
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve(argv[2]);
	if (argc == 4 && strcmp(argv[1], "ping") == 0)
		return ping(argv[2], atof(argv[3]));
	errx(2, "usage: peer serve PORT | peer ping PORT SECONDS");
}
