/* What a keeper that was killed leaves to the next one; and when a keeper gives up putting to sleep. */
#include "tests/unit/keeper_program.h"

#define MARK ((uint64_t)STATS_AWAKE)

#define SLEEPS_AGAIN "READY=1\nSTATUS=What a keeper that was killed had woken sleeps again."

static int run(struct keeper_run *k)
{
	keeper_start(k);
	return keeper_finish(k);
}

/* One that has come so far, and no further. */
static void kill_at(struct keeper_run *k, const char *event)
{
	keeper_start(k);
	keeper_expect(k, event);
	kill(k->pid, SIGKILL);
	assert_int_equal(keeper_finish(k), 128 + SIGKILL);
}

static void hold(const struct keeper_run *k)
{
	struct error err;
	char path[96];

	snprintf(path, sizeof(path), "%s/t.stats", k->directory);
	assert_int_equal(stats_hold(path, wall_usec() + 60 * USEC_PER_SEC, &err), 0);
}

/* An instance whose keeper was killed while it served nobody any more. */
static void init_killed(struct keeper_run *k)
{
	keeper_init(k);
	k->scripts[RELAY] = "ready hang";
	kill_at(k, "READY=1");
	assert_int_equal(keeper_stats(k).flags, MARK);
	k->scripts[RELAY] = "ready idle exit:0";
}

static void with_nobody_there_it_puts_to_sleep(void **state)
{
	struct keeper_run k;

	(void)state;
	init_killed(&k);
	assert_int_equal(run(&k), 0);
	assert_int_equal(occurrences(k.events, " begins"), 1);
	assert_non_null(strstr(k.events, "sleep 1 begins"));
	assert_non_null(strstr(k.notices, SLEEPS_AGAIN));
	assert_string_equal(k.text, "");
	/* The figures are those of the wake. */
	assert_int_equal(keeper_stats(&k).wakes, 1);
	/* Once: the one after it was started by a person. */
	assert_int_equal(keeper_stats(&k).flags, 0);
	assert_int_equal(run(&k), 0);
	assert_non_null(strstr(k.events, "wake 1 begins"));
	keeper_clear(&k);
}

/* Wherever it was when it was killed: the engine may have been asked. */
static void whatever_it_did(void **state)
{
	static const struct {
		const char *scripts[PARTS], *event;
	} cases[] = {
		{{"late hang"}, "wake: late"},
		{{"woken", "hang"}, "relay 1 begins"},
		{{"woken", "ready idle exit:0", "hang"}, "sleep 1 begins"},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
		struct keeper_run k;

		keeper_init(&k);
		for (enum part p = 0; p < PARTS; p++)
			k.scripts[p] = cases[c].scripts[p] ? cases[c].scripts[p] : k.scripts[p];
		kill_at(&k, cases[c].event);
		assert_int_equal(keeper_stats(&k).flags, MARK);
		k.scripts[SLEEP] = "exit:0";
		assert_int_equal(run(&k), 0);
		assert_int_equal(occurrences(k.events, " begins"), 1);
		assert_non_null(strstr(k.notices, SLEEPS_AGAIN));
		assert_int_equal(keeper_stats(&k).flags, 0);
		keeper_clear(&k);
	}
}

/* Also when that one is killed in the middle of it. */
static void it_is_killed_as_well(void **state)
{
	struct keeper_run k;

	(void)state;
	init_killed(&k);
	k.scripts[SLEEP] = "hang";
	for (int n = 0; n < 2; n++) {
		kill_at(&k, "sleep 1 begins");
		assert_null(strstr(k.notices, "READY=1"));
		assert_int_equal(keeper_stats(&k).flags, MARK);
	}
	k.scripts[SLEEP] = "failed exit:75|exit:0";
	assert_int_equal(run(&k), 0);
	assert_non_null(strstr(k.events, "sleep 2 begins"));
	assert_int_equal(keeper_stats(&k).flags, 0);
	keeper_clear(&k);
}

