/* A start that takes longer than clients wait: who waits too long is refused and told why, and the start goes on. */
#include "tests/unit/keeper_program.h"

#include "handover/exit.h"
#include "handover/start_limit.h"

static void init(struct keeper_run *k, const char *timeout, const char *limit)
{
	keeper_init(k);
	k->options[0] = "--startup-timeout";
	k->options[1] = timeout;
	k->options[2] = limit ? "--start-limit" : NULL;
	k->options[3] = limit;
}

static void the_limit(void **state)
{
	(void)state;
	assert_int_equal(start_limit(0), 600 * USEC_PER_SEC);
	assert_int_equal(start_limit(30 * USEC_PER_SEC), 600 * USEC_PER_SEC);
	assert_int_equal(start_limit(150 * USEC_PER_SEC), 600 * USEC_PER_SEC);
	assert_int_equal(start_limit(151 * USEC_PER_SEC), 604 * USEC_PER_SEC);
	assert_int_equal(start_limit(3600 * USEC_PER_SEC), 4 * 3600 * USEC_PER_SEC);
	assert_true(start_limit(USEC_INFINITY) == USEC_INFINITY);
}

/* Nobody waits any longer: it is awake for nobody, until it is idle. */
static void it_is_left_to_finish(void **state)
{
	struct keeper_run k;
	int client, time;
	const char *until;

	(void)state;
	init(&k, "500ms", NULL);
	k.scripts[WAKE] = "env late msec:1800 woken";
	k.scripts[RELAY] = "env ready idle exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_reset(client));
	assert_in_range(now_usec() - k.began, 490 * USEC_PER_MSEC, 1500 * USEC_PER_MSEC);
	keeper_expect(
		&k,
		"STATUS=still starting after 500ms (--startup-timeout): it takes too long; try something else; it is left to go on for up to 10min, until ");
	assert_in_range(now_usec() - k.began, 490 * USEC_PER_MSEC, 1700 * USEC_PER_MSEC);
	keeper_expect(&k, "than 500ms are refused, who comes later may find it ready");
	assert_int_equal(keeper_finish(&k), 0);
	assert_in_range(keeper_msec(&k), 1800, 10000);
	/* One word about it in the journal. */
	assert_int_equal(occurrences(k.text, "it takes too long"), 1);
	until = strstr(k.text, " until ");
	assert_non_null(until);
	assert_int_equal(sscanf(until, " until %2d:%2d:%2d; clients", &time, &time, &time), 3);
	assert_int_equal(occurrences(k.text, "\n"), 3);
	/* Which time would have been enough is known when it is ready. */
	assert_true(strstr(k.text, "ready, but") > strstr(k.text, "it takes too long"));
	assert_non_null(strstr(k.text, "ready, but clients wait for 500ms only: --startup-timeout 2s would have let "
				       "them wait for this start\n"));
	assert_non_null(strstr(k.notices, "READY=1"));
	assert_int_equal(occurrences(k.events, "relay 1 begins"), 1);
	assert_true(strstr(k.events, "sleep 1 begins") > strstr(k.events, "relay: idle"));
	close(client);
	keeper_clear(&k);
}

/* A wake that takes more than a second says what it waits for. */
static void what_it_waits_for_is_told_in_time(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	init(&k, "20s", NULL);
	k.scripts[WAKE] = "late woken";
	k.scripts[RELAY] = "awaited-elsewhere await ready serve idle exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	keeper_expect(&k,
		      "STATUS=waking: nothing listens on port 80; it does listen on port 81"); /* not only at the end */
	assert_in_range(now_usec() - k.began, 900 * USEC_PER_MSEC, 8 * USEC_PER_SEC);
	atomic_store(&k.play->go, true);
	assert_true(was_served(client));
	assert_int_equal(keeper_finish(&k), 0);
	assert_int_equal(occurrences(k.notices, "STATUS=waking"), 1);
	assert_null(strstr(k.text, "nothing listens"));
	close(client);
	keeper_clear(&k);
}

