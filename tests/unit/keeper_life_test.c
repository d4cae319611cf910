/* The keeper from the first client to its end, its programs, and what others are told. */
#include "tests/unit/keeper_program.h"

static void a_wake_and_an_idle_end(void **state)
{
	struct keeper_run k;
	struct stats s;
	char word[64];
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[WAKE] = "env start woken";
	k.scripts[RELAY] = "env lock ready serve idle exit:0";
	k.scripts[SLEEP] = "env lock exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	assert_int_equal(keeper_finish(&k), 0);
	assert_string_equal(k.text, "keeper: idle; 0 connections were served\n");
	/* One after the other, each once. */
	assert_true(strstr(k.events, "wake 1 begins") < strstr(k.events, "relay 1 begins"));
	assert_true(strstr(k.events, "relay 1 begins") < strstr(k.events, "sleep 1 begins"));
	assert_int_equal(occurrences(k.events, " begins"), 3);
	/* The keeper holds the lock while it is awake, and lets go before it sleeps. */
	assert_true(strstr(k.events, "lock is held") > strstr(k.events, "relay 1 begins"));
	assert_true(strstr(k.events, "lock is free") > strstr(k.events, "sleep 1 begins"));
	/* systemd is told of both ends. */
	assert_non_null(strstr(k.notices, "READY=1\nSTATUS="));
	assert_non_null(strstr(k.notices, "STOPPING=1\nSTATUS=idle"));
	snprintf(word, sizeof(word), "container=%d\n", k.play->container);
	assert_non_null(strstr(k.events, word));
	s = keeper_stats(&k);
	assert_int_equal(s.wakes, 1);
	assert_true(s.t_spawned > 0 && s.t_spawned <= s.t_main && s.t_main < s.t_started);
	assert_true(s.t_started == s.t_inspected && s.t_inspected < s.t_accepting);
	assert_int_equal(s.held_until, 0);
	assert_int_equal(s.t_waiting, 0);
	close(client);
	keeper_clear(&k);
}

/* What came between "WHO N begins" and its end. */
static const char *events_of(const struct keeper_run *k, const char *who)
{
	static char text[8192];
	const char *begin = strstr(k->events, who), *end;

	if (!begin)
		fail_msg("no '%s' in\n%s", who, k->events);
	end = strstr(begin + strlen(who), " begins");
	snprintf(text, sizeof(text), "%.*s", end ? (int)(end - begin) : (int)sizeof(text), begin);
	return text;
}

static void each_program_gets_what_is_its_own(void **state)
{
	char deadline[64];
	struct keeper_run k;
	const char *text;
	int client;

	(void)state;
	keeper_init(&k);
	k.options[0] = "--startup-timeout";
	k.options[1] = "20s";
	k.scripts[WAKE] = "env woken";
	k.scripts[RELAY] = "env ready serve idle exit:0";
	k.scripts[SLEEP] = "env exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_int_equal(keeper_finish(&k), 0);
	/* No socket, no way to speak for the service. */
	text = events_of(&k, "wake 1 begins");
	assert_non_null(strstr(text, "word=--wake\nword=--name\nword=t\nword=--container\nword=c\nword=--\n"));
	assert_non_null(strstr(text, "word=1:2\n")); /* the checks of --with use these words */
	assert_non_null(strstr(text, "LISTEN_FDS=unset\nNOTIFY_SOCKET=unset\nSOCKWAKE_ACCEPTED=unset\n"));
	assert_non_null(strstr(text, "blocked=0\n"));
	assert_null(strstr(text, "container="));
	snprintf(deadline, sizeof(deadline), "deadline=%llu\n",
		 (unsigned long long)(keeper_stats(&k).t_main + 600 * USEC_PER_SEC)); /* start_limit.h */
	assert_non_null(strstr(text, deadline));
	/* The sockets, and no file that it could write. */
	text = events_of(&k, "relay 1 begins");
	assert_non_null(strstr(text, "word=--relay\nword=--user\nword=nobody\nword=--\n"));
	assert_null(strstr(text, "word=--container"));
	assert_non_null(strstr(text, "LISTEN_FDS=1\nNOTIFY_SOCKET=unset\nSOCKWAKE_ACCEPTED=unset\nown-pid=1\n"));
	assert_non_null(strstr(text, "no-files=1\n"));
	assert_non_null(strstr(text, "blocked=0\n"));
	assert_non_null(strstr(text, "hold=0\n")); /* O_RDONLY */
	assert_non_null(strstr(text, "exec=1\n"));
	assert_non_null(strstr(text, deadline));
	/* 7: F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW */
	assert_non_null(strstr(text, "seals=7\n"));
	/* Its own words alone. */
	text = events_of(&k, "sleep 1 begins");
	assert_non_null(strstr(
		text,
		"word=--sleep\nword=--because\nword=idle\nword=--name\nword=t\nword=--container\nword=c\nLISTEN_FDS=unset\n"));
	assert_non_null(strstr(text, "NOTIFY_SOCKET=unset\n"));
	close(client);
	keeper_clear(&k);
}

