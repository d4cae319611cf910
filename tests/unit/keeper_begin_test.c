/* Why a keeper begins, and whether it wakes: who waits may, a schedule, a hold, a timer that comes late. */
#include "handover/channel.h"
#include "handover/stats_text.h"
#include "tests/unit/keeper_program.h"

static void nobody_who_may_wake(void **state)
{
	struct keeper_run k;
	int client, second;

	(void)state;
	keeper_init(&k);
	k.options[0] = "--no-wake-from";
	k.options[1] = "127.0.0.0/8";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_reset(client));
	second = keeper_client(&k);
	assert_true(was_reset(second));
	assert_in_range(now_usec() - k.began, 0, 900 * USEC_PER_MSEC);
	assert_int_equal(keeper_finish(&k), 0);
	assert_in_range(keeper_msec(&k), 1000, 3000); /* at most one a second */
	assert_string_equal(k.events, "");
	assert_string_equal(k.text, "");
	assert_non_null(strstr(k.notices, "STATUS=" STATUS_NOBODY " so far.\n"));
	assert_non_null(strstr(k.notices, "READY=1\nSTATUS=" STATUS_NOBODY ".\n"));
	assert_int_equal(keeper_stats(&k).flags, STATS_NOBODY);
	assert_int_equal(keeper_stats(&k).wakes, 0);
	close(client);
	close(second);
	keeper_clear(&k);
}

static void run_once(struct keeper_run *k)
{
	keeper_start(k);
	assert_int_equal(keeper_finish(k), 0);
}

/* Neither figures of the last wake nor a line in the journal, however often it asks. */
static void refused_clients_leave_no_trace(void **state)
{
	struct stats before, after;
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "ready count counted:50 idle exit:0";
	run_once(&k);
	before = keeper_stats(&k);
	assert_int_equal(before.connections_total, 7);
	k.options[0] = "--no-wake-from";
	k.options[1] = "127.0.0.0/8";
	for (int n = 0; n < 2; n++) {
		client = keeper_client(&k);
		keeper_start(&k);
		assert_true(was_reset(client));
		close(client);
		assert_int_equal(keeper_finish(&k), 0);
		assert_string_equal(k.text, "");
	}
	after = keeper_stats(&k);
	assert_true(after.flags & STATS_NOBODY);
	after.flags = before.flags;
	assert_memory_equal(&after, &before, sizeof(before));
	keeper_clear(&k);
}

/* What a wake has found out about the server the next one is told. */
static void what_is_known_of_the_server_stays(void **state)
{
	struct keeper_run k;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "ready count counted:50 idle exit:0";
	run_once(&k);
	assert_int_equal(keeper_stats(&k).flags, STATS_FULL | STATS_LOOPBACK);
	k.scripts[RELAY] = "ready idle exit:0";
	run_once(&k);
	assert_int_equal(keeper_stats(&k).flags, STATS_LOOPBACK);
	keeper_clear(&k);
}

/* The brake delays nobody who may. */
static void somebody_who_may_wakes_at_once(void **state)
{
	struct keeper_run k;
	uint64_t came;
	int client, second;

	(void)state;
	keeper_init(&k);
	k.options[0] = "--no-wake-from";
	k.options[1] = "127.0.0.2";
	k.scripts[RELAY] = "env ready serve idle exit:0";
	client = client_of(SOCK_STREAM, "127.0.0.2", "127.0.0.1", keeper_port(&k));
	keeper_start(&k);
	assert_true(was_reset(client));
	keeper_expect(&k, STATUS_NOBODY " so far.");
	came = now_usec();
	second = keeper_client(&k);
	assert_true(was_served(second));
	assert_in_range(now_usec() - came, 0, 500 * USEC_PER_MSEC);
	assert_int_equal(keeper_finish(&k), 0);
	assert_null(strstr(k.events, "SOCKWAKE_ACCEPTED=unset\nown-pid=1"));
	assert_non_null(strstr(k.notices, "STATUS=" STATUS_NOBODY " so far.\nSTATUS=\n"));
	assert_int_equal(keeper_stats(&k).flags, 0);
	close(client);
	close(second);
	keeper_clear(&k);
}

