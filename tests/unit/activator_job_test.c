/* --with-health-check completed: a job has to end with status 0 before the instance's own container starts, and nobody
 * puts it to sleep. The engine and the service manager are fakes. */
#include "activator/runtime.h"
#include "tests/unit/activator_unit_fixture.h"

#define JOB    "--with", "migrate", "--with-health-check", "completed"
#define BEFORE "2026-11-22T03:10:30.000000000Z"

/* The job's container; `started` may be "0001-01-01T00:00:00Z" for never. */
static const char *job(const char *status, int exit_code, const char *started, const char *policy)
{
	char body[1024];

	snprintf(body, sizeof(body),
		 "{\"Id\":\"" ID "\",\"Name\":\"/migrate\",\"State\":{\"Status\":\"%s\",\"Pid\":0,\"ExitCode\":%d,"
		 "\"StartedAt\":\"%s\"},\"HostConfig\":{\"NetworkMode\":\"none\",\"RestartPolicy\":{\"Name\":\"%s\"}},"
		 "\"Config\":{}}",
		 status, exit_code, started, policy);
	return reply("200", body);
}

#define NEVER	    "0001-01-01T00:00:00Z"
#define NEW	    job("created", 0, NEVER, "no")
#define DONE	    job("exited", 0, STARTED, "no")
#define BUSY	    job("running", 0, STARTED, "no")
#define FAILED	    job("exited", 3, STARTED, "no")
#define SAY_SERVED  SAY(NO_CONTENT), SAY(up), SAY(up), SAY(done) /* texts of each test: reply() keeps 16 */
#define SERVED	    "POST start GET json GET json GET json"	 /* the last one: the volumes of the job */
#define BEGINS	    "GET json POST start"			 /* a look at the job, then its start */
#define SUCCESS_AND SAY(NEW), SAY(NO_CONTENT), SAY(done), SAY_SERVED

/* Runs a wake that succeeds, and says which requests it made. */
#define WAKE(...)                                                                                                      \
	({                                                                                                             \
		assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), JOB, __VA_ARGS__)), 0);          \
		assert_string_equal(p.failed, "");                                                                     \
		program_release(&p);                                                                                   \
		requests(&f);                                                                                          \
	})
#define PLAIN "--", "/bin/true"

static const char *job_lock(const struct fake_engine *f)
{
	struct options o = {.name = "t", .container = "migrate", .backend = BACKEND_DOCKER};
	static char path[PATH_MAX];
	struct error err;

	assert_int_equal(lock_path(&o, f->socket, path, &err), 0);
	return path;
}

static const char *job_record(const struct fake_engine *f)
{
	static char text[RUN_TEXT_MAX];
	_cleanup_close_ int fd = open(job_lock(f), O_RDONLY | O_CLOEXEC);

	text[0] = '\0';
	if (fd >= 0)
		lock_read(fd, text);
	return text;
}

static void it_ends_before_the_next_one_starts(void **state)
{
	const char *up = running(), *done = DONE;
	START(f, SAY(NEW), SAY(NO_CONTENT), SAY(BUSY), SAY(BUSY), SAY(done), SAY_SERVED);
	struct program p;

	(void)state;
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), JOB, PLAIN)), 0);
	assert_string_equal(requests(&f), BEGINS " GET json GET json GET json " SERVED);
	assert_non_null(strstr(f.seen->text, "POST /containers/migrate/start"));
	assert_true(strstr(f.seen->text, "/x/start") > strstr(f.seen->text, "/migrate/start"));
	assert_int_equal(p.woken.n_fds, 5);			  /* its locks are held, too */
	assert_string_equal(job_record(&f), ID " " STARTED "\n"); /* a run of ours */
	program_release(&p);
	fake_stop(&f);
}

static void how_it_fails(void **state)
{
	START(f, SAY(NEW), SAY(NO_CONTENT), SAY(FAILED), /* */
	      SAY(NO_SUCH),				 /* */
	      SAY(NEW), SAY(NO_CONTENT), SAY(BUSY), SAY(BUSY), SAY(BUSY), SAY(BUSY), SAY(BUSY), SAY(BUSY), SAY(BUSY),
	      SAY(BUSY), SAY(BUSY), SAY(BUSY));
	static const char before[] = "'migrate', which comes before 'x': ";

	(void)state;
	assert_refused_for(
		ARGUMENTS(OPTIONS(f, "docker"), JOB, PLAIN),
		(const char *const[]){before, "the job ended with status 3: 'docker logs migrate' may say why", NULL});
	assert_refused_for(ARGUMENTS(OPTIONS(f, "docker"), JOB, PLAIN),
			   (const char *const[]){before, "has no container 'migrate'", NULL});
	assert_refused_for(
		ARGUMENTS(OPTIONS(f, "docker"), "--startup-timeout", "100ms", JOB, PLAIN),
		(const char *const[]){before, "did not end in time, and runs on: 'docker logs migrate'", NULL});
	fake_stop(&f);
}

