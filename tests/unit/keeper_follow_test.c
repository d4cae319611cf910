/* A container that ends while the keeper serves it, or is about to: restarted, replaced, needed again, or gone. */
#include "tests/unit/keeper_program.h"

/* And nobody starts it again. */
static void a_container_that_ends(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.environment[0] = "SOCKWAKE_LOG=debug";
	k.scripts[RELAY] = "ready serve await idle exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	kill(k.play->container, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)k.play->container, &(siginfo_t){}, WEXITED | WNOWAIT), 0);
	atomic_store(&k.play->go, true);
	assert_int_equal(keeper_finish(&k), 0);
	assert_int_equal(occurrences(k.events, "follow 1 begins"), 1);
	expect_in_order(k.text, (const char *const[]){"the container's first process has ended\n",
						      "looks whether the container is restarted\n", NULL});
	assert_non_null(strstr(k.text, "the proxy accepts nobody any more\n"));
	assert_non_null(strstr(k.notices, "STATUS=the container has ended"));
	assert_null(strstr(k.events, "wake 2"));
	assert_non_null(strstr(k.events, "sleep 1 begins")); /* the others of --with may run */
	close(client);
	keeper_clear(&k);
}

/* Restarted by hand, or replaced: the instance goes on with the new run. */
static void a_container_that_is_restarted(void **state)
{
	struct keeper_run k;
	int client, second;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "ready serve hang|ready serve idle exit:0";
	k.scripts[FOLLOW] = "lock await exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	keeper_restart_container(&k);
	keeper_expect(&k, "lock is held"); /* nobody may put the new run to sleep */
	atomic_store(&k.play->go, true);
	keeper_expect(&k, "relay 2 begins");
	second = keeper_client(&k);
	assert_true(was_served(second));
	assert_int_equal(keeper_finish(&k), 0);
	assert_int_equal(occurrences(k.events, "wake 2 begins"), 1);
	assert_int_equal(occurrences(k.events, "sleep 1 begins"), 1);
	assert_null(strstr(k.notices, "STATUS=the container has ended\n"));
	close(client);
	close(second);
	keeper_clear(&k);
}

/* It is woken for them at once, whatever else may start it. */
static void who_comes_after_its_end_is_served(void **state)
{
	struct keeper_run k;
	int client, second;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "ready serve hang|ready serve idle exit:0";
	k.scripts[FOLLOW] = "hang";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	keeper_restart_container(&k);
	keeper_expect(&k, "follow 1 begins");
	second = keeper_client(&k);
	assert_true(was_served(second));
	assert_int_equal(keeper_finish(&k), 0);
	assert_int_equal(occurrences(k.events, "wake 2 begins"), 1);
	close(client);
	close(second);
	keeper_clear(&k);
}

/* Its restart policy starts it again: the first client does not learn of it. */
static void a_container_that_crashes_once_while_it_starts(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "await failed exit:75|ready serve idle exit:0";
	k.scripts[FOLLOW] = "exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	keeper_expect(&k, "relay 1 begins");
	keeper_restart_container(&k);
	atomic_store(&k.play->go, true);
	assert_true(was_served(client));
	assert_int_equal(keeper_finish(&k), 0);
	assert_int_equal(occurrences(k.notices, "READY=1"), 1);
	close(client);
	keeper_clear(&k);
}

/* What the activator would say of its end is not the reason of a proxy that fails while it runs. */
static void a_container_that_goes_on(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[WAKE] = "may-end woken";
	k.scripts[RELAY] = "failed exit:75";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_reset(client));
	assert_int_equal(keeper_finish(&k), EXIT_REFUSED);
	assert_non_null(strstr(k.text, "no such luck"));
	assert_null(strstr(k.text, "it ended"));
	close(client);
	keeper_clear(&k);
}

/* A crash loop says each time how the run ended, and as the final reason. */
static void how_it_ends_again_and_again(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[WAKE] = "may-end woken";
	k.scripts[RELAY] = "await failed exit:75";
	k.scripts[FOLLOW] = "ended exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	keeper_expect(&k, "relay 1 begins");
	atomic_store(&k.play->go, true);
	kill(k.play->container, SIGKILL); /* all further runs are this one */
	assert_int_not_equal(keeper_finish(&k), 0);
	assert_non_null(strstr(k.events, "wake 6 begins"));
	assert_non_null(strstr(k.notices, "STATUS=" STATUS_WAITS "it ended with status 3; it may be restarted"));
	assert_non_null(strstr(k.notices, "STATUS=it ended with status 3\n"));
	close(client);
	keeper_clear(&k);
}

/* The service manager's brake is the last one. */
static void a_container_that_ends_again_and_again(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "ready await idle exit:0";
	k.scripts[FOLLOW] = "exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	keeper_expect(&k, "relay 1 begins");
	atomic_store(&k.play->go, true);
	kill(k.play->container, SIGKILL); /* all further runs are this one */
	assert_int_equal(keeper_finish(&k), 0);
	assert_non_null(strstr(k.events, "wake 6 begins"));
	assert_null(strstr(k.events, "wake 7 begins"));
	assert_non_null(strstr(k.events, "sleep 1 begins"));
	close(client);
	keeper_clear(&k);
}

static void told_to_stop_while_it_may_be_restarted(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[FOLLOW] = "hang";
	k.scripts[RELAY] = "ready serve hang";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	keeper_restart_container(&k);
	keeper_expect(&k, "follow 1 begins");
	kill(k.pid, SIGTERM);
	assert_int_equal(keeper_finish(&k), 0);
	assert_null(strstr(k.events, "wake 2"));
	assert_int_equal(occurrences(k.events, "sleep 1 begins"), 1);
	close(client);
	keeper_clear(&k);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_container_that_ends),
		cmocka_unit_test(a_container_that_is_restarted),
		cmocka_unit_test(who_comes_after_its_end_is_served),
		cmocka_unit_test(a_container_that_crashes_once_while_it_starts),
		cmocka_unit_test(a_container_that_goes_on),
		cmocka_unit_test(how_it_ends_again_and_again),
		cmocka_unit_test(a_container_that_ends_again_and_again),
		cmocka_unit_test(told_to_stop_while_it_may_be_restarted),
	};

	play_if_asked(argc, argv);
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
