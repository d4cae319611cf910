/* Hand-overs of the keeper, each stopped in the middle: from stage to stage, from a child's last word to its end, and from
 * this keeper to the next. Whoever comes then is served, stays queued, or is told why not. */
#include "tests/unit/keeper_program.h"

#include "tests/unit/fault_fixture.h"

/* The process that plays this part for the first time; 0: it has not begun. */
static pid_t player(struct keeper_run *k, const char *part)
{
	char begins[32];
	const char *line;

	snprintf(begins, sizeof(begins), "%s 1 begins as ", part);
	keeper_look(k);
	line = strstr(k->events, begins);
	return line ? atoi(line + strlen(begins)) : 0;
}

/* Has the keeper stand there while this child plays, and the one before it is gone. */
static void stop_while_it_plays(struct keeper_run *k, struct fault *f, const char *part, const char *before)
{
	keeper_expect(k, "wake 1 begins");
	for (;;) {
		(void)kill(k->pid, SIGCHLD); /* it looks at all of them */
		fault_await(f);
		if (player(k, part) && (!before || kill(player(k, before), 0) < 0))
			return;
		fault_go_on(f);
	}
}

/* Lets it say what it awaits to say, and end. */
static void let_it_end(struct keeper_run *k, const char *part)
{
	_cleanup_close_ int pidfd = pidfd_open(player(k, part), 0);

	atomic_store(&k->play->go, true);
	assert_int_equal(poll(&(struct pollfd){.fd = pidfd, .events = POLLIN}, 1, PATIENCE_MSEC), 1);
}

/* In good order, not by a reset. */
static bool is_ended(int fd)
{
	char byte;

	return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, PATIENCE_MSEC) == 1 && recv(fd, &byte, 1, 0) == 0;
}

static void the_activators_last_word_counts(void **state)
{
	struct fault heard = fault_at("child:heard");
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[WAKE] = "await woken exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	stop_while_it_plays(&k, &heard, "wake", NULL);
	let_it_end(&k, "wake");
	fault_pass(&heard);
	assert_true(was_served(client));
	assert_int_equal(keeper_finish(&k), 0);
	close(client);
	keeper_clear(&k);
}

static void the_proxys_last_word_counts(void **state)
{
	struct fault heard = fault_at("child:heard");
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "await failed exit:75";
	client = keeper_client(&k);
	keeper_start(&k);
	stop_while_it_plays(&k, &heard, "relay", "wake");
	let_it_end(&k, "relay");
	fault_pass(&heard);
	assert_true(was_reset(client));
	assert_int_equal(keeper_finish(&k), EXIT_REFUSED);
	assert_non_null(strstr(k.text, "no such luck"));
	assert_null(strstr(k.events, "relay 2")); /* which would say it again */
	close(client);
	keeper_clear(&k);
}

/* It counts once more after the keeper has looked, and ends without a word. */
static void what_a_proxy_counts_last_is_written_down(void **state)
{
	struct fault heard = fault_at("child:heard");
	struct keeper_run k;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "ready await count exit:0";
	keeper_start(&k);
	stop_while_it_plays(&k, &heard, "relay", "wake");
	let_it_end(&k, "relay");
	fault_pass(&heard);
	assert_int_equal(keeper_finish(&k), 0);
	assert_non_null(strstr(k.text, "7 connections were served"));
	assert_int_equal(keeper_stats(&k).connections_total, 7);
	keeper_clear(&k);
}

/* The proxy has ended, and the keeper has not looked at the queue yet. */
static void who_comes_as_the_proxy_ends_is_served(void **state)
{
	struct fault ended = fault_at("proxy:ended");
	struct keeper_run k;
	int first, second;

	(void)state;
	keeper_init(&k);
	first = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(first));
	fault_await(&ended);
	second = keeper_client(&k);
	fault_pass(&ended);
	assert_true(was_served(second));
	assert_int_equal(keeper_finish(&k), 0);
	assert_null(strstr(k.events, "wake 2"));
	assert_null(strstr(k.events, "sleep 2"));
	expect_in_order(k.events, (const char *const[]){"relay 2 begins", "sleep 1 begins", NULL});
	close(first);
	close(second);
	keeper_clear(&k);
}

/* At each step after that look: they stay queued, and the next keeper serves them. */
static void who_comes_later_is_served_by_the_next_keeper(void **state)
{
	static const char *const steps[] = {"keeper:done", "sleep:begins", "keeper:asleep"};

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct fault step = fault_at(steps[i]);
		struct keeper_run k;
		int first, second;

		keeper_init(&k);
		first = keeper_client(&k);
		keeper_start(&k);
		assert_true(was_served(first));
		fault_await(&step);
		second = keeper_client(&k);
		fault_pass(&step);
		assert_int_equal(keeper_finish(&k), 0);
		assert_null(strstr(k.events, "relay 2"));
		assert_non_null(strstr(k.events, "sleep 1 begins"));
		assert_true(is_open(second));
		keeper_start(&k);
		assert_true(was_served(second));
		assert_int_equal(keeper_finish(&k), 0);
		close(first);
		close(second);
		keeper_clear(&k);
		faults_clear(state);
	}
}

