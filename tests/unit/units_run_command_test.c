/* Units that run containers: what their command lines say, and the drop-ins that change it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/io.h"
#include "units/drop_in.h"
#include "units/run_command.h"

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

static void command_lines_are_understood(void **state)
{
	const struct {
		const char *const *argv;
		bool runs;
		const char *container, *publish;
	} cases[] = {
		{ARGV("/usr/bin/podman", "run", "--name", "systemd-x", "--rm", "--publish", "80:80", "image"), true,
		 "systemd-x", "80:80"},
		{ARGV("/usr/bin/docker", "run", "--name=x", "-p", "127.0.0.1:80:80", "image", "--name", "y"), true, "x",
		 "127.0.0.1:80:80"},
		{ARGV("podman", "--log-level", "debug", "run", "--publish=53:53/udp", "image"), true, NULL,
		 "53:53/udp"},
		{ARGV("/usr/bin/docker", "start", "-a", "x"), true, "x", NULL},
		{ARGV("/usr/bin/docker", "start", "-a"), true, NULL, NULL},
		{ARGV("/usr/bin/docker", "start"), true, NULL, NULL},
		{ARGV("/usr/bin/docker", "start", "x"), true, "x", NULL},
		{ARGV("/usr/bin/docker", "run", "--name"), true, NULL, NULL},
		{ARGV("/usr/bin/docker", "run", "--names", "x"), true, NULL, NULL},
		{ARGV("/bin/sh", "-c", "docker run --name x"), false, NULL, NULL},
		{ARGV("/usr/bin/podman", "exec", "x"), false, NULL, NULL},
		{ARGV("/usr/bin/podman"), false, NULL, NULL},
	};
	struct run_command c;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		assert_int_equal(run_command_parse(cases[k].argv, &c), cases[k].runs);
		if (cases[k].container)
			assert_string_equal(c.container, cases[k].container);
		else
			assert_null(c.container);
		assert_int_equal(c.n_publish, cases[k].publish != NULL);
		if (cases[k].publish)
			assert_string_equal(c.publish[0], cases[k].publish);
	}
}

static void pods_and_networks(void **state)
{
	struct run_command c;

	(void)state;
	assert_true(run_command_parse(ARGV("podman", "kube", "play", "--publish", "80:80", "x.yml"), &c));
	assert_string_equal(c.kube, "x.yml");
	assert_null(c.container);
	assert_string_equal(c.publish[0], "80:80");
	assert_true(run_command_parse(ARGV("podman", "play", "kube", "--network=host", "x.yml"), &c));
	assert_string_equal(c.kube, "x.yml");
	assert_string_equal(c.network, "host");
	assert_false(run_command_parse(ARGV("podman", "kube", "down", "x.yml"), &c));
	assert_true(run_command_parse(ARGV("docker", "run", "--net", "a", "img", "--net", "host"), &c));
	assert_null(c.kube);
	assert_string_equal(c.network, "a");
	assert_true(run_command_parse_pod(ARGV("/usr/bin/podman", "pod", "create", "-p", "1:2", "--name", "p"), &c));
	assert_string_equal(c.container, "p");
	assert_string_equal(c.publish[0], "1:2");
	assert_null(c.network);
	assert_false(run_command_parse_pod(ARGV("/usr/bin/podman", "pod", "start", "p"), &c));
	assert_false(run_command_parse_pod(ARGV("/bin/sh", "pod", "create"), &c));
	assert_false(run_command_parse_pod(ARGV(NULL), &c));
}

static void volumes_are_recognised(void **state)
{
	const char *const named[] = {"data:/data", "data:/data:ro,Z", "type=volume,source=data,target=/data",
				     "src=data,type=volume,dst=/x"};
	const char *const others[] = {"/srv:/data",
				      "./x:/data",
				      "/data",
				      "type=bind,source=data,target=/data",
				      "type=volume,target=/data",
				      "type=tmpfs,target=/x",
				      "",
				      ":/x",
				      "a b:/x"};
	char name[RUN_VOLUME_NAME_MAX], long_name[300];
	struct run_command c;

	(void)state;
	for (size_t k = 0; k < sizeof(named) / sizeof(*named); k++) {
		assert_true(run_volume_name(named[k], name));
		assert_string_equal(name, "data");
	}
	for (size_t k = 0; k < sizeof(others) / sizeof(*others); k++)
		assert_false(run_volume_name(others[k], name));
	memset(long_name, 'a', sizeof(long_name));
	for (size_t len = 255; len <= 257; len++) { /* 255 bytes are the most */
		char text[320];

		snprintf(text, sizeof(text), "%.*s:/x", (int)len, long_name);
		assert_int_equal(run_volume_name(text, name), len == 255);
		snprintf(text, sizeof(text), "type=volume,src=%.*s", (int)len, long_name);
		assert_int_equal(run_volume_name(text, name), len == 255);
	}
	assert_true(
		run_command_parse(ARGV("podman", "run", "-v", "a:/a", "--volume=b:/b", "--mount", "type=bind"), &c));
	assert_int_equal(c.n_volumes, 3);
	assert_string_equal(c.volumes[1], "b:/b");
}

