/* How a keeper ends: told to stop, whatever it is doing, and putting to sleep until that is done. */
#include "tests/unit/keeper_program.h"

static void sleeping_is_tried_until_it_is_done(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[SLEEP] = "failed exit:75|exit:1|kill:9|exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	assert_int_equal(keeper_finish(&k), 0);
	assert_int_equal(occurrences(k.events, " begins"), 6);
	assert_non_null(strstr(k.text, "no such luck"));
	assert_non_null(strstr(k.text, "the activator ended with status 1"));
	assert_non_null(strstr(k.text, "the activator was killed by signal 9"));
	/* 250 ms, 500 ms, 1 s */
	assert_in_range(keeper_msec(&k), 1700, 5000);
	close(client);
	keeper_clear(&k);
}

/* systemd is asked for time as long as it takes. */
static void a_long_sleep_is_given_time(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[SLEEP] = "msec:6000 exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	assert_int_equal(keeper_finish(&k), 0);
	assert_non_null(strstr(k.notices, "EXTEND_TIMEOUT_USEC=30000000"));
	close(client);
	keeper_clear(&k);
}

/* Meanwhile nobody waits longer than the time-out; who came late is left to the next keeper, with the time. */
static void who_waits_while_it_sleeps(void **state)
{
	struct keeper_run k;
	uint64_t came, second_came;
	int client, first, second;

	(void)state;
	keeper_init(&k);
	k.environment[0] = "SOCKWAKE_LOG=debug";
	k.options[0] = "--startup-timeout";
	k.options[1] = "800ms";
	k.scripts[SLEEP] = "msec:1100 exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	keeper_expect(&k, "sleep 1 begins");
	came = now_usec();
	first = keeper_client(&k);
	wait_msec(500);
	second_came = now_usec();
	second = keeper_client(&k);
	assert_true(was_reset(first));
	assert_in_range(now_usec() - came, 790 * USEC_PER_MSEC, 1250 * USEC_PER_MSEC);
	assert_int_equal(keeper_finish(&k), 0);
	assert_non_null(strstr(k.text, "resets 1 clients, who have waited for --startup-timeout\n"));
	assert_true(is_open(second));
	assert_true(is_readable(k.listeners[0]));
	assert_in_range(keeper_stats(&k).t_waiting, second_came - 60 * USEC_PER_MSEC, second_came + 60 * USEC_PER_MSEC);
	/* The next one goes on counting. */
	munmap(k.play, sizeof(*k.play));
	k.scripts[WAKE] = "hang";
	keeper_start(&k);
	assert_true(was_reset(second));
	assert_in_range(now_usec() - second_came, 790 * USEC_PER_MSEC, 1400 * USEC_PER_MSEC);
	kill(k.pid, SIGTERM);
	assert_int_equal(keeper_finish(&k), EXIT_BROKEN_OFF);
	close(client);
	close(first);
	close(second);
	keeper_clear(&k);
}

static void told_to_stop_while_it_wakes(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.environment[0] = "SOCKWAKE_LOG=debug";
	k.scripts[WAKE] = "late term exit:75";
	client = keeper_client(&k);
	keeper_start(&k);
	keeper_expect(&k, "awaits SIGTERM");
	kill(k.pid, SIGTERM);
	assert_true(was_reset(client));
	assert_int_equal(keeper_finish(&k), EXIT_BROKEN_OFF);
	expect_in_order(k.text, (const char *const[]){"is told to stop\n", "resets everybody who waits\n", NULL});
	assert_non_null(strstr(k.text, "told to stop before the container was ready"));
	assert_non_null(strstr(k.events, "sleep 1 begins"));
	/* Nobody who waits for the start is told that the container is awake. */
	assert_null(strstr(k.notices, "READY=1"));
	assert_non_null(strstr(k.notices, "STATUS=it was told to stop"));
	close(client);
	keeper_clear(&k);
}

/* The engine's answer is waited for: what comes up then is put to sleep. */
static void told_to_stop_in_the_middle_of_a_start(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[WAKE] = "late ignore msec:800 woken exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	keeper_expect(&k, "wake: ignore");
	kill(k.pid, SIGTERM);
	assert_true(was_reset(client));
	assert_int_equal(keeper_finish(&k), EXIT_BROKEN_OFF);
	assert_true(strstr(k.events, "sleep 1 begins") > strstr(k.events, "wake: msec:"));
	assert_null(strstr(k.events, "relay 1"));
	close(client);
	keeper_clear(&k);
}