/* The programs know how long they may take. */
static void the_deadline_is_that_of_the_start(void **state)
{
	char deadline[64];
	struct keeper_run k;

	(void)state;
	init(&k, "20s", NULL);
	k.scripts[WAKE] = "env woken";
	k.scripts[RELAY] = "env ready idle exit:0";
	keeper_start(&k);
	assert_int_equal(keeper_finish(&k), 0);
	snprintf(deadline, sizeof(deadline), "deadline=%llu\n",
		 (unsigned long long)(keeper_stats(&k).t_main + 600 * USEC_PER_SEC));
	assert_int_equal(occurrences(k.events, deadline), 2);
	keeper_clear(&k);
}

static void who_comes_meanwhile_finds_it_further_on(void **state)
{
	struct keeper_run k;
	int client, second;

	(void)state;
	init(&k, "1s", NULL);
	k.scripts[WAKE] = "late await woken";
	k.scripts[RELAY] = "ready serve idle exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_reset(client));
	keeper_expect(&k, "STATUS=still starting after 1s (--startup-timeout): it takes too long");
	second = keeper_client(&k);
	atomic_store(&k.play->go, true);
	assert_true(was_served(second));
	assert_int_equal(keeper_finish(&k), 0);
	assert_non_null(strstr(k.notices, "READY=1"));
	assert_null(strstr(k.events, "wake 2"));
	close(client);
	close(second);
	keeper_clear(&k);
}

/* Each has a time of their own; nobody is refused early. */
static void each_client_has_a_time_of_their_own(void **state)
{
	struct keeper_run k;
	int clients[3];
	uint64_t came[3];

	(void)state;
	init(&k, "600ms", NULL);
	k.scripts[WAKE] = "late await woken";
	k.scripts[RELAY] = "ready idle exit:0";
	for (int n = 0; n < 3; n++) {
		clients[n] = keeper_client(&k);
		came[n] = now_usec();
		if (n == 0)
			keeper_start(&k);
		usleep(250000);
	}
	for (int n = 0; n < 3; n++) {
		assert_true(was_reset(clients[n]));
		assert_in_range(now_usec() - came[n], 590 * USEC_PER_MSEC, 1500 * USEC_PER_MSEC);
		close(clients[n]);
	}
	atomic_store(&k.play->go, true);
	assert_int_equal(keeper_finish(&k), 0);
	keeper_clear(&k);
}

/* It runs, and its server is not ready. */
static void a_server_that_is_slow(void **state)
{
	struct keeper_run k;
	int client, second;

	(void)state;
	init(&k, "500ms", NULL);
	k.scripts[WAKE] = "late woken";
	k.scripts[RELAY] = "awaited await ready serve idle exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_reset(client));
	keeper_expect(
		&k,
		"STATUS=still starting after 500ms (--startup-timeout): nothing listens on port 80; it is left to go on");
	assert_null(strstr(k.notices, "try something else")); /* that was about something else */
	second = keeper_client(&k);
	atomic_store(&k.play->go, true);
	assert_true(was_served(second));
	assert_int_equal(keeper_finish(&k), 0);
	assert_null(strstr(k.events, "relay 2"));
	close(client);
	close(second);
	keeper_clear(&k);
}

/* What no time mends: nothing is promised to who comes later, and no longer time is named. What is awaited next may come. */
static void what_no_time_mends(void **state)
{
	struct keeper_run k;
	const char *first;
	int client;

	(void)state;
	init(&k, "300ms", NULL);
	k.scripts[RELAY] = "futile await awaited msec:1500 exit:75";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_reset(client));
	keeper_expect(&k, "longer than 300ms are refused\n");
	first = strstr(k.notices, "STATUS=still starting after 300ms: there is no such check; correct it; it is left");
	assert_non_null(first);
	assert_null(strstr(k.notices, "may find it ready"));
	atomic_store(&k.play->go, true);
	keeper_expect(&k, "refused, who comes later may find it ready\n");
	assert_int_equal(keeper_finish(&k), EXIT_REFUSED);
	assert_null(strstr(k.text, "would have let"));
	close(client);
	keeper_clear(&k);
}

