/* How the proxy begins and ends: readiness, refusal, idleness, draining, the container's end. */
#include "tests/unit/proxy_fixture.h"

#include <sys/pidfd.h>

#include "common/channel.h"
#include "common/exit.h"

static int server;
static uint16_t port;

static void start(struct proxy_run *p, const char *idle)
{
	server = bound(SOCK_STREAM);
	proxy_init(p);
	port = proxy_forward(p, SOCK_STREAM, port_of(server));
	proxy_arg(p, "--idle-timeout");
	proxy_arg(p, "%s", idle);
}

static void idle_from_the_start(void **state)
{
	struct proxy_run p;
	uint64_t begin;

	(void)state;
	start(&p, "400ms");
	proxy_start(&p);
	begin = now_usec();
	proxy_expect_status(&p, "STOPPING=1\nSTATUS=idle");
	assert_in_range(now_usec() - begin, 350000, 2000000);
	assert_int_equal(proxy_wait(&p), 0);
	close(server);
}

static void quiet_connections_hold(void **state)
{
	struct proxy_run p;
	int client, target;
	uint64_t begin;

	(void)state;
	start(&p, "200ms");
	proxy_start(&p);
	client = connect_to(SOCK_STREAM, port);
	target = accept_from(server);
	usleep(700000);
	send_text(client, "still here");
	expect_text(target, "still here");
	begin = now_usec();
	close(client);
	assert_int_equal(next_end(target), 0);
	close(target);
	assert_int_equal(proxy_wait(&p), 0);
	assert_in_range(now_usec() - begin, 150000, 2000000);
	close(server);
}

/* Clients come at every moment around the end: each is served, by this process or, still queued, by the next. */
static void nobody_is_lost_at_the_end(void **state)
{
	(void)state;
	for (int i = 0; i < 30; i++) {
		struct proxy_run p, next;
		int client, target;

		start(&p, "60ms");
		proxy_start(&p);
		usleep((useconds_t)(55000 + 500 * i));
		client = connect_to(SOCK_STREAM, port);
		send_text(client, "me");
		next = p;
		if (poll(&(struct pollfd){.fd = server, .events = POLLIN}, 1, 300) == 0) {
			int status;

			/* Not served: it has ended, and the client waits in the queue. */
			assert_int_equal(waitpid(p.pid, &status, 0), p.pid);
			assert_int_equal(status, 0);
			close(p.notify);
			proxy_start(&next);
		}
		target = accept_from(server);
		expect_text(target, "me");
		close(client);
		close(target);
		assert_int_equal(proxy_wait(&next), 0);
		close(server);
	}
}

/* One that could accept nobody would only keep them waiting. */
static void no_descriptors_for_a_connection(void **state)
{
	struct proxy_run p;
	int client;

	(void)state;
	start(&p, "infinity");
	p.descriptors = 60;
	proxy_spawn(&p);
	client = connect_to(SOCK_STREAM, port);
	proxy_expect_status(&p, "LimitNOFILE=");
	assert_int_equal(next_end(client), ECONNRESET);
	assert_int_equal(proxy_wait(&p), EXIT_REFUSED);
	close(client);
	close(server);
}

static void drains(void **state)
{
	struct proxy_run p;
	int client, target, late, accepted;

	(void)state;
	start(&p, "infinity");
	proxy_start(&p);
	client = connect_to(SOCK_STREAM, port);
	target = accept_from(server);
	kill(p.pid, SIGTERM);
	proxy_expect_status(&p, "STOPPING=1");
	late = connect_to(SOCK_STREAM, port);
	send_text(client, "finish");
	expect_text(target, "finish");
	send_text(target, "done");
	close(target);
	expect_text(client, "done");
	assert_int_equal(next_end(client), 0);
	close(client);
	/* The late one is still queued, for the next process. */
	accepted = fcntl(p.sockets[0], F_DUPFD_CLOEXEC, 10);
	assert_int_equal(proxy_wait(&p), 0);
	assert_int_equal(poll(&(struct pollfd){.fd = server, .events = POLLIN}, 1, 0), 0);
	assert_int_equal(poll(&(struct pollfd){.fd = accepted, .events = POLLIN}, 1, 0), 1);
	close(accepted);
	close(late);
	close(server);
}