static void a_wake_that_fails(void **state)
{
	static const struct {
		const char *script, *why;
		bool sleeps;
	} cases[] = {
		{"failed exit:75", "no such luck", false},
		{"late failed exit:75", "no such luck", true},	     /* the engine was asked to start it */
		{"late vain failed exit:75", "no such luck", false}, /* and said no */
		{"late vain late failed exit:75", "no such luck", true},
		{"exit:1", "the activator ended with status 1 before the container was ready", false},
		{"late kill:9", "the activator was killed by signal 9", true},
		{"exit:0", "the activator ended with status 0", false},
		{"woken-alone exit:0", "the activator ended with status 0", false},
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
		struct keeper_run k;

		keeper_init(&k);
		k.scripts[WAKE] = cases[c].script;
		expect_refusal(&k, cases[c].why);
		assert_int_equal(occurrences(k.events, "sleep 1 begins"), cases[c].sleeps);
		assert_null(strstr(k.events, "relay 1"));
		keeper_clear(&k);
	}
}

/* The manager keeps the last status text, and what it says is read until the next wake. */
static void the_reason_outlives_a_sleep_that_was_difficult(void **state)
{
	const char *last = NULL;
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[WAKE] = "late failed exit:75";
	k.scripts[SLEEP] = "exit:69|exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_reset(client));
	assert_int_equal(keeper_finish(&k), EXIT_REFUSED);
	assert_non_null(strstr(k.notices, "STATUS=not asleep yet: "));
	for (const char *p = k.notices; (p = strstr(p, "STATUS=")); p++)
		last = p;
	assert_int_equal(strncmp(last, "STATUS=no such luck", strlen("STATUS=no such luck")), 0);
	close(client);
	keeper_clear(&k);
}

/* Its copies of the locks must be gone by then, or the sleeper takes the container for somebody else's. */
static void an_activator_that_lingers_holds_no_lock(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.options[0] = "--startup-timeout";
	k.options[1] = "200ms";
	k.scripts[WAKE] = "late msec:900 woken msec:500 exit:0";
	k.scripts[RELAY] = "ready idle exit:0";
	k.scripts[SLEEP] = "lock exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_reset(client));
	assert_int_equal(keeper_finish(&k), 0);
	assert_non_null(strstr(k.events, "lock is free"));
	close(client);
	keeper_clear(&k);
}

/* The first word counts. */
static void an_activator_that_says_it_twice(void **state)
{
	char lock[PATH_MAX];
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[WAKE] = "woken woken woken woken exit:0";
	k.scripts[RELAY] = "ready serve kill:9|ready serve idle exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	close(client);
	keeper_expect(&k, "relay 2 begins"); /* what the activator has said by then was heard */
	snprintf(lock, sizeof(lock), "%s/c.lock", k.directory);
	assert_int_equal(descriptors_of(k.pid, lock), 1);
	client = keeper_client(&k);
	assert_true(was_served(client));
	assert_int_equal(keeper_finish(&k), 0);
	close(client);
	keeper_clear(&k);
}

