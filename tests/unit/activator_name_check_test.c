/* activator/name_check.c: a unit that is started replaces no container of somebody else's. */
#include <sys/stat.h>

#include "activator/unit_group.h"
#include "tests/unit/activator_unit_fixture.h"

#define POD_MEMBER(labels)                                                                                             \
	"{\"Id\":\"" ID "\",\"Names\":[\"precious\"],\"State\":\"exited\",\"Pod\":\"" ID                               \
	"\",\"PodName\":\"p\",\"IsInfra\":false,\"Labels\":{" labels "},\"Ports\":[]}"
#define IN_POD(labels) reply("200", "[" POD_MEMBER(labels) "]")

/* `podman run --replace` would remove it with its data. */
static void a_container_of_somebody_else_is_not_replaced(void **state)
{
	START(f, SAY(running()), SAY(EXITED), SAY(NONSENSE), SAY(EXITED));

	(void)state;
	fake_set(&manager, X, "ActiveState", "inactive");
	fake_set(&manager, X, "SourcePath", "/x.container");
	record(&f, BACKEND_PODMAN, "");
	for (int k = 0; k < 2; k++)
		assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman")),
			       "'podman rename x x-other' keeps it, 'podman rm -f x' removes it with its data");
	/* It cannot be told whose it is. */
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman")), "the unit 'x.service' is not started");
	/* `podman generate systemd --new` */
	fake_set(&manager, X, "SourcePath", "");
	fake_set(&manager, X, "Environment", "A=1 PODMAN_SYSTEMD_UNIT=" X);
	fake_set(&manager, X, "ExecStart", "podman run --replace --name x");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman")), "'podman rename x x-other' keeps it");
	assert_string_equal(requests(&f), "GET json GET json GET json GET json");
	assert_string_equal(recorded(&f, BACKEND_PODMAN), "");
	assert_string_equal(fake_calls(&manager), "");
	fake_stop(&f);
}

/* The service that x brings up, and its container x2. */
static void set_needed(void)
{
	fake_set(&manager, "needed.service", "ActiveState", "inactive");
	fake_set(&manager, "needed.service", "SourcePath", "/needed.container");
	fake_set(&manager, "needed.service", "ExecStart", "podman run --name x2 --replace image");
}

/* Nor by what the start brings up: each names the container or the pod that it would remove. */
static void nothing_of_somebody_else_is_replaced_by_what_a_unit_needs(void **state)
{
	START(f, SAY(NO_SUCH), SAY(EXITED), SAY(NO_SUCH), SAY(IN_POD("")), SAY(NO_SUCH), SAY(IN_POD("")));

	(void)state;
	fake_set(&manager, X, "ActiveState", "inactive");
	fake_set(&manager, X, "SourcePath", "/x.container");
	fake_set(&manager, X, "Requires", "needed.service");
	set_needed();
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman")), "is not the one of the unit 'needed.service'");
	fake_set(&manager, "needed.service", "SourcePath", "/needed.pod");
	fake_set(&manager, "needed.service", "ExecStart", "podman pod start p");
	fake_set(&manager, "needed.service", "ExecStartPre", "podman pod create --replace --name p");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman")),
		       "'podman pod rm -f p' removes the other one with its data");
	/* `podman generate systemd --new` */
	fake_set(&manager, "needed.service", "SourcePath", "");
	fake_set(&manager, "needed.service", "Environment", "PODMAN_SYSTEMD_UNIT=needed.service");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman")), "is not the one of the unit 'needed.service'");
	assert_string_equal(requests(&f), "GET json GET json GET json GET json?all=true GET json GET json?all=true");
	assert_string_equal(fake_calls(&manager), "");
	fake_stop(&f);
}

/* The pods are those of its file. */
static void a_pod_of_somebody_else_is_not_replaced_by_a_kubernetes_file(void **state)
{
	START(f, SAY(NO_SUCH), SAY(IN_POD("")), SAY(NO_SUCH), SAY(IN_POD("\"PODMAN_SYSTEMD_UNIT\":\"y.service\"")));
	char path[160], command[320];
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/x.yml", directory);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs("apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n", file);
	fclose(file);
	snprintf(command, sizeof(command), "podman kube play --replace --service-container=true %s", path);
	fake_set(&manager, X, "ActiveState", "inactive");
	fake_set(&manager, X, "SourcePath", "/x.kube");
	fake_set(&manager, X, "ExecStart", command);
	assert_refused(
		ARGUMENTS(UNIT_OPTIONS(f, "podman")),
		"the pod 'p', in which somebody has made the container 'precious', is not the one of the unit '" X);
	assert_string_equal(requests(&f), "GET json GET json?all=true");
	/* Its own, which it has left behind. */
	fake_set(&manager, X, "start", "failed");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman")), "'x' ended with status 0 before it was ready");
	assert_string_equal(fake_calls(&manager), STARTS);
	unlink(path);
	fake_stop(&f);
}

