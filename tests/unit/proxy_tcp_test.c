/* What the proxy promises for a TCP connection, each promise through the real program. */
#include "tests/unit/proxy_fixture.h"

#include <dirent.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

struct pair {
	struct proxy_run p;
	int server; /* listener */
	uint16_t port;
	int client, target; /* one connection */
};

static void start(struct pair *t)
{
	t->server = bound(SOCK_STREAM);
	proxy_init(&t->p);
	t->port = proxy_forward(&t->p, SOCK_STREAM, port_of(t->server));
}

static void connect_pair(struct pair *t)
{
	t->client = connect_to(SOCK_STREAM, t->port);
	t->target = accept_from(t->server);
}

static void start_connected(struct pair *t)
{
	start(t);
	proxy_start(&t->p);
	connect_pair(t);
}

static void end(struct pair *t)
{
	close(t->client);
	close(t->target);
	close(t->server);
	assert_int_equal(proxy_stop(&t->p), 0);
}

static void client_ends_first(void **state)
{
	struct pair t;

	(void)state;
	start_connected(&t);
	send_text(t.client, "question");
	shutdown(t.client, SHUT_WR);
	expect_text(t.target, "question");
	assert_int_equal(next_end(t.target), 0);
	send_text(t.target, "answer");
	expect_text(t.client, "answer");
	shutdown(t.target, SHUT_WR);
	assert_int_equal(next_end(t.client), 0);
	end(&t);
}

static void server_ends_first(void **state)
{
	struct pair t;

	(void)state;
	start_connected(&t);
	send_text(t.target, "greeting");
	shutdown(t.target, SHUT_WR);
	expect_text(t.client, "greeting");
	assert_int_equal(next_end(t.client), 0);
	send_text(t.client, "still heard");
	expect_text(t.target, "still heard");
	shutdown(t.client, SHUT_WR);
	assert_int_equal(next_end(t.target), 0);
	end(&t);
}

/* Is a connection to the port under way, its SYN unanswered? (proc_net_tcp: state 02 is SYN_SENT) */
static bool syn_is_sent(uint16_t port)
{
	FILE *f = fopen("/proc/self/net/tcp", "re");
	unsigned remote, state;
	bool found = false;
	char line[256];

	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, " %*d: %*x:%*x %*x:%x %x", &remote, &state) == 2 && remote == port && state == 2;
	(void)fclose(f);
	return found;
}

/* The proxy looks when the server has accepted, spoken and gone. (Its queue is full, so that the connection is made
 * while the proxy is stopped.) */
static void greet_and_leave(bool by_reset)
{
	struct pair t;
	int filler, queued;

	start(&t);
	proxy_start(&t.p);
	assert_int_equal(listen(t.server, 0), 0);
	filler = connect_to(SOCK_STREAM, port_of(t.server));
	t.client = connect_to(SOCK_STREAM, t.port);
	while (!syn_is_sent(port_of(t.server)))
		assert_int_equal(waitpid(t.p.pid, NULL, WNOHANG), 0);
	assert_int_equal(kill(t.p.pid, SIGSTOP), 0);
	queued = accept_from(t.server);
	t.target = accept_from(t.server); /* after the SYN was sent again */
	send_text(t.target, "goodbye");
	if (by_reset) {
		reset_and_close(t.target);
		t.target = -1;
	} else {
		shutdown(t.target, SHUT_WR);
	}
	assert_int_equal(kill(t.p.pid, SIGCONT), 0);
	expect_text(t.client, "goodbye");
	assert_int_equal(next_end(t.client), by_reset ? ECONNRESET : 0);
	assert_int_equal(t.p.stats->connections_failed, 0);
	close(filler);
	close(queued);
	end(&t);
}

/* Greeting and FIN come with the connection itself: one event tells all, and no other follows. */
static void greeted_and_left_at_once(void **state)
{
	(void)state;
	greet_and_leave(false);
}