/* A person's process may stop itself; nobody waits for it but a second at the end. */
static void a_notifier_that_hangs(void **state)
{
	struct keeper_run k;
	int client, second;

	(void)state;
	keeper_init(&k);
	k.options[0] = "--notify";
	k.options[1] = "somebody";
	k.scripts[NOTIFY] = "env kill:19";
	k.scripts[RELAY] = "ready serve serve idle exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	keeper_expect(&k, "notify 1 begins");
	second = keeper_client(&k);
	assert_true(was_served(second));
	assert_int_equal(keeper_finish(&k), 0);
	assert_in_range(keeper_msec(&k), 0, 3000);
	assert_non_null(
		strstr(k.events, "word=--notify\nword=started\nword=--name\nword=t\nword=--user\nword=somebody\n"));
	assert_true(strstr(k.events, "sleep 1 begins") > strstr(k.events, "notify 1 begins"));
	close(client);
	close(second);
	keeper_clear(&k);
}

static void a_person_is_told_of_both(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.options[0] = "--notify";
	k.options[1] = "somebody";
	k.scripts[NOTIFY] = "env exit:0";
	k.scripts[RELAY] = "ready serve msec:500 idle exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_int_equal(keeper_finish(&k), 0);
	assert_non_null(strstr(k.events, "word=started\n"));
	assert_true(strstr(k.events, "word=stopped\n") > strstr(k.events, "sleep 1 begins"));
	close(client);
	keeper_clear(&k);
}

static void a_program_that_is_missing(void **state)
{
	char file[96];
	struct keeper_run k;

	(void)state;
	for (int c = 0; c < 4; c++) {
		keeper_init(&k);
		snprintf(file, sizeof(file), "%s/not-executable", k.directory);
		close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
		if (c == 0)
			k.activator = "/nonexistent/activator";
		else if (c == 1)
			k.nshelper = "/nonexistent/nshelper";
		else if (c == 2)
			k.proxy = "/nonexistent/proxy";
		else
			k.activator = file;
		expect_refusal(&k, c == 0   ? "cannot run '/nonexistent/activator' (No such file or directory): install"
				   : c == 1 ? "cannot run '/nonexistent/nshelper'"
				   : c == 2 ? "cannot run '/nonexistent/proxy'"
					    : "/not-executable' (Permission denied)");
		assert_non_null(strstr(k.notices, "'sockwake refresh --all'"));
		assert_string_equal(k.events, "");
		keeper_clear(&k);
	}
}

/* An installation in the middle of a wake does not mix versions. */
static void programs_are_those_of_its_start(void **state)
{
	char copy[96], command[PATH_MAX + 128];
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	snprintf(copy, sizeof(copy), "%s/program", k.directory);
	snprintf(command, sizeof(command), "cp '%s' '%s'", own_path(), copy);
	assert_int_equal(system(command), 0);
	k.activator = k.nshelper = copy;
	k.scripts[WAKE] = "msec:300 woken";
	client = keeper_client(&k);
	keeper_start(&k);
	keeper_expect(&k, "wake 1 begins");
	assert_int_equal(unlink(copy), 0);
	assert_true(was_served(client));
	assert_int_equal(keeper_finish(&k), 0);
	assert_non_null(strstr(k.events, "sleep 1 begins"));
	close(client);
	keeper_clear(&k);
}

static void wrong_usage(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.options[0] = "--no-such-option";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_reset(client));
	assert_int_equal(keeper_finish(&k), EXIT_USAGE);
	assert_string_equal(k.events, "");
	close(client);
	keeper_clear(&k);
}