/* It was accepted to see where it comes from; a failure resets it none the less. */
static void an_accepted_client_is_reset_by_a_failure(void **state)
{
	static const char *const scripts[] = {"failed exit:75", "kill:9"};

	(void)state;
	for (size_t c = 0; c < 2; c++) {
		struct keeper_run k;

		keeper_init(&k);
		k.options[0] = "--no-wake-from";
		k.options[1] = "127.0.0.2";
		k.scripts[WAKE] = scripts[c];
		expect_refusal(&k, c ? "signal 9" : "no such luck");
		keeper_clear(&k);
	}
}

static void told_to_stop_while_nobody_may_wake(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.options[0] = "--no-wake-from";
	k.options[1] = "127.0.0.0/8";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_reset(client));
	kill(k.pid, SIGTERM);
	assert_int_equal(keeper_finish(&k), 0);
	assert_in_range(keeper_msec(&k), 0, 900);
	close(client);
	keeper_clear(&k);
}

/* A person's `systemctl start`: nobody waits, so that nobody is kept from waking. */
static void without_a_client_it_just_wakes(void **state)
{
	struct keeper_run k;

	(void)state;
	keeper_init(&k);
	k.options[0] = "--no-wake-from";
	k.options[1] = "127.0.0.1";
	k.scripts[RELAY] = "ready idle exit:0";
	keeper_start(&k);
	assert_int_equal(keeper_finish(&k), 0);
	assert_non_null(strstr(k.events, "wake 1 begins"));
	keeper_clear(&k);
}

/* "HH:MM-HH:MM", from so many minutes from now on until so many. */
static const char *window(int first, int last)
{
	static char text[16];
	time_t begin = time(NULL) + first * 60, end = time(NULL) + last * 60;
	struct tm a, b;

	localtime_r(&begin, &a);
	localtime_r(&end, &b);
	snprintf(text, sizeof(text), "%02d:%02d-%02d:%02d", a.tm_hour, a.tm_min, b.tm_hour, b.tm_min);
	return text;
}

static void a_schedule_keeps_it_warm(void **state)
{
	uint64_t now = wall_usec();
	struct keeper_run k;
	struct stats s;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "ready idle exit:0";
	k.options[0] = "--schedule";
	k.options[1] = window(-1, 5);
	run_once(&k);
	s = keeper_stats(&k);
	assert_in_range(stats_held_until(&s, wall_usec()), now + 239 * USEC_PER_SEC, now + 301 * USEC_PER_SEC);
	/* one that is to come is known, too */
	k.options[1] = window(60, 90);
	run_once(&k);
	s = keeper_stats(&k);
	assert_int_equal(s.wakes, 2);
	assert_int_equal(stats_held_until(&s, wall_usec()), 0);
	assert_in_range(s.warm[0].from, now + 59 * 60 * USEC_PER_SEC, now + 61 * 60 * USEC_PER_SEC);
	assert_true(stats_held_until(&s, s.warm[0].from) == s.warm[0].until);
	/* and that of the day after, for who stays connected until then */
	assert_in_range(s.warm[1].from, s.warm[0].from + 22 * 3600 * USEC_PER_SEC,
			s.warm[0].from + 26 * 3600 * USEC_PER_SEC);
	assert_true(s.warm[STATS_WINDOWS - 1].from > s.warm[1].until);
	keeper_clear(&k);
}