static void drains_no_longer_than_told(void **state)
{
	struct proxy_run p;
	int client, target;

	(void)state;
	start(&p, "infinity");
	proxy_arg(&p, "--drain-timeout");
	proxy_arg(&p, "100ms");
	proxy_start(&p);
	client = connect_to(SOCK_STREAM, port);
	target = accept_from(server);
	assert_int_equal(proxy_stop(&p), 0);
	assert_int_equal(next_end(client), ECONNRESET);
	assert_int_equal(next_end(target), ECONNRESET);
	close(client);
	close(target);
	close(server);
}

static void container_ends(void **state)
{
	pid_t container = fork();
	struct proxy_run p;
	int client, target;

	(void)state;
	if (container == 0) {
		pause();
		_exit(0);
	}
	start(&p, "infinity");
	p.inherited = pidfd_open(container, 0);
	p.environment[0] = "SOCKWAKE_PIDFD=50";
	proxy_start(&p);
	client = connect_to(SOCK_STREAM, port);
	target = accept_from(server);
	send_text(target, "last words");
	expect_text(client, "last words");
	kill(container, SIGKILL);
	assert_int_equal(waitpid(container, NULL, 0), container);
	proxy_expect_status(&p, "STATUS=the container has ended");
	assert_int_equal(proxy_wait(&p), 0);
	assert_int_equal(next_end(client), ECONNRESET);
	close(p.inherited);
	close(client);
	close(target);
	close(server);
}

static void stopped_before_ready(void **state)
{
	struct proxy_run p;
	int client;

	(void)state;
	start(&p, "infinity");
	proxy_arg(&p, "--health-check");
	proxy_arg(&p, "sleep 60; false");
	client = connect_to(SOCK_STREAM, port);
	proxy_spawn(&p);
	wait_counter(&p.stats->t_accepting, 0);
	while (__atomic_load_n(&p.stats->t_proxy, __ATOMIC_RELAXED) == 0)
		usleep(1000);
	kill(p.pid, SIGTERM);
	assert_int_equal(next_end(client), ECONNRESET);
	assert_int_equal(proxy_wait(&p), EXIT_REFUSED);
	close(client);
	close(server);
}

static void never_ready(void **state)
{
	struct proxy_run p;
	int client;

	(void)state;
	start(&p, "infinity");
	close(server);
	proxy_arg(&p, "--startup-timeout");
	proxy_arg(&p, "200ms");
	client = connect_to(SOCK_STREAM, port);
	proxy_spawn(&p);
	assert_int_equal(next_end(client), ECONNRESET);
	assert_int_equal(proxy_wait(&p), EXIT_REFUSED);
	close(client);
}

static void wrong_usage(void **state)
{
	struct proxy_run p;
	int client;

	(void)state;
	start(&p, "never");
	client = connect_to(SOCK_STREAM, port);
	proxy_spawn(&p);
	assert_int_equal(next_end(client), ECONNRESET);
	assert_int_equal(proxy_wait(&p), EXIT_USAGE);
	close(client);
	close(server);
}

static void socket_without_forward(void **state)
{
	struct proxy_run p;

	(void)state;
	start(&p, "infinity");
	p.sockets[p.n_sockets++] = bound(SOCK_STREAM);
	proxy_spawn(&p);
	assert_int_equal(proxy_wait(&p), EXIT_REFUSED);
	close(server);
}

static void forward_without_socket(void **state)
{
	struct proxy_run p;

	(void)state;
	start(&p, "infinity");
	proxy_arg(&p, "--forward");
	proxy_arg(&p, "1234:80");
	proxy_spawn(&p);
	assert_int_equal(proxy_wait(&p), EXIT_REFUSED);
	close(server);
}

static void monitors_do_not_hold(void **state)
{
	struct proxy_run p;
	int client, target;

	(void)state;
	start(&p, "400ms");
	proxy_arg(&p, "--no-hold-from");
	proxy_arg(&p, "127.0.0.0/8");
	proxy_start(&p);
	client = connect_to(SOCK_STREAM, port);
	target = accept_from(server);
	send_text(client, "are you there");
	expect_text(target, "are you there");
	assert_int_equal(proxy_wait(&p), 0);
	assert_int_equal(next_end(client), ECONNRESET);
	close(client);
	close(target);
	close(server);
}