/* Statistics are no reason to refuse a client. */
static void without_a_runtime_directory_it_serves(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.environment[0] = "RUNTIME_DIRECTORY=/nonexistent/directory";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	assert_int_equal(keeper_finish(&k), 0);
	assert_non_null(strstr(k.text, "there will be no statistics: cannot open '/nonexistent/directory/t.stats'"));
	close(client);
	keeper_clear(&k);
}

/* What it wrote at the debug level, which its programs have from nobody else. */
static void the_debug_level_tells_each_step(void **state)
{
	static const char *const steps[] = {"keeper +",
					    "begins with 1 listening socket; somebody waits there\n",
					    "has started 'activator --wake' as process ",
					    "the container runs: has the pidfd of its first process and 2 locks\n",
					    "has started nshelper, which becomes the proxy, as process ",
					    "the proxy is confined and accepts: says READY=1\n",
					    "the proxy ended with status 0\n",
					    "is idle: nobody has used the container for ",
					    "keeper: idle; 0 connections were served\n",
					    "has let go of 2 locks\n",
					    "has started 'activator --sleep' as process ",
					    "the activator ended with status 0\n",
					    "the container sleeps, or has a reason to stay up\n",
					    NULL};
	double msec = -1;
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.environment[0] = "SOCKWAKE_LOG=debug";
	k.scripts[WAKE] = "env woken";
	k.scripts[RELAY] = "env ready serve serve idle exit:0";
	k.scripts[SLEEP] = "env exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_true(was_served(client));
	close(client);
	keeper_expect(&k, "READY=1"); /* else both may be seen at once */
	client = keeper_client(&k);
	assert_true(was_served(client));
	assert_int_equal(keeper_finish(&k), 0);
	expect_in_order(k.text, steps);
	assert_int_equal(occurrences(k.events, "SOCKWAKE_LOG=debug@"), 3);
	assert_int_equal(sscanf(k.text, "keeper +%lf ms: begins with", &msec), 1);
	assert_true(msec < 60000);
	assert_int_equal(keeper_stats(&k).idle_timeout, 300 * USEC_PER_SEC);
	assert_int_equal(keeper_stats(&k).warm_for, 3600 * USEC_PER_SEC);
	close(client);
	keeper_clear(&k);
}

static void another_level_is_ignored_with_one_warning(void **state)
{
	struct keeper_run k;
	int client;

	(void)state;
	keeper_init(&k);
	k.environment[0] = "SOCKWAKE_LOG=verbose";
	k.scripts[WAKE] = "env woken";
	k.scripts[RELAY] = "env ready serve idle exit:0";
	k.scripts[SLEEP] = "env exit:0";
	client = keeper_client(&k);
	keeper_start(&k);
	assert_int_equal(keeper_finish(&k), 0);
	assert_string_equal(k.text, "keeper: SOCKWAKE_LOG is ignored: 'debug' is the only value that it may have\n"
				    "keeper: idle; 0 connections were served\n");
	assert_int_equal(occurrences(k.events, "SOCKWAKE_LOG=unset\n"), 3);
	close(client);
	keeper_clear(&k);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wake_and_an_idle_end),
		cmocka_unit_test(the_debug_level_tells_each_step),
		cmocka_unit_test(another_level_is_ignored_with_one_warning),
		cmocka_unit_test(each_program_gets_what_is_its_own),
		cmocka_unit_test(a_wake_that_fails),
		cmocka_unit_test(the_reason_outlives_a_sleep_that_was_difficult),
		cmocka_unit_test(an_activator_that_lingers_holds_no_lock),
		cmocka_unit_test(an_activator_that_says_it_twice),
		cmocka_unit_test(a_notifier_that_hangs),
		cmocka_unit_test(a_person_is_told_of_both),
		cmocka_unit_test(a_program_that_is_missing),
		cmocka_unit_test(programs_are_those_of_its_start),
		cmocka_unit_test(wrong_usage),
		cmocka_unit_test(without_a_runtime_directory_it_serves),
	};

	play_if_asked(argc, argv);
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