static void told_to_stop_before_the_proxy_is_ready(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "term exit:75";
	client = keeper_client(&k);
	keeper_start(&k);
	keeper_expect(&k, "awaits SIGTERM");
	kill(k.pid, SIGTERM);
	assert_true(was_reset(client));
	assert_int_equal(keeper_finish(&k), EXIT_BROKEN_OFF);
	assert_non_null(strstr(k.events, "sleep 1 begins"));
	close(client);
	keeper_clear(&k);
}

static void told_to_stop_while_it_serves(void **state)
{
	struct keeper_run k;
	int client, late;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "ready serve term idle msec:300 exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	keeper_expect(&k, "awaits SIGTERM");
	kill(k.pid, SIGTERM);
	assert_int_equal(keeper_finish(&k), 0);
	/* Open connections are given some time: systemd knows why it takes so long. */
	assert_non_null(strstr(k.notices, "STOPPING=1\nSTATUS=Stopping: open connections"));
	assert_true(strstr(k.notices, "STOPPING=1\nSTATUS=told to stop") > strstr(k.notices, "STATUS=Stopping"));
	assert_non_null(strstr(k.events, "sleep 1 begins"));
	assert_null(strstr(k.events, "relay 2"));
	late = keeper_client(&k); /* for the next one */
	assert_true(is_open(late));
	close(client);
	close(late);
	keeper_clear(&k);
}

/* It goes on until it is done. */
static void told_to_stop_while_it_sleeps(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[SLEEP] = "msec:300 failed exit:75|exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	keeper_expect(&k, "sleep 1 begins");
	kill(k.pid, SIGTERM);
	assert_int_equal(keeper_finish(&k), 0);
	assert_non_null(strstr(k.events, "sleep 2 begins"));
	close(client);
	keeper_clear(&k);
}

/* A proxy that has ended in good order while somebody came is followed by another one. */
static void the_last_look_at_the_queue(void **state)
{
	struct keeper_run k;
	int client, second;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "ready serve idle msec:300 exit:0|ready serve idle exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	second = keeper_client(&k);
	assert_true(was_served(second));
	assert_int_equal(keeper_finish(&k), 0);
	assert_null(strstr(k.events, "wake 2"));
	assert_int_equal(occurrences(k.events, "sleep "), 1);
	close(client);
	close(second);
	keeper_clear(&k);
}

static bool has_gone(int pidfd)
{
	return poll(&(struct pollfd){.fd = pidfd, .events = POLLIN}, 1, PATIENCE_MSEC) == 1;
}

static void no_child_outlives_it(void **state)
{
	static const enum part parts[] = {WAKE, RELAY, SLEEP};

	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (size_t c = 0; c < 3; c++) {
		struct keeper_run k;
		char begins[32];
		int client, child;

		keeper_init(&k);
		k.scripts[parts[c]] = "ignore hang";
		client = keeper_client(&k);
		keeper_start(&k);
		snprintf(begins, sizeof(begins), "%s 1 begins as ", part_names[parts[c]]);
		keeper_expect(&k, begins);
		child = pidfd_open(atoi(strstr(k.events, begins) + strlen(begins)), 0);
		assert_true(child >= 0);
		kill(k.pid, SIGKILL);
		assert_int_equal(keeper_finish(&k), 128 + SIGKILL);
		assert_true(has_gone(child));
		close(child);
		close(client);
		keeper_clear(&k);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sleeping_is_tried_until_it_is_done),
		cmocka_unit_test(a_long_sleep_is_given_time),
		cmocka_unit_test(who_waits_while_it_sleeps),
		cmocka_unit_test(told_to_stop_while_it_wakes),
		cmocka_unit_test(told_to_stop_in_the_middle_of_a_start),
		cmocka_unit_test(told_to_stop_before_the_proxy_is_ready),
		cmocka_unit_test(told_to_stop_while_it_serves),
		cmocka_unit_test(told_to_stop_while_it_sleeps),
		cmocka_unit_test(the_last_look_at_the_queue),
		cmocka_unit_test(no_child_outlives_it),
	};

	play_if_asked(argc, argv);
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