static void data_holds(struct proxy_run *p, const char *idle)
{
	start(p, idle);
	proxy_arg(p, "--hold");
	proxy_arg(p, "data");
}

/* A balancer's check, again and again: neither its coming nor its going is a use. */
static void silent_visits_do_not_hold(void **state)
{
	struct pollfd ended;
	struct proxy_run p;
	uint64_t begin;

	(void)state;
	data_holds(&p, "500ms");
	proxy_start(&p);
	begin = now_usec();
	ended = (struct pollfd){.fd = pidfd_open(p.pid, 0), .events = POLLIN};
	do {
		struct pollfd next[] = {{.fd = server, .events = POLLIN}, ended};
		int client = connect_to(SOCK_STREAM, port);

		/* The last one may find nobody any more. */
		if (poll(next, 2, PATIENCE_MSEC) < 1)
			fail_msg("it does not answer");
		if (next[0].revents)
			close(accept_from(server));
		close(client);
		assert_in_range(now_usec() - begin, 0, 4000000);
	} while (poll(&ended, 1, 20) == 0);
	assert_in_range(now_usec() - begin, 400000, 3500000);
	assert_int_equal(proxy_wait(&p), 0);
	close(ended.fd);
	close(server);
}

static void an_open_connection_without_data_does_not_hold(void **state)
{
	struct proxy_run p;
	int client, target;

	(void)state;
	data_holds(&p, "300ms");
	proxy_start(&p);
	client = connect_to(SOCK_STREAM, port);
	target = accept_from(server);
	send_text(target, "220 who are you?"); /* what the server says does not count */
	expect_text(client, "220 who are you?");
	assert_int_equal(proxy_wait(&p), 0);
	assert_int_equal(next_end(client), ECONNRESET);
	close(client);
	close(target);
	close(server);
}

static void one_byte_holds(void **state)
{
	struct proxy_run p;
	int client, target;
	uint64_t begin;

	(void)state;
	data_holds(&p, "300ms");
	proxy_start(&p);
	client = connect_to(SOCK_STREAM, port);
	target = accept_from(server);
	send_text(client, "x");
	expect_text(target, "x");
	usleep(2700000); /* longer than newcomers are waited for */
	send_text(target, "still here");
	expect_text(client, "still here");
	begin = now_usec();
	close(client);
	assert_int_equal(next_end(target), 0);
	close(target);
	assert_int_equal(proxy_wait(&p), 0);
	assert_in_range(now_usec() - begin, 250000, 2000000);
	close(server);
}

/* Whoever has just come when the time is over may be about to speak. */
static void newcomers_may_speak(void **state)
{
	struct proxy_run p;
	int client, target;

	(void)state;
	data_holds(&p, "300ms");
	proxy_start(&p);
	usleep(200000);
	client = connect_to(SOCK_STREAM, port);
	target = accept_from(server);
	usleep(500000);
	send_text(client, "hello");
	expect_text(target, "hello");
	usleep(1000000);
	send_text(client, "again");
	expect_text(target, "again");
	close(client);
	close(target);
	assert_int_equal(proxy_wait(&p), 0);
	close(server);
}

/* One connection that comes and goes. */
static void visit(void)
{
	int client = connect_to(SOCK_STREAM, port), target = accept_from(server);

	close(client);
	assert_int_equal(next_end(target), 0);
	close(target);
}

static void warm(struct proxy_run *p, const char *span)
{
	start(p, "200ms");
	proxy_arg(p, "--warm-for");
	proxy_arg(p, "%s", span);
}

/* It lives so long from `begin` on, and not for ever. */
static void expect_life(struct proxy_run *p, uint64_t begin, uint64_t least)
{
	proxy_expect_status(p, "STOPPING=1\nSTATUS=idle");
	assert_true(now_usec() - begin >= least);
	assert_int_equal(proxy_wait(p), 0);
	close(server);
}

static void one_connection_makes_no_busy_period(void **state)
{
	struct proxy_run p;

	(void)state;
	warm(&p, "1h");
	proxy_start(&p);
	visit();
	expect_life(&p, now_usec(), 0);
}

static void a_busy_period_keeps_it_warm(void **state)
{
	struct proxy_run p;

	(void)state;
	warm(&p, "1200ms");
	proxy_start(&p);
	visit();
	visit();
	expect_life(&p, now_usec(), 1100000);
}