/* A job that failed is tried again at the next wake, and repeated by its policy within this one. */
static void it_is_tried_again(void **state)
{
	const char *up = running(), *done = DONE;
	START(f, SAY(FAILED), SAY(NO_CONTENT), SAY(done), SAY_SERVED, /* */
	      SAY(NEW), SAY(NO_CONTENT), SAY(job("exited", 3, STARTED, "on-failure")),
	      SAY(job("restarting", 3, STARTED, "on-failure")), SAY(done), SAY_SERVED);
	struct program p;

	(void)state;
	assert_string_equal(WAKE(PLAIN), BEGINS " GET json " SERVED);
	assert_string_equal(WAKE(PLAIN), BEGINS " GET json GET json GET json " SERVED);
	fake_stop(&f);
}

static void one_that_runs_is_awaited(void **state)
{
	const char *up = running(), *done = DONE;
	START(f, SAY(BUSY), SAY(BUSY), SAY(done), SAY_SERVED);
	struct program p;

	(void)state;
	assert_string_equal(WAKE(PLAIN), "GET json GET json GET json " SERVED);
	assert_null(strstr(f.seen->text, "/migrate/start"));
	assert_string_equal(job_record(&f), ID "?" STARTED "\n"); /* a run that it found */
	fake_stop(&f);
}

static void one_that_another_wake_is_starting_is_awaited(void **state)
{
	const char *up = running(), *done = DONE;
	START(f, SAY(NEW), SAY(BUSY), SAY(done), SAY_SERVED);
	_cleanup_close_ int fd = open(job_lock(&f), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct program p;

	(void)state;
	lock_record(fd, RUN_STARTING);
	assert_string_equal(WAKE(PLAIN), "GET json GET json GET json " SERVED);
	assert_null(strstr(f.seen->text, "/migrate/start"));
	fake_stop(&f);
}

static void it_runs_once_until_all_sleep(void **state)
{
	const char *up = running(), *done = DONE;
	START(f, SUCCESS_AND, SAY(done), SAY_SERVED, /* nobody has slept since */
	      SAY(EXITED), SAY(done),		     /* --sleep: both are down */
	      SAY(done), SAY(EXITED), SAY(NO_CONTENT), SAY(done), SAY_SERVED);
	struct program p;

	(void)state;
	assert_string_equal(WAKE(PLAIN), BEGINS " GET json " SERVED);
	assert_string_equal(WAKE(PLAIN), "GET json " SERVED);
	assert_int_equal(program_run_kept(&p, ARGUMENTS("--sleep", OPTIONS(f, "docker"), JOB)), 0);
	program_release(&p);
	assert_string_equal(requests(&f), "GET json GET json");
	/* Now it looks at its own container, too, which sleeps. */
	assert_string_equal(WAKE(PLAIN), "GET json GET json POST start GET json " SERVED);
	fake_stop(&f);
}

/* `compose up` has run both; in between somebody has started one of them alone. */
static void one_that_came_before_its_own_container_is_done(void **state)
{
	const char *up = running(), *done = DONE;
	START(f, SAY(job("exited", 0, BEFORE, "no")), SAY(up), SAY_SERVED, /* */
	      SAY(job("exited", 0, "2026-11-23T00:00:00Z", "no")), SAY(up), SAY(NO_CONTENT),
	      SAY(job("exited", 0, "2026-11-24T00:00:00Z", "no")), SAY_SERVED);
	struct program p;

	(void)state;
	assert_string_equal(WAKE(PLAIN), "GET json GET json " SERVED);
	assert_string_equal(WAKE(PLAIN), "GET json GET json POST start GET json " SERVED);
	fake_stop(&f);
}

static void one_that_began_with_its_own_container_is_done(void **state)
{
	const char *up = running(), *done = DONE;
	START(f, SAY(job("exited", 0, STARTED, "no")), SAY(up), SAY_SERVED);
	struct program p;

	(void)state;
	assert_string_equal(WAKE(PLAIN), "GET json GET json " SERVED);
	fake_stop(&f);
}

static void nobody_puts_it_to_sleep(void **state)
{
	START(f, SAY(EXITED), SAY(BUSY), /* */
	      SAY(EXITED), SAY(BUSY));
	struct program p;

	(void)state;
	assert_int_equal(program_run_kept(&p, ARGUMENTS("--sleep", OPTIONS(f, "docker"), JOB)), 0);
	assert_string_equal(requests(&f), "GET json GET json");
	assert_non_null(strstr(p.text, "'migrate' is a job, and runs until it ends by itself"));
	program_release(&p);
	assert_int_equal(program_run_kept(&p, ARGUMENTS("--sleep", "--because", "failed", OPTIONS(f, "docker"), JOB)),
			 0);
	program_release(&p);
	assert_string_equal(requests(&f), "GET json GET json");
	fake_stop(&f);
}

/* It has run, and nothing says that it is to do more: a job that is quicker than we are is like one that takes longer. */
static void a_job_taken_for_a_server_is_ready_once_it_has_run(void **state)
{
	const char *done = DONE, *broken = EXITED;
	struct program p;

	(void)state;
	for (int k = 0; k < 3; k++) {
		struct exchange script[100] = {SAY(NO_CONTENT)}; /* for two seconds it might be restarted */
		struct fake_engine f;

		for (size_t n = 1; n < sizeof(script) / sizeof(*script); n++)
			script[n] = (struct exchange)SAY(k == 1 ? broken : done);
		fake_start(&f, script, sizeof(script) / sizeof(*script));
		if (k == 0) { /* goes on, and the engine fails */
			assert_int_equal(
				program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), "--with", "migrate", PLAIN)),
				EXIT_REFUSED);
			assert_non_null(strstr(p.failed, "Docker cannot start the container 'x'"));
			assert_non_null(strstr(p.text,
					       "'migrate' has ended with status 0, and counts as ready; if it is a "
					       "job that ends by itself, '--with migrate::completed' runs"));
			program_release(&p);
		} else if (k == 1)
			assert_refused_for(ARGUMENTS(OPTIONS(f, "docker"), "--with", "migrate", PLAIN),
					   (const char *const[]){"'migrate', which comes before", "status 7", NULL});
		else
			assert_refused_for(
				ARGUMENTS(OPTIONS(f, "docker"), "--with", "migrate", "--with-port", "80", PLAIN),
				(const char *const[]){"'migrate', which comes before", "status 0", NULL});
		fake_stop(&f);
	}
}

