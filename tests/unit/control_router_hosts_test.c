/* Where Docker listens, by the words of its command line and by daemon.json. */
#include <errno.h>
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

#include "control/router_hosts.h"

#define WORDS 6

static const struct {
	const char *argv[WORDS];
	const char *file;
	const char *trouble; /* NULL: none */
} cases[] = {
	{{"/usr/sbin/dockerd", "-H", "fd://", "--containerd=/run/c.sock"}, "{}", NULL},
	{{"dockerd", "-Hfd://"}, NULL, NULL},
	{{"/usr/bin/dockerd", "--host=fd://", "-H", "tcp://127.0.0.1:2375"}, "{}", NULL},
	{{"/usr/bin/dockerd", "--host", "fd://"}, "{\"live-restore\": true}", NULL},
	{{"/usr/bin/dockerd"}, "{\"hosts\": [\"fd://\", \"unix:///run/other.sock\"]}", NULL},
	{{"/opt/wrapper", "-H", "unix:///run/docker.sock"}, NULL, NULL}, /* nobody knows what it does */
	{{"/usr/bin/dockerd"}, "{}", "because no '-H' says otherwise"},
	{{"/usr/bin/dockerd", "-H", "unix:///run/docker.sock"}, "{}", "'unix:///run/docker.sock', by '-H'"},
	{{"/usr/bin/dockerd", "-H", "fd://", "-H=unix:///var/run/docker.sock"}, "{}", "opens /run/docker.sock itself"},
	{{"/usr/bin/dockerd", "--host=unix://"}, "{}", "opens /run/docker.sock itself"},
	{{"/usr/bin/dockerd"}, "{\"hosts\": [\"fd://\", \"unix:///run/docker.sock\"]}", "'hosts' of daemon.json"},
	{{"/usr/bin/dockerd", "-H", "tcp://0.0.0.0:2375"}, "{}", "does not take the socket that systemd opens"},
};

static void docker_must_take_the_socket_of_systemd(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct router_hosts h = {};
		struct error err = {};

		router_hosts_take_command(&h, cases[k].argv);
		if (cases[k].file)
			assert_true(router_hosts_take_file(&h, cases[k].file, strlen(cases[k].file)));
		assert_int_equal(router_hosts_check(&h, &err), cases[k].trouble ? -1 : 0);
		if (cases[k].trouble && !strstr(err.text, cases[k].trouble))
			fail_msg("%zu: %s", k, err.text);
		if (cases[k].trouble)
			assert_non_null(strstr(err.text, "-H fd://"));
	}
}

static void another_file_may_be_named(void **state)
{
	static const char *const ways[][4] = {{"dockerd", "--config-file=/srv/d.json"},
					      {"dockerd", "--config-file", "/srv/d.json"}};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct router_hosts h = {};

		router_hosts_take_command(&h, ways[k]);
		assert_string_equal(h.file, "/srv/d.json");
	}
}

static void an_option_without_a_value_is_none(void **state)
{
	static const char *const argv[] = {"dockerd", "-H", NULL};
	struct router_hosts h = {};

	(void)state;
	router_hosts_take_command(&h, argv);
	assert_false(h.any);
}

static void a_file_that_docker_cannot_read(void **state)
{
	static const char *const texts[] = {"{", "[]", "x", "{} {}"};
	struct router_hosts h = {};

	(void)state;
	for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++)
		assert_false(router_hosts_take_file(&h, texts[k], strlen(texts[k])));
	assert_true(router_hosts_take_file(&h, "{\"hosts\": [1]}", 14));
	assert_false(h.any);
}

/* A dockerd that says this. */
static int validate(const char *script, struct error *err)
{
	char path[] = "/tmp/sockwake-test-XXXXXX";
	int fd = mkstemp(path), r;

	assert_true(fd >= 0 && dprintf(fd, "#!/bin/sh\n%s\n", script) > 0);
	assert_int_equal(fchmod(fd, 0755), 0);
	close(fd);
	r = router_hosts_validate(path, "/etc/docker/daemon.json", err);
	unlink(path);
	return r;
}

static void docker_itself_checks_the_file(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(
		validate("test \"$*\" = '--validate --config-file /etc/docker/daemon.json' || exit 1; echo OK >&2",
			 &err),
		0);
	assert_int_equal(validate("echo unable: fooo >&2; echo; exit 1", &err), -1);
	assert_int_equal(err.code, EINVAL);
	assert_non_null(strstr(err.text, "checks it): unable: fooo"));
	assert_int_equal(validate("echo 'unknown flag: --validate'; echo 'See dockerd --help.'; exit 125", &err), 0);
	assert_int_equal(router_hosts_validate("/no/such/dockerd", "/x", &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(docker_must_take_the_socket_of_systemd),
		cmocka_unit_test(another_file_may_be_named),
		cmocka_unit_test(an_option_without_a_value_is_none),
		cmocka_unit_test(a_file_that_docker_cannot_read),
		cmocka_unit_test(docker_itself_checks_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