static void monitors_make_no_busy_period(void **state)
{
	struct proxy_run p;

	(void)state;
	warm(&p, "1h");
	proxy_arg(&p, "--no-hold-from");
	proxy_arg(&p, "127.0.0.1");
	proxy_start(&p);
	visit();
	visit();
	expect_life(&p, now_usec(), 0);
}

static void udp_flows_make_a_busy_period(void **state)
{
	uint16_t udp;
	struct proxy_run p;

	(void)state;
	warm(&p, "1200ms");
	udp = proxy_forward(&p, SOCK_DGRAM, port_of(server));
	proxy_start(&p);
	for (int k = 0; k < 2; k++) {
		int client = connect_to(SOCK_DGRAM, udp);

		send_text(client, "x");
		wait_counter(&p.stats->flows_total, (uint64_t)k + 1);
		close(client);
	}
	expect_life(&p, now_usec(), 1100000);
}

static void the_longer_time_out_counts(void **state)
{
	struct proxy_run p;

	(void)state;
	start(&p, "600ms");
	proxy_arg(&p, "--warm-for");
	proxy_arg(&p, "1ms");
	proxy_start(&p);
	visit();
	usleep(400000); /* so that its idle clock, begun at the start, ends before its time is over */
	visit();
	expect_life(&p, now_usec(), 550000);
}

/* The hold is written while it runs, as `sockwake wake --for` does. */
static void held_awake(void **state)
{
	struct proxy_run p;
	uint64_t begin;

	(void)state;
	start(&p, "1s");
	proxy_start(&p);
	begin = now_usec();
	__atomic_store_n(&p.stats->held_until, wall_usec() + 2 * USEC_PER_SEC, __ATOMIC_RELAXED);
	expect_life(&p, begin, 1990000);
}

/* Not by a window that begins later, is over, or was written by a clock that went wrong; by one that begins in time. */
static void held_awake_by_the_schedule(void **state)
{
	static const struct {
		int64_t from, until; /* seconds from now */
		bool held;
	} cases[] = {{-3600, -1, false}, {3600, 7200, false}, {-1, 1000000000, false}, {-3600, 2, true}, {0, 2, true}};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct proxy_run p;
		uint64_t begin, wall;

		start(&p, "300ms");
		proxy_spawn(&p);
		begin = now_usec();
		wall = wall_usec();
		p.stats->warm[1].from = wall + (uint64_t)(cases[k].from * (int64_t)USEC_PER_SEC);
		p.stats->warm[1].until = wall + (uint64_t)(cases[k].until * (int64_t)USEC_PER_SEC);
		expect_life(&p, begin, cases[k].held ? 1990000 : 0);
	}
}

static void a_hold_does_not_keep_it_from_being_stopped(void **state)
{
	struct proxy_run p;

	(void)state;
	start(&p, "100ms");
	proxy_start(&p);
	p.stats->held_until = wall_usec() + 3600 * USEC_PER_SEC;
	assert_int_equal(proxy_stop(&p), 0);
	close(server);
}

/* Under a keeper it is the file that says so, which is only read: `sockwake wake --for` has written there. */
static void held_awake_by_the_file(void **state)
{
	static const struct {
		bool foreign, cut_short;
		uint64_t least;
	} cases[] = {{false, false, 1990000}, {true, false, 0}, {false, true, 0}};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct stats file = {.magic = STATS_MAGIC, .version = STATS_VERSION, .size = sizeof(file)};
		int fd = memfd_create("hold", MFD_CLOEXEC);
		char path[64];
		struct proxy_run p;
		uint64_t begin;

		if (cases[k].foreign)
			file.version++;
		assert_int_equal(pwrite(fd, &file, sizeof(file), 0), sizeof(file));
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		start(&p, "1s");
		p.inherited = open(path, O_RDONLY | O_CLOEXEC);
		p.environment[0] = "SOCKWAKE_HOLD_FD=50";
		proxy_start(&p);
		begin = now_usec();
		file.held_until = wall_usec() + 2 * USEC_PER_SEC;
		assert_int_equal(pwrite(fd, &file, sizeof(file), 0), sizeof(file));
		if (cases[k].cut_short)
			assert_int_equal(ftruncate(fd, 16), 0);
		expect_life(&p, begin, cases[k].least);
		close(p.inherited);
		close(fd);
	}
}