static int run_job(struct fake_engine *f, struct program *p)
{
	return program_run_kept(p, ARGUMENTS(OPTIONS(*f, "docker"), JOB, PLAIN));
}

static void an_engine_that_fails_in_the_middle(void **state)
{
	const char *up = running(), *new = NEW, *busy = BUSY, *done = DONE;
	const struct exchange script[] = {SAY(new), SAY(NO_CONTENT), SAY(busy), SAY(done), SAY_SERVED};
	const struct exchange replaced[] = {SAY(new),	     SAY(NO_CONTENT), SAY(new),
					    SAY(NO_CONTENT), SAY(done),	      SAY_SERVED};

	(void)state;
	EACH_FAILURE_IS_TOLD(script, 7, run_job);
	EACH_FAILURE_IS_TOLD(replaced, 8, run_job);
}

static void a_server_that_fails_is_no_job(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(FAILED), SAY(FAILED));
	struct program p;

	(void)state;
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), "--with", "migrate", PLAIN)),
			 EXIT_REFUSED);
	assert_non_null(strstr(p.failed, "ended with status 3"));
	assert_null(strstr(p.failed, "::completed"));
	program_release(&p);
	fake_stop(&f);
}

#define JOB_UNIT "--scope", "user", JOB, "--with-unit", X
#define UNIT_WAKE()                                                                                                    \
	({                                                                                                             \
		int status = program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), JOB_UNIT, PLAIN));                   \
                                                                                                                       \
		if (status != 0)                                                                                       \
			print_error("%s\n", p.failed);                                                                 \
		program_release(&p);                                                                                   \
		status;                                                                                                \
	})
#define STARTS_UNIT "Subscribe\nStartUnit x.service replace\n"

static void a_unit_that_runs_it(void **state)
{
	/* Each time, its own container is looked at first: is it up? */
	const char *up = running(), *done = DONE;
	START(f, SAY(EXITED), SAY_SERVED, SAY_SERVED, SAY(up), SAY_SERVED);
	struct program p;

	(void)state;
	fake_set(&manager, X, "ActiveState", "inactive");
	fake_set(&manager, X, "Result", "success");
	change_at(EVERY_LOOK, 3, "ActiveState", "inactive");
	assert_int_equal(UNIT_WAKE(), 0);
	assert_string_equal(fake_calls(&manager), STARTS_UNIT);
	assert_string_equal(job_record(&f), "own 00000000000000000000000000000001");
	/* Its run counts, also when the manager has forgotten it, until all sleep. */
	assert_int_equal(UNIT_WAKE(), 0);
	assert_string_equal(fake_calls(&manager), "");
	/* Another run since then is not ours: does what needed it still run? */
	(void)requests(&f);
	fake_set(&manager, X, "InvocationID", B);
	assert_int_equal(UNIT_WAKE(), 0);
	assert_string_equal(fake_calls(&manager), "");
	assert_string_equal(requests(&f), "GET json " SERVED);
	fake_stop(&f);
}

