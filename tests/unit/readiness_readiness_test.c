/* readiness/readiness.h: what listens, temporary servers, the container's end, and what waiting costs. */
#include "tests/unit/readiness_fixture.h"

#include "readiness/probes.h"

/* --- listen --- */

static void listens_late(int fd)
{
	usleep(50000);
	listen(fd, 8);
	pause();
}

static void test_listen(void **state)
{
	uint64_t began = now_usec(), took;

	(void)state;
	expect_ready("listen", listens_late);
	took = now_usec() - began;
	assert_true(took >= 50000);
	expect_timeout("listen", never_listens, "nothing listens on port 5432");
}

static enum socket_found look(int type, struct target t)
{
	struct error err;
	_cleanup_close_ int diag = sock_diag_open(type, &err);

	assert_true(diag >= 0);
	t = target_with_port(&t, PORT);
	return sock_diag_look(diag, type, &t);
}

static void expect_reachable(int type, struct target server, int v6only, bool by_ipv4, bool by_ipv6)
{
	_cleanup_close_ int fd = socket(server.addr.ss_family, type | SOCK_CLOEXEC, 0);

	server = target_with_port(&server, PORT);
	if (server.addr.ss_family == AF_INET6)
		assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&server.addr, server.len), 0);
	if (type == SOCK_STREAM) {
		assert_int_equal(look(type, server), SOCKET_NONE);
		assert_int_equal(listen(fd, 1), 0);
	}
	assert_int_equal(look(type, ipv4("127.0.0.1")), by_ipv4 ? SOCKET_LISTENS : SOCKET_NONE);
	assert_int_equal(look(type, ipv6("::1")), by_ipv6 ? SOCKET_LISTENS : SOCKET_NONE);
}

static void test_reachable_addresses(void **state)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};

	(void)state;
	for (int i = 0; i < 2; i++) {
		expect_reachable(types[i], ipv4("0.0.0.0"), 0, true, false);
		expect_reachable(types[i], ipv4("127.0.0.1"), 0, true, false);
		expect_reachable(types[i], ipv4("127.0.0.2"), 0, false, false);
		expect_reachable(types[i], ipv6("::"), 0, true, true);
		expect_reachable(types[i], ipv6("::"), 1, false, true);
		expect_reachable(types[i], ipv6("::1"), 1, false, true);
		assert_int_equal(look(types[i], ipv4("127.0.0.1")), SOCKET_NONE);
	}
}

static void test_udp(void **state)
{
	struct error err;
	int fd;

	(void)state;
	assert_int_equal(wait_for("listen", SOCK_DGRAM, SECOND / 20, -1, &err), -1);
	assert_non_null(strstr(err.text, "/udp"));
	fd = bound(SOCK_DGRAM, ipv6("::1"));
	assert_int_equal(wait_for("listen", SOCK_DGRAM, SECOND, -1, &err), 0);
	assert_int_equal(wait_for("redis", SOCK_DGRAM, SECOND, -1, &err), -1);
	close(fd);
}