/* Each message is one of its own; nothing goes to the service manager. */
static void reports_to_the_keeper(void **state)
{
	int ends[2], client, target, manager;
	struct proxy_run p;
	struct error err;

	(void)state;
	assert_int_equal(channel_open(ends, &err), 0);
	start(&p, "300ms");
	p.inherited = ends[1];
	p.environment[0] = CHANNEL_VARIABLE "=50";
	proxy_spawn(&p);
	close(ends[1]);
	manager = p.notify;
	p.notify = ends[0];
	proxy_expect_status(&p, "READY=1\nCOUNTED=1");
	client = connect_to(SOCK_STREAM, port);
	target = accept_from(server);
	proxy_expect_status(&p, "COUNTED=1");
	assert_int_equal(p.stats->connections, 1);
	close(client);
	close(target);
	proxy_expect_status(&p, "STOPPING=1\nSTATUS=idle");
	assert_int_equal(poll(&(struct pollfd){.fd = manager, .events = POLLIN}, 1, 0), 0);
	assert_int_equal(proxy_wait(&p), 0);
	close(manager);
	close(server);
}

static void a_server_that_is_gone_is_told_to_the_keeper(void **state)
{
	int ends[2], client, manager;
	struct proxy_run p;
	struct error err;
	char deadline[64];

	(void)state;
	assert_int_equal(channel_open(ends, &err), 0);
	start(&p, "infinity");
	proxy_arg(&p, "--health-check");
	proxy_arg(&p, "none");
	snprintf(deadline, sizeof(deadline), "SOCKWAKE_DEADLINE=%llu",
		 (unsigned long long)(now_usec() + 200 * USEC_PER_MSEC));
	p.inherited = ends[1];
	p.environment[0] = CHANNEL_VARIABLE "=50";
	p.environment[1] = deadline;
	close(server);
	proxy_spawn(&p);
	close(ends[1]);
	manager = p.notify;
	p.notify = ends[0];
	client = connect_to(SOCK_STREAM, port);
	proxy_expect_status(&p, "UNREACHABLE=111");
	assert_int_equal(next_end(client), ECONNRESET);
	close(client);
	assert_int_equal(proxy_stop(&p), 0);
	close(manager);
}

/* The service manager would kill it as well, but later: who came in between would be cut off. */
static void ends_with_the_keeper(void **state)
{
	int ends[2], told[2], proxy, ended;
	struct proxy_run p;
	struct error err;
	pid_t keeper, pid = 0;

	(void)state;
	assert_int_equal(channel_open(ends, &err), 0);
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	start(&p, "infinity");
	keeper = fork();
	if (keeper == 0) {
		p.is_left_alone = true;
		p.inherited = ends[1];
		p.environment[0] = CHANNEL_VARIABLE "=50";
		proxy_spawn(&p);
		p.notify = ends[0];
		proxy_expect_status(&p, "READY=1");
		(void)!write(told[1], &p.pid, sizeof(p.pid));
		pause();
	}
	assert_int_equal(wait_readable(told[0]), 1);
	assert_int_equal(read(told[0], &pid, sizeof(pid)), sizeof(pid));
	proxy = pidfd_open(pid, 0);
	assert_true(proxy >= 0);
	kill(keeper, SIGKILL);
	waitpid(keeper, NULL, 0);
	ended = wait_readable(proxy);
	pidfd_send_signal(proxy, SIGKILL, NULL, 0);
	assert_int_equal(ended, 1);
	close(proxy);
	close(told[0]);
	close(told[1]);
	close(ends[0]);
	close(ends[1]);
	close(p.sockets[0]);
	close(server);
	for (size_t k = 0; k < p.n_args; k++)
		free(p.args[k]);
}

