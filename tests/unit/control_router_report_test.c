#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "backends/json.h"
#include "control/router_report.h"

static char directory[] = "/tmp/sockwake-test-XXXXXX";
static char path[64];

static int set_up(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/sockwake-test-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/x", directory);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

static void program(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", text);
	fclose(f);
	assert_int_equal(chmod(path, 0755), 0);
}

/* A child that says this to one client. */
static pid_t serve(const char *text)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	assert_int_equal(bind(listener, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(listen(listener, 1), 0);
	pid = fork();
	if (pid == 0) {
		int fd = accept(listener, NULL, NULL);

		(void)!write(fd, text, strlen(text));
		_exit(0);
	}
	close(listener);
	return pid;
}

static void a_report_is_json(void **state)
{
	static const struct {
		const char *text;
		int r;
	} rows[] = {{"{\"connections\": []}\n", 0}, {"", -1}, {"{\"connections\": [", -1}};
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
		_cleanup_json_ cJSON *json = NULL;
		pid_t pid = serve(rows[k].text);

		assert_int_equal(router_report_ask(path, &json, &err), rows[k].r);
		if (rows[k].r < 0)
			assert_int_equal(err.code, EPROTO);
		else
			assert_non_null(json_member(json, "connections"));
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		unlink(path);
	}
}

static void nobody_reports(void **state)
{
	cJSON *json = NULL;
	struct error err;

	(void)state;
	assert_int_equal(router_report_ask(path, &json, &err), -1);
	assert_int_equal(err.code, ENOENT);
	assert_non_null(strstr(err.text, "systemctl status"));
}

static void a_configuration_is_checked(void **state)
{
	struct error err;
	char *allowed = NULL;

	(void)state;
	program("test \"$*\" = --check && echo portainer, traefik");
	if (router_report_check(path, NULL, &allowed, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(allowed, "portainer, traefik");
	free(allowed);
	program("echo");
	assert_int_equal(router_report_check(path, NULL, &allowed, &err), 0);
	assert_string_equal(allowed, "");
	free(allowed);
	program("echo '/etc/x:3: no'; exit 1");
	assert_int_equal(router_report_check(path, NULL, &allowed, &err), -1);
	assert_int_equal(err.code, EINVAL);
	assert_string_equal(err.text, "the router's configuration is wrong: /etc/x:3: no");
	program("kill -9 $$");
	assert_int_equal(router_report_check(path, NULL, &allowed, &err), -1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(router_report_check(path, NULL, &allowed, &err), -1);
	assert_int_equal(err.code, ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_report_is_json, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_reports, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_configuration_is_checked, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
