/* What the proxy promises for a TCP connection, each promise through the real program. */
#include "tests/unit/proxy_pair_fixture.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