static void greeted_and_reset_at_once(void **state)
{
	(void)state;
	greet_and_leave(true);
}

static void client_resets(void **state)
{
	struct pair t;

	(void)state;
	start_connected(&t);
	send_text(t.client, "x");
	expect_text(t.target, "x");
	reset_and_close(t.client);
	t.client = -1;
	assert_int_equal(next_end(t.target), ECONNRESET);
	end(&t);
}

static void server_resets(void **state)
{
	struct pair t;

	(void)state;
	start_connected(&t);
	reset_and_close(t.target);
	t.target = -1;
	assert_int_equal(next_end(t.client), ECONNRESET);
	end(&t);
}

/* A reset that follows the sender's own FIN is seen nowhere but in the socket's error. */
static void client_resets_after_its_fin(void **state)
{
	struct pollfd p = {.events = 0};
	struct pair t;

	(void)state;
	start_connected(&t);
	shutdown(t.client, SHUT_WR);
	assert_int_equal(next_end(t.target), 0);
	reset_and_close(t.client);
	t.client = -1;
	p.fd = t.target;
	assert_int_equal(poll(&p, 1, PATIENCE_MSEC), 1);
	assert_true(p.revents & POLLERR);
	end(&t);
}

/* A server that answers and closes without having read the request: its kernel sends the answer, then a reset. */
static void answer_before_reset(void **state)
{
	struct pair t;

	(void)state;
	start_connected(&t);
	send_text(t.client, "a long request");
	assert_int_equal(wait_readable(t.target), 1);
	send_text(t.target, "too long");
	close(t.target);
	t.target = -1;
	expect_text(t.client, "too long");
	assert_int_equal(next_end(t.client), ECONNRESET);
	end(&t);
}

static void urgent_data(void **state)
{
	struct pollfd p = {.events = POLLPRI};
	struct pair t;
	int at_mark = 0;
	char byte;

	(void)state;
	start_connected(&t);
	send_text(t.client, "before");
	assert_int_equal(send(t.client, "!", 1, MSG_OOB), 1);
	p.fd = t.target;
	assert_int_equal(poll(&p, 1, PATIENCE_MSEC), 1);
	send_text(t.client, "after");
	expect_text(t.target, "before");
	assert_int_equal(ioctl(t.target, SIOCATMARK, &at_mark), 0);
	assert_true(at_mark);
	assert_int_equal(recv(t.target, &byte, 1, MSG_OOB), 1);
	assert_int_equal(byte, '!');
	expect_text(t.target, "after");
	end(&t);
}

static uint64_t private_memory(pid_t pid)
{
	char path[64], line[256];
	uint64_t total = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned long kib;

		if (sscanf(line, "Private_Clean: %lu", &kib) == 1 || sscanf(line, "Private_Dirty: %lu", &kib) == 1)
			total += kib * 1024;
	}
	fclose(f);
	return total;
}

#define IDLE_CONNECTIONS 400

/* What an instance costs beside another one: pages of the program's file, of which the kernel maps more or fewer around
 * those that are used, are shared by both. */
static void idle_connections_are_small(void **state)
{
	static int clients[IDLE_CONNECTIONS], targets[IDLE_CONNECTIONS];
	uint64_t before, after;
	struct pair t, other;

	(void)state;
	start_connected(&other);
	send_text(other.client, "x");
	expect_text(other.target, "x");
	start_connected(&t);
	send_text(t.client, "x");
	expect_text(t.target, "x");
	before = private_memory(t.p.pid);
	for (int i = 0; i < IDLE_CONNECTIONS; i++) {
		clients[i] = connect_to(SOCK_STREAM, t.port);
		targets[i] = accept_from(t.server);
	}
	wait_counter(&t.p.stats->connections, IDLE_CONNECTIONS + 1);
	after = private_memory(t.p.pid);
	print_message("private memory: %llu kB, and %llu bytes for each connection\n",
		      (unsigned long long)before / 1024, (unsigned long long)(after - before) / IDLE_CONNECTIONS);
#ifndef __SANITIZE_ADDRESS__
	assert_true(before <= 400 * 1024);
	assert_true((after - before) / IDLE_CONNECTIONS <= 1024);
#endif
	for (int i = 0; i < IDLE_CONNECTIONS; i++) {
		close(clients[i]);
		close(targets[i]);
	}
	end(&t);
	end(&other);
}

