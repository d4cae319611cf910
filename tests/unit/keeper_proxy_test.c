/* What a proxy may do to its keeper: fail, hang, lie, flood, be killed. */
#include "tests/unit/keeper_program.h"

static void a_proxy_that_fails_before_it_is_ready(void **state)
{
	struct keeper_run k;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "failed exit:75";
	expect_refusal(&k, "no such luck");
	assert_non_null(strstr(k.events, "sleep 1 begins"));
	assert_null(strstr(k.events, "relay 2"));
	keeper_clear(&k);
}

static void a_proxy_that_is_killed_is_replaced(void **state)
{
	struct keeper_run k;
	char word[64];
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "env ready serve kill:9|kill:9|env ready serve idle exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	close(client);
	client = keeper_client(&k);
	assert_true(was_served(client));
	assert_int_equal(keeper_finish(&k), 0);
	/* without a word to the engine */
	assert_null(strstr(k.events, "wake 2"));
	assert_null(strstr(k.events, "sleep 2"));
	assert_non_null(strstr(k.events, "relay 3 begins"));
	assert_null(strstr(k.events, "relay 4"));
	snprintf(word, sizeof(word), "container=%d\n", k.play->container);
	assert_int_equal(occurrences(k.events, word), 2);
	assert_non_null(strstr(k.text, "the proxy was killed by signal 9: its connections are lost"));
	close(client);
	keeper_clear(&k);
}

/* An accepted client is the business of the proxy that serves it, and of none after it. */
static void a_proxy_gets_the_accepted_clients_alone(void **state)
{
	int open[2] = {};
	struct keeper_run k;
	const char *text;
	int client;

	(void)state;
	keeper_init(&k);
	k.options[0] = "--no-wake-from";
	k.options[1] = "127.0.0.2";
	k.scripts[RELAY] = "env ready serve kill:9|env ready serve idle exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	close(client);
	client = keeper_client(&k);
	assert_true(was_served(client));
	assert_int_equal(keeper_finish(&k), 0);
	text = k.events;
	for (size_t n = 0; n < 2; n++) {
		text = strstr(text, "relay ");
		text = text ? strstr(text, "open=") : NULL;
		assert_non_null(text);
		open[n] = atoi(text + strlen("open="));
	}
	assert_int_equal(open[1], open[0] - 1);
	close(client);
	keeper_clear(&k);
}

/* It does not do better, be it that it pretends to end in good order. */
static void a_proxy_that_ends_again_and_again(void **state)
{
	static const struct {
		const char *script, *why;
	} cases[] = {{"ready kill:9", "the proxy was killed by signal 9 again and again"},
		     {"exit:0", "the proxy ended with status 0 again and again"},
		     {"ready idle exit:0", "the proxy ended with status 0 again and again"}};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
		struct keeper_run k;
		int client;

		keeper_init(&k);
		k.scripts[RELAY] = cases[c].script;
		client = keeper_client(&k);
		keeper_start(&k);
		assert_true(was_reset(client));
		assert_int_equal(keeper_finish(&k), EXIT_REFUSED);
		assert_int_equal(occurrences(k.events, "relay "), 6);
		assert_non_null(strstr(k.text, cases[c].why));
		assert_non_null(strstr(k.events, "sleep 1 begins"));
		close(client);
		keeper_clear(&k);
	}
}

/* Without a client it is just as dead. */
static void a_proxy_that_never_gets_ready(void **state)
{
	struct keeper_run k;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "exit:0";
	keeper_start(&k);
	assert_int_equal(keeper_finish(&k), EXIT_REFUSED);
	assert_null(strstr(k.notices, "STOPPING=1"));
	keeper_clear(&k);
}

/* It keeps the time itself; one that hangs is ended, and its clients do not wait longer for it. */
static void a_proxy_that_hangs_before_it_is_ready(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.options[0] = "--startup-timeout";
	k.options[1] = "400ms";
	k.options[2] = "--start-limit";
	k.options[3] = "600ms";
	k.scripts[RELAY] = "ignore hang";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_reset(client));
	assert_in_range(now_usec() - k.began, 390 * USEC_PER_MSEC, 1500 * USEC_PER_MSEC);
	assert_int_equal(keeper_finish(&k), EXIT_REFUSED);
	assert_in_range(keeper_msec(&k), 1100, 3000);
	assert_non_null(strstr(k.text, "not ready after 600ms"));
	assert_null(strstr(k.events, "relay 2"));
	close(client);
	keeper_clear(&k);
}

/* What happened to clients is told once, and its own words until it is ready, as long as there are not too many. */
static void what_a_proxy_notes(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "notes ready serve notes idle exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	assert_int_equal(keeper_finish(&k), 0);
	assert_int_equal(occurrences(k.text, "nothing listens on port 80 in the container\n"), 1);
	assert_int_equal(occurrences(k.text, "keeper: a client of port 81 was reset"), 1);
	assert_int_equal(occurrences(k.text, "keeper: " CHANNEL_ANONYMOUS "\n"), 1);
	assert_int_equal(occurrences(k.text, "the note"), 16);
	assert_int_equal(occurrences(k.text, "the note 15."), 1);
	close(client);
	keeper_clear(&k);
}

