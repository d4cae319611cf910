/* api ping SOCKET N        asks the engine behind a Unix socket N times for _ping, over a connection each and then over one;
 *                          prints the median microseconds of both
 * api tail SOCKET N        the same over a connection each; prints the 99th percentile, in microseconds
 * api crowd SOCKET N       begins N connections, each as soon as the one before has an answer, whatever that says
 * api load SOCKET PATH     reads the answer to one request; prints megabytes a second */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static double now_usec(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int connected(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "%s", path);
	return fd;
}

static bool is_answered(int fd, char answer[static 4096])
{
	static const char request[] = "GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n";
	ssize_t n = send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL);

	n = n < 0 ? -1 : read(fd, answer, 4095);
	answer[n < 0 ? 0 : n] = '\0';
	return strncmp(answer, "HTTP/1.1 200", 12) == 0;
}

static void ping(int fd)
{
	char answer[4096];

	if (!is_answered(fd, answer))
		errx(1, "answered: %s", answer);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double percentile(double *values, size_t n, unsigned percent)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n * percent / 100];
}

/* Microseconds of each of n connections and their first answers; the caller frees them. */
static double *measure_each(const char *path, size_t n)
{
	double *values = calloc(n, sizeof(*values));

	if (!values)
		err(1, NULL);
	for (size_t i = 0; i < n; i++) {
		double began = now_usec();
		int fd = connected(path);

		ping(fd);
		values[i] = now_usec() - began;
		close(fd);
	}
	return values;
}

static void measure_tail(const char *path, size_t n)
{
	double *values = measure_each(path, n);

	printf("%.1f\n", percentile(values, n, 99));
	free(values);
}

static void crowd(const char *path, size_t n)
{
	char answer[4096];

	for (size_t i = 0; i < n; i++) {
		int fd = connected(path);

		(void)is_answered(fd, answer);
		close(fd);
	}
}

static void measure_pings(const char *path, size_t n)
{
	double *values = measure_each(path, n), each = percentile(values, n, 50);
	int fd = connected(path);

	for (size_t i = 0; i < n; i++) {
		double began = now_usec();

		ping(fd);
		values[i] = now_usec() - began;
	}
	printf("%.1f %.1f\n", each, percentile(values, n, 50));
	free(values);
}

static void measure_load(const char *path, const char *what)
{
	static char buffer[1 << 18];
	double began = now_usec();
	size_t total = 0;
	int fd = connected(path);
	ssize_t n;

	if (dprintf(fd, "GET %s HTTP/1.0\r\nHost: docker\r\n\r\n", what) < 0)
		err(1, "write");
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		total += (size_t)n;
	if (n < 0)
		err(1, "read");
	printf("%.0f\n", (double)total / (now_usec() - began));
}

int main(int argc, char **argv)
{
	if (argc != 4)
		errx(2, "usage: api ping|tail|crowd SOCKET N | api load SOCKET PATH");
	if (strcmp(argv[1], "ping") == 0)
		measure_pings(argv[2], (size_t)atol(argv[3]));
	else if (strcmp(argv[1], "tail") == 0)
		measure_tail(argv[2], (size_t)atol(argv[3]));
	else if (strcmp(argv[1], "crowd") == 0)
		crowd(argv[2], (size_t)atol(argv[3]));
	else
		measure_load(argv[2], argv[3]);
	return 0;
}
