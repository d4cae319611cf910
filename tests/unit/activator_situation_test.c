/* What the states of engines and managers, and the lock, amount to. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "activator/situation.h"
#include "common/cleanup.h"
#include "lifecycle/lock.h"

#define ID	"031ac4655cca2df8430faacea1ee34f9094d53239db0fdc19fa711a77926faf7"
#define OTHER	"131ac4655cca2df8430faacea1ee34f9094d53239db0fdc19fa711a77926faf7"
#define STARTED "2026-11-22T03:10:35Z"

static int lock_that_says(const char *text)
{
	int fd = memfd_create("lock", MFD_CLOEXEC);

	assert_true(fd >= 0);
	lock_record(fd, text);
	return fd;
}

static void conditions_of_containers(void **state)
{
	static const struct {
		enum container_state state;
		enum condition condition;
	} cases[] = {
		{CONTAINER_CREATED, CONDITION_OFF},	   {CONTAINER_EXITED, CONDITION_OFF},
		{CONTAINER_DEAD, CONDITION_OFF},	   {CONTAINER_RUNNING, CONDITION_RUNNING},
		{CONTAINER_PAUSED, CONDITION_PAUSED},	   {CONTAINER_RESTARTING, CONDITION_RESTARTING},
		{CONTAINER_UNKNOWN, CONDITION_RESTARTING}, {CONTAINER_STOPPING, CONDITION_IN_HAND},
		{CONTAINER_REMOVING, CONDITION_IN_HAND},
	};
	const struct options o = {};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct container c = {.state = cases[k].state};
		struct situation s = situation_of_container(&o, EVENT_IDLE, &c, -1);

		assert_int_equal(s.event, EVENT_IDLE);
		assert_int_equal(s.condition, cases[k].condition);
		assert_int_equal(s.circumstances, 0);
	}
	assert_int_equal(situation_of_container(&o, EVENT_STOP, NULL, -1).condition, CONDITION_MISSING);
}

static void circumstances(void **state)
{
	static const struct {
		bool keep, pause, ephemeral;
		unsigned circumstances;
	} cases[] = {
		{false, false, false, 0},
		{true, false, false, CIRCUMSTANCE_KEEP_RUNNING},
		{false, true, false, CIRCUMSTANCE_PAUSES},
		{false, false, true, CIRCUMSTANCE_EPHEMERAL},
		{false, true, true, CIRCUMSTANCE_PAUSES}, /* a pause does not remove it */
		{true, true, false, CIRCUMSTANCE_KEEP_RUNNING | CIRCUMSTANCE_PAUSES},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		const struct options o = {.keep_running = cases[k].keep, .idle_pause = cases[k].pause};
		struct container c = {.state = CONTAINER_RUNNING, .auto_remove = cases[k].ephemeral};
		unsigned unit = cases[k].circumstances & ~(unsigned)CIRCUMSTANCE_EPHEMERAL;

		assert_int_equal(situation_of_container(&o, EVENT_IDLE, &c, -1).circumstances, cases[k].circumstances);
		assert_int_equal(situation_of_unit(&o, EVENT_IDLE, &(struct unit_view){}, -1).circumstances, unit);
	}
}

static void runs_of_containers(void **state)
{
	static const struct {
		const char *lock;
		unsigned restarts;
		enum run run;
		bool own;
	} cases[] = {
		{"", 0, RUN_FOUND, false},
		{RUN_STARTING, 0, RUN_OURS, true},
		{RUN_STARTED, 0, RUN_OURS, true},
		{ID " " STARTED "\n", 0, RUN_OURS, true},
		{ID "?" STARTED "\n", 0, RUN_FOUND, false},
		{ID "\n", 0, RUN_FOUND, false},			/* it slept */
		{ID " earlier\n", 0, RUN_OTHERS, false},	/* somebody has restarted it, */
		{ID " earlier\n", 1, RUN_OURS, true},		/* or its policy has */
		{ID "?earlier\n", 0, RUN_OTHERS, false},	/* */
		{ID "?earlier\n", 1, RUN_FOUND, false},		/* */
		{OTHER " " STARTED "\n", 0, RUN_OTHERS, false}, /* somebody has replaced it */
		{OTHER " " STARTED "\n", 1, RUN_OTHERS, false},
		{OTHER "?" STARTED "\n", 1, RUN_OTHERS, false},
		{OTHER "\n", 0, RUN_FOUND, false},
	};
	const struct options o = {};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		_cleanup_close_ int lock = lock_that_says(cases[k].lock);
		struct container c = {
			.state = CONTAINER_RUNNING, .id = ID, .started_at = STARTED, .restarts = cases[k].restarts};

		assert_int_equal(situation_of_container(&o, EVENT_IDLE, &c, lock).run, cases[k].run);
		assert_int_equal(container_is_own(&c, lock), cases[k].own);
		c.state = CONTAINER_EXITED;
		assert_int_equal(situation_of_container(&o, EVENT_IDLE, &c, lock).run, RUN_FOUND);
	}
}