/* Without a label nobody can tell whose a container is, unless it runs while the unit is down. */
static void a_container_without_a_label_that_runs_is_not_replaced(void **state)
{
	START(f, SAY(inspection("running", container_process(), STARTED, "")),
	      SAY(inspection("paused", container_process(), STARTED, "")));

	(void)state;
	fake_set(&manager, X, "ActiveState", "inactive");
	fake_set(&manager, X, "ExecStart", "podman run --replace --name x");
	for (int k = 0; k < 2; k++)
		assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman")), "'podman rename x x-other' keeps it");
	assert_string_equal(requests(&f), "GET json GET json");
	assert_string_equal(fake_calls(&manager), "");
	fake_stop(&f);
}

/* The process is in the unit's control group, or its monitor is: the unit has left it behind. */
static void whose_control_group_it_is(void **state)
{
	static const struct {
		const char *own, *monitors;
		bool is_in;
	} cases[] = {
		{"0::/user.slice/app.slice/x.service/libpod-payload-1\n", "0::/a\n", true},
		{"1:cpu:/x.service\n0::/x.service\n", "0::/a\n", true},
		{"0::/user.slice/libpod-1.scope\n", "0::/user.slice/x.service\n", true},
		{"0::/user.slice/libpod-1.scope\n", "0::/user.slice/other.service/runtime\n", true},
		{"0::/user.slice/libpod-1.scope\n", "0::/user.slice/libpod-conmon-1.scope\n", false},
		{"0::/user.slice/xx.service\n", "0::/x.service.d/a\n", false},
		{"1:cpu:/x.service\n", "", false},
	};
	_cleanup_unit_ struct unit *u = NULL;
	char path[160];
	struct error err;

	(void)state;
	fake_set(&manager, X, "Names", X " other.service");
	assert_int_equal(unit_open(SCOPE_USER, X, &u, &err), 0);
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		const char *const files[][2] = {{"7/cgroup", cases[k].own},
						{"7/status", "Name:\tx\nPPid:\t6\n"},
						{"6/cgroup", cases[k].monitors}};

		for (size_t n = 0; n < 3; n++) {
			FILE *f;

			snprintf(path, sizeof(path), "%s/%.1s", directory, files[n][0]);
			(void)mkdir(path, 0700);
			snprintf(path, sizeof(path), "%s/%s", directory, files[n][0]);
			f = fopen(path, "we");
			assert_non_null(f);
			fputs(files[n][1], f);
			fclose(f);
		}
		assert_int_equal(unit_group_has(u, X, directory, 7), cases[k].is_in);
	}
	assert_false(unit_group_has(u, X, directory, 5));
	assert_false(unit_group_has(u, X, directory, 0));
}

static void what_a_unit_may_replace(void **state)
{
	const char *own = member("exited", 0, X, "no"), *alias = member("exited", 0, "alias.service", "no");
	const char *runs = member("running", container_process(), X, "no");
#define RUNS SAY(runs), SAY(runs), SAY(runs)
	START(f, SAY(NO_SUCH), RUNS, SAY(reply("500", "{}")), RUNS, SAY(own), RUNS, SAY(alias), RUNS, SAY(EXITED), RUNS,
	      RUNS, SAY(EXITED), RUNS);
	struct program p;

	(void)state;
	fake_set(&manager, X, "Names", X " alias.service");
	for (int k = 0; k < 7; k++) {
		fake_set(&manager, X, "ActiveState", "inactive");
		fake_set(&manager, X, "SourcePath", k < 4 ? "/x.container" : "");
		/* `podman generate systemd`, which starts a container that has no label; one that a person has written */
		fake_set(&manager, X, "Environment", k == 5 ? "PODMAN_SYSTEMD_UNIT=" X : "");
		fake_set(&manager, X, "ExecStart", k == 5 ? "podman start x" : "podman run --replace --name x");
		assert_string_equal(WAKE_REQUESTS(UNIT_OPTIONS(f, "podman")),
				    k != 5 ? "GET json GET json GET json GET json" : "GET json GET json GET json");
		assert_string_equal(fake_calls(&manager), STARTS);
	}
	fake_stop(&f);
}

/* podman(1), which prints this. */
static void put_command(const char *script)
{
	char path[160], name[96];
	FILE *f;

	snprintf(name, sizeof(name), "%s/bin", directory);
	(void)mkdir(name, 0700);
	snprintf(path, sizeof(path), "%s:/usr/bin:/bin", name);
	setenv("PATH", path, 1);
	snprintf(path, sizeof(path), "%s/podman", name);
	f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", script);
	fclose(f);
	assert_int_equal(chmod(path, 0700), 0);
}