/* What the timer starts after the end of a window sleeps on; what anybody else starts wakes. */
static void a_timer_that_comes_late_wakes_nothing(void **state)
{
	struct keeper_run k;
	struct error err;
	char path[96];
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "ready idle exit:0";
	k.options[0] = "--schedule";
	k.options[1] = window(60, 90);
	run_once(&k);
	k.environment[0] = "TRIGGER_TIMER_REALTIME_USEC=1";
	k.environment[1] = "SOCKWAKE_LOG=debug";
	run_once(&k);
	assert_string_equal(k.events, "");
	assert_non_null(strstr(k.notices, "READY=1\nSTATUS=The time of its schedule is over."));
	assert_non_null(strstr(k.text, "wakes nothing: The time of its schedule is over.\n"));
	assert_int_equal(keeper_stats(&k).wakes, 1);
	assert_int_equal(keeper_stats(&k).flags, STATS_LATE);
	/* a client came meanwhile */
	client = keeper_client(&k);
	k.scripts[RELAY] = "ready serve idle exit:0";
	run_once(&k);
	assert_true(was_served(client));
	assert_int_equal(keeper_stats(&k).flags, 0);
	/* it is held, and was killed */
	k.scripts[RELAY] = "ready idle exit:0";
	snprintf(path, sizeof(path), "%s/t.stats", k.directory);
	assert_int_equal(stats_hold(path, wall_usec() + 60 * USEC_PER_SEC, &err), 0);
	run_once(&k);
	assert_non_null(strstr(k.events, "wake 1 begins"));
	close(client);
	keeper_clear(&k);
}

static void a_hold_ends_with_sleep_alone(void **state)
{
	uint64_t until = wall_usec() + 3600 * USEC_PER_SEC;
	struct keeper_run k;
	struct error err;
	char path[96];

	(void)state;
	keeper_init(&k);
	snprintf(path, sizeof(path), "%s/t.stats", k.directory);
	k.scripts[RELAY] = "ready hang";
	keeper_start(&k);
	keeper_expect(&k, "READY=1");
	assert_int_equal(stats_hold(path, until, &err), 0);
	kill(k.pid, SIGKILL);
	assert_int_equal(keeper_finish(&k), 128 + SIGKILL);
	assert_true(keeper_stats(&k).held_until == until);
	/* neither by a kill nor by a failure */
	k.scripts[WAKE] = "failed exit:75";
	keeper_start(&k);
	assert_int_equal(keeper_finish(&k), EXIT_REFUSED);
	assert_true(keeper_stats(&k).held_until == until);
	k.scripts[WAKE] = "woken";
	k.scripts[RELAY] = "ready idle exit:0";
	run_once(&k);
	assert_int_equal(keeper_stats(&k).held_until, 0);
	assert_int_equal(keeper_stats(&k).wakes, 3);
	keeper_clear(&k);
}

/* As LimitNOFILE= of a drop-in, from what the dynamic loader needs to what is enough. */
static void too_few_descriptors_leave_nobody_waiting(void **state)
{
	static const rlim_t limits[] = {5, 6, 8, 12, 128, 129};
	struct keeper_run k;

	(void)state;
	for (size_t n = 0; n < sizeof(limits) / sizeof(*limits); n++) {
		bool enough = limits[n] > 128;
		int client;

		keeper_init(&k);
		k.descriptors = limits[n];
		client = keeper_client(&k);
		keeper_start(&k);
		assert_int_equal(keeper_finish(&k), enough ? 0 : EXIT_REFUSED);
		assert_true(enough || was_reset(client));
		assert_true(enough || strstr(k.text, "needs at least 129: raise LimitNOFILE="));
		close(client);
		keeper_clear(&k);
	}
}

static void expect_woken_by(const struct keeper_run *k, uint64_t kind, const char *client)
{
	struct stats s = keeper_stats(k);
	char text[STATS_CLIENT_MAX];

	assert_int_equal(s.woken_by, kind);
	assert_string_equal(stats_text_client(&s, text), client);
}

