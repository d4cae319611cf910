/* Following a container that has ended to its next run. Engine and service manager are fakes. */
#include "activator/follow.h"
#include "activator/situation.h"
#include "handover/channel.h"
#include "tests/unit/activator_unit_fixture.h"

static const char *with_policy(const char *status, const char *policy, int exit_code, const char *started_at)
{
	char body[640];

	snprintf(body, sizeof(body),
		 "{\"Id\":\"" ID "\",\"Name\":\"/x\",\"State\":{\"Status\":\"%s\",\"Pid\":%d,\"ExitCode\":%d,"
		 "\"StartedAt\":\"%s\"},\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"%s\"}},\"Config\":{}}",
		 status, strcmp(status, "running") == 0 ? 77 : 0, exit_code, started_at, policy);
	return reply("200", body);
}

/* What the keeper was told, each time with a newline. */
static char told[1024];

static void listen_to(int fd)
{
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, told + len, sizeof(told) - 2 - len, MSG_DONTWAIT)) > 0) {
		len += (size_t)n;
		told[len++] = '\n';
	}
	told[len] = '\0';
}

/* That alone, and once. */
static bool was_told(const char *begin)
{
	return strncmp(told, begin, strlen(begin)) == 0 && strchr(told, '\n') == strrchr(told, '\n');
}

/* Follows, for at most a second where it is down; "" or why it does not run. */
static const char *follow_to(struct fake_engine *f, const char *unit, uint64_t recent)
{
	struct options o = {.mode = MODE_FOLLOW,
			    .scope = SCOPE_USER,
			    .name = "t",
			    .backend = BACKEND_DOCKER,
			    .container = "x",
			    .engine_socket = f->socket,
			    .unit = unit,
			    .recent = recent};
	static struct error err;
	char keeper[16];
	int ends[2], r;

	assert_int_equal(channel_open(ends, &err), 0);
	snprintf(keeper, sizeof(keeper), "%d", ends[1]);
	setenv("SOCKWAKE_KEEPER_FD", keeper, 1);
	err = (struct error){};
	r = follow(&o, &err);
	unsetenv("SOCKWAKE_KEEPER_FD");
	listen_to(ends[0]);
	close(ends[0]);
	close(ends[1]);
	return r == 0 ? "" : err.text;
}

#define OTHERS with_policy("running", "", 0, "2027")
#define OURS   with_policy("running", "", 0, "2026")

static void another_run_is_found_at_once(void **state)
{
	START(f, SAY(OTHERS), SAY(NO_SUCH), SAY(EXITED), SAY(WILL_NOT), SAY(OTHERS));

	(void)state;
	record(&f, BACKEND_DOCKER, ID " 2026\n");
	assert_string_equal(follow_to(&f, NULL, 0), "");
	assert_string_equal(requests(&f), "GET json");
	/* It is being replaced. */
	assert_string_equal(follow_to(&f, NULL, 10 * USEC_PER_SEC), "");
	assert_string_equal(requests(&f), "GET json GET json GET json GET json");
	fake_stop(&f);
}

/* The engine may not have noticed yet the end of the run that was served. */
static void the_old_run_is_not_trusted(void **state)
{
	static struct exchange script[30];
	struct fake_engine f;
	uint64_t began;

	(void)state;
	for (size_t k = 0; k < sizeof(script) / sizeof(*script); k++)
		script[k] = (struct exchange)SAY(OURS);
	fake_start(&f, script, sizeof(script) / sizeof(*script));
	record(&f, BACKEND_DOCKER, ID " 2026\n");
	began = now_usec();
	assert_string_equal(follow_to(&f, NULL, 0), "");
	assert_in_range(msec_since(began), 1000, 10000);
	fake_stop(&f);
}