static const char *listed(const char *name, const char *unit)
{
	static char text[512];

	snprintf(text, sizeof(text),
		 "[ \"$*\" = 'ps --all --pod --filter name=^x$ --format json' ] && echo '[{\"Id\":\"" ID
		 "\",\"Names\":[\"%s\"],"
		 "\"State\":\"running\",\"Labels\":{\"PODMAN_SYSTEMD_UNIT\":\"%s\"}}]'",
		 name, unit);
	return text;
}

/* A unit's `podman run` needs no service of Podman. Nor does its pod. */
static void where_podman_does_not_listen(void **state)
{
	START(f);
	char *path = strdup(getenv("PATH"));

	(void)state;
	fake_stop(&f);
	fake_set(&manager, X, "ActiveState", "inactive");
	fake_set(&manager, X, "SourcePath", "/x.container");
	put_command(listed("x", "y.service"));
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman")), "'podman rename x x-other' keeps it");
	put_command("echo nonsense");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman")), "says something that this version does not understand");
	put_command("exit 125");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman")), "'podman ps' has failed");
	put_command("kill -9 $$");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman")), "'podman ps' has failed");
	put_command("exec sleep 60");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman"), "--startup-timeout", "500ms"), "did not end in time");
	assert_string_equal(fake_calls(&manager), "");
	/* It is the unit's own, has another name, or there is none: only then is the unit started, and fails. */
	fake_set(&manager, X, "start", "failed");
	for (int k = 0; k < 3; k++) {
		put_command(k == 0 ? listed("x", X) : k == 1 ? listed("x2", "y.service") : "echo '[]'");
		assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman")), "'x' ended with status 0 before it was ready");
		assert_string_equal(fake_calls(&manager), STARTS);
	}
	fake_set(&manager, X, "SourcePath", "/x.pod");
	fake_set(&manager, X, "ExecStartPre", "podman pod create --replace --name p");
	put_command("[ \"$*\" = 'ps --all --pod --filter pod=^p$ --format json' ] && echo '[" POD_MEMBER("") "]'");
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman")), "'podman pod rm -f p' removes the other one");
	setenv("PATH", path, 1);
	free(path);
}

static void one_that_somebody_makes_while_the_unit_waits(void **state)
{
	START(f, SAY(NO_SUCH), SAY(NONSENSE), SAY(running()));

	(void)state;
	fake_set(&manager, X, "ActiveState", "activating");
	fake_set(&manager, X, "SourcePath", "/x.container");
	fake_set(&manager, X, "start", "pending");
	fake_on(&manager, (struct fake_event){"StopUnit", .what = END, .value = "canceled"});
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman")), "'podman rename x x-other' keeps it");
	assert_string_equal(requests(&f), "GET json GET json GET json");
	assert_non_null(strstr(fake_calls(&manager), "StopUnit x.service replace\n"));
	fake_stop(&f);
}

/* The service that it brings up waits, too. */
static void one_that_somebody_makes_while_a_needed_unit_waits(void **state)
{
	START(f, SAY(NO_SUCH), SAY(NO_SUCH), SAY(NO_SUCH), SAY(running()));

	(void)state;
	fake_set(&manager, X, "ActiveState", "inactive");
	fake_set(&manager, X, "SourcePath", "/x.container");
	fake_set(&manager, X, "start", "pending");
	fake_set(&manager, X, "Wants", "needed.service");
	set_needed();
	fake_on(&manager, (struct fake_event){"StopUnit", .what = END, .value = "canceled"});
	assert_refused(ARGUMENTS(UNIT_OPTIONS(f, "podman")), "is not the one of the unit 'needed.service'");
	assert_non_null(strstr(fake_calls(&manager), "StopUnit needed.service replace\nStopUnit x.service replace\n"));
	fake_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(a_container_of_somebody_else_is_not_replaced),
		UNIT_TEST(nothing_of_somebody_else_is_replaced_by_what_a_unit_needs),
		UNIT_TEST(a_pod_of_somebody_else_is_not_replaced_by_a_kubernetes_file),
		UNIT_TEST(a_container_without_a_label_that_runs_is_not_replaced),
		UNIT_TEST(whose_control_group_it_is),
		UNIT_TEST(what_a_unit_may_replace),
		UNIT_TEST(where_podman_does_not_listen),
		UNIT_TEST(one_that_somebody_makes_while_the_unit_waits),
		UNIT_TEST(one_that_somebody_makes_while_a_needed_unit_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