static void for_somebody_who_waits_it_wakes(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	init_killed(&k);
	k.scripts[RELAY] = "ready serve idle exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	assert_int_equal(keeper_finish(&k), 0);
	assert_true(strstr(k.events, "wake 1 begins") < strstr(k.events, "sleep 1 begins"));
	assert_int_equal(occurrences(k.events, " begins"), 3);
	assert_int_equal(keeper_stats(&k).wakes, 2);
	assert_int_equal(keeper_stats(&k).flags, 0);
	close(client);
	keeper_clear(&k);
}

static void while_it_is_held_it_wakes(void **state)
{
	struct keeper_run k;

	(void)state;
	init_killed(&k);
	hold(&k);
	assert_int_equal(run(&k), 0);
	assert_non_null(strstr(k.events, "wake 1 begins"));
	assert_int_equal(keeper_stats(&k).wakes, 2);
	assert_int_equal(keeper_stats(&k).flags, 0);
	keeper_clear(&k);
}

/* Who may not wake is nobody. */
static void with_excluded_clients_alone(void **state)
{
	(void)state;
	for (int held = 0; held < 2; held++) {
		struct keeper_run k;
		int client;

		init_killed(&k);
		if (held)
			hold(&k);
		k.options[0] = "--no-wake-from";
		k.options[1] = "127.0.0.0/8";
		client = keeper_client(&k);
		keeper_start(&k);
		assert_true(was_reset(client));
		assert_int_equal(keeper_finish(&k), 0);
		assert_int_equal(occurrences(k.events, "wake 1 begins"), held);
		assert_int_equal(occurrences(k.events, "sleep 1 begins"), 1);
		assert_int_equal(keeper_stats(&k).flags, held ? 0 : STATS_NOBODY);
		assert_int_equal(keeper_stats(&k).wakes, 1 + held);
		close(client);
		keeper_clear(&k);
	}
}

/* A wake that fails before the engine was asked leaves running what the one before had woken. */
static void a_wake_that_fails_puts_to_sleep_all_the_same(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	init_killed(&k);
	k.scripts[WAKE] = "failed exit:75";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_reset(client));
	assert_int_equal(keeper_finish(&k), EXIT_REFUSED);
	assert_int_equal(occurrences(k.events, "sleep 1 begins"), 1);
	assert_int_equal(keeper_stats(&k).flags, 0);
	close(client);
	keeper_clear(&k);
}

static void one_that_ends_by_itself_leaves_no_mark(void **state)
{
	static const struct {
		const char *wake, *relay;
		int status;
	} cases[] = {{"woken", "ready idle exit:0", 0},
		     {"woken", "failed exit:75", EXIT_REFUSED},
		     {"failed exit:75", "", EXIT_REFUSED},
		     {"late failed exit:75", "", EXIT_REFUSED}};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
		struct keeper_run k;

		keeper_init(&k);
		k.scripts[WAKE] = cases[c].wake;
		k.scripts[RELAY] = cases[c].relay;
		assert_int_equal(run(&k), cases[c].status);
		assert_int_equal(keeper_stats(&k).flags, 0);
		k.scripts[WAKE] = "woken";
		k.scripts[RELAY] = "ready idle exit:0";
		assert_int_equal(run(&k), 0);
		assert_non_null(strstr(k.events, "wake 1 begins"));
		keeper_clear(&k);
	}
}

#define SEVEN_SECONDS "exit:69|exit:69|exit:69|exit:69|exit:69|exit:69|exit:0"

/* An engine that is gone is not waited for by somebody who stops the service, but every other failure is; and without
 * such a person it is waited for, too. The sleeper may know of the stop alone. */
