/* Units that run containers, as the manager has loaded them. It is a fake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "common/io.h"
#include "tests/unit/manager_fixture.h"
#include "units/container_unit.h"

#define X "x.service"

static char quadlet[96];

static int setup(void **state)
{
	static const char text[] = "[Container]\nImage=img\n";
	struct error err;

	if (manager_setup(state) < 0)
		return -1;
	snprintf(quadlet, sizeof(quadlet), "%s/x.container", fake.directory);
	return file_write_atomic(quadlet, text, strlen(text), 0644, &err);
}

#define RUN "/usr/bin/podman run --name=x -p 80:80 -v data:/data --label sockwake.k=v img"

static void set_all(void)
{
	fake_clear(&fake);
	fake_set(&fake, X, "SourcePath", quadlet);
	fake_set(&fake, X, "ExecStart", "/bin/true;" RUN);
	fake_set(&fake, X, "WantedBy", "y.service multi-user.target other.target");
	fake_set(&fake, X, "After", "a.target podman-user-wait-network-online.service");
}

static void what_a_unit_runs(void **state)
{
	struct error err;

	(void)state;
	{
		_cleanup_container_unit_ struct container_unit r = {};

		set_all();
		assert_int_equal(container_unit_read(m, X, &r, &err), 0);
		assert_string_equal(r.unit, X);
		assert_string_equal(r.quadlet, quadlet);
		assert_string_equal(r.container, "x");
		assert_string_equal(r.publish[0], "80:80");
		assert_null(r.publish[1]);
		assert_string_equal(r.labels[0], "sockwake.k=v");
		assert_string_equal(r.volumes[0], "data");
		assert_null(r.volumes[1]);
		assert_true(r.keeps_writes);
		assert_string_equal(r.image, "img");
		assert_string_equal(r.wanted_by, "multi-user.target");
		assert_true(r.waits_for_network);
		assert_true(container_unit_runs(&r, "x"));
		assert_false(container_unit_runs(&r, "y"));
	}
	{
		_cleanup_container_unit_ struct container_unit r = {};

		/* One that runs none, and that nothing starts. */
		fake_clear(&fake);
		fake_set(&fake, X, "SourcePath", "/x.volume");
		fake_set(&fake, X, "ExecStart", "/bin/true");
		assert_int_equal(container_unit_read(m, X, &r, &err), 0);
		assert_null(r.quadlet);
		assert_null(r.container);
		assert_null(r.image);
		assert_null(r.wanted_by);
		assert_null(r.publish[0]);
		assert_false(r.waits_for_network);
		assert_false(container_unit_runs(&r, "x"));
	}
	for (unsigned k = 0; k < 2; k++) {
		_cleanup_container_unit_ struct container_unit r = {};

		set_all();
		fake_set(&fake, X, "WantedBy", "");
		fake_set(&fake, X, k ? "UpheldBy" : "RequiredBy", "a.target");
		assert_int_equal(container_unit_read(m, X, &r, &err), 0);
		assert_string_equal(r.wanted_by, "a.target");
	}
}

#define P "p-pod.service"

