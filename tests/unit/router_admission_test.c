#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "router/admission.h"

#define ID	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER	"fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define UNKNOWN "00000000000000000000000000000000000000000000000000000000000000000"

static char path[64];
static pid_t engine;
static struct config config;

/* Knows two containers. */
static void answer(int fd)
{
	static const char none[] = "HTTP/1.0 404 Not Found\r\n\r\n{}";
	static const char first[] = "HTTP/1.0 200 OK\r\n\r\n{\"Id\":\"" ID "\",\"Name\":\"/portainer\"}";
	static const char second[] = "HTTP/1.0 200 OK\r\n\r\n{\"Id\":\"" OTHER "\",\"Name\":\"/other\"}";
	char request[512] = "";
	const char *text = none;

	if (read(fd, request, sizeof(request) - 1) <= 0)
		return;
	if (strncmp(request, "GET /containers/" ID "/json ", 21 + 64) == 0)
		text = first;
	if (strncmp(request, "GET /containers/" OTHER "/json ", 21 + 64) == 0)
		text = second;
	if (write(fd, text, strlen(text)) < 0)
		return;
}

static void run_engine(int listener)
{
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0) {
			answer(fd);
			close(fd);
		}
	}
}

static int set_up(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/router-admission.%d", (int)getpid());
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 8) < 0)
		return -1;
	engine = fork();
	if (engine == 0)
		run_engine(listener);
	close(listener);
	config_defaults(&config);
	config.containers.n = 1;
	(void)snprintf(config.containers.names[0], CONFIG_NAME_MAX, "portainer");
	return engine > 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	return kill(engine, SIGKILL) < 0 || waitpid(engine, NULL, 0) != engine ? -1 : 0;
}

static int check(const char *id, struct error *err)
{
	char owner[OWNER_MAX];

	owner_of_container(id, 0, owner);
	return admission_check(&config, path, owner, err);
}

static void a_container_is_admitted_by_its_name(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(check(ID, &err), 0);
	assert_int_equal(check(ID, &err), 0);
	assert_int_equal(check(OTHER, &err), -1);
	assert_int_equal(err.code, EPERM);
	assert_non_null(strstr(err.text, "the container 'other' may not use this socket"));
	assert_non_null(strstr(err.text, "containers = other in"));
	assert_int_equal(check(ID, &err), 0);
}

static void a_container_is_admitted_by_its_identifier(void **state)
{
	struct error err;

	(void)state;
	(void)snprintf(config.containers.names[0], CONFIG_NAME_MAX, "%.12s", OTHER);
	assert_int_equal(check(OTHER, &err), 0);
	assert_int_equal(check(ID, &err), -1);
	(void)snprintf(config.containers.names[0], CONFIG_NAME_MAX, "%.11s", OTHER);
	assert_int_equal(check(OTHER, &err), -1);
}

static void a_container_that_the_engine_does_not_have_is_refused(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(check(UNKNOWN, &err), -1);
	assert_int_equal(err.code, EPERM);
}

static void all_are_admitted_if_so_configured(void **state)
{
	struct error err;

	(void)state;
	config.all_containers = true;
	assert_int_equal(check(OTHER, &err), 0);
}

static void users_are_not_asked_about(void **state)
{
	char owner[OWNER_MAX];
	struct error err;

	(void)state;
	owner_of_user(1000, owner);
	assert_string_equal(owner, "uid-1000");
	assert_int_equal(admission_check(&config, "/nonexistent", owner, &err), 0);
}

static void an_engine_that_is_away_admits_nobody(void **state)
{
	char owner[OWNER_MAX];
	struct error err;

	(void)state;
	owner_of_container(UNKNOWN "1", 0, owner);
	assert_int_equal(admission_check(&config, "/nonexistent", owner, &err), -1);
	assert_int_not_equal(err.code, EPERM);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_container_is_admitted_by_its_name),
		CASE(a_container_is_admitted_by_its_identifier),
		CASE(a_container_that_the_engine_does_not_have_is_refused),
		CASE(all_are_admitted_if_so_configured),
		CASE(users_are_not_asked_about),
		CASE(an_engine_that_is_away_admits_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
