/* The activator for a container that a unit runs: against a fake engine and a fake service manager. */
#pragma once

#include "activator/runtime.h"
#include "common/cleanup.h"
#include "tests/unit/activator_fixture.h"
#include "tests/unit/fake_manager.h"

#define X "x.service"
#define A "0123456789abcdef0123456789abcdef"
#define B "fedcba9876543210fedcba9876543210"

static struct fake_manager manager;

static inline int unit_setup(void **state)
{
	fake_manager_start(&manager);
	return setup(state);
}

static inline int unit_teardown(void **state)
{
	unsetenv("SOCKWAKE_APART");
	fake_manager_stop(&manager);
	return teardown(state);
}

#define UNIT_TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)

#define UNIT_OPTIONS(f, backend) "--scope", "user", OPTIONS(f, backend), "--unit", X

static const char *record_container = "x";

/* The lock of the container that records who began its run. */
static inline const char *record_file(const struct fake_engine *f, enum backend_kind backend)
{
	struct options o = {.name = "t", .container = record_container, .backend = backend, .scope = SCOPE_USER};
	static char path[PATH_MAX];
	struct error err;

	assert_int_equal(lock_path(&o, f->socket, path, &err), 0);
	return path;
}

static inline const char *recorded(const struct fake_engine *f, enum backend_kind backend)
{
	static char text[RUN_TEXT_MAX];
	_cleanup_close_ int fd = open(record_file(f, backend), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return "no lock";
	lock_read(fd, text);
	return text;
}

static inline void record(const struct fake_engine *f, enum backend_kind backend, const char *text)
{
	_cleanup_close_ int fd = open(record_file(f, backend), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	lock_record(fd, text);
}

/* An event that changes a property of the unit. */
static inline void change_at(const char *on, unsigned after, const char *name, const char *value)
{
	struct fake_event e = {.after = after, .what = SET, .unit = X};

	snprintf(e.on, sizeof(e.on), "%s", on);
	snprintf(e.name, sizeof(e.name), "%s", name);
	snprintf(e.value, sizeof(e.value), "%s", value);
	fake_on(&manager, e);
}

#define EVERY_LOOK "Get " X " ExecMainStatus" /* requested once in each look */

#define PAUSED	 inspection("paused", 0, STARTED, "")
#define WILL_NOT reply("500", "{\"message\":\"will not\"}")
#define NONSENSE reply("200", "nonsense")

/* A container of a pod, with this label. */
static inline const char *member(const char *status, pid_t pid, const char *unit, const char *policy)
{
	char body[1024];

	snprintf(body, sizeof(body),
		 "{\"Id\":\"" ID "\",\"Name\":\"x\",\"Pod\":\"" ID "\",\"State\":{\"Status\":\"%s\",\"Pid\":%d,"
		 "\"ExitCode\":7,\"StartedAt\":\"" STARTED "\"},\"HostConfig\":{\"NetworkMode\":\"none\","
		 "\"RestartPolicy\":{\"Name\":\"%s\"}},\"Config\":{\"Labels\":{\"PODMAN_SYSTEMD_UNIT\":\"%s\"}}}",
		 status, pid, policy, unit);
	return reply("200", body);
}

/* Requests to the manager. */
#define STARTS "Subscribe\nStartUnit x.service replace\n"

/* Runs a wake that succeeds, and says which requests it made. */
#define WAKE_REQUESTS(...)                                                                                             \
	({                                                                                                             \
		assert_int_equal(program_run_kept(&p, ARGUMENTS(__VA_ARGS__)), 0);                                     \
		assert_string_equal(p.failed, "");                                                                     \
		assert_int_equal(p.woken.n_fds, 3);                                                                    \
		program_release(&p);                                                                                   \
		requests(&f);                                                                                          \
	})