/* Of each of these options, a number of times. */
static struct run_command many(size_t n)
{
	static const char *const options[] = {"-p", "80:80", "--label", "sockwake.a=b", "-v", "a:/a"};
	const char *argv[6 * 70] = {"podman", "run"};
	struct run_command c;

	for (size_t k = 0; k < n; k++)
		memcpy(argv + 2 + 6 * k, options, sizeof(options));
	assert_true(run_command_parse(argv, &c));
	return c;
}

static void too_many_options_are_no_harm(void **state)
{
	(void)state;
	for (size_t n = 63; n <= 66; n++) {
		struct run_command c = many(n);

		assert_int_equal(c.n_publish, n < RUN_PUBLISH_MAX ? n : RUN_PUBLISH_MAX);
		assert_int_equal(c.n_labels, n < RUN_LABELS_MAX ? n : RUN_LABELS_MAX);
		assert_int_equal(c.n_volumes, n < RUN_VOLUMES_MAX ? n : RUN_VOLUMES_MAX);
	}
}

/* Longer than any port or address, at the limits of what is looked at. */
static void long_ports(void **state)
{
	struct publish p;
	char text[130];
	struct error err;

	(void)state;
	assert_int_equal(publish_parse("5432:5432", &p, &err), 0);
	assert_true(run_publish_takes("000000000005432:1", &p));
	assert_false(run_publish_takes("0000000000005432:1", &p));
	assert_false(run_publish_takes("0000000000005432-5432:1", &p));
	memset(text, '0', sizeof(text));
	memcpy(text, "5432:", 5);
	text[127] = '\0';
	assert_true(run_publish_takes(text, &p));
	text[127] = '0';
	text[128] = '\0';
	assert_false(run_publish_takes(text, &p));
}

static void published_ports_are_recognised(void **state)
{
	static const struct {
		const char *ours, *theirs;
		bool takes;
	} cases[] = {
		{"127.0.0.1:5432:5432", "5432:5432", true},
		{"127.0.0.1:5432:5432", "127.0.0.1:5432:5432/tcp", true},
		{"5432:5432", "127.0.0.1:5432:1", true},
		{"5432:5432", "[::1]:5432:1", true},
		{"5432:5432", ":5432:1", true},
		{"5432:5432", "5430-5440:30-40", true},
		{"5432:5432", "5433-5440:33-40", false},
		{"127.0.0.1:5432:5432", "192.0.2.1:5432:5432", false},
		{"5432:5432", "5432:5432/udp", false},
		{"5432:5432/udp", "5432:5432/udp", true},
		{"5432:5432", "5432", false},
		{"5432:5432", "::5432", false},
		{"5432:5432", "127.0.0.1::5432", false},
		{"5432:5432", "", false},
		{"5432:5432", ":", false},
		{"5432:5432", "x:5432:5432", false},
		{"5432:5432", "[::1:5432:5432", false},
		{"5432:5432", "5432-:5432", false},
		{"5432:5432", "70000:5432", false},
		{"5432:5432", "5432:5432/sctp", false},
		{"/run/x:5432", "5432:5432", false},
	};
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct publish p;

		assert_int_equal(publish_parse(cases[k].ours, &p, &err), 0);
		if (run_publish_takes(cases[k].theirs, &p) != cases[k].takes)
			fail_msg("%s and %s", cases[k].ours, cases[k].theirs);
	}
}