/* A unit of a .pod file makes the pod of this one. */
static void a_member_of_a_pod(void **state)
{
	static const char *const asked[] = {X " BindsTo", P " ExecStartPre", P " SourcePath", P " FragmentPath",
					    P " WantedBy"};
	struct error err;

	(void)state;
	for (unsigned k = 0; k < 3; k++) {
		_cleanup_container_unit_ struct container_unit r = {};

		set_all();
		fake_set(&fake, X, "BindsTo", "dev-sda.device other.service " P);
		fake_set(&fake, P, "ExecStartPre", "/usr/bin/podman pod create -p 9080:80 --network=host --name p");
		fake_set(&fake, P, k == 0 ? "SourcePath" : "FragmentPath", k == 0 ? "/p.pod" : k == 1 ? "/" P : "");
		fake_set(&fake, P, "WantedBy", "default.target");
		assert_int_equal(container_unit_read(m, X, &r, &err), 0);
		assert_string_equal(r.pod.unit, P);
		assert_string_equal(r.pod.publish[0], "9080:80");
		assert_null(r.pod.publish[1]);
		assert_string_equal(r.pod.wanted_by, "default.target");
		assert_int_equal(r.pod.is_quadlet, k == 0);
		assert_true(r.has_hosts_network);
		if (k < 2)
			assert_string_equal(r.pod.file, k == 0 ? "/p.pod" : "/" P);
		else
			assert_null(r.pod.file);
	}
	for (size_t k = 0; k < 2 * sizeof(asked) / sizeof(*asked); k++) {
		_cleanup_container_unit_ struct container_unit r = {};
		struct fake_event e = {.what = k % 2 ? GARBLE : FAIL, .value = "a.b"};

		set_all();
		fake_set(&fake, X, "BindsTo", P);
		fake_set(&fake, P, "ExecStartPre", "/usr/bin/podman pod create");
		snprintf(e.on, sizeof(e.on), "Get %s", asked[k / 2]);
		fake_on(&fake, e);
		assert_int_equal(container_unit_read(m, X, &r, &err), -1);
	}
}

static void a_kubernetes_file(void **state)
{
	static const char ports[] = "ports:\n- containerPort: 80\n  hostPort: 81\n";
	_cleanup_container_unit_ struct container_unit r = {}, gone = {};
	char yaml[96], command[160];
	struct error err;

	(void)state;
	snprintf(yaml, sizeof(yaml), "%s/x.yml", fake.directory);
	snprintf(command, sizeof(command), "/usr/bin/podman kube play --publish 9080:80 %s", yaml);
	assert_int_equal(file_write_atomic(yaml, ports, strlen(ports), 0644, &err), 0);
	fake_clear(&fake);
	fake_set(&fake, X, "SourcePath", "/x.kube");
	fake_set(&fake, X, "ExecStart", command);
	assert_int_equal(container_unit_read(m, X, &r, &err), 0);
	assert_string_equal(r.kube, yaml);
	assert_string_equal(r.kube_publish[0], "81:80");
	assert_null(r.kube_publish[1]);
	assert_string_equal(r.quadlet, "/x.kube");
	assert_string_equal(r.publish[0], "9080:80");
	assert_null(r.container);
	assert_null(r.pod.unit);
	assert_false(r.has_hosts_network);
	{
		static const char hosts[] = "spec:\n  hostNetwork: true\n";
		_cleanup_container_unit_ struct container_unit on_host = {};

		assert_int_equal(file_write_atomic(yaml, hosts, strlen(hosts), 0644, &err), 0);
		assert_int_equal(container_unit_read(m, X, &on_host, &err), 0);
		assert_true(on_host.has_hosts_network);
	}
	assert_int_equal(unlink(yaml), 0);
	assert_int_equal(container_unit_read(m, X, &gone, &err), 0);
	assert_string_equal(gone.kube, yaml);
	assert_null(gone.kube_publish[0]);
}

static void an_image_that_a_drop_in_has_changed(void **state)
{
	_cleanup_container_unit_ struct container_unit r = {};
	struct error err;

	(void)state;
	set_all();
	fake_set(&fake, X, "ExecStart", "/usr/bin/podman run --name=x other");
	assert_int_equal(container_unit_read(m, X, &r, &err), 0);
	assert_string_equal(r.container, "x");
	assert_null(r.image);
}

