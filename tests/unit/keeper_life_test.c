/* The keeper from the first client to its end, and what it does when its programs fail, lie, hang or are killed. */
#include "tests/unit/keeper_program.h"

#include "common/exit.h"

static void a_wake_and_an_idle_end(void **state)
{
	struct keeper_run k;
	struct stats s;
	char word[64];
	int client;

	(void)state;
	keeper_init(&k);
	k.scripts[WAKE] = "env woken";
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
	assert_true(s.t_spawned > 0 && s.t_spawned <= s.t_main && s.t_main < s.t_accepting);
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

/* The client is reset, the status says why, and the next one is as well until a second is over. */
static void expect_refusal(struct keeper_run *k, const char *why)
{
	int first = keeper_client(k), second;

	keeper_start(k);
	assert_true(was_reset(first));
	assert_in_range(now_usec() - k->began, 0, 900 * USEC_PER_MSEC);
	second = keeper_client(k);
	assert_true(was_reset(second));
	assert_int_equal(keeper_finish(k), EXIT_REFUSED);
	assert_in_range(keeper_msec(k), 1000, 3000);
	if (!strstr(k->notices, why))
		fail_msg("no '%s' in\n%s", why, k->notices);
	assert_non_null(strstr(k->text, why));
	assert_int_equal(occurrences(k->text, "\n"), 1); /* one line, however many clients */
	assert_null(strstr(k->notices, "READY=1"));
	close(first);
	close(second);
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

/* How many of a process's descriptors are links to this. */
static unsigned descriptors_of(pid_t pid, const char *text)
{
	char path[64], link[PATH_MAX];
	unsigned n = 0;

	for (int fd = 0; fd < 4096; fd++) {
		ssize_t length;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		length = readlink(path, link, sizeof(link));
		n += length == (ssize_t)strlen(text) && memcmp(link, text, (size_t)length) == 0;
	}
	return n;
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
	assert_int_equal(keeper_finish(&k), EXIT_SUCCESS);
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
	k.scripts[WAKE] = "late term exit:75";
	client = keeper_client(&k);
	keeper_start(&k);
	keeper_expect(&k, "awaits SIGTERM");
	kill(k.pid, SIGTERM);
	assert_true(was_reset(client));
	assert_int_equal(keeper_finish(&k), EXIT_SUCCESS);
	assert_non_null(strstr(k.text, "told to stop before the container was ready"));
	assert_non_null(strstr(k.events, "sleep 1 begins"));
	/* Else the manager would take it for one that failed, and start the next one. */
	assert_non_null(strstr(k.notices, "READY=1\nSTATUS=it was told to stop"));
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
	assert_int_equal(keeper_finish(&k), EXIT_SUCCESS);
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
	assert_int_equal(keeper_finish(&k), EXIT_SUCCESS);
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
	assert_non_null(strstr(k.notices, "READY=1\nSTATUS=Nobody was there who may wake the container."));
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
	came = now_usec();
	second = keeper_client(&k);
	assert_true(was_served(second));
	assert_in_range(now_usec() - came, 0, 500 * USEC_PER_MSEC);
	assert_int_equal(keeper_finish(&k), 0);
	assert_null(strstr(k.events, "SOCKWAKE_ACCEPTED=unset\nown-pid=1"));
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
	run_once(&k);
	assert_string_equal(k.events, "");
	assert_non_null(strstr(k.notices, "READY=1\nSTATUS=The time of its schedule is over."));
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

/* What it wrote at the debug level, which its programs have from nobody else. */
static void the_debug_level_tells_each_step(void **state)
{
	static const char *const steps[] = {"keeper +",
					    "has 1 listening sockets; somebody waits there\n",
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
		cmocka_unit_test(a_proxy_that_fails_before_it_is_ready),
		cmocka_unit_test(an_activator_that_lingers_holds_no_lock),
		cmocka_unit_test(a_proxy_that_is_killed_is_replaced),
		cmocka_unit_test(a_proxy_that_ends_again_and_again),
		cmocka_unit_test(a_proxy_that_never_gets_ready),
		cmocka_unit_test(a_proxy_that_hangs_before_it_is_ready),
		cmocka_unit_test(a_proxy_that_lies),
		cmocka_unit_test(descriptors_from_a_proxy_are_not_kept),
		cmocka_unit_test(an_activator_that_says_it_twice),
		cmocka_unit_test(a_proxy_that_floods),
		cmocka_unit_test(what_is_counted_is_written_down_at_once),
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
		cmocka_unit_test(a_notifier_that_hangs),
		cmocka_unit_test(a_person_is_told_of_both),
		cmocka_unit_test(a_program_that_is_missing),
		cmocka_unit_test(programs_are_those_of_its_start),
		cmocka_unit_test(wrong_usage),
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
		cmocka_unit_test(without_a_runtime_directory_it_serves),
		cmocka_unit_test(a_proxy_that_says_nothing_more),
	};

	play_if_asked(argc, argv);
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