/* With the host's network our own listening socket is there, too. */
static void test_own_sockets_do_not_count(void **state)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct target targets[] = {ipv4("127.0.0.1"), ipv4("127.0.0.2"), ipv6("::1")};
		int fd = bound(types[i], ipv4("127.0.0.2")), saved = fcntl(3, F_DUPFD_CLOEXEC, 100), other;
		struct readiness r = {.kind = READY_LISTEN};
		struct error err;
		char pid[16];

		if (types[i] == SOCK_STREAM)
			assert_int_equal(listen(fd, 1), 0);
		if (fd != 3) {
			assert_int_equal(dup2(fd, 3), 3);
			close(fd);
		}
		assert_int_equal(look(types[i], ipv4("127.0.0.2")), SOCKET_LISTENS);
		snprintf(pid, sizeof(pid), "%d", getpid());
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", "1", 1);
		assert_int_equal(look(types[i], ipv4("127.0.0.2")), SOCKET_OURS);
		assert_int_equal(readiness_wait(&r, types[i], PORT, targets, 2, now_usec() + SECOND / 20, -1, &err),
				 -1);
		assert_non_null(strstr(err.text, "belongs to this service itself"));
		/* A server on another address is the container's. */
		other = bound(types[i], ipv4("127.0.0.1"));
		if (types[i] == SOCK_STREAM)
			assert_int_equal(listen(other, 1), 0);
		assert_int_equal(readiness_wait(&r, types[i], PORT, targets, 2, now_usec() + SECOND, -1, &err), 0);
		assert_int_equal(targets_without_ours(targets, 3, types[i], PORT), 2);
		assert_memory_equal(&targets[1], &(struct target[]){ipv6("::1")}, sizeof(struct target));
		unsetenv("LISTEN_PID");
		unsetenv("LISTEN_FDS");
		close(other);
		close(3);
		if (saved >= 0)
			assert_int_equal(dup2(saved, 3), 3);
	}
}

/* --- temporary servers --- */

static void listen_on(const char *address)
{
	assert_int_equal(listen(bound(SOCK_STREAM, strchr(address, ':') ? ipv6(address) : ipv4(address)), 8), 0);
}

/* First on loopback alone, and then, after a while without any, for good. */
static void initialises(int fd)
{
	pid_t pid;

	close(fd);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		listen_on("127.0.0.1");
		listen_on("::1");
		usleep(300000);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	usleep(100000);
	listen_on("0.0.0.0");
	pause();
}

static void loopback_alone(int fd)
{
	listen(fd, 8);
	pause();
}

static void everywhere(int fd)
{
	close(fd);
	listen_on("::");
	pause();
}

static uint64_t watched(void (*body)(int fd), uint64_t span, uint64_t patience, struct readiness_seen *seen)
{
	struct target targets[] = {ipv4("127.0.0.1"), ipv6("::1")};
	struct readiness r = {.kind = READY_LISTEN, .loopback_usec = span, .seen = seen};
	uint64_t began = now_usec();
	pid_t pid = serve(body);
	struct error err;

	*seen = (struct readiness_seen){};
	if (readiness_wait(&r, SOCK_STREAM, PORT, targets, 2, began + patience, -1, &err) < 0)
		fail_msg("%s", err.text);
	end(pid);
	return now_usec() - began;
}

static void test_temporary_servers(void **state)
{
	struct readiness_seen seen;

	(void)state;
	assert_in_range(watched(initialises, SECOND, 20 * SECOND, &seen), 400000, 5 * SECOND);
	assert_false(seen.loopback || seen.stayed);
	assert_in_range(watched(loopback_alone, SECOND / 2, 20 * SECOND, &seen), SECOND / 2, 5 * SECOND);
	assert_true(seen.loopback && seen.stayed);
	/* half of its time at most */
	assert_in_range(watched(loopback_alone, 20 * SECOND, SECOND, &seen), SECOND / 3, SECOND);
	assert_true(seen.loopback && seen.stayed);
	/* not asked for */
	assert_in_range(watched(loopback_alone, 0, 20 * SECOND, &seen), 0, SECOND / 2);
	assert_true(seen.loopback && !seen.stayed);
	assert_in_range(watched(everywhere, 20 * SECOND, 20 * SECOND, &seen), 0, SECOND);
	assert_false(seen.loopback || seen.stayed);
}

/* --- the container's end --- */

static int pidfd_of(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	assert_true(fd >= 0);
	return fd;
}

static void dies_late(int fd)
{
	listen(fd, 8);
	usleep(30000);
}