static void an_engine_that_is_gone_is_given_up(void **state)
{
	static const struct {
		const char *script;
		bool gives_up, signal;
	} cases[] = {
		{"stop exit:69", true, false},
		{"exit:69", true, true},
		{SEVEN_SECONDS, false, false},
		{"stop exit:1|exit:1|exit:1|exit:1|exit:1|exit:1|exit:0", false, false},
	};
	enum { N = sizeof(cases) / sizeof(*cases) };
	struct keeper_run k[N];
	int clients[N];

	(void)state;
	for (size_t c = 0; c < N; c++) { /* side by side, for they take their time */
		keeper_init(&k[c]);
		k[c].scripts[SLEEP] = cases[c].script;
		k[c].scripts[RELAY] = "ready serve idle exit:0";
		clients[c] = keeper_client(&k[c]);
		keeper_start(&k[c]);
		keeper_expect(&k[c], "sleep 1 begins");
		if (cases[c].signal)
			kill(k[c].pid, SIGTERM);
	}
	for (size_t c = 0; c < N; c++) {
		assert_int_equal(keeper_finish(&k[c]), cases[c].gives_up ? EXIT_FAILURE : 0);
		if (cases[c].gives_up)
			assert_in_range(keeper_msec(&k[c]), 5000, 7500);
		assert_int_equal(occurrences(k[c].text, "the container may still run: 'sockwake sleep t' tries again"),
				 cases[c].gives_up);
		assert_int_equal(occurrences(k[c].notices, "STATUS=the container may still run: 'sockwake sleep t'"),
				 cases[c].gives_up);
		/* The next one knows that it may run. */
		assert_int_equal(keeper_stats(&k[c]).flags, cases[c].gives_up ? MARK : 0);
		close(clients[c]);
		keeper_clear(&k[c]);
	}
}

/* So does the successor of one that was killed. */
static void a_successor_gives_up(void **state)
{
	struct keeper_run k;

	(void)state;
	init_killed(&k);
	k.scripts[SLEEP] = "stop exit:69";
	assert_int_equal(run(&k), EXIT_FAILURE);
	assert_in_range(keeper_msec(&k), 5000, 7500);
	assert_null(strstr(k.notices, "READY=1"));
	assert_int_equal(keeper_stats(&k).flags, MARK);
	keeper_clear(&k);
}

/* With nobody to ask, the end of its first process tells that it sleeps; of those that it needs nothing tells that. */
static void a_container_that_has_ended_without_its_engine(void **state)
{
	static const struct {
		const char *wake, *sleep;
		unsigned tries;
	} cases[] = {
		{"woken", "exit:69|exit:0", 1}, {"woken-both", "exit:69|exit:0", 2}, {"woken", "exit:1|exit:0", 2}};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
		struct keeper_run k;

		keeper_init(&k);
		k.scripts[WAKE] = cases[c].wake;
		k.scripts[RELAY] = "ready await idle exit:0";
		k.scripts[SLEEP] = cases[c].sleep;
		keeper_start(&k);
		keeper_expect(&k, "READY=1");
		kill(k.play->container, SIGKILL);
		atomic_store(&k.play->go, true);
		assert_int_equal(keeper_finish(&k), 0);
		assert_int_equal(occurrences(k.events, "sleep 1 begins") + occurrences(k.events, "sleep 2 begins"),
				 cases[c].tries);
		assert_int_equal(keeper_stats(&k).flags, 0);
		keeper_clear(&k);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_nobody_there_it_puts_to_sleep),
		cmocka_unit_test(whatever_it_did),
		cmocka_unit_test(it_is_killed_as_well),
		cmocka_unit_test(for_somebody_who_waits_it_wakes),
		cmocka_unit_test(while_it_is_held_it_wakes),
		cmocka_unit_test(with_excluded_clients_alone),
		cmocka_unit_test(a_wake_that_fails_puts_to_sleep_all_the_same),
		cmocka_unit_test(one_that_ends_by_itself_leaves_no_mark),
		cmocka_unit_test(an_engine_that_is_gone_is_given_up),
		cmocka_unit_test(a_successor_gives_up),
		cmocka_unit_test(a_container_that_has_ended_without_its_engine),
	};

	play_if_asked(argc, argv);
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