static void units_that_cannot_be_read(void **state)
{
	static const struct {
		const char *state;
		int code;
	} states[] = {{"not-found", ENOENT}, {"masked", ENOENT}, {"bad-setting", EINVAL}};
	static const char *const properties[] = {"LoadState", "SourcePath", "ExecStart",
						 "WantedBy",  "RequiredBy", "After"};
	struct error err;

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		_cleanup_container_unit_ struct container_unit r = {};

		fake_set(&fake, X, "LoadState", states[k].state);
		assert_int_equal(container_unit_read(m, X, &r, &err), -1);
		assert_int_equal(err.code, states[k].code);
		assert_non_null(strstr(err.text, "cannot load the unit 'x.service' ("));
		assert_non_null(strstr(err.text, "'systemctl --user daemon-reload'"));
	}
	for (size_t k = 0; k < sizeof(properties) / sizeof(*properties); k++) {
		for (unsigned garble = 0; garble < 2; garble++) {
			_cleanup_container_unit_ struct container_unit r = {};
			struct fake_event e = {.what = garble ? GARBLE : FAIL, .value = "a.b"};

			set_all();
			fake_set(&fake, X, "WantedBy", "");
			snprintf(e.on, sizeof(e.on), "Get " X " %s", properties[k]);
			fake_on(&fake, e);
			assert_int_equal(container_unit_read(m, X, &r, &err), -1);
		}
	}
	/* UpheldBy= is of systemd 249. */
	{
		_cleanup_container_unit_ struct container_unit r = {};

		set_all();
		fake_set(&fake, X, "WantedBy", "");
		fake_on(&fake, (struct fake_event){"Get " X " UpheldBy", .what = FAIL, .value = "a.b"});
		assert_int_equal(container_unit_read(m, X, &r, &err), 0);
		assert_null(r.wanted_by);
		assert_true(r.waits_for_network);
	}
}

static void the_owner_of_a_network(void **state)
{
	static const char *const commands[] = {"-p 80:80", "--network host", NULL};
	struct error err;

	(void)state;
	for (unsigned k = 0; k < 3; k++) {
		_cleanup_container_unit_ struct container_unit r = {};
		char command[128];

		fake_clear(&fake);
		fake_set(&fake, X, "ExecStart", "/usr/bin/podman run --name=x --network container:own img");
		fake_set(&fake, "own.service", "SourcePath", "/q/own.container");
		fake_set(&fake, "q.service", "SourcePath", "/q/q.container");
		snprintf(command, sizeof(command), "/usr/bin/podman run --name=%s %s img",
			 commands[k] ? "own" : "other", commands[k] ? commands[k] : "");
		fake_set(&fake, "q.service", "ExecStart", command);
		fake_set(&fake, FAKE_MANAGER, "UnitFiles", "/run/g/own.service /run/g/q.service");
		assert_int_equal(container_unit_read(m, X, &r, &err), 0);
		assert_string_equal(r.network_owner, "own");
		assert_null(r.owner_unit);
		assert_int_equal(container_unit_find_owner(m, &r, &err), 0);
		assert_int_equal(r.has_hosts_network, k == 1);
		if (commands[k])
			assert_string_equal(r.owner_unit, "q.service");
		else
			assert_null(r.owner_unit);
		if (k == 0)
			assert_string_equal(r.owner_publish[0], "80:80");
		fake_on(&fake, (struct fake_event){"ListUnitFilesByPatterns", .what = FAIL, .value = "a.b"});
		assert_int_equal(container_unit_find_owner(m, &r, &err), -1);
	}
	set_all();
	{
		_cleanup_container_unit_ struct container_unit r = {};

		assert_int_equal(container_unit_read(m, X, &r, &err), 0);
		assert_null(r.network_owner);
		(void)fake_calls(&fake);
		assert_int_equal(container_unit_find_owner(m, &r, &err), 0);
		assert_string_equal(fake_calls(&fake), "");
	}
}

static bool count(void *data, struct container_unit *r)
{
	char *text = data;

	strcat(text, r->unit);
	strcat(text, ";");
	return strcmp(r->unit, "last.service") != 0;
}

