/* readiness/readiness.h against small servers that misbehave in every way a starting container does. All of it in a network
 * namespace of its own (needs root), so that ports are free and nobody else answers. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "dial/patience.h"
#include "dial/sock_diag.h"
#include "readiness/readiness.h"

#define PORT   5432
#define SECOND USEC_PER_SEC

static int own_network(void **state)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	_cleanup_close_ int fd = -1;

	(void)state;
	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return ioctl(fd, SIOCSIFFLAGS, &request);
}

static struct target ipv4(const char *address)
{
	struct target t = {.len = sizeof(struct sockaddr_in)};
	struct sockaddr_in *sin = (struct sockaddr_in *)&t.addr;

	sin->sin_family = AF_INET;
	assert_int_equal(inet_pton(AF_INET, address, &sin->sin_addr), 1);
	return t;
}

static struct target ipv6(const char *address)
{
	struct target t = {.len = sizeof(struct sockaddr_in6)};
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&t.addr;

	sin6->sin6_family = AF_INET6;
	assert_int_equal(inet_pton(AF_INET6, address, &sin6->sin6_addr), 1);
	return t;
}

static int bound(int type, struct target t)
{
	int fd = socket(t.addr.ss_family, type | SOCK_CLOEXEC, 0), on = 1;

	t = target_with_port(&t, PORT);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&t.addr, t.len), 0);
	return fd;
}

/* The check of this kind on 127.0.0.1, for at most `patience` microseconds. */
static int wait_for(const char *kind, int type, uint64_t patience, int pidfd, struct error *err)
{
	struct target targets[] = {ipv4("127.0.0.1"), ipv6("::1")};
	struct readiness r;

	assert_int_equal(readiness_parse(kind, &r, err), 0);
	return readiness_wait(&r, type, PORT, targets, 2, now_usec() + patience, pidfd, err);
}

/* A server in a process of its own, on a socket that is bound but does not listen yet. */
static pid_t serve(void (*body)(int fd))
{
	int fd = bound(SOCK_STREAM, ipv4("127.0.0.1"));
	pid_t parent = getpid(), pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			body(fd);
		_exit(0);
	}
	close(fd);
	return pid;
}

static void end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void expect_ready(const char *kind, void (*body)(int fd))
{
	pid_t pid = serve(body);
	struct error err = {.text = ""};

	int r = wait_for(kind, SOCK_STREAM, 10 * SECOND, -1, &err);

	end(pid);
	if (r < 0)
		fail_msg("%s: %s", kind, err.text);
}

static void expect_timeout(const char *kind, void (*body)(int fd), const char *seen)
{
	pid_t pid = serve(body);
	uint64_t began = now_usec(), took;
	struct error err;

	assert_int_equal(wait_for(kind, SOCK_STREAM, SECOND / 5, -1, &err), -1);
	took = now_usec() - began;
	assert_int_equal(err.code, ETIMEDOUT);
	end(pid);
	if (!strstr(err.text, seen))
		fail_msg("%s: '%s' does not tell '%s'", kind, err.text, seen);
	assert_true(took >= SECOND / 5 && took < SECOND);
}

/* --- listen --- */

static void listens_late(int fd)
{
	usleep(50000);
	listen(fd, 8);
	pause();
}

