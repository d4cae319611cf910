/* relay/pump.c, when memory is short or a write fails: with --proxy-protocol no byte of a client's own reaches the
 * server in front of the header. The worker runs in this process, around calls that fail when they are told to. */
#include "tests/unit/proxy_fixture.h"

#include "proxy/options.h"
#include "relay/accept.h"
#include "relay/pump.h"
#include "relay/worker_loop.h"

static bool no_memory;
static int write_error; /* of the next write */

static void *short_malloc(size_t size)
{
	return no_memory ? NULL : malloc(size);
}

static ssize_t failing_write(int fd, const void *data, size_t len)
{
	if (write_error) {
		errno = write_error;
		write_error = 0;
		return -1;
	}
	return write(fd, data, len);
}

#define malloc short_malloc
#define write  failing_write
#include "relay/pump.c"
#undef malloc
#undef write

#define SPOOFED "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nthe client's own"

struct scene {
	struct relay_config config;
	struct service service;
	struct worker worker;
	struct forward forward;
	struct target target;
	struct timer end;
	int server, client;
};

static void time_is_up(struct loop *loop, struct timer *timer)
{
	(void)timer;
	loop->stop = true;
}

static void turn_loop(struct scene *s)
{
	struct error err;

	s->worker.loop.stop = false;
	timer_set(&s->worker.loop, &s->end, now_usec() + 100 * USEC_PER_MSEC);
	assert_int_equal(loop_run(&s->worker.loop, &err), 0);
}

/* A client that has spoken, accepted by the worker. */
static void start(struct scene *s)
{
	static const struct publish tcp = {.type = SOCK_STREAM};
	struct sockaddr_in *address = (struct sockaddr_in *)&s->target.addr;
	int listener = bound(SOCK_STREAM);
	struct error err;
	int accepted;

	*s = (struct scene){.server = bound(SOCK_STREAM)};
	*address = loopback(port_of(s->server));
	s->target.len = sizeof(*address);
	s->config = (struct relay_config){.proxy_protocol = PROXY_PROTOCOL_V1,
					  .startup_timeout = USEC_INFINITY,
					  .connection_timeout = USEC_INFINITY};
	s->forward = (struct forward){
		.publish = &tcp, .fd = listener, .family = AF_INET, .targets = &s->target, .n_targets = 1};
	s->service = (struct service){.config = &s->config, .n_workers = 1, .descriptors.free = 100};
	assert_int_equal(worker_init(&s->worker, &s->service, 0, &err), 0);
	timer_add(&s->worker.loop, &s->end, time_is_up);

	s->client = connect_to(SOCK_STREAM, port_of(listener));
	send_text(s->client, SPOOFED);
	accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	close(listener);
	accept_serve(&s->worker, &s->forward, accepted);
}

static void end(struct scene *s)
{
	struct connection *slab;

	worker_finish(&s->worker);
	connection_reap(&s->worker);
	slab = s->worker.free; /* the one there is begins with the first of them */
	for (struct connection *c = slab; c; c = c->next)
		slab = c < slab ? c : slab;
	free(slab);
	loop_close(&s->worker.loop);
	free(s->worker.buffer);
	close(s->client);
	close(s->server);
}

/* What the server received, which ends with "" after a reset. */
static size_t received(struct scene *s, char *ret, size_t size)
{
	int fd = accept_from(s->server);
	ssize_t n = 0;

	memset(ret, 0, size);
	if (wait_readable(fd) == 1)
		n = recv(fd, ret, size - 1, 0);
	close(fd);
	return n > 0 ? (size_t)n : 0;
}

static void header_comes_first(void **state)
{
	char text[512], expected[128];
	struct scene s;

	(void)state;
	start(&s);
	turn_loop(&s);
	snprintf(expected, sizeof(expected), "PROXY TCP4 127.0.0.1 127.0.0.1 %u ", port_of(s.client));
	assert_true(received(&s, text, sizeof(text)) > 0);
	assert_memory_equal(text, expected, strlen(expected));
	assert_non_null(strstr(text, "\r\nPROXY TCP4 10.0.0.1"));
	end(&s);
}

static void without_memory_the_header_still_comes_first(void **state)
{
	char text[512], expected[128];
	struct scene s;
	size_t n;

	(void)state;
	start(&s);
	no_memory = true;
	turn_loop(&s);
	no_memory = false;
	snprintf(expected, sizeof(expected), "PROXY TCP4 127.0.0.1 127.0.0.1 %u ", port_of(s.client));
	n = received(&s, text, sizeof(text));
	assert_true(n == 0 || strncmp(text, expected, strlen(expected)) == 0);
	end(&s);
}

static void nothing_is_sent_without_the_header(void **state)
{
	static const int errors[] = {ENOBUFS, ENOMEM, EAGAIN, EPIPE, ECONNRESET, EIO};
	char text[512];
	struct scene s;

	(void)state;
	for (size_t k = 0; k < sizeof(errors) / sizeof(*errors); k++) {
		start(&s);
		write_error = errors[k];
		turn_loop(&s);
		assert_int_equal(write_error, 0);
		assert_int_equal(received(&s, text, sizeof(text)), 0);
		assert_int_equal(next_end(s.client), ECONNRESET);
		assert_null(s.worker.all);
		end(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_comes_first),
		cmocka_unit_test(without_memory_the_header_still_comes_first),
		cmocka_unit_test(nothing_is_sent_without_the_header),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