/* Of two clients the one that came first, although a keeper before this one has not served it. */
static void who_has_woken_it(void **state)
{
	struct keeper_run k;
	uint64_t came;
	int first, second;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "ready serve idle exit:0";
	came = now_usec();
	first = client_of(SOCK_STREAM, "127.0.0.3", "127.0.0.1", keeper_port(&k));
	usleep(120000); /* the kernel tells the age */
	second = client_of(SOCK_STREAM, "127.0.0.2", "127.0.0.1", keeper_port(&k));
	run_once(&k);
	expect_woken_by(&k, STATS_BY_CLIENT, "127.0.0.3");
	assert_in_range(keeper_stats(&k).t_client, came - 20 * USEC_PER_MSEC, came + 100 * USEC_PER_MSEC);
	assert_true(keeper_stats(&k).t_client < keeper_stats(&k).t_main);
	close(first);
	close(second);
	/* One whose address was looked at has been accepted. */
	k.options[0] = "--no-wake-from";
	k.options[1] = "127.0.0.2";
	first = client_of(SOCK_STREAM, "127.0.0.4", "127.0.0.1", keeper_port(&k));
	run_once(&k);
	expect_woken_by(&k, STATS_BY_CLIENT, "127.0.0.4");
	close(first);
	/* Nobody. */
	k.scripts[RELAY] = "ready idle exit:0";
	run_once(&k);
	expect_woken_by(&k, STATS_BY_START, "");
	assert_int_equal(keeper_stats(&k).t_client, 0);
	setenv("TRIGGER_TIMER_REALTIME_USEC", "1", 1);
	run_once(&k);
	unsetenv("TRIGGER_TIMER_REALTIME_USEC");
	expect_woken_by(&k, STATS_BY_SCHEDULE, "");
	keeper_clear(&k);
}

/* Through each kind of socket, whether its address was looked at or not. */
static void whoever_has_woken_it_is_known(void **state)
{
	static const struct {
		const char *address, *shown;
		int type;
	} cases[] = {
		{"127.0.0.5", "127.0.0.5", SOCK_STREAM},
		{"127.0.0.5", "127.0.0.5", SOCK_DGRAM},
		{"::1", "::1", SOCK_STREAM},
		{"::1", "::1", SOCK_DGRAM},
	};

	(void)state;
	for (size_t n = 0; n < 2 * sizeof(cases) / sizeof(*cases); n++) {
		size_t c = n / 2;
		struct keeper_run k;
		int client;

		keeper_init(&k);
		if (n % 2) {
			k.options[0] = "--no-wake-from";
			k.options[1] = "192.0.2.0/24";
		}
		close(k.listeners[0]);
		k.listeners[0] = bound_to(cases[c].type, cases[c].address, 0);
		k.scripts[RELAY] = "ready idle exit:0|ready idle exit:0";
		client = client_of(cases[c].type, cases[c].address, cases[c].address, keeper_port(&k));
		usleep(20000); /* the kernel tells the age */
		keeper_start(&k);
		keeper_expect(&k, "READY=1");
		kill(k.pid, SIGTERM);
		(void)keeper_finish(&k);
		expect_woken_by(&k, STATS_BY_CLIENT, cases[c].shown);
		close(client);
		keeper_clear(&k);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_who_may_wake),
		cmocka_unit_test(refused_clients_leave_no_trace),
		cmocka_unit_test(what_is_known_of_the_server_stays),
		cmocka_unit_test(somebody_who_may_wakes_at_once),
		cmocka_unit_test(an_accepted_client_is_reset_by_a_failure),
		cmocka_unit_test(told_to_stop_while_nobody_may_wake),
		cmocka_unit_test(without_a_client_it_just_wakes),
		cmocka_unit_test(a_schedule_keeps_it_warm),
		cmocka_unit_test(a_timer_that_comes_late_wakes_nothing),
		cmocka_unit_test(a_hold_ends_with_sleep_alone),
		cmocka_unit_test(too_few_descriptors_leave_nobody_waiting),
		cmocka_unit_test(who_has_woken_it),
		cmocka_unit_test(whoever_has_woken_it_is_known),
	};

	play_if_asked(argc, argv);
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