/* … also if the instance's own container is one of a unit. */
static void before_a_unit_that_is_up(void **state)
{
	START(f, SAY(running()), SAY(running()), SAY(running()), SAY(running()), SAY(DONE));
	struct program p;

	(void)state;
	fake_set(&manager, X, "ActiveState", "inactive");
	fake_set(&manager, X, "InvocationID", B);
	fake_active(&manager, "own.service", A);
	assert_int_equal(
		program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"), "--unit", "own.service", JOB_UNIT, PLAIN)), 0);
	program_release(&p);
	assert_string_equal(fake_calls(&manager), "");
	fake_stop(&f);
}

static void a_unit_that_stays_active(void **state)
{
	const char *up = running(), *done = DONE;
	START(f, SAY_SERVED);
	struct program p;

	(void)state;
	fake_active(&manager, X, A);
	fake_set(&manager, X, "SubState", "exited"); /* RemainAfterExit=yes */
	assert_int_equal(UNIT_WAKE(), 0);
	assert_string_equal(fake_calls(&manager), "");
	fake_stop(&f);
}

static void a_unit_that_fails(void **state)
{
	START(f, SAY(EXITED), SAY(EXITED));

	(void)state;
	fake_set(&manager, X, "ActiveState", "inactive");
	fake_set(&manager, X, "start", "failed");
	fake_set(&manager, X, "Result", "exit-code");
	fake_set(&manager, X, "ExecMainStatus", "3");
	assert_refused_for(ARGUMENTS(OPTIONS(f, "docker"), JOB_UNIT, PLAIN),
			   (const char *const[]){"'migrate', which comes before 'x': ", "ended with status 3",
						 "journalctl --user -u x.service", NULL});
	/* It fails after its start. */
	fake_set(&manager, X, "start", "done");
	change_at(EVERY_LOOK, 2, "ActiveState", "failed");
	assert_refused_for(ARGUMENTS(OPTIONS(f, "docker"), JOB_UNIT, PLAIN),
			   (const char *const[]){"ended with status 3", NULL});
	fake_stop(&f);
}

static void a_manager_that_fails_in_the_middle(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 3; k++) {
		START(f, SAY(EXITED), SAY(EXITED));
		struct fake_event fails = {"Get " X " ActiveState", .after = k, .what = FAIL, .value = "a.b"};

		fake_clear(&manager);
		fake_set(&manager, X, "ActiveState", "inactive");
		fake_on(&manager, fails);
		assert_refused(ARGUMENTS(OPTIONS(f, "docker"), JOB_UNIT, PLAIN), "says the test");
		fake_stop(&f);
	}
}

static void a_unit_is_not_put_to_sleep(void **state)
{
	START(f, SAY(EXITED), SAY(EXITED));
	_cleanup_close_ int fd = open(job_lock(&f), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct program p;

	(void)state;
	lock_record(fd, "own " A);
	fake_active(&manager, X, A);
	assert_int_equal(program_run_kept(&p, ARGUMENTS("--sleep", OPTIONS(f, "docker"), JOB_UNIT)), 0);
	assert_non_null(strstr(p.text, "'x.service' is a job, and runs until it ends by itself"));
	program_release(&p);
	assert_null(strstr(fake_calls(&manager), "StopUnit"));
	assert_string_equal(job_record(&f), "own " A);
	fake_set(&manager, X, "ActiveState", "inactive");
	assert_int_equal(program_run_kept(&p, ARGUMENTS("--sleep", OPTIONS(f, "docker"), JOB_UNIT)), 0);
	program_release(&p);
	assert_string_equal(job_record(&f), "");
	fake_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(it_ends_before_the_next_one_starts),
		UNIT_TEST(how_it_fails),
		UNIT_TEST(it_is_tried_again),
		UNIT_TEST(one_that_runs_is_awaited),
		UNIT_TEST(one_that_another_wake_is_starting_is_awaited),
		UNIT_TEST(it_runs_once_until_all_sleep),
		UNIT_TEST(one_that_came_before_its_own_container_is_done),
		UNIT_TEST(one_that_began_with_its_own_container_is_done),
		UNIT_TEST(a_server_that_fails_is_no_job),
		UNIT_TEST(an_engine_that_fails_in_the_middle),
		UNIT_TEST(a_manager_that_fails_in_the_middle),
		UNIT_TEST(nobody_puts_it_to_sleep),
		UNIT_TEST(a_job_taken_for_a_server_is_ready_once_it_has_run),
		UNIT_TEST(a_unit_that_runs_it),
		UNIT_TEST(before_a_unit_that_is_up),
		UNIT_TEST(a_unit_that_stays_active),
		UNIT_TEST(a_unit_that_fails),
		UNIT_TEST(a_unit_is_not_put_to_sleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