/* The queue was refused, and the keeper has not ended yet: nobody waits for a wake that does not come. */
static void who_comes_after_the_refusal_is_refused(void **state)
{
	struct fault begins = fault_at("sleep:begins");
	struct keeper_run k;
	int first, second;

	(void)state;
	keeper_init(&k);
	k.scripts[WAKE] = "failed exit:75";
	first = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_reset(first));
	fault_await(&begins);
	second = keeper_client(&k);
	fault_pass(&begins);
	assert_true(was_reset(second));
	assert_int_equal(keeper_finish(&k), EXIT_REFUSED);
	close(first);
	close(second);
	keeper_clear(&k);
}

/* The container runs, and the proxy has not been started. */
static void told_to_stop_between_two_stages(void **state)
{
	struct fault begins = fault_at("serve:begins");
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[RELAY] = "hang";
	client = keeper_client(&k);
	keeper_start(&k);
	fault_await(&begins);
	kill(k.pid, SIGTERM);
	fault_pass(&begins);
	assert_true(was_reset(client));
	assert_int_equal(keeper_finish(&k), EXIT_BROKEN_OFF);
	assert_non_null(strstr(k.events, "sleep 1 begins"));
	close(client);
	keeper_clear(&k);
}

/* Who waits there is the next one's, who is not given up for what this one has woken. */
static void killed_between_two_stages(void **state)
{
	struct fault begins = fault_at("serve:begins");
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	client = keeper_client(&k);
	keeper_start(&k);
	fault_await(&begins);
	kill(k.pid, SIGKILL);
	assert_int_equal(keeper_finish(&k), 128 + SIGKILL);
	assert_true(is_open(client));
	fault_pass(&begins);
	keeper_start(&k);
	assert_true(was_served(client));
	assert_int_equal(keeper_finish(&k), 0);
	assert_non_null(strstr(k.events, "sleep 1 begins"));
	close(client);
	keeper_clear(&k);
}

/* A machine that stands still: the proxy gets ready, and serves; then the keeper sees both that it is ready, and that the time
 * of those who wait is over. */
static void ready_and_late_at_once(void **state)
{
	struct fault wakes = fault_at("keeper:wakes");
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.options[0] = "--startup-timeout";
	k.options[1] = "4s";		 /* a busy machine gets as far as that before */
	k.options[2] = "--no-wake-from"; /* the keeper accepts them itself */
	k.options[3] = "127.0.0.2";
	k.scripts[RELAY] = "await ready serve idle exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	stop_while_it_plays(&k, &wakes, "relay", NULL);
	atomic_store(&k.play->go, true);
	assert_true(was_served(client));
	wait_until(k.began + 4100 * USEC_PER_MSEC);
	fault_pass(&wakes);
	assert_true(is_ended(client));
	assert_int_equal(keeper_finish(&k), 0);
	close(client);
	keeper_clear(&k);
}

/* Its proxy may notice before the kernel has ended its first process. */
static void a_container_that_ends_after_its_proxy(void **state)
{
	struct fault noticed = fault_at("keeper:notices");
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[WAKE] = "may-end woken";
	k.scripts[RELAY] = "failed exit:75";
	k.scripts[FOLLOW] = "ended exit:75";
	client = keeper_client(&k);
	keeper_start(&k);
	fault_await(&noticed);
	fault_pass(&noticed);
	kill(k.play->container, SIGKILL);
	assert_true(was_reset(client));
	assert_int_equal(keeper_finish(&k), EXIT_REFUSED);
	assert_non_null(strstr(k.events, "follow 1 begins"));
	assert_non_null(strstr(k.text, "it ended with status 3"));
	close(client);
	keeper_clear(&k);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_activators_last_word_counts, faults_clear),
		cmocka_unit_test_teardown(the_proxys_last_word_counts, faults_clear),
		cmocka_unit_test_teardown(what_a_proxy_counts_last_is_written_down, faults_clear),
		cmocka_unit_test_teardown(who_comes_as_the_proxy_ends_is_served, faults_clear),
		cmocka_unit_test_teardown(who_comes_later_is_served_by_the_next_keeper, faults_clear),
		cmocka_unit_test_teardown(who_comes_after_the_refusal_is_refused, faults_clear),
		cmocka_unit_test_teardown(told_to_stop_between_two_stages, faults_clear),
		cmocka_unit_test_teardown(killed_between_two_stages, faults_clear),
		cmocka_unit_test_teardown(ready_and_late_at_once, faults_clear),
		cmocka_unit_test_teardown(a_container_that_ends_after_its_proxy, faults_clear),
	};

	play_if_asked(argc, argv);
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
