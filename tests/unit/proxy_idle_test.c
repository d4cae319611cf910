/* What keeps the proxy from being idle: connections and monitors, a busy period before, a schedule, a hold. */
#include "tests/unit/proxy_life_fixture.h"

#include <sys/pidfd.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_from_the_start),
		cmocka_unit_test(quiet_connections_hold),
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
