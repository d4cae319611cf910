/* Unix sockets on both sides: streams, and packets whose boundaries stay. */
#include "tests/unit/proxy_fixture.h"

struct unix_test {
	struct proxy_run p;
	char directory[64];
	int server, client, target, root;
};

static struct sockaddr_un address(const struct unix_test *t, const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "%.60s/%s", t->directory, name);
	return a;
}

static int listen_on(const struct unix_test *t, const char *name, int type)
{
	struct sockaddr_un a = address(t, name);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 10), 0);
	return fd;
}

static void start(struct unix_test *t, int type)
{
	struct sockaddr_un a;

	strcpy(t->directory, "/tmp/proxy-unix-XXXXXX");
	assert_non_null(mkdtemp(t->directory));
	proxy_init(&t->p);
	free(t->p.args[2]);
	t->p.args[2] = strdup("unix:/in.sock");
	t->server = listen_on(t, "in.sock", type);
	t->p.sockets[t->p.n_sockets++] = listen_on(t, "out.sock", type);
	proxy_arg(&t->p, "--forward");
	proxy_arg(&t->p, "%s/out.sock:0%s", t->directory, type == SOCK_SEQPACKET ? "/seqpacket" : "");
	/* The check of a Unix socket is a connection, which would be the first to be accepted. */
	proxy_arg(&t->p, "--health-check");
	proxy_arg(&t->p, "none");
	t->root = open(t->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	t->p.inherited = t->root;
	t->p.environment[0] = "SOCKWAKE_ROOT_FD=50";
	proxy_start(&t->p);
	t->client = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	a = address(t, "out.sock");
	assert_int_equal(connect(t->client, (struct sockaddr *)&a, sizeof(a)), 0);
	t->target = accept_from(t->server);
}

static void end(struct unix_test *t)
{
	char path[sizeof(t->directory) + 16];

	close(t->client);
	close(t->target);
	close(t->server);
	close(t->root);
	assert_int_equal(proxy_stop(&t->p), 0);
	snprintf(path, sizeof(path), "%s/in.sock", t->directory);
	unlink(path);
	snprintf(path, sizeof(path), "%s/out.sock", t->directory);
	unlink(path);
	rmdir(t->directory);
}

static void stream(void **state)
{
	struct unix_test t;

	(void)state;
	start(&t, SOCK_STREAM);
	send_text(t.client, "question");
	shutdown(t.client, SHUT_WR);
	expect_text(t.target, "question");
	assert_int_equal(next_end(t.target), 0);
	send_text(t.target, "answer");
	close(t.target);
	t.target = -1;
	expect_text(t.client, "answer");
	assert_int_equal(next_end(t.client), 0);
	end(&t);
}

/* A receive stops behind passed descriptors; what follows must not be forgotten. */
static void stream_with_descriptors(void **state)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = (char[]){"with "}, .iov_len = 5};
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	struct unix_test t;

	(void)state;
	start(&t, SOCK_STREAM);
	control.header =
		(struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
	memcpy(CMSG_DATA(&control.header), &t.client, sizeof(int));
	kill(t.p.pid, SIGSTOP);
	assert_int_equal(sendmsg(t.client, &msg, 0), 5);
	send_text(t.client, "more");
	shutdown(t.client, SHUT_WR);
	kill(t.p.pid, SIGCONT);
	expect_text(t.target, "with more");
	assert_int_equal(next_end(t.target), 0);
	end(&t);
}

static void expect_packet(int fd, const char *data, size_t len)
{
	static char buffer[200000];

	assert_int_equal(wait_readable(fd), 1);
	assert_int_equal(recv(fd, buffer, sizeof(buffer), 0), len);
	assert_memory_equal(buffer, data, len);
}

static void packets(void **state)
{
	static char large[150000];
	struct unix_test t;

	(void)state;
	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (char)(i * 13);
	start(&t, SOCK_SEQPACKET);
	for (int i = 0; i < 10; i++) {
		send_text(t.client, "one");
		assert_int_equal(send(t.client, "", 0, 0), 0);
		send_text(t.client, "three");
		assert_int_equal(send(t.client, large, sizeof(large), 0), sizeof(large));
		expect_packet(t.target, "one", 3);
		expect_packet(t.target, "", 0);
		expect_packet(t.target, "three", 5);
		expect_packet(t.target, large, sizeof(large));
	}
	/* More than both queues hold: some are held by the proxy, and one of them is empty. */
	fcntl(t.target, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 4000; i++)
		assert_true(send(t.target, "back", i % 5, MSG_DONTWAIT) >= 0 || errno == EAGAIN);
	for (int i = 0; i < 5; i++)
		expect_packet(t.client, "back", (size_t)i % 5);
	send_text(t.client, "last");
	shutdown(t.client, SHUT_WR);
	fcntl(t.target, F_SETFL, 0);
	expect_packet(t.target, "last", 4);
	assert_int_equal(next_end(t.target), 0);
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stream),
		cmocka_unit_test(stream_with_descriptors),
		cmocka_unit_test(packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