/* Why it failed, it tells the keeper, whose the queue is: the client goes on waiting. */
static void a_failure_is_told_to_the_keeper(void **state)
{
	struct proxy_run p;
	struct error err;
	int ends[2], client, queue, manager;

	(void)state;
	assert_int_equal(channel_open(ends, &err), 0);
	start(&p, "infinity");
	close(server);
	proxy_arg(&p, "--startup-timeout");
	proxy_arg(&p, "200ms");
	p.inherited = ends[1];
	p.environment[0] = CHANNEL_VARIABLE "=50";
	client = connect_to(SOCK_STREAM, port);
	queue = fcntl(p.sockets[0], F_DUPFD_CLOEXEC, 10);
	proxy_spawn(&p);
	close(ends[1]);
	manager = p.notify;
	p.notify = ends[0];
	proxy_expect_status(&p, "FAILED=");
	assert_int_equal(proxy_wait(&p), EXIT_REFUSED);
	assert_int_equal(poll(&(struct pollfd){.fd = queue, .events = POLLIN}, 1, 0), 1);
	assert_int_equal(poll(&(struct pollfd){.fd = client, .events = POLLIN}, 1, 0), 0);
	close(manager);
	close(queue);
	close(client);
}

static void accepted_by_the_keeper(void **state)
{
	struct proxy_run p;
	int client, target;

	(void)state;
	start(&p, "infinity");
	client = connect_to(SOCK_STREAM, port);
	p.inherited = accept_from(p.sockets[0]);
	p.environment[0] = "SOCKWAKE_ACCEPTED=50:0";
	send_text(client, "handed on");
	proxy_start(&p);
	close(p.inherited);
	target = accept_from(server);
	expect_text(target, "handed on");
	close(client);
	assert_int_equal(next_end(target), 0);
	close(target);
	assert_int_equal(proxy_stop(&p), 0);
	close(server);
}

static void status_says_what_happens(void **state)
{
	struct proxy_run p;
	int client, target;
	uint64_t begin;

	(void)state;
	start(&p, "infinity");
	proxy_start(&p);
	begin = now_usec();
	client = connect_to(SOCK_STREAM, port);
	target = accept_from(server);
	send_text(client, "12345");
	expect_text(target, "12345");
	proxy_expect_status(&p, "STATUS=1 connections (1 in all); 5 B in, 0 B out");
	assert_true(now_usec() - begin > 800000);
	/* No change, no message. */
	assert_int_equal(poll(&(struct pollfd){.fd = p.notify, .events = POLLIN}, 1, 1300), 0);
	assert_int_equal(p.stats->connections, 1);
	assert_int_equal(p.stats->bytes_to_container, 5);
	close(client);
	close(target);
	assert_int_equal(proxy_stop(&p), 0);
	close(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_from_the_start),
		cmocka_unit_test(quiet_connections_hold),
		cmocka_unit_test(nobody_is_lost_at_the_end),
		cmocka_unit_test(no_descriptors_for_a_connection),
		cmocka_unit_test(drains),
		cmocka_unit_test(drains_no_longer_than_told),
		cmocka_unit_test(container_ends),
		cmocka_unit_test(stopped_before_ready),
		cmocka_unit_test(never_ready),
		cmocka_unit_test(wrong_usage),
		cmocka_unit_test(socket_without_forward),
		cmocka_unit_test(forward_without_socket),
		cmocka_unit_test(monitors_do_not_hold),
		cmocka_unit_test(silent_visits_do_not_hold),
		cmocka_unit_test(an_open_connection_without_data_does_not_hold),
		cmocka_unit_test(one_byte_holds),
		cmocka_unit_test(newcomers_may_speak),
		cmocka_unit_test(one_connection_makes_no_busy_period),
		cmocka_unit_test(a_busy_period_keeps_it_warm),
		cmocka_unit_test(monitors_make_no_busy_period),
		cmocka_unit_test(udp_flows_make_a_busy_period),
		cmocka_unit_test(the_longer_time_out_counts),
		cmocka_unit_test(held_awake),
		cmocka_unit_test(held_awake_by_the_schedule),
		cmocka_unit_test(a_hold_does_not_keep_it_from_being_stopped),
		cmocka_unit_test(held_awake_by_the_file),
		cmocka_unit_test(reports_to_the_keeper),
		cmocka_unit_test(a_server_that_is_gone_is_told_to_the_keeper),
		cmocka_unit_test(ends_with_the_keeper),
		cmocka_unit_test(a_failure_is_told_to_the_keeper),
		cmocka_unit_test(accepted_by_the_keeper),
		cmocka_unit_test(status_says_what_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