/* Nobody can be refused over UDP. */
static void datagrams_are_dropped(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	init(&k, "300ms", NULL);
	close(k.listeners[0]);
	k.listeners[0] = bound_to(SOCK_DGRAM, "127.0.0.1", 0);
	k.scripts[WAKE] = "late await woken";
	client = client_of(SOCK_DGRAM, NULL, "127.0.0.1", keeper_port(&k));
	keeper_start(&k);
	keeper_expect(&k, "datagrams that wait for longer than 300ms are dropped, ");
	kill(k.pid, SIGTERM);
	keeper_expect(&k,
		      "STATUS=it was told to stop before the container was ready; waiting datagrams were dropped\n");
	atomic_store(&k.play->go, true);
	assert_int_equal(keeper_finish(&k), EXIT_BROKEN_OFF);
	assert_null(strstr(k.text, "refused"));
	close(client);
	keeper_clear(&k);
}

/* Nobody had to wait too long. */
static void a_start_in_time_needs_no_longer_time(void **state)
{
	struct keeper_run k;

	(void)state;
	init(&k, "20s", NULL);
	k.scripts[RELAY] = "msec:100 ready idle exit:0";
	keeper_start(&k);
	assert_int_equal(keeper_finish(&k), 0);
	assert_null(strstr(k.text, "--startup-timeout"));
	keeper_clear(&k);
}

/* One that was accepted to see who it is: the proxy has a copy, which must not keep it open. */
static void an_accepted_client_is_reset_under_the_proxy(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	init(&k, "500ms", NULL);
	k.options[2] = "--no-wake-from";
	k.options[3] = "10.0.0.0/8";
	k.scripts[RELAY] = "env await ready idle exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_reset(client));
	assert_in_range(now_usec() - k.began, 490 * USEC_PER_MSEC, 1500 * USEC_PER_MSEC);
	keeper_expect(&k, "STATUS=still starting after 500ms (--startup-timeout): its server is not ready");
	assert_null(strstr(k.events, "SOCKWAKE_ACCEPTED=unset"));
	atomic_store(&k.play->go, true);
	assert_int_equal(keeper_finish(&k), 0);
	close(client);
	keeper_clear(&k);
}

/* The keeper looks to the time itself: an activator that hangs without a word. */
static void an_activator_that_hangs(void **state)
{
	struct keeper_run k;
	int client, late;

	(void)state;
	init(&k, "400ms", NULL);
	k.scripts[WAKE] = "hang";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_reset(client));
	assert_in_range(now_usec() - k.began, 390 * USEC_PER_MSEC, 1500 * USEC_PER_MSEC);
	keeper_expect(&k, "STATUS=still starting after 400ms (--startup-timeout): it has not been started");
	late = keeper_client(&k);
	assert_true(was_reset(late)); /* again and again */
	kill(k.pid, SIGTERM);
	assert_int_equal(keeper_finish(&k), EXIT_BROKEN_OFF);
	close(client);
	close(late);
	keeper_clear(&k);
}

/* What is not ready by then has failed, and is put to sleep. */
static void the_limit_ends_it(void **state)
{
	static const struct {
		const char *wake, *relay, *what;
	} cases[] = {
		{"late hang", "", "it takes too long; try something else"},
		{"late woken", "awaited hang", "nothing listens on port 80"},
		{"late woken", "awaited msec:900 failed exit:75", "nothing listens on port 80"},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
		struct keeper_run k;
		char sentence[512];
		int client;

		init(&k, "300ms", "800ms");
		k.scripts[WAKE] = cases[c].wake;
		k.scripts[RELAY] = cases[c].relay;
		client = keeper_client(&k);
		keeper_start(&k);
		assert_true(was_reset(client));
		assert_int_equal(keeper_finish(&k), EXIT_REFUSED);
		assert_in_range(keeper_msec(&k), 800, 4000);
		snprintf(sentence, sizeof(sentence),
			 "not ready after 800ms, the longest that a start may take (four times --startup-timeout, "
			 "10min at least), and put to sleep: %s\n",
			 cases[c].what);
		if (!strstr(k.text, sentence) || !strstr(k.notices, sentence))
			fail_msg("no '%s' in\n%s\nor\n%s", sentence, k.text, k.notices);
		assert_null(strstr(k.notices, "READY=1"));
		assert_non_null(strstr(k.events, "sleep 1 begins"));
		close(client);
		keeper_clear(&k);
	}
}

