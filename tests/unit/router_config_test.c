#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "router/config.h"

static char path[64];

static int read_text(const char *text, bool own, struct config *c, struct error *err)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	config_defaults(c);
	return config_read(path, own, c, err);
}

static int set_up(void **state)
{
	int fd;

	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/router-config.XXXXXX");
	fd = mkstemp(path);
	return fd < 0 || close(fd) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static void without_a_file_the_defaults_hold(void **state)
{
	struct config c;
	struct error err;

	(void)state;
	config_defaults(&c);
	assert_int_equal(config_read("/nonexistent/router.conf", false, &c, &err), 0);
	assert_int_equal(c.n_engines, 2);
	assert_int_equal(c.engines[0], ENGINE_DOCKER);
	assert_true(id_list_has(&c.system_users, 0));
	assert_int_equal(c.start, START_LINGER);
	assert_int_equal(c.connections_per_user, 512);
}

static void every_key_is_read(void **state)
{
	struct config c;
	struct error err;

	(void)state;
	assert_int_equal(read_text("# a comment\n\n[router]\n engines = podman \nsystem = group root, user nobody\r\n"
				   "start = group root\ncontainers = portainer,traefik\nconnections=100\n"
				   "connections-per-user = 10",
				   false, &c, &err),
			 0);
	assert_int_equal(c.n_engines, 1);
	assert_int_equal(c.engines[0], ENGINE_PODMAN);
	assert_false(id_list_has(&c.system_users, 0));
	assert_true(id_list_has(&c.system_users, getpwnam("nobody")->pw_uid));
	assert_true(id_list_has(&c.system_groups, 0));
	assert_int_equal(c.start, START_GROUP);
	assert_int_equal(c.start_group, 0);
	assert_int_equal(c.containers.n, 2);
	assert_string_equal(c.containers.names[1], "traefik");
	assert_int_equal(c.connections, 100);
	assert_int_equal(c.connections_per_user, 10);
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
	static const struct {
		const char *text, *wrong;
	} cases[] = {
		{"\nengine = docker\n", ":2: unknown key 'engine'"},
		{"engines = dockr\n", ":1: engines: 'dockr' is neither docker nor podman"},
		{"engines = docker, docker\n", ":1: engines: 'docker' is there twice"},
		{"engines = docker,,podman\n", ":1: engines: a name is missing"},
		{"system = wheel\n", "'wheel' is none of: root, user NAME, group NAME"},
		{"system = group no-such-group\n", "there is no group 'no-such-group'"},
		{"system = user no-such-user\n", "there is no user 'no-such-user'"},
		{"start = always\n", "'always' is none of: running, linger, group NAME"},
		{"containers = a b\n", "'a b' is no name of a container"},
		{"connections = 0\n", "'0' is not a whole number from 1"},
		{"nonsense\n", ":1: 'nonsense' is no KEY = VALUE"},
		{"[other]\n", ":1: there is no section '[other]': it is [router] or [rules]"},
		{"[rules]\nallow = system.ping\nlearn = yes\n", ":3: 'learn' belongs to the section [router]"},
		{"[rules]\n[router]\nx = y\n", ":3: unknown key 'x'"},
	};
	struct config c;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(read_text(cases[i].text, false, &c, &err), -1);
		assert_non_null(strstr(err.text, cases[i].wrong));
		assert_int_equal(strncmp(err.text, path, strlen(path)), 0);
	}
}

static void a_user_chooses_only_the_order(void **state)
{
	struct config c;
	struct error err;

	(void)state;
	assert_int_equal(read_text("engines = podman, docker\n", true, &c, &err), 0);
	assert_int_equal(c.engines[0], ENGINE_PODMAN);
	assert_int_equal(read_text("system = root\n", true, &c, &err), -1);
	assert_non_null(strstr(err.text, "only the administrator may set 'system'"));
}

static void a_restricted_socket_must_have_rules(void **state)
{
	struct config c;
	struct error err;
	char text[] = "[rules]\nallow = containers.list\n", some[] = "system = user nobody\n[rules]\n",
	     none[] = "containers = ci\n";

	(void)state;
	config_defaults(&c);
	c.restricted = true;
	assert_int_equal(config_parse("/x/y.conf", NULL, false, &c, &err), -1);
	assert_non_null(strstr(err.text, "there is no file '/x/y.conf'"));
	assert_int_equal(config_parse("/x/y.conf", none, false, &c, &err), -1);
	assert_non_null(strstr(err.text, "/x/y.conf has no section [rules]"));
	assert_int_equal(config_parse("/x/y.conf", text, false, &c, &err), 0);
	assert_true(c.everybody);
	assert_string_equal(c.path, "/x/y.conf");
	config_defaults(&c);
	c.restricted = true;
	assert_int_equal(config_parse("/x/y.conf", some, false, &c, &err), 0);
	assert_false(c.everybody);
}

static void an_order_is_passed_on_if_there_is_one(void **state)
{
	char text[32];
	struct config c;
	struct error err;

	(void)state;
	assert_int_equal(read_text("start = linger\n", false, &c, &err), 0);
	config_print_engines(&c, text);
	assert_string_equal(text, "");
	assert_int_equal(read_text("engines = docker, podman\n", false, &c, &err), 0);
	config_print_engines(&c, text);
	assert_string_equal(text, "docker, podman");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_file_the_defaults_hold),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(what_is_wrong_is_named_with_its_line),
		cmocka_unit_test(a_user_chooses_only_the_order),
		cmocka_unit_test(a_restricted_socket_must_have_rules),
		cmocka_unit_test(an_order_is_passed_on_if_there_is_one),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
