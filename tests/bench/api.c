/* api ping SOCKET N        asks the engine behind a Unix socket N times for _ping, over a connection each and then over one;
 *                          prints the median microseconds of both
 * api load SOCKET PATH     reads the answer to one request; prints megabytes a second */
#include <err.h>
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

static void ping(int fd)
{
	static const char request[] = "GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n";
	char answer[4096];
	ssize_t n;

	if (write(fd, request, sizeof(request) - 1) != sizeof(request) - 1)
		err(1, "write");
	n = read(fd, answer, sizeof(answer) - 1);
	answer[n < 0 ? 0 : n] = '\0';
	if (strncmp(answer, "HTTP/1.1 200", 12) != 0)
		errx(1, "answered: %s", answer);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

static void measure_pings(const char *path, size_t n)
{
	double *values = calloc(n, sizeof(*values)), each;
	int fd;

	if (!values)
		err(1, NULL);
	for (size_t i = 0; i < n; i++) {
		double began = now_usec();

		fd = connected(path);
		ping(fd);
		values[i] = now_usec() - began;
		close(fd);
	}
	each = median(values, n);
	fd = connected(path);
	for (size_t i = 0; i < n; i++) {
		double began = now_usec();

		ping(fd);
		values[i] = now_usec() - began;
	}
	printf("%.1f %.1f\n", each, median(values, n));
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
		errx(2, "usage: api ping SOCKET N | api load SOCKET PATH");
	if (strcmp(argv[1], "ping") == 0)
		measure_pings(argv[2], (size_t)atol(argv[3]));
	else
		measure_load(argv[2], argv[3]);
	return 0;
}