static void a_proxy_that_lies(void **state)
{
	struct keeper_run k;
	char word[64];
	int client;

	(void)state;
	keeper_init(&k);
	k.environment[0] = "SOCKWAKE_LOG=debug"; /* nor does it tell the steps */
	k.scripts[RELAY] = "ready serve lies count serve kill:9|env ready serve idle exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	keeper_expect(&k, "relay: ready");
	keeper_expect(&k, "READY=1");
	assert_true(was_served(client));
	close(client);
	keeper_expect(&k, "relay: count");
	client = keeper_client(&k);
	assert_true(was_served(client));
	close(client);
	client = keeper_client(&k);
	assert_true(was_served(client));
	assert_int_equal(keeper_finish(&k), 0);
	/* The one after it still gets the container that was woken. */
	snprintf(word, sizeof(word), "container=%d\n", k.play->container);
	assert_non_null(strstr(k.events, word));
	assert_null(strstr(k.text, "a lie"));
	assert_int_equal(occurrences(k.text, "the first client is served\n"), 1);
	assert_null(strstr(k.notices, "a lie"));
	assert_int_equal(keeper_stats(&k).wakes, 1);
	assert_int_equal(keeper_stats(&k).flags & ~(uint64_t)(STATS_FULL | STATS_LOOPBACK), 0);
	assert_int_equal(keeper_stats(&k).connections_total, 7); /* which it may say */
	assert_int_equal(keeper_stats(&k).held_until, 0);
	assert_null(strstr(k.events, "sleep 2"));
	close(client);
	keeper_clear(&k);
}

static void descriptors_from_a_proxy_are_not_kept(void **state)
{
	enum { OWN = 2 }; /* standard output and standard error, which is what it is sent */
	char path[64], link[PATH_MAX] = "";
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "ready lies serve kill:9|ready serve idle exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	close(client);
	keeper_expect(&k, "relay 2 begins"); /* all that the first one has said was heard */
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", k.pid, STDERR_FILENO);
	assert_true(readlink(path, link, sizeof(link) - 1) > 0);
	assert_int_equal(descriptors_of(k.pid, link), OWN);
	client = keeper_client(&k);
	assert_true(was_served(client));
	assert_int_equal(keeper_finish(&k), 0);
	close(client);
	keeper_clear(&k);
}

/* Neither the service manager nor the journal gets more of it, and a signal gets through. */
static void a_proxy_that_floods(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "ready flood";
	client = keeper_client(&k);
	keeper_start(&k);
	keeper_expect(&k, "READY=1");
	wait_msec(2200);
	keeper_look(&k);
	assert_in_range(occurrences(k.notices, "STATUS="), 2, 4);
	kill(k.pid, SIGTERM);
	assert_int_equal(keeper_finish(&k), 0);
	assert_string_equal(k.text, "keeper: told to stop; 0 connections were served\n");
	assert_non_null(strstr(k.events, "sleep 1 begins"));
	close(client);
	keeper_clear(&k);
}

static unsigned msec_since(uint64_t begin)
{
	return (unsigned)((now_usec() - begin) / USEC_PER_MSEC);
}

/* What the proxy counts is in the file at once; the service manager is told once a second, and of the last one, too. */
static void what_is_counted_is_written_down_at_once(void **state)
{
	struct keeper_run k;
	uint64_t begin;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "ready serve count counted:0 await counted:2500 idle exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	keeper_expect(&k, "READY=1");
	begin = now_usec();
	while (keeper_stats(&k).connections_total != 7 && msec_since(begin) < 900)
		usleep(1000);
	keeper_look(&k);
	assert_int_equal(keeper_stats(&k).connections_total, 7);
	keeper_expect(&k, "0 connections (7 in all)");
	assert_in_range(msec_since(begin), 0, 1500);
	atomic_store(&k.play->go, true);
	assert_int_equal(keeper_finish(&k), 0);
	/* at the begin, every second, at the end */
	assert_in_range(occurrences(k.notices, "STATUS="), 3, 6);
	close(client);
	keeper_clear(&k);
}

/* … and what it has not told any more, before the container is put to sleep. */
static void what_was_counted_last_is_written_down(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "ready serve count idle exit:0";
	k.scripts[SLEEP] = "await exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	keeper_expect(&k, "sleep 1 begins");
	assert_int_equal(keeper_stats(&k).connections_total, 7);
	atomic_store(&k.play->go, true);
	assert_int_equal(keeper_finish(&k), 0);
	close(client);
	keeper_clear(&k);
}

/* A child that closes its end without ending is waited for without turning round. */
static void a_proxy_that_says_nothing_more(void **state)
{
	struct rusage before, after;
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "ready mute serve msec:2500 exit:0";
	assert_int_equal(getrusage(RUSAGE_CHILDREN, &before), 0);
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	assert_int_equal(keeper_finish(&k), 0);
	assert_int_equal(getrusage(RUSAGE_CHILDREN, &after), 0);
	assert_true(after.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_utime.tv_sec - before.ru_stime.tv_sec <=
		    1);
	close(client);
	keeper_clear(&k);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proxy_that_fails_before_it_is_ready),
		cmocka_unit_test(a_proxy_that_is_killed_is_replaced),
		cmocka_unit_test(a_proxy_gets_the_accepted_clients_alone),
		cmocka_unit_test(a_proxy_that_ends_again_and_again),
		cmocka_unit_test(a_proxy_that_never_gets_ready),
		cmocka_unit_test(a_proxy_that_hangs_before_it_is_ready),
		cmocka_unit_test(what_a_proxy_notes),
		cmocka_unit_test(a_proxy_that_lies),
		cmocka_unit_test(descriptors_from_a_proxy_are_not_kept),
		cmocka_unit_test(a_proxy_that_floods),
		cmocka_unit_test(what_is_counted_is_written_down_at_once),
		cmocka_unit_test(what_was_counted_last_is_written_down),
		cmocka_unit_test(a_proxy_that_says_nothing_more),
	};

	play_if_asked(argc, argv);
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