/* How many threads a process has, and how many of them sleep (proc(5), /proc/PID/stat). */
static size_t threads_of(pid_t pid, size_t *asleep)
{
	char path[300], line[256];
	struct dirent *task;
	size_t n = 0;
	DIR *dir;

	*asleep = 0;
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	assert_non_null(dir);
	while ((task = readdir(dir))) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/task/%s/stat", pid, task->d_name);
		if (task->d_name[0] == '.' || !(f = fopen(path, "re")))
			continue;
		assert_non_null(fgets(line, sizeof(line), f));
		*asleep += strncmp(strrchr(line, ')') + 2, "S", 1) == 0;
		n++;
		fclose(f);
	}
	closedir(dir);
	return n;
}

/* Looking out for an answer ends when none comes: a connection that says nothing costs no time. */
static void rests_when_nothing_comes(void **state)
{
	size_t asleep, n, processors = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t deadline = now_usec() + PATIENCE_MSEC * USEC_PER_MSEC;
	struct pair t;

	(void)state;
	start_connected(&t);
	for (int i = 0; i < 100; i++) {
		send_text(t.client, "?");
		expect_text(t.target, "?");
		send_text(t.target, "!");
		expect_text(t.client, "!");
	}
	do
		n = threads_of(t.p.pid, &asleep);
	while (asleep < n && now_usec() < deadline);
	assert_int_equal(asleep, n);
	assert_int_equal(n, processors > 1 ? 2 : 1);
	end(&t);
}

/* Room for a few connections only: the others wait, the status says so, and all are served in the end. */
static void descriptor_limit(void **state)
{
	enum { CLIENTS = 60 };
	int clients[CLIENTS], fd;
	struct pair t;
	uint64_t full;

	(void)state;
	start(&t);
	t.p.descriptors = 100;
	proxy_start(&t.p);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = connect_to(SOCK_STREAM, t.port);
		send_text(clients[i], "hello");
	}
	proxy_expect_status(&t.p, "Full");
	full = t.p.stats->connections;
	assert_true(full >= 10 && full < CLIENTS);
	assert_true(t.p.stats->flags & STATS_FULL);
	for (int i = 0; i < CLIENTS; i++) {
		struct pollfd answered[CLIENTS];

		fd = accept_from(t.server);
		expect_text(fd, "hello");
		send_text(fd, "bye");
		close(fd);
		/* Whose was it? */
		for (int k = 0; k < CLIENTS; k++)
			answered[k] = (struct pollfd){.fd = clients[k], .events = POLLIN};
		assert_int_equal(poll(answered, CLIENTS, PATIENCE_MSEC), 1);
		for (int k = 0; k < CLIENTS; k++) {
			if (!answered[k].revents)
				continue;
			expect_text(clients[k], "bye");
			assert_int_equal(next_end(clients[k]), 0);
			close(clients[k]);
			clients[k] = -1;
		}
	}
	wait_counter(&t.p.stats->connections, 0);
	assert_int_equal(t.p.stats->connections_total, CLIENTS);
	wait_counter(&t.p.stats->flags, 0); /* STATS_FULL */
	t.client = t.target = -1;
	end(&t);
}