static void one_that_is_gone(void **state)
{
	const char *failed = with_policy("exited", "", 1, "2026");
	START(f, SAY(failed), SAY(NO_SUCH), SAY(NONSENSE), SAY(failed), SAY(failed), SAY(failed), SAY(failed),
	      SAY(failed), SAY(failed), SAY(failed), SAY(failed), SAY(failed));
	uint64_t began;

	(void)state;
	record(&f, BACKEND_DOCKER, ID " 2026\n");
	assert_string_equal(follow_to(&f, NULL, 0), "the container 'x' has ended");
	assert_string_equal(follow_to(&f, NULL, 0), "the container 'x' has ended");
	assert_string_equal(requests(&f), "GET json GET json");
	assert_non_null(strstr(follow_to(&f, NULL, 0), "is not what Docker's API promises"));
	/* So long it may be replaced. */
	began = now_usec();
	assert_string_equal(follow_to(&f, NULL, 300 * USEC_PER_MSEC), "the container 'x' has ended");
	assert_in_range(msec_since(began), 300, 5000);
	fake_stop(&f);
}

/* So does what its restart policy starts again, or somebody who stopped it. */
static void one_that_may_come_back(void **state)
{
	const char *stopped = with_policy("exited", "", 143, "2026");
	START(f, SAY(stopped), SAY(stopped), SAY(OTHERS), /* */
	      SAY(with_policy("restarting", "always", 1, "2026")), SAY(with_policy("exited", "always", 1, "2026")),
	      SAY(OTHERS), /* */
	      SAY(with_policy("restarting", "always", 1, "2026")), SAY(with_policy("exited", "", 1, "2026")));

	(void)state;
	record(&f, BACKEND_DOCKER, ID " 2026\n");
	assert_string_equal(follow_to(&f, NULL, 0), "");
	assert_true(was_told("ENDED=the container 'x' ended with status 143 before it was ready: '"));
	assert_string_equal(requests(&f), "GET json GET json GET json");
	assert_string_equal(follow_to(&f, NULL, 0), "");
	assert_true(was_told("ENDED=the container 'x' ended with status 1 before"));
	assert_string_equal(requests(&f), "GET json GET json GET json");
	assert_string_equal(follow_to(&f, NULL, 0), "the container 'x' has ended");
	assert_string_equal(requests(&f), "GET json GET json");
	fake_stop(&f);
}

static void a_unit(void **state)
{
	START(f, SAY(OTHERS));

	(void)state;
	record(&f, BACKEND_DOCKER, "own " A);
	fake_active(&manager, X, B);
	assert_string_equal(follow_to(&f, X, 0), "");
	assert_string_equal(told, "");
	fake_set(&manager, X, "ActiveState", "failed");
	assert_string_equal(follow_to(&f, X, 0), "the container 'x' has ended");
	assert_true(was_told("ENDED=the container 'x' ended with status 0 before"));
	fake_on(&manager, (struct fake_event){EVERY_LOOK, .what = FAIL, .value = "a.b"});
	assert_non_null(strstr(follow_to(&f, X, 0), "does not tell ExecMainStatus"));
	/* one that is restarting */
	fake_set(&manager, X, "SubState", "auto-restart");
	change_at("Get " X " ActiveState", 2, "SubState", "running");
	change_at("Get " X " ActiveState", 2, "ActiveState", "active");
	assert_string_equal(follow_to(&f, X, 0), "");
	assert_string_equal(requests(&f), "");
	/* one that stops or starts has not ended yet */
	for (size_t k = 0; k < 2; k++) {
		fake_set(&manager, X, "SubState", "");
		fake_set(&manager, X, "ActiveState", k ? "activating" : "deactivating");
		change_at("Get " X " ActiveState", 2, "ActiveState", "active");
		assert_string_equal(follow_to(&f, X, 0), "");
		assert_string_equal(told, "");
	}
	/* the run that was served */
	fake_active(&manager, X, A);
	change_at("Get " X " ActiveState", 2, "ActiveState", "inactive");
	assert_string_equal(follow_to(&f, X, 0), "the container 'x' has ended");
	fake_stop(&f);
}

static void an_engine_that_is_not_there(void **state)
{
	struct fake_engine none = {.socket = "/nonexistent/engine.sock"};

	(void)state;
	assert_non_null(strstr(follow_to(&none, NULL, 0), "nothing listens"));
}

/* --- whose run it is */

