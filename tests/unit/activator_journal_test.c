/* What the journal and the person are told of wakes and sleeps. Journal, bus and engine are fakes, in a /run of the test's
 * own. */
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "activator/halt.h"
#include "activator/journal.h"
#include "common/journal.h"
#include "tests/unit/activator_unit_fixture.h"

static int journal;

static int journal_setup(void **state)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};

	if (unit_setup(state) < 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("run", "/run", "tmpfs", 0, NULL) < 0 ||
	    mkdir("/run/systemd", 0755) < 0 || mkdir("/run/systemd/journal", 0755) < 0 ||
	    mkdir("/run/user", 0755) < 0 || mkdir("/run/user/0", 0700) < 0)
		return -1;
	journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return bind(journal, (struct sockaddr *)&to, sizeof(to));
}

static int journal_teardown(void **state)
{
	close(journal);
	if (umount2("/run", MNT_DETACH) < 0)
		return -1;
	return unit_teardown(state);
}

/* The next entry; "" where there is none. */
static const char *entry(void)
{
	static char text[8192];
	ssize_t n = recv(journal, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void an_entry(void **state)
{
	char fields[4096];
	size_t before;

	(void)state;
	journal_send(MESSAGE_WAKE, "t", "x", "words", "");
	before = strlen(entry());
	journal_send(MESSAGE_WAKE, "t", "x", "words", "A=1\n");
	assert_string_equal(entry(), "MESSAGE=words\nMESSAGE_ID=" MESSAGE_WAKE
				     "\nPRIORITY=6\nSYSLOG_IDENTIFIER=sockwake\nSOCKWAKE_INSTANCE=t\n"
				     "SOCKWAKE_CONTAINER=x\nA=1\n");
	/* One that is cut off says something else. */
	memset(fields, 'a', sizeof(fields));
	fields[sizeof(fields) - 1] = '\0';
	journal_send(MESSAGE_WAKE, "t", "x", "words", fields);
	assert_string_equal(entry(), "");
	fields[sizeof(fields) - 1 - before] = '\0';
	journal_send(MESSAGE_WAKE, "t", "x", "words", fields);
	assert_int_equal(strlen(entry()), 4095);
}

static void a_sleep(void **state)
{
	struct options o = {.name = "t", .container = "x"};
	struct stats s = {.wake_wall = 1000000,
			  .connections_total = 3,
			  .connections_failed = 2,
			  .flows_total = 4,
			  .bytes_to_container = 5,
			  .bytes_from_container = 6};
	const char *text;

	(void)state;
	halt_journal(&o, &s, 8500000);
	text = entry();
	assert_non_null(strstr(text,
			       "MESSAGE=t: the container 'x' was stopped after 7 s: 3 connections, 5 bytes in, 6 bytes "
			       "out\nMESSAGE_ID=" MESSAGE_SLEEP "\n"));
	assert_non_null(strstr(text,
			       "\nSOCKWAKE_AWAKE_USEC=7500000\nSOCKWAKE_CONNECTIONS=3\nSOCKWAKE_CONNECTIONS_FAILED=2\n"
			       "SOCKWAKE_FLOWS=4\nSOCKWAKE_BYTES_TO_CONTAINER=5\nSOCKWAKE_BYTES_FROM_CONTAINER=6\n"));
	/* The clock was set back; there was no wake. */
	o.idle_pause = true;
	halt_journal(&o, &s, 900000);
	assert_non_null(strstr(entry(), "the container 'x' was paused after 0 s"));
	s.wake_wall = 0;
	halt_journal(&o, &s, 8500000);
	assert_non_null(strstr(entry(), "was paused after 0 s"));
	halt_journal(&o, NULL, 8500000);
	text = entry();
	assert_non_null(
		strstr(text, "MESSAGE=t: the container 'x' was paused, too\nMESSAGE_ID=" MESSAGE_WITH_SLEEP "\n"));
	o.idle_pause = false;
	halt_journal(&o, NULL, 8500000);
	assert_non_null(strstr(entry(), "was stopped, too\n"));
}

/* Where the time of a wake went, of whose process the keeper has noted the beginning. */
static void the_durations_of_a_wake(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()), SAY(NO_CONTENT), SAY(running()), SAY(running()),
	      SAY(NO_CONTENT), SAY(running()), SAY(running()));

	(void)state;
	for (int with = 0; with < 2; with++) {
		uint64_t spawned = now_usec() - 2 * USEC_PER_SEC, main_began = spawned + 1234567, asked;
		char expected[512];
		struct program p;
		const char *text;
		struct stats s;

		if (with)
			program_start_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), "--with", "pg", "--", "/bin/true"));
		else
			program_start_kept(&p, ARGUMENTS(OPTIONS(f, "docker")));
		p.stats->t_main = main_began;
		p.stats->t_spawned = spawned;
		assert_int_equal(program_finish(&p), 0);
		s = *p.stats;
		program_release(&p);
		text = entry();
		if (with) {
			assert_non_null(
				strstr(text, "the container 'pg' comes first: it was woken and is ready after "));
			text = entry();
		}
		asked = with ? s.t_dependencies : main_began;
		assert_true(asked <= s.t_started && s.t_started <= s.t_inspected);
		snprintf(expected, sizeof(expected),
			 "SOCKWAKE_LOAD_USEC=1234567\nSOCKWAKE_WITH_USEC=%llu\nSOCKWAKE_START_USEC=%llu\n"
			 "SOCKWAKE_INSPECT_USEC=%llu\n",
			 (unsigned long long)(asked - main_began), (unsigned long long)(s.t_started - asked),
			 (unsigned long long)(s.t_inspected - s.t_started));
		assert_non_null(strstr(text, expected));
		snprintf(expected, sizeof(expected), "MESSAGE=t: the container 'x' was woken after %llu.%llu ms",
			 (unsigned long long)(s.t_inspected - spawned) / 1000,
			 (unsigned long long)(s.t_inspected - spawned) / 100 % 10);
		assert_non_null(strstr(text, expected));
		assert_int_equal(s.container_pid, container_process());
	}
	fake_stop(&f);
}