static void every_quadlet(void **state)
{
	char text[256] = "";
	struct error err;

	(void)state;
	set_all();
	assert_int_equal(container_unit_each(m, count, text, &err), 0);
	assert_string_equal(text, "");
	fake_set(&fake, "other.service", "SourcePath", "/o.container");
	fake_set(&fake, "net.service", "SourcePath", "/n.network");
	fake_set(&fake, "last.service", "SourcePath", "/l.container");
	fake_set(
		&fake, FAKE_MANAGER, "UnitFiles",
		"/run/g/x.service /run/g/net.service /run/g/none.service other.service /run/g/last.service /run/g/x.service");
	(void)fake_calls(&fake);
	assert_int_equal(container_unit_each(m, count, text, &err), 0);
	assert_string_equal(text, "x.service;other.service;last.service;");
	assert_string_equal(fake_calls(&fake), "ListUnitFilesByPatterns (generated) (*.service)\n");
	fake_set(&fake, FAKE_MANAGER, "UnitFiles", "/run/g/x.service");
	text[0] = '\0';
	assert_int_equal(container_unit_each(m, count, text, &err), 0);
	fake_on(&fake, (struct fake_event){"ListUnitFilesByPatterns", .what = FAIL, .value = "a.b"});
	assert_int_equal(container_unit_each(m, count, text, &err), -1);
	fake_on(&fake, (struct fake_event){"ListUnitFilesByPatterns", .what = GARBLE});
	assert_int_equal(container_unit_each(m, count, text, &err), -1);
	assert_int_equal(err.code, EREMOTEIO);
	assert_string_equal(text, "x.service;");
}

/* By its container, its file or its unit. */
static void a_quadlet_by_its_name(void **state)
{
	static const char *const names[] = {"ctr", "file", "unit"}, *const none[] = {"uni", "unit.service", "fil", "c",
										     "unitx"};
	struct error err;

	(void)state;
	fake_set(&fake, FAKE_MANAGER, "UnitFiles", "/run/g/a.service /run/g/unit.service");
	fake_set(&fake, "a.service", "SourcePath", "/q/a.container");
	fake_set(&fake, "unit.service", "SourcePath", "/q/file.container");
	fake_set(&fake, "unit.service", "ExecStart", "/usr/bin/podman run --name=ctr img");
	for (size_t k = 0; k < 3; k++) {
		_cleanup_container_unit_ struct container_unit r = {};

		assert_int_equal(container_unit_find(m, names[k], &r, &err), 0);
		assert_string_equal(r.unit, "unit.service");
	}
	for (size_t k = 0; k < sizeof(none) / sizeof(*none); k++) {
		_cleanup_container_unit_ struct container_unit r = {};

		assert_int_equal(container_unit_find(m, none[k], &r, &err), -1);
		assert_int_equal(err.code, ENOENT);
		assert_non_null(strstr(err.text, "no Quadlet is called '"));
	}
	fake_on(&fake, (struct fake_event){"ListUnitFilesByPatterns", .what = FAIL, .value = "a.b"});
	{
		_cleanup_container_unit_ struct container_unit r = {};

		assert_int_equal(container_unit_find(m, "unit", &r, &err), -1);
		assert_int_equal(err.code, EREMOTEIO);
	}
}

/* A unit that removes whatever has the name, and whose own has no label. */
static void what_replaces_anybody(void **state)
{
	static const struct {
		const char *source, *command, *environment;
		bool replaces_any;
	} cases[] = {
		{"", "/usr/bin/podman run --replace --name x img", "", true},
		{"", "/usr/bin/podman run --replace --name x img", "A=1", true},
		{"", "/usr/bin/podman run --replace --name x img", "A=1 PODMAN_SYSTEMD_UNIT=" X, false},
		{"", "/usr/bin/podman run --name x img", "", false},
		{"/etc/containers/systemd/x.container", "/usr/bin/podman run --replace --name x img", "", false},
	};
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		_cleanup_container_unit_ struct container_unit r = {};

		fake_clear(&fake);
		fake_set(&fake, X, "SourcePath", cases[k].source);
		fake_set(&fake, X, "ExecStart", cases[k].command);
		fake_set(&fake, X, "Environment", cases[k].environment);
		assert_int_equal(container_unit_read(m, X, &r, &err), 0);
		assert_int_equal(r.replaces_any, cases[k].replaces_any);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, manager_teardown)
	static const struct CMUnitTest tests[] = {
		TEST(what_a_unit_runs),		 TEST(an_image_that_a_drop_in_has_changed),
		TEST(units_that_cannot_be_read), TEST(every_quadlet),
		TEST(a_quadlet_by_its_name),	 TEST(a_member_of_a_pod),
		TEST(a_kubernetes_file),	 TEST(the_owner_of_a_network),
		TEST(what_replaces_anybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