static void test_container_ends(void **state)
{
	static const char *const kinds[] = {"listen", "postgres", "sleep 100", "none"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		pid_t pid = serve(dies_late);
		_cleanup_close_ int pidfd = pidfd_of(pid);
		uint64_t began = now_usec();
		struct error err;

		/* With these two it has to be over already. */
		if (i == 0 || i == 3)
			assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(wait_for(kinds[i], SOCK_STREAM, 10 * SECOND, pidfd, &err), -1);
		assert_int_equal(err.code, ESRCH);
		assert_non_null(strstr(err.text, "ended before it was ready"));
		assert_true(now_usec() - began < 5 * SECOND);
		if (i == 1 || i == 2)
			assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
}

/* --- words --- */

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		enum readiness_kind kind;
		const char *argument;
	} good[] = {
		{"listen", READY_LISTEN, "/"},
		{"postgres", READY_POSTGRES, "/"},
		{"redis", READY_REDIS, "/"},
		{"greeting", READY_GREETING, "/"},
		{"http", READY_HTTP, "/"},
		{"http:/", READY_HTTP, "/"},
		{"http:/a/b?c=%20", READY_HTTP, "/a/b?c=%20"},
		{"none", READY_NONE, "/"},
		{"pg_isready -p 1", READY_COMMAND, "pg_isready -p 1"},
		{"httpd -t", READY_COMMAND, "httpd -t"},
	};
	static const char *const bad[] = {"",	       "http:",		 "http:health",	  "http://localhost/",
					  "http:/a b", "http:/\r\nX: y", "http:/\xc3\xa4"};
	char path[2000] = "http:/";
	struct readiness r;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(readiness_parse(good[i].text, &r, &err), 0);
		assert_int_equal(r.kind, good[i].kind);
		assert_string_equal(r.argument, good[i].argument);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(readiness_parse(bad[i], &r, &err), -1);
	memset(path + 6, 'a', sizeof(path) - 7);
	for (size_t len = HTTP_PATH_MAX; len <= HTTP_PATH_MAX + 1; len++) {
		path[strlen("http:") + len] = '\0';
		assert_int_equal(readiness_parse(path, &r, &err), len == HTTP_PATH_MAX ? 0 : -1);
		path[strlen("http:") + len] = 'a';
	}
}

static void test_none(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(wait_for("none", SOCK_STREAM, 0, -1, &err), 0);
	assert_int_equal(wait_for("none", SOCK_DGRAM, 0, -1, &err), 0);
}

/* A minute of waiting shall cost next to nothing: here a twentieth of a second of CPU in half a second at most. */
static void test_waiting_is_cheap(void **state)
{
	struct rusage before, after;
	struct error err;
	long usec;

	(void)state;
	assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
	assert_int_equal(wait_for("postgres", SOCK_STREAM, SECOND / 2, -1, &err), -1);
	assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
	usec = (after.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_utime.tv_sec - before.ru_stime.tv_sec) *
		       1000000 +
	       after.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_utime.tv_usec - before.ru_stime.tv_usec;
	assert_true(usec < 50000);
}

static uint64_t pause_of(bool costly)
{
	struct patience p = {.started = now_usec() - 10 * USEC_PER_SEC, .deadline = USEC_INFINITY, .pidfd = -1};
	uint64_t before = now_usec();
	struct error err;

	assert_int_equal(patience_pause(&p, USEC_PER_MSEC, costly, &err), 0);
	return now_usec() - before;
}

static void test_costly_looks_are_rarer(void **state)
{
	(void)state;
	assert_in_range(pause_of(true), 250 * USEC_PER_MSEC, USEC_PER_SEC);
	assert_in_range(pause_of(false), 20 * USEC_PER_MSEC, 200 * USEC_PER_MSEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_temporary_servers),
		cmocka_unit_test(test_reachable_addresses),
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_own_sockets_do_not_count),
		cmocka_unit_test(test_container_ends),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_waiting_is_cheap),
		cmocka_unit_test(test_costly_looks_are_rarer),
	};

	return cmocka_run_group_tests(tests, own_network, NULL);
}