static void drop_ins_say_what_was_asked_for(void **state)
{
	struct instance i = {.name = (char[]){"x-wake"}, .n_ports = 1};
	const char *const publish[] = {"5432:5432", "127.0.0.1:9000:9000", "1:1\n[Service]", "%n:1", NULL};
	_cleanup_free_ char *boot = NULL, *ports = NULL;
	struct error err;

	(void)state;
	assert_int_equal(publish_parse("127.0.0.1:5432:5432", &i.ports[0], &err), 0);
	i.no_boot = true;
	boot = drop_in_render(&i, "Container", publish, &err);
	assert_non_null(strstr(boot, "\n[Install]\nWantedBy=\n"));
	assert_null(strstr(boot, "PublishPort"));
	i.no_boot = false;
	i.drop_publish = true;
	ports = drop_in_render(&i, "Container", publish, &err);
	assert_null(strstr(ports, "[Install]"));
	assert_non_null(strstr(ports, "\n[Container]\nPublishPort=\nPublishPort=127.0.0.1:9000:9000\n"));
	assert_null(strstr(ports, "PublishPort=5432"));
	assert_null(strstr(ports, "[Service]"));
	assert_null(strstr(ports, "%n"));
}

static void only_our_drop_ins_are_touched(void **state)
{
	char home[] = "/tmp/sockwake-drop-in-XXXXXX", path[PATH_MAX], expected[PATH_MAX];
	_cleanup_free_ char *before = NULL, *again = NULL;
	struct error err;

	(void)state;
	assert_non_null(mkdtemp(home));
	setenv("XDG_CONFIG_HOME", home, 1);
	assert_int_equal(drop_in_path(SCOPE_USER, "/etc/containers/systemd/users/x.container", "i", path, &err), 0);
	snprintf(expected, sizeof(expected), "%s/containers/systemd/x.container.d/sockwake-i.conf", home);
	assert_string_equal(path, expected);

	assert_int_equal(drop_in_write(path, "# Made by sockwake 1\n", &before, &err), 0);
	assert_null(before);
	assert_int_equal(drop_in_write(path, "# Made by sockwake 2\n", &again, &err), 0);
	assert_string_equal(again, "# Made by sockwake 1\n");
	assert_int_equal(drop_in_remove(path, &err), 0);
	assert_int_equal(access(path, F_OK), -1);
	*strrchr(path, '/') = '\0';
	assert_int_equal(access(path, F_OK), -1); /* the empty directory is gone, too */
	assert_int_equal(drop_in_remove(expected, &err), 0);

	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(file_write_atomic(expected, "# mine\n", 7, 0644, &err), 0);
	free(again);
	again = NULL;
	assert_int_equal(drop_in_write(expected, "# Made by sockwake\n", &again, &err), -1);
	assert_int_equal(err.code, EEXIST);
	assert_int_equal(drop_in_remove(expected, &err), 0);
	assert_int_equal(access(expected, F_OK), 0);
	unlink(expected);
	for (int k = 0; k < 4; k++, *strrchr(path, '/') = '\0')
		rmdir(path);
}

static void what_stays_of_a_container(void **state)
{
	static const char *const stays[] = {"data:/data", "/srv:/data:ro", "type=bind,source=/srv,target=/data",
					    "type=volume,source=data,target=/data"};
	static const char *const goes[] = {"/data", "type=volume,target=/data", "type=tmpfs,target=/data:x"};

	(void)state;
	for (size_t k = 0; k < sizeof(stays) / sizeof(*stays); k++)
		assert_true(run_volume_stays(stays[k]));
	for (size_t k = 0; k < sizeof(goes) / sizeof(*goes); k++)
		assert_false(run_volume_stays(goes[k]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_lines_are_understood),
		cmocka_unit_test(too_many_options_are_no_harm),
		cmocka_unit_test(long_ports),
		cmocka_unit_test(published_ports_are_recognised),
		cmocka_unit_test(drop_ins_say_what_was_asked_for),
		cmocka_unit_test(only_our_drop_ins_are_touched),
		cmocka_unit_test(volumes_are_recognised),
		cmocka_unit_test(what_stays_of_a_container),
		cmocka_unit_test(pods_and_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