/* A failure is no slow start. */
static void what_fails_meanwhile_has_failed_at_once(void **state)
{
	static const struct {
		const char *wake, *relay;
	} cases[] = {{"late msec:600 failed exit:75", ""}, {"late woken", "awaited msec:600 failed exit:75"}};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
		struct keeper_run k;
		int client;

		init(&k, "300ms", NULL);
		k.scripts[WAKE] = cases[c].wake;
		k.scripts[RELAY] = cases[c].relay;
		client = keeper_client(&k);
		keeper_start(&k);
		assert_true(was_reset(client));
		keeper_expect(&k, "STATUS=still starting");
		assert_int_equal(keeper_finish(&k), EXIT_REFUSED);
		assert_in_range(keeper_msec(&k), 600, 5000);
		assert_non_null(strstr(k.notices, "STATUS=no such luck"));
		assert_non_null(strstr(k.events, "sleep 1 begins"));
		close(client);
		keeper_clear(&k);
	}
}

static void told_to_stop_meanwhile(void **state)
{
	static const struct {
		const char *wake, *relay;
	} cases[] = {{"late term exit:75", ""}, {"late woken", "term exit:75"}};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
		struct keeper_run k;
		int client;

		init(&k, "300ms", NULL);
		k.scripts[WAKE] = cases[c].wake;
		k.scripts[RELAY] = cases[c].relay;
		client = keeper_client(&k);
		keeper_start(&k);
		assert_true(was_reset(client));
		keeper_expect(&k, "STATUS=still starting");
		kill(k.pid, SIGTERM);
		assert_int_equal(keeper_finish(&k), EXIT_BROKEN_OFF);
		assert_in_range(keeper_msec(&k), 300, 5000);
		assert_non_null(strstr(k.text, "told to stop before the container was ready"));
		assert_non_null(strstr(k.events, "sleep 1 begins"));
		close(client);
		keeper_clear(&k);
	}
}

/* systemd would end a start that outlasts TimeoutStartSec= (sd_notify(3), EXTEND_TIMEOUT_USEC). */
static void systemd_is_asked_for_time(void **state)
{
	struct keeper_run k;

	(void)state;
	init(&k, "300ms", NULL);
	k.scripts[RELAY] = "msec:5500 ready idle exit:0";
	keeper_start(&k);
	keeper_expect(&k, "STATUS=still starting");
	assert_int_equal(keeper_finish(&k), 0);
	assert_non_null(strstr(k.notices, "EXTEND_TIMEOUT_USEC="));
	assert_true(strstr(k.notices, "EXTEND_TIMEOUT_USEC=") < strstr(k.notices, "READY=1"));
	keeper_clear(&k);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_limit),
		cmocka_unit_test(it_is_left_to_finish),
		cmocka_unit_test(what_it_waits_for_is_told_in_time),
		cmocka_unit_test(the_deadline_is_that_of_the_start),
		cmocka_unit_test(who_comes_meanwhile_finds_it_further_on),
		cmocka_unit_test(each_client_has_a_time_of_their_own),
		cmocka_unit_test(a_server_that_is_slow),
		cmocka_unit_test(what_no_time_mends),
		cmocka_unit_test(datagrams_are_dropped),
		cmocka_unit_test(a_start_in_time_needs_no_longer_time),
		cmocka_unit_test(an_accepted_client_is_reset_under_the_proxy),
		cmocka_unit_test(an_activator_that_hangs),
		cmocka_unit_test(the_limit_ends_it),
		cmocka_unit_test(what_fails_meanwhile_has_failed_at_once),
		cmocka_unit_test(told_to_stop_meanwhile),
		cmocka_unit_test(systemd_is_asked_for_time),
	};

	play_if_asked(argc, argv);
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