static void never_listens(int fd)
{
	(void)fd;
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

/* --- probes --- */

static int next_client(int fd)
{
	char buffer[2048];
	int client = accept(fd, NULL, NULL);

	if (client < 0 || recv(client, buffer, sizeof(buffer), 0) <= 0)
		_exit(1);
	return client;
}

static void answer(int client, const char *bytes, size_t len)
{
	if (send(client, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
		_exit(1);
	close(client);
}

#define ANSWER(client, s) answer(client, s, sizeof(s) - 1)

static void answer_in_pieces(int client, const char *bytes, size_t len)
{
	int on = 1;

	setsockopt(client, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof(on));
	for (; len > 1; len--) {
		send(client, bytes++, 1, MSG_NOSIGNAL);
		usleep(200);
	}
	answer(client, bytes, len);
}

#define STARTING_UP "E\0\0\0\x27SFATAL\0VFATAL\0C57P03\0Mstarting up\0"

/* Listens before it serves, in every way; the last answer is the good one. */
static void postgres_starts(int fd)
{
	int client;

	listen(fd, 8);
	close(accept(fd, NULL, NULL));
	ANSWER(next_client(fd), STARTING_UP "\0");
	ANSWER(next_client(fd), "");
	client = next_client(fd);
	answer_in_pieces(client, STARTING_UP "\0", sizeof(STARTING_UP));
	close(fd);
	fd = bound(SOCK_STREAM, ipv4("127.0.0.1"));
	usleep(5000);
	listen(fd, 8);
	client = next_client(fd);
	answer_in_pieces(client, "R\0\0\0\x08\0\0\0\0", 9);
	pause();
}

static void postgres_never_starts(int fd)
{
	listen(fd, 8);
	for (;;)
		ANSWER(next_client(fd), STARTING_UP "\0");
}

static void is_silent(int fd)
{
	listen(fd, 8);
	for (;;)
		(void)next_client(fd);
}

/* The first question falls on deaf ears, the second is answered. */
static void answers_the_second_question(int fd)
{
	listen(fd, 8);
	(void)next_client(fd);
	ANSWER(next_client(fd), "+PONG\r\n");
	pause();
}

static void redis_loads(int fd)
{
	listen(fd, 8);
	ANSWER(next_client(fd), "-LOADING Redis is loading the dataset in memory\r\n");
	ANSWER(next_client(fd), "-LOADING Redis is loading the dataset in memory\r\n");
	ANSWER(next_client(fd), "-NOAUTH Authentication required.\r\n");
	pause();
}

static void greets_late(int fd)
{
	int client;

	listen(fd, 8);
	close(accept(fd, NULL, NULL));
	client = accept(fd, NULL, NULL);
	usleep(20000);
	ANSWER(client, "2");
	pause();
}

static void http_warms_up(int fd)
{
	listen(fd, 8);
	ANSWER(next_client(fd), "HTTP/1.1 503 Service Unavailable\r\n\r\n");
	ANSWER(next_client(fd), "HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n");
	pause();
}

static void http_is_broken(int fd)
{
	listen(fd, 8);
	for (;;)
		ANSWER(next_client(fd), "HTTP/1.1 502 Bad Gateway\r\n\r\n");
}

/* Never stops sending, and never what was asked for. */
static void floods(int fd)
{
	static char junk[65536];

	memset(junk, 'E', sizeof(junk));
	listen(fd, 8);
	for (;;) {
		int client = next_client(fd);

		while (send(client, junk, sizeof(junk), MSG_NOSIGNAL) > 0)
			;
		close(client);
	}
}

/* A server that speaks TLS, to somebody who does not: it closes, or says so. Which it did in the end is seen. */
static void tls_closes(int fd)
{
	listen(fd, 8);
	for (;;) {
		char first;
		int client = accept(fd, NULL, NULL);

		if (recv(client, &first, 1, 0) == 1 && first == 0x16)
			ANSWER(client, "\x16\x03\x03\0\x7a\x02\0\0\x76");
		else
			ANSWER(client, "");
	}
}

static void tls_sends_an_alert(int fd)
{
	listen(fd, 8);
	for (;;)
		ANSWER(next_client(fd), "\x15\x03\x01\0\x02\x02\x46");
}

/* It is no TLS that starts: its first answer comes late. */
static void redis_closes_at_first(int fd)
{
	listen(fd, 8);
	for (int k = 0; k < 3; k++)
		ANSWER(next_client(fd), "");
	ANSWER(next_client(fd), "+PONG\r\n");
	pause();
}

static void closes_always(int fd)
{
	listen(fd, 8);
	for (;;)
		close(accept(fd, NULL, NULL));
}

static void expect_tls(const char *kind, void (*body)(int fd), bool tls)
{
	struct target target = ipv4("127.0.0.1");
	struct readiness_seen seen = {};
	pid_t pid = serve(body);
	struct readiness r;
	struct error err;

	assert_int_equal(readiness_parse(kind, &r, &err), 0);
	r.seen = &seen;
	if (readiness_wait(&r, SOCK_STREAM, PORT, &target, 1, now_usec() + 10 * SECOND, -1, &err) < 0)
		fail_msg("%s: %s", kind, err.text);
	assert_int_equal(seen.tls, tls);
	end(pid);
}

static void test_tls(void **state)
{
	static const char *const kinds[] = {"postgres", "redis", "greeting", "http"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		expect_tls(kinds[i], tls_closes, true);
		expect_timeout(kinds[i], closes_always, "--health-check listen does without");
	}
	expect_tls("redis", tls_sends_an_alert, true);
	expect_tls("http", tls_sends_an_alert, true);
	expect_tls("redis", redis_closes_at_first, false);
	expect_tls("redis", redis_loads, false);
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

static void test_probes(void **state)
{
	(void)state;
	expect_ready("postgres", postgres_starts);
	expect_ready("redis", redis_loads);
	expect_ready("redis", answers_the_second_question);
	expect_ready("greeting", greets_late);
	expect_ready("http", http_warms_up);
	expect_ready("http:/health?deep=1", http_warms_up);
}

static void test_probes_give_up(void **state)
{
	static const char *const kinds[] = {"postgres", "redis", "greeting", "http"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		expect_timeout(kinds[i], never_listens, "nothing listens on port 5432");
		expect_timeout(kinds[i], is_silent, "does not answer");
	}
	expect_timeout("postgres", postgres_never_starts, "57P03");
	expect_timeout("http", http_is_broken, "status 502");
	expect_timeout("http", floods, "not HTTP");
	expect_timeout("postgres", floods, "PostgreSQL answers with an error that has no code");
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

/* --- commands --- */

static char directory[] = "/tmp/sockwake-readiness-XXXXXX";

static void expect_command(int expected, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void expect_command(int expected, const char *format, ...)
{
	struct error err = {.text = ""};
	char command[1024];
	va_list ap;
	int r;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	r = wait_for(command, SOCK_STREAM, expected == 0 ? 10 * SECOND : SECOND / 10, -1, &err);
	if (r != expected)
		fail_msg("%s: %d %s", command, r, err.text);
	if (r < 0)
		assert_int_equal(err.code, ETIMEDOUT);
}

static void test_command(void **state)
{
	char path[sizeof(directory) + 16];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(directory));
	expect_command(0, "true");
	expect_command(-1, "false");
	expect_command(0, "test '{container_port}{container_port}' = '54325432'");
	/* Repeated until it succeeds. */
	expect_command(0, "echo x >>%s/n; test $(wc -l <%s/n) -ge 3", directory, directory);
	/* A group of its own, default signals, nothing inherited: three descriptors, and what ls opens. */
	expect_command(0, "test $(ps -o pgid= -p $$) = $$ || test -z \"$(command -v ps)\"");
	assert_int_equal(dup2(2, 77), 77);
	expect_command(0, "test \"$(ls /proc/self/fd | tr '\\n' ' ')\" = '0 1 2 3 '");
	close(77);
	setenv("LISTEN_FDS", "9", 1);
	setenv("SOCKWAKE_DEADLINE", "1", 1);
	expect_command(0, "test -z \"$LISTEN_FDS$SOCKWAKE_DEADLINE\" && test -n \"$PATH\"");
	unsetenv("LISTEN_FDS");
	unsetenv("SOCKWAKE_DEADLINE");
	/* Killed at the deadline with all that it started: the pipe's other end is closed by the last of them. */
	snprintf(path, sizeof(path), "%s/fifo", directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	{
		_cleanup_close_ int fifo = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		struct pollfd p = {.fd = fifo, .events = POLLIN};
		char text[8];

		expect_command(-1, "exec 5>%s/fifo; echo started >&5; (sleep 100) & sleep 100", directory);
		assert_int_equal(read(fifo, text, sizeof(text)), 8);
		assert_int_equal(poll(&p, 1, 5000), 1);
		assert_int_equal(read(fifo, text, sizeof(text)), 0);
	}
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/n", directory);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
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
	assert_int_equal(readiness_parse(path, &r, &err), -1);
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
		cmocka_unit_test(test_temporary_servers), /* it needs all addresses for itself */
		cmocka_unit_test(test_reachable_addresses),
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_own_sockets_do_not_count),
		cmocka_unit_test(test_probes),
		cmocka_unit_test(test_probes_give_up),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_container_ends),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_waiting_is_cheap),
		cmocka_unit_test(test_costly_looks_are_rarer),
	};

	return cmocka_run_group_tests_name("proxy/readiness", tests, own_network, NULL);
}
