/* Volumes that went away while the container slept, and what is remembered when it falls asleep. The engine is a fake. */
#include <limits.h>
#include <sys/stat.h>

#include "backends/engine.h"
#include "backends/keep.h"
#include "handover/exit.h"
#include "tests/unit/activator_fixture.h"
#include "units/paths.h"

/* As it was written down when the container last slept. */
static void remember(const char *engine_socket, const struct volumes *v)
{
	char path[PATH_MAX];
	struct error err;

	assert_int_equal(volumes_path(SCOPE_SYSTEM, BACKEND_DOCKER, engine_socket, "x", path, &err), 0);
	assert_int_equal(volumes_write(path, v, &err), 0);
}

static const char *volume_directory(void)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/_data", directory);
	return path;
}

static void remember_volume(const char *engine_socket)
{
	_cleanup_volumes_ struct volumes v = {};
	struct error err;

	assert_int_equal(mkdir(volume_directory(), 0700), 0);
	assert_int_equal(volumes_add(&v, "pgd", volume_directory(), &err), 0);
	remember(engine_socket, &v);
}

static void the_same_volume_is_no_question(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()));
	struct program p;

	(void)state;
	remember_volume(f.socket);
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), 0);
	assert_string_equal(requests(&f), "POST start GET json GET json");
	program_release(&p);
	fake_stop(&f);
}

/* An inspection with one volume. */
static const char *with_volume(const char *status)
{
	char body[1024];

	snprintf(body, sizeof(body),
		 "{\"Id\":\"" ID "\",\"Name\":\"x\",\"State\":{\"Status\":\"%s\",\"Pid\":%d},\"HostConfig\":{},"
		 "\"Config\":{\"Labels\":{\"sockwake.made-for\":\"t\"}},\"Image\":\"" ID
		 "\",\"Mounts\":[{\"Type\":\"volume\",\"Name\":\"pgd\",\"Source\":\"%s\",\"Driver\":\"local\"},"
		 "{\"Type\":\"volume\",\"Name\":\"" ID
		 "\",\"Source\":\"%s\",\"Driver\":\"local\"},{\"Type\":\"bind\",\"Source\":\"/proc\"}]}",
		 status, container_process(), volume_directory(), volume_directory());
	return reply("200", body);
}

static void a_volume_that_is_gone_is_not_made_anew(void **state)
{
	START(f, SAY(with_volume("exited")));
	struct program p;

	(void)state;
	remember_volume(f.socket);
	rmdir(volume_directory());
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), EXIT_REFUSED);
	assert_string_equal(requests(&f), "GET json");
	assert_non_null(strstr(p.failed, "'pgd'"));
	assert_non_null(strstr(p.failed, "was removed"));
	assert_non_null(strstr(p.failed, "sockwake refresh --accept-volumes t"));
	program_release(&p);
	fake_stop(&f);
}

static void a_volume_that_was_replaced_is_not_initialised(void **state)
{
	START(f, SAY(with_volume("exited")));
	char old[140];
	struct program p;

	(void)state;
	remember_volume(f.socket);
	snprintf(old, sizeof(old), "%s.old", volume_directory());
	rename(volume_directory(), old);
	assert_int_equal(mkdir(volume_directory(), 0700), 0);
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), EXIT_REFUSED);
	assert_string_equal(requests(&f), "GET json");
	assert_non_null(strstr(p.failed, "was replaced"));
	program_release(&p);
	fake_stop(&f);
}

static void a_container_that_runs_has_what_it_has(void **state)
{
	START(f, SAY(running()), SAY(NOT_MODIFIED), SAY(running()), SAY(running()));
	struct program p;

	(void)state;
	remember_volume(f.socket);
	rmdir(volume_directory());
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), 0);
	assert_string_equal(requests(&f), "GET json POST start GET json GET json");
	program_release(&p);
	fake_stop(&f);
}

/* It was made anew without that volume. */
static void a_container_without_the_volume_needs_none(void **state)
{
	START(f, SAY(inspection("exited", 0, STARTED, "")), SAY(NO_CONTENT), SAY(running()), SAY(running()));
	struct program p;

	(void)state;
	remember_volume(f.socket);
	rmdir(volume_directory());
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), 0);
	assert_string_equal(requests(&f), "GET json POST start GET json GET json");
	program_release(&p);
	fake_stop(&f);
}