static void wakes_and_sleeps(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()), /* */
	      SAY(NOT_MODIFIED), SAY(running()), SAY(running()),  /* */
	      SAY(running()), SAY(NO_CONTENT), SAY(EXITED),	  /* */
	      SAY(NO_CONTENT), SAY(running()), SAY(running()), SAY(NO_CONTENT), SAY(running()), SAY(running()));
	char pid[64];
	const char *text;
	struct program p;

	(void)state;
	snprintf(pid, sizeof(pid), "\nSOCKWAKE_CONTAINER_PID=%d\n", container_process());
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), 0);
	program_release(&p);
	text = entry();
	assert_non_null(strstr(text, "MESSAGE=t: the container 'x' was woken after "));
	assert_non_null(strstr(text, "\nMESSAGE_ID=" MESSAGE_WAKE "\n"));
	assert_non_null(strstr(text, "\nSOCKWAKE_CONTAINER_ID=" ID "\n"));
	assert_non_null(strstr(text, pid));
	assert_non_null(strstr(text, "\nSOCKWAKE_FOUND_RUNNING=0\n"));
	assert_non_null(strstr(text, "\nSOCKWAKE_WITH_USEC=0\n"));
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), 0);
	program_release(&p);
	text = entry();
	assert_non_null(strstr(text, "MESSAGE=t: the container 'x' ran already, was found after "));
	assert_non_null(strstr(text, "\nSOCKWAKE_FOUND_RUNNING=1\n"));
	assert_int_equal(program_run_kept(&p, ARGUMENTS("--sleep", OPTIONS(f, "docker"))), 0);
	program_release(&p);
	assert_non_null(strstr(entry(), "MESSAGE=t: the container 'x' was stopped after "));
	/* What comes before it. */
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), "--with", "pg", "--", "/bin/true")), 0);
	program_release(&p);
	text = entry();
	assert_non_null(strstr(text, "MESSAGE=t: the container 'pg' comes first: it was woken and is ready after "));
	assert_non_null(strstr(text, "\nMESSAGE_ID=" MESSAGE_WITH_WAKE "\n"));
	assert_non_null(strstr(text, pid));
	assert_non_null(strstr(entry(), "the container 'x' was woken after "));
	assert_string_equal(entry(), "");
	fake_stop(&f);
}

static uint64_t client_came;

static void seed_client(struct stats *s)
{
	s->startup_timeout = 4 * USEC_PER_SEC;
	s->t_client = client_came;
	s->woken_by = STATS_BY_CLIENT;
	memcpy(s->client, (unsigned char[]){0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7}, sizeof(s->client));
}