static void nobody_listens(void **state)
{
	char deadline[64];
	struct pair t;

	(void)state;
	start(&t);
	proxy_arg(&t.p, "--health-check");
	proxy_arg(&t.p, "none");
	snprintf(deadline, sizeof(deadline), "SOCKWAKE_DEADLINE=%llu",
		 (unsigned long long)(now_usec() + 200 * USEC_PER_MSEC));
	t.p.environment[0] = deadline;
	close(t.server);
	proxy_start(&t.p);
	t.client = connect_to(SOCK_STREAM, t.port);
	assert_int_equal(next_end(t.client), ECONNRESET);
	wait_counter(&t.p.stats->connections_failed, 1);
	t.target = t.server = -1;
	end(&t);
}

static void tried_again_until_it_listens(void **state)
{
	struct sockaddr_in a;
	struct pair t;
	uint16_t port;

	(void)state;
	start(&t);
	port = port_of(t.server);
	proxy_arg(&t.p, "--health-check");
	proxy_arg(&t.p, "none");
	close(t.server);
	proxy_start(&t.p);
	t.client = connect_to(SOCK_STREAM, t.port);
	send_text(t.client, "early");
	wait_counter(&t.p.stats->connections, 1);
	usleep(120000); /* some refusals */
	t.server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	a = loopback(port);
	assert_int_equal(bind(t.server, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(t.server, 5), 0);
	t.target = accept_from(t.server);
	expect_text(t.target, "early");
	end(&t);
}

/* A server whose backlog is full leaves attempts unanswered; with several targets each takes minutes. */
static void backlog_is_full(void **state)
{
	int fillers[8];
	uint64_t begin;
	struct pair t;

	(void)state;
	start(&t);
	assert_int_equal(listen(t.server, 0), 0);
	for (size_t k = 0; k < sizeof(fillers) / sizeof(*fillers); k++) {
		struct sockaddr_in a = loopback(port_of(t.server));

		fillers[k] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(fillers[k], (struct sockaddr *)&a, sizeof(a));
	}
	proxy_arg(&t.p, "--target");
	proxy_arg(&t.p, "127.0.0.1");
	proxy_arg(&t.p, "--health-check");
	proxy_arg(&t.p, "none");
	proxy_arg(&t.p, "--startup-timeout");
	proxy_arg(&t.p, "3s");
	begin = now_usec();
	t.client = connect_to(SOCK_STREAM, t.port);
	usleep(1500000); /* it counts from here, not from when it was accepted */
	proxy_start(&t.p);
	assert_int_equal(next_end(t.client), ECONNRESET);
	assert_in_range(now_usec() - begin, 2900000, 4000000);
	wait_counter(&t.p.stats->connections_failed, 1);
	for (size_t k = 0; k < sizeof(fillers) / sizeof(*fillers); k++)
		close(fillers[k]);
	t.target = -1;
	end(&t);
}

static void second_address(void **state)
{
	struct pair t;

	(void)state;
	t.server = bound(SOCK_STREAM);
	proxy_init(&t.p);
	free(t.p.args[2]);
	t.p.args[2] = strdup("127.0.0.9"); /* nobody there */
	proxy_arg(&t.p, "--target");
	proxy_arg(&t.p, "127.0.0.1");
	t.port = proxy_forward(&t.p, SOCK_STREAM, port_of(t.server));
	proxy_start(&t.p);
	connect_pair(&t);
	send_text(t.client, "found");
	expect_text(t.target, "found");
	end(&t);
}

static void connection_timeout(void **state)
{
	struct pair t;

	(void)state;
	start(&t);
	proxy_arg(&t.p, "--connection-timeout");
	proxy_arg(&t.p, "300ms");
	proxy_start(&t.p);
	connect_pair(&t);
	for (int i = 0; i < 5; i++) { /* traffic keeps it */
		usleep(100000);
		send_text(t.client, ".");
		expect_text(t.target, ".");
	}
	assert_int_equal(next_end(t.client), 0);
	assert_int_equal(next_end(t.target), 0);
	end(&t);
}

static void proxy_protocol(void **state)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	char header[128];
	struct pair t;

	(void)state;
	start(&t);
	proxy_arg(&t.p, "--proxy-protocol");
	proxy_arg(&t.p, "v1");
	t.client = connect_to(SOCK_STREAM, t.port); /* queued during the wake */
	send_text(t.client, "payload");
	proxy_start(&t.p);
	t.target = accept_from(t.server);
	assert_int_equal(getsockname(t.client, (struct sockaddr *)&a, &len), 0);
	snprintf(header, sizeof(header), "PROXY TCP4 127.0.0.1 127.0.0.1 %u %u\r\npayload", ntohs(a.sin_port), t.port);
	expect_text(t.target, header);
	end(&t);
}

