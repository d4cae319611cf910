/* Any bytes as an engine's answers, over its socket: requests end, and an error is one printable line. The first byte
 * chooses engine and request; lines "====" separate the answers, one for each request, after which the connection ends.
 *
 * floor: 320 */
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/backend.h"
#include "backends/engine.h"
#include "backends/make.h"
#include "common/clock.h"
#include "common/parse.h"
#include "tests/fuzz/fuzz.h"

#define DIVIDER "\n====\n"
#define LAST	"no more" /* sent by the fuzz target itself */

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int listener = -1;

struct answers {
	const char *text;
	size_t len;
};

static void listen_anywhere(void)
{
	const char *directory = getenv("TMPDIR");

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/engine-%d", directory ? directory : "/tmp", getpid());
	(void)unlink(address.sun_path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
	CHECK(listen(listener, 64) == 0);
}

static void answer(int fd, struct answers *a)
{
	const char *end = memmem(a->text, a->len, DIVIDER, strlen(DIVIDER));
	size_t len = end ? (size_t)(end - a->text) : a->len, next = end ? len + strlen(DIVIDER) : a->len;
	char request[16384];

	for (size_t done = 0; done < len;) {
		ssize_t n = send(fd, a->text + done, len - done, MSG_NOSIGNAL);

		if (n < 0)
			break;
		done += (size_t)n;
	}
	a->text += next;
	a->len -= next;
	(void)shutdown(fd, SHUT_WR);
	while (recv(fd, request, sizeof(request), 0) > 0)
		;
}

static void *serve(void *data)
{
	char request[16384];

	for (;;) {
		_cleanup_close_ int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		ssize_t n;

		CHECK(fd >= 0);
		n = recv(fd, request, sizeof(request), 0);
		if (n == (ssize_t)strlen(LAST) && memcmp(request, LAST, (size_t)n) == 0)
			return NULL;
		if (n > 0)
			answer(fd, data);
	}
}

static void stop_serving(pthread_t thread)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	CHECK(send(fd, LAST, strlen(LAST), MSG_NOSIGNAL) == (ssize_t)strlen(LAST));
	CHECK(pthread_join(thread, NULL) == 0);
}

static bool take_log(void *data, int stream, const char *text, size_t len)
{
	size_t *left = data;

	CHECK(stream == STDOUT_FILENO || stream == STDERR_FILENO);
	CHECK(memchr(text, '\0', len) || true); /* all of it must be readable */
	*left -= len < *left ? len : *left;
	return *left > 0;
}

static int check_health(struct engine *e, struct error *err)
{
	_cleanup_container_ struct container c = {};
	enum health health;

	if (e->backend->inspect(e, "pg", &c, err) < 0)
		return -1;
	return e->backend->check_health(e, &c, &health, err);
}

static int request(struct engine *e, unsigned kind, struct error *err)
{
	_cleanup_container_list_ struct container_list all = {};
	_cleanup_container_ struct container c = {};
	_cleanup_image_ struct image image = {};
	enum start_result started;
	enum stop_result stopped;
	size_t left = 4096;
	bool has;

	switch (kind % 10) {
	case 0:
		return e->backend->inspect(e, "pg", &c, err);
	case 1:
		return e->backend->list(e, &all, err);
	case 2:
		return e->backend->start(e, "pg", &started, err);
	case 3:
		return e->backend->stop(e, "pg", 1, &stopped, err);
	case 4:
		return e->backend->pause(e, "pg", err);
	case 5:
		return e->backend->unpause(e, "pg", err);
	case 6:
		return check_health(e, err);
	case 7:
		return e->backend->logs(e, "pg", &(struct log_options){.tail = 2}, take_log, &left, err);
	case 8:
		return engine_find_image(e, "localhost/servers", &image, err);
	default:
		return engine_has_quadlet(e, &has, err);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_engine_ struct engine *e = NULL;
	struct error err = {};
	struct answers answers;
	pthread_t thread;
	int r;

	if (size < 1)
		return 0;
	if (listener < 0)
		listen_anywhere();
	answers = (struct answers){(const char *)data + 1, size - 1};
	CHECK(pthread_create(&thread, NULL, serve, &answers) == 0);
	CHECK(engine_open(data[0] & 0x10 ? BACKEND_PODMAN : BACKEND_DOCKER, SCOPE_SYSTEM, address.sun_path, &e, &err) ==
	      0);
	e->deadline = now_usec() + 2 * USEC_PER_SEC;
	r = request(e, data[0] & 0x0f, &err);
	CHECK(r == 0 || (err.text[0] && text_is_printable(err.text)));
	engine_close(&e);
	stop_serving(thread);
	return 0;
}