static int lock_with(const char *text)
{
	int fd = memfd_create("lock", MFD_CLOEXEC);

	lock_record(fd, text);
	return fd;
}

#define OTHER_ID "131ac4655cca2df8430faacea1ee34f9094d53239db0fdc19fa711a77926faf7"

static void situations_of_containers(void **state)
{
	static const struct {
		const char *lock;
		int64_t restarts;
		enum run run;
	} cases[] = {
		{"", 0, RUN_FOUND},
		{ID " 2026\n", 0, RUN_OURS},
		{ID "?2026\n", 0, RUN_FOUND},
		{ID " 2025\n", 0, RUN_OTHERS},
		{ID "?2025\n", 0, RUN_OTHERS},
		{ID " 2025\n", 1, RUN_OURS},
		{ID "?2025\n", 1, RUN_FOUND},
		{OTHER_ID " 2025\n", 1, RUN_OTHERS},
		{ID "\n", 0, RUN_FOUND},
		{"own starting", 0, RUN_OURS},
		{"own started", 0, RUN_OURS},
		{"own other", 0, RUN_FOUND},
		{OTHER_ID "?2025\n", 1, RUN_OTHERS},
	};
	struct options o = {.name = "t", .container = "x"};
	struct container c = {.id = ID, .started_at = "2026", .state = CONTAINER_RUNNING, .restart_policy = ""};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		_cleanup_close_ int fd = lock_with(cases[k].lock);
		struct situation s;

		c.restarts = cases[k].restarts;
		s = situation_of_container(&o, EVENT_IDLE, &c, fd);
		assert_int_equal(s.event, EVENT_IDLE);
		assert_int_equal(s.condition, CONDITION_RUNNING);
		assert_int_equal(s.circumstances, 0);
		if (s.run != cases[k].run)
			fail_msg("%s: %s", cases[k].lock, run_name(s.run));
		assert_int_equal(container_is_own(&c, fd), s.run == RUN_OURS);
	}
}

static void conditions_of_containers(void **state)
{
	static const struct {
		enum container_state state;
		enum condition condition;
	} cases[] = {
		{CONTAINER_UNKNOWN, CONDITION_RESTARTING},
		{CONTAINER_CREATED, CONDITION_OFF},
		{CONTAINER_RUNNING, CONDITION_RUNNING},
		{CONTAINER_PAUSED, CONDITION_PAUSED},
		{CONTAINER_RESTARTING, CONDITION_RESTARTING},
		{CONTAINER_STOPPING, CONDITION_IN_HAND},
		{CONTAINER_REMOVING, CONDITION_IN_HAND},
		{CONTAINER_EXITED, CONDITION_OFF},
		{CONTAINER_DEAD, CONDITION_OFF},
	};
	struct container c = {.id = ID, .started_at = "2026", .auto_remove = true};
	struct options o = {.name = "t", .container = "x"}, pauses = {.idle_pause = true, .keep_running = true};
	_cleanup_close_ int fd = lock_with("own starting");
	struct situation s;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		c.state = cases[k].state;
		s = situation_of_container(&o, EVENT_STOP, &c, fd);
		assert_int_equal(s.condition, cases[k].condition);
		assert_int_equal(s.run, cases[k].condition == CONDITION_OFF ? RUN_FOUND : RUN_OURS);
		assert_int_equal(s.circumstances, CIRCUMSTANCE_EPHEMERAL);
	}
	s = situation_of_container(&pauses, EVENT_STOP, &c, fd);
	assert_int_equal(s.circumstances, CIRCUMSTANCE_PAUSES | CIRCUMSTANCE_KEEP_RUNNING);
	s = situation_of_container(&pauses, EVENT_STOP, NULL, fd);
	assert_int_equal(s.condition, CONDITION_MISSING);
	assert_int_equal(s.run, RUN_FOUND);
	assert_int_equal(s.circumstances, CIRCUMSTANCE_PAUSES | CIRCUMSTANCE_KEEP_RUNNING);
	c.auto_remove = false;
	s = situation_of_container(&o, EVENT_STOP, &c, fd);
	assert_int_equal(s.circumstances, 0);
}