static void a_record_that_makes_no_sense_is_none(void **state)
{
	START(f, SAY(NO_CONTENT), SAY(running()), SAY(running()));
	char path[PATH_MAX];
	struct program p;
	struct error err;
	FILE *file;

	(void)state;
	assert_int_equal(volumes_path(SCOPE_SYSTEM, BACKEND_DOCKER, f.socket, "x", path, &err), 0);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("nonsense\n", file);
	fclose(file);
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), 0);
	program_release(&p);
	fake_stop(&f);
}

static void what_falls_asleep_is_remembered(void **state)
{
	START(f, SAY(with_volume("running")), SAY(NO_CONTENT), SAY(with_volume("exited")));
	_cleanup_volumes_ struct volumes v = {};
	struct program p;
	struct error err;
	char path[PATH_MAX];

	(void)state;
	assert_int_equal(mkdir(volume_directory(), 0700), 0);
	assert_int_equal(program_run(&p, NULL, ARGUMENTS("--sleep", OPTIONS(f, "docker"))), 0);
	assert_string_equal(requests(&f), "GET json POST stop GET json");
	assert_int_equal(volumes_path(SCOPE_SYSTEM, BACKEND_DOCKER, f.socket, "x", path, &err), 0);
	assert_int_equal(volumes_read(path, &v, &err), 0);
	assert_int_equal(v.n, 2);
	assert_string_equal(v.items[0].name, "pgd");
	assert_int_equal(volume_look(&v.items[0]), VOLUME_SAME);
	assert_string_equal(v.image, "");
	fake_stop(&f);
}

/* … and once it is kept, that costs nothing more. */
static void what_falls_asleep_is_kept(void **state)
{
	START(f, SAY(reply("204", "")), SAY(reply("200", "{\"Labels\":{\"sockwake.keeps\":\"x\"}}")),
	      SAY(reply("200", "{}")), SAY(reply("201", "{}")), SAY(reply("201", "{}")));
	_cleanup_container_ struct container c = {};
	_cleanup_engine_ struct engine *e = NULL;
	const char *text = strstr(with_volume("running"), "\r\n\r\n") + 4;
	char path[PATH_MAX];
	struct error err;

	(void)state;
	assert_int_equal(mkdir(volume_directory(), 0700), 0);
	snprintf(path, sizeof(path), "%s/record", directory);
	assert_int_equal(engine_open(BACKEND_PODMAN, SCOPE_SYSTEM, f.socket, &e, &err), 0);
	assert_true(e->backend->parse_inspect(text, strlen(text), &c));
	assert_int_equal(volumes_remember(e, path, &c, false, &err), 0);
	assert_string_equal(requests(&f),
			    "GET exists GET json DELETE sockwake-x-keep-pod?force=true POST create POST create");
	assert_non_null(strstr(f.seen->text, "\"no_infra\":true"));
	assert_non_null(strstr(f.seen->text, "\"volumes\":[{\"Name\":\"pgd\",\"Dest\":\"/keep/0\"}]"));
	assert_int_equal(volumes_remember(e, path, &c, false, &err), 0);
	assert_string_equal(requests(&f), "");
	fake_stop(&f);
}

/* What has taken the container up again has accepted its data; a container that only exists has not. */
static void who_accepts_what_is_gone(void **state)
{
	static const struct {
		const char *status;
		bool accepted;
	} cases[] = {{"created", false}, {"exited", false}, {"dead", false}, {"running", true}, {"paused", true}};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		START(f, SAY(with_volume(cases[k].status)), SAY(NO_CONTENT), SAY(running()), SAY(running()));
		struct program p;

		remember_volume(f.socket);
		rmdir(volume_directory());
		assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))),
				 cases[k].accepted ? 0 : EXIT_REFUSED);
		assert_string_equal(requests(&f),
				    cases[k].accepted ? "GET json POST start GET json GET json" : "GET json");
		program_release(&p);
		fake_stop(&f);
	}
}

/* An engine that does not answer has accepted nothing. */
static void an_engine_that_fails_accepts_nothing(void **state)
{
	START(f, SAY(reply("500", "{\"message\":\"hm\"}")));
	struct program p;

	(void)state;
	remember_volume(f.socket);
	rmdir(volume_directory());
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), EXIT_REFUSED);
	assert_string_equal(requests(&f), "GET json");
	assert_non_null(strstr(p.failed, "was removed"));
	program_release(&p);
	fake_stop(&f);
}