/* Which timer runs for the socket with these ports? (proc_net_tcp: 2 is keepalive) */
static unsigned timer_of(uint16_t local, uint16_t remote)
{
	FILE *f = fopen("/proc/self/net/tcp", "re");
	unsigned l, r, timer, found = 0;
	char line[256];

	assert_non_null(f);
	while (found == 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " %*d: %*x:%x %*x:%x %*x %*x:%*x %x", &l, &r, &timer) == 3 && l == local &&
		    r == remote)
			found = timer;
	}
	(void)fclose(f);
	return found;
}

static void expect_keepalive(struct pair *t)
{
	uint64_t deadline = now_usec() + PATIENCE_MSEC * USEC_PER_MSEC;

	send_text(t->client, "alive");
	expect_text(t->target, "alive");
	send_text(t->target, "yes");
	expect_text(t->client, "yes");
	while (timer_of(t->port, port_of(t->client)) != 2) { /* until the delayed ACK is out */
		assert_true(now_usec() < deadline);
		usleep(10000);
	}
}

/* Who connected before the wake has not inherited the listener's options, and who comes later has. */
static void keepalive(void **state)
{
	struct pair t;

	(void)state;
	start(&t);
	t.client = connect_to(SOCK_STREAM, t.port);
	proxy_start(&t.p);
	t.target = accept_from(t.server);
	expect_keepalive(&t);
	close(t.client);
	close(t.target);
	connect_pair(&t);
	expect_keepalive(&t);
	end(&t);
}

/* The server closed its socket long ago, and the client did not care: it does not keep the container awake. */
static void abandoned_by_the_server(void **state)
{
	int seconds = 1;
	struct pair t;

	(void)state;
	start(&t);
	proxy_arg(&t.p, "--keepalive");
	proxy_arg(&t.p, "1s");
	proxy_arg(&t.p, "--idle-timeout");
	proxy_arg(&t.p, "200ms");
	proxy_start(&t.p);
	connect_pair(&t);
	assert_int_equal(setsockopt(t.target, IPPROTO_TCP, TCP_LINGER2, &seconds, sizeof(seconds)), 0);
	close(t.target);
	assert_int_equal(next_end(t.client), 0);
	assert_int_equal(proxy_wait(&t.p), 0);
	close(t.client);
	close(t.server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_ends_first),
		cmocka_unit_test(server_ends_first),
		cmocka_unit_test(greeted_and_left_at_once),
		cmocka_unit_test(greeted_and_reset_at_once),
		cmocka_unit_test(client_resets),
		cmocka_unit_test(server_resets),
		cmocka_unit_test(client_resets_after_its_fin),
		cmocka_unit_test(answer_before_reset),
		cmocka_unit_test(urgent_data),
		cmocka_unit_test(idle_connections_are_small),
		cmocka_unit_test(rests_when_nothing_comes),
		cmocka_unit_test(descriptor_limit),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(tried_again_until_it_listens),
		cmocka_unit_test(backlog_is_full),
		cmocka_unit_test(second_address),
		cmocka_unit_test(connection_timeout),
		cmocka_unit_test(proxy_protocol),
		cmocka_unit_test(keepalive),
		cmocka_unit_test(abandoned_by_the_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