/* One that waited for longer than the start-up time-out was refused. */
static void who_has_waited(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()), SAY(NO_CONTENT), SAY(running()), SAY(running()));
	struct program p;
	const char *text;

	(void)state;
	program_seed = seed_client;
	client_came = now_usec();
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), 0);
	program_release(&p);
	text = entry();
	assert_non_null(strstr(text, " ms, for which 192.0.2.7 has waited "));
	assert_non_null(strstr(text, "\nSOCKWAKE_CLIENT=192.0.2.7\n"));
	client_came = now_usec() - 5 * USEC_PER_SEC;
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), 0);
	program_release(&p);
	program_seed = NULL;
	text = entry();
	assert_non_null(strstr(text, "the container 'x' was woken after "));
	assert_null(strstr(text, "192.0.2.7"));
	fake_stop(&f);
}

/* By hand, or after a keeper that was killed, there is what that has left behind. */
static void what_a_keeper_has_counted(void **state)
{
	START(f, SAY(running()), SAY(NO_CONTENT), SAY(EXITED), SAY(running()), SAY(NO_CONTENT), SAY(EXITED));
	struct stats *stats;
	struct program p;
	struct error err;
	char path[128];
	int fd;

	(void)state;
	assert_int_equal(program_run(&p, NULL, ARGUMENTS("--sleep", OPTIONS(f, "docker"))), 0);
	assert_non_null(strstr(entry(), ": 0 connections, "));
	snprintf(path, sizeof(path), "%s/t.stats", directory);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	stats = stats_map(fd, true, &err);
	assert_non_null(stats);
	stats->connections_total = 9;
	munmap(stats, sizeof(*stats));
	close(fd);
	assert_int_equal(program_run(&p, NULL, ARGUMENTS("--sleep", OPTIONS(f, "docker"))), 0);
	assert_non_null(strstr(entry(), ": 9 connections, "));
	fake_stop(&f);
}

static void a_unit_that_falls_asleep(void **state)
{
	START(f, SAY(running()), SAY(NOT_PAUSED));
	struct program p;

	(void)state;
	fake_active(&manager, X, A);
	record(&f, BACKEND_DOCKER, "own " A);
	assert_int_equal(program_run_kept(&p, ARGUMENTS("--sleep", UNIT_OPTIONS(f, "docker"))), 0);
	program_release(&p);
	assert_non_null(strstr(entry(), "MESSAGE=t: the container 'x' was stopped after "));
	fake_stop(&f);
}

/* Over the user's own bus. */
static void a_person_is_told(void **state)
{
	struct program p;

	(void)state;
	assert_int_equal(symlink(manager.socket, "/run/user/0/bus"), 0);
	assert_int_equal(program_run(&p, NULL, ARGUMENTS("--notify", "started", "--name", "t", "--user", "root")), 0);
	assert_string_equal(fake_calls(&manager),
			    "Hello\nNotify sockwake 0  t started The container was woken. () () 4294967295\n");
	assert_int_equal(program_run(&p, NULL, ARGUMENTS("--notify", "stopped", "--name", "t", "--user", "root")), 0);
	assert_string_equal(fake_calls(&manager),
			    "Hello\nNotify sockwake 0  t stopped The container was put to sleep. () () 4294967295\n");
	/* A desktop that hangs is given up. */
	fake_on(&manager, (struct fake_event){"Notify", .what = SILENT});
	assert_int_equal(program_run(&p, NULL, ARGUMENTS("--notify", "stopped", "--name", "t", "--user", "root")), 0);
	assert_string_equal(p.text, "");
	/* Another one's bus is that one's. */
	(void)fake_calls(&manager);
	assert_int_equal(program_run(&p, NULL, ARGUMENTS("--notify", "stopped", "--name", "t", "--user", "nobody")), 0);
	assert_string_equal(fake_calls(&manager), "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, journal_setup, journal_teardown)
	static const struct CMUnitTest tests[] = {
		TEST(an_entry),
		TEST(a_sleep),
		TEST(the_durations_of_a_wake),
		TEST(wakes_and_sleeps),
		TEST(who_has_waited),
		TEST(what_a_keeper_has_counted),
		TEST(a_unit_that_falls_asleep),
		TEST(a_person_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