static void what_may_come_back(void **state)
{
	static const struct {
		const char *policy;
		int exit_code;
		bool restarts, comes_back;
	} cases[] = {
		{"", 0, false, true},
		{"", 1, false, false},
		{"", 128, false, false},
		{"", 129, false, true},
		{"no", 1, false, false},
		{"always", 0, true, true},
		{"always", 1, true, true},
		{"unless-stopped", 1, true, true},
		{"on-failure", 0, false, true},
		{"on-failure", 1, true, true},
		{"on-failure:3", 1, true, true},
		{"on-failure:3", 0, false, true},
		{"never-heard", 1, false, false},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct container c = {.exit_code = cases[k].exit_code};

		snprintf(c.restart_policy, sizeof(c.restart_policy), "%s", cases[k].policy);
		assert_int_equal(container_may_restart(&c), cases[k].restarts);
		assert_int_equal(container_may_come_back(&c), cases[k].comes_back);
	}
}

static void what_is_in_between(void **state)
{
	static const struct {
		int code;
		bool between;
	} cases[] = {{ENOENT, true}, {EREMOTEIO, true}, {ENOTCONN, false}, {0, false}};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++)
		assert_int_equal(container_is_in_between(&(struct error){.code = cases[k].code}), cases[k].between);
}

#define RUN_A "0123456789abcdef0123456789abcdef"

static void conditions_of_units(void **state)
{
	static const struct {
		const char *active, *sub;
		uint32_t job;
		const char *lock;
		enum condition condition;
		enum run run;
	} cases[] = {
		{"inactive", "dead", 0, "", CONDITION_OFF, RUN_FOUND},
		{"failed", "failed", 0, "", CONDITION_OFF, RUN_FOUND},
		{"active", "running", 0, "", CONDITION_RUNNING, RUN_FOUND},
		{"activating", "start", 0, "", CONDITION_RUNNING, RUN_FOUND},
		{"activating", "auto-restart", 0, "found x", CONDITION_RESTARTING, RUN_OURS},
		{"activating", "start", 7, "", CONDITION_IN_HAND, RUN_FOUND},
		{"inactive", "dead", 7, "", CONDITION_IN_HAND, RUN_FOUND},
		{"inactive", "dead", 7, RUN_STARTING, CONDITION_RUNNING, RUN_OURS}, /* the job of a wake */
		{"active", "running", 7, RUN_STARTING, CONDITION_RUNNING, RUN_OURS},
		{"active", "running", 0, "own " RUN_A, CONDITION_RUNNING, RUN_OURS},
		{"active", "running", 0, "found " RUN_A, CONDITION_RUNNING, RUN_FOUND},
		{"active", "running", 0, "own x", CONDITION_RUNNING, RUN_OTHERS},
		{"active", "running", 0, "found x", CONDITION_RUNNING, RUN_OTHERS},
	};
	const struct options o = {};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		_cleanup_close_ int lock = lock_that_says(cases[k].lock);
		struct unit_view v = {.invocation = RUN_A, .job = cases[k].job};
		struct situation s;

		strcpy(v.active, cases[k].active);
		strcpy(v.sub, cases[k].sub);
		s = situation_of_unit(&o, EVENT_IDLE, &v, lock);
		assert_int_equal(s.condition, cases[k].condition);
		assert_int_equal(s.run, cases[k].run);
	}
}

static void runs_that_systemd_restarts(void **state)
{
	static const struct {
		const char *lock;
		enum run run;
		bool own;
	} cases[] = {{"own x", RUN_OURS, true}, {"found x", RUN_FOUND, false}, {"", RUN_FOUND, false}};
	const struct options o = {};
	struct unit_view v = {.active = "active", .sub = "running", .invocation = RUN_A, .restarts = 1};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		_cleanup_close_ int lock = lock_that_says(cases[k].lock);

		assert_int_equal(situation_of_unit(&o, EVENT_IDLE, &v, lock).run, cases[k].run);
		assert_int_equal(unit_is_own(lock, &v), cases[k].own);
	}
}

static void what_is_recorded_of_a_unit(void **state)
{
	const struct unit_view v = {.active = "active", .invocation = RUN_A};
	_cleanup_close_ int lock = lock_that_says("");
	char text[RUN_TEXT_MAX];

	(void)state;
	unit_record(lock, &v, true);
	lock_read(lock, text);
	assert_string_equal(text, "own " RUN_A);
	assert_true(unit_is_own(lock, &v));
	unit_record(lock, &v, false);
	lock_read(lock, text);
	assert_string_equal(text, "found " RUN_A);
	assert_false(unit_is_own(lock, &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_of_containers),   cmocka_unit_test(circumstances),
		cmocka_unit_test(runs_of_containers),	      cmocka_unit_test(what_may_come_back),
		cmocka_unit_test(what_is_in_between),	      cmocka_unit_test(conditions_of_units),
		cmocka_unit_test(runs_that_systemd_restarts), cmocka_unit_test(what_is_recorded_of_a_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