static const char *with_bind(const char *source)
{
	char body[512];

	snprintf(body, sizeof(body),
		 "{\"Id\":\"" ID "\",\"Name\":\"x\",\"State\":{\"Status\":\"exited\"},\"HostConfig\":{},\"Config\":{},"
		 "\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"%s\"}]}",
		 source);
	return reply("200", body);
}

/* What was mounted has no name but its path; one that the container no longer has is no question. */
static void a_mount_that_is_gone(void **state)
{
	START(f, SAY(with_bind(volume_directory())), SAY(with_bind(volume_directory())), SAY(with_bind("/elsewhere")),
	      SAY(NO_CONTENT), SAY(running()), SAY(running()));
	_cleanup_volumes_ struct volumes v = {};
	struct program p;
	struct error err;

	(void)state;
	assert_int_equal(mkdir(volume_directory(), 0700), 0);
	assert_int_equal(volumes_add(&v, "pgd", volume_directory(), &err), 0);
	free(v.items[0].name);
	v.items[0].name = NULL;
	v.items[0].is_mount_point = true;
	remember(f.socket, &v);
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), EXIT_REFUSED);
	assert_non_null(strstr(p.failed, "nothing is mounted on '"));
	assert_string_equal(requests(&f), "GET json");
	program_release(&p);
	rmdir(volume_directory());
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), EXIT_REFUSED);
	assert_non_null(strstr(p.failed, "there is no directory '"));
	assert_non_null(strstr(p.failed, volume_directory()));
	assert_string_equal(requests(&f), "GET json");
	program_release(&p);
	assert_int_equal(program_run_kept(&p, ARGUMENTS(OPTIONS(f, "docker"))), 0);
	assert_string_equal(requests(&f), "GET json POST start GET json GET json");
	program_release(&p);
	fake_stop(&f);
}

/* The container's dependencies are looked at first. */
static void a_volume_of_a_dependency(void **state)
{
	START(f, SAY(with_volume("exited")));
	struct program p;

	(void)state;
	remember_volume(f.socket);
	rmdir(volume_directory());
	assert_int_equal(program_run_kept(&p, ARGUMENTS("--name", "t", "--backend", "docker", "--container", "web",
							"--engine-socket", f.socket, "--with", "x", "--", "/bin/true")),
			 EXIT_REFUSED);
	assert_string_equal(requests(&f), "GET json");
	assert_non_null(strstr(p.failed, "the volume 'pgd' of the container 'x' was removed"));
	program_release(&p);
	fake_stop(&f);
}

/* A record that cannot be written keeps nobody awake. */
static void what_cannot_be_remembered_is_told(void **state)
{
	START(f, SAY(with_volume("running")), SAY(NO_CONTENT), SAY(with_volume("exited")));
	char path[PATH_MAX];
	struct program p;
	struct error err;

	(void)state;
	assert_int_equal(mkdir(volume_directory(), 0700), 0);
	assert_int_equal(volumes_path(SCOPE_SYSTEM, BACKEND_DOCKER, f.socket, "x", path, &err), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(program_run(&p, NULL, ARGUMENTS("--sleep", OPTIONS(f, "docker"))), 0);
	assert_string_equal(requests(&f), "GET json POST stop GET json");
	assert_non_null(strstr(p.text, "the volumes of the container 'x' are not remembered: "));
	fake_stop(&f);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_same_volume_is_no_question),
		TEST(a_volume_that_is_gone_is_not_made_anew),
		TEST(a_volume_that_was_replaced_is_not_initialised),
		TEST(a_container_that_runs_has_what_it_has),
		TEST(a_container_without_the_volume_needs_none),
		TEST(who_accepts_what_is_gone),
		TEST(an_engine_that_fails_accepts_nothing),
		TEST(a_mount_that_is_gone),
		TEST(a_volume_of_a_dependency),
		TEST(what_cannot_be_remembered_is_told),
		TEST(a_record_that_makes_no_sense_is_none),
		TEST(what_falls_asleep_is_remembered),
		TEST(what_falls_asleep_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