static void situations_of_units(void **state)
{
	static const struct {
		const char *active, *sub;
		unsigned job, restarts;
		const char *lock;
		enum condition condition;
		enum run run;
	} cases[] = {
		{"inactive", "dead", 0, 0, "own " A, CONDITION_OFF, RUN_FOUND},
		{"failed", "failed", 0, 0, "own " A, CONDITION_OFF, RUN_FOUND},
		{"active", "running", 0, 0, "own " A, CONDITION_RUNNING, RUN_OURS},
		{"active", "running", 0, 0, "found " A, CONDITION_RUNNING, RUN_FOUND},
		{"active", "running", 0, 0, "own " B, CONDITION_RUNNING, RUN_OTHERS},
		{"active", "running", 0, 0, "found " B, CONDITION_RUNNING, RUN_OTHERS},
		{"active", "running", 0, 0, "", CONDITION_RUNNING, RUN_FOUND},
		{"active", "running", 0, 1, "own " B, CONDITION_RUNNING, RUN_OURS},
		{"active", "running", 0, 1, "found " B, CONDITION_RUNNING, RUN_FOUND},
		{"active", "running", 0, 0, "own starting", CONDITION_RUNNING, RUN_OURS},
		{"deactivating", "stop", 0, 0, "own " A, CONDITION_RUNNING, RUN_OURS},
		{"activating", "auto-restart", 0, 0, "", CONDITION_RESTARTING, RUN_OURS},
		{"active", "running", 5, 0, "own " A, CONDITION_IN_HAND, RUN_OURS},
		{"inactive", "dead", 5, 0, "own " A, CONDITION_IN_HAND, RUN_OURS},
		{"inactive", "dead", 5, 0, "own starting", CONDITION_RUNNING, RUN_OURS},
	};
	struct options o = {.name = "t", .container = "x", .keep_running = true};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		_cleanup_close_ int fd = lock_with(cases[k].lock);
		struct unit_view v = {.invocation = A, .job = cases[k].job, .restarts = cases[k].restarts};
		struct situation s;

		strcpy(v.active, cases[k].active);
		strcpy(v.sub, cases[k].sub);
		s = situation_of_unit(&o, EVENT_IDLE, &v, fd);
		assert_int_equal(s.event, EVENT_IDLE);
		if (s.condition != cases[k].condition || s.run != cases[k].run)
			fail_msg("%zu: %s, %s", k, condition_name(s.condition), run_name(s.run));
		assert_int_equal(s.circumstances, CIRCUMSTANCE_KEEP_RUNNING);
	}
}

static void who_may_come_back(void **state)
{
	static const struct {
		const char *policy;
		int exit_code;
		bool restarts, comes_back;
	} cases[] = {
		{"", 1, false, false},	       {"no", 0, false, true},	       {"", 128, false, false},
		{"", 129, false, true},	       {"always", 1, true, true},      {"unless-stopped", 1, true, true},
		{"on-failure", 1, true, true}, {"on-failure", 0, false, true}, {"on-failure:3", 1, true, true},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct container c = {.exit_code = cases[k].exit_code};

		strcpy(c.restart_policy, cases[k].policy);
		assert_int_equal(container_may_restart(&c), cases[k].restarts);
		assert_int_equal(container_may_come_back(&c), cases[k].comes_back);
	}
	assert_true(container_is_in_between(&(struct error){.code = ENOENT}));
	assert_true(container_is_in_between(&(struct error){.code = EREMOTEIO}));
	assert_false(container_is_in_between(&(struct error){.code = EBUSY}));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST(another_run_is_found_at_once),
		UNIT_TEST(the_old_run_is_not_trusted),
		UNIT_TEST(one_that_is_gone),
		UNIT_TEST(one_that_may_come_back),
		UNIT_TEST(a_unit),
		UNIT_TEST(an_engine_that_is_not_there),
		cmocka_unit_test(situations_of_containers),
		cmocka_unit_test(conditions_of_containers),
		cmocka_unit_test(situations_of_units),
		cmocka_unit_test(who_may_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
