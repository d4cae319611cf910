/* What engines answer besides inspections: lists, health checks, errors. */
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "backends/docker/reply.h"
#include "backends/json.h"
#include "backends/podman/reply.h"
#include "backends/ports.h"
#include "backends/reply.h"

#define ID "031ac4655cca2df8430faacea1ee34f9094d53239db0fdc19fa711a77926faf7"

#define TEXT(s) (s), strlen(s)

static void dockers_list_is_read(void **state)
{
	static const char text[] =
		"[{\"Id\":\"" ID "\",\"Names\":[\"/other/link\",\"/pub\"],\"State\":\"running\",\"Labels\":"
		"{\"sockwake.x\":\"1\"},\"Ports\":[{\"IP\":\"0.0.0.0\",\"PrivatePort\":80,\"PublicPort\":8080,"
		"\"Type\":\"tcp\"},{\"PrivatePort\":443,\"Type\":\"tcp\"}]},"
		"{\"Id\":\"" ID "\",\"Names\":[\"/a b\"]},{\"Id\":\"" ID "\",\"Names\":null},17,"
		"{\"Id\":\"" ID "\",\"Names\":[\"/web\"],\"State\":\"paused\",\"Labels\":{},\"Ports\":[]}]";
	_cleanup_container_list_ struct container_list l = {};

	(void)state;
	assert_true(docker_parse_list(text, strlen(text), &l));
	assert_int_equal(l.n, 2);
	assert_string_equal(l.items[0].name, "pub");
	assert_int_equal(l.items[0].state, CONTAINER_RUNNING);
	assert_int_equal(l.items[0].n_ports, 1);
	assert_int_equal(l.items[0].ports[0].host_port, 8080);
	assert_string_equal(l.items[0].ports[0].host_address, "");
	assert_string_equal(container_label(&l.items[0], "sockwake.x"), "1");
	assert_string_equal(l.items[1].name, "web");
	assert_int_equal(l.items[1].state, CONTAINER_PAUSED);
}

/* What makes no sense about one container costs the others nothing. */
static void one_bad_item_of_a_list(void **state)
{
	static const char docker[] = "[{\"Id\":\"short\",\"Names\":[\"/bad\"],\"State\":\"running\"},"
				     "{\"Id\":\"" ID "\",\"Names\":[\"/good\"],\"State\":\"paused\"}]";
	static const char podman[] = "[{\"Id\":\"" ID "\",\"Names\":[\"bad\"],\"Labels\":{\"sockwake.x\":\"1\"},"
				     "\"Ports\":[{\"container_port\":65535,\"host_port\":1,\"range\":2,"
				     "\"protocol\":\"tcp\"}]},"
				     "{\"Id\":\"" ID "\",\"Names\":[\"good\"],\"State\":\"paused\"}]";
	struct container_list lists[2] = {};

	(void)state;
	assert_true(docker_parse_list(docker, strlen(docker), &lists[0]));
	assert_true(podman_parse_list(podman, strlen(podman), &lists[1]));
	for (size_t k = 0; k < 2; k++) {
		const struct container *c = lists[k].items;

		assert_int_equal(lists[k].n, 2);
		assert_string_equal(c[0].name, "bad");
		assert_true(c[0].unreadable);
		assert_int_equal(c[0].state, CONTAINER_UNKNOWN);
		assert_string_equal(c[0].id, "");
		assert_int_equal(c[0].n_ports + c[0].n_labels, 0);
		assert_false(c[1].unreadable);
		assert_int_equal(c[1].state, CONTAINER_PAUSED);
		container_list_clear(&lists[k]);
	}
}

static void podmans_list_is_read(void **state)
{
	static const char text[] =
		"[{\"Id\":\"" ID "\",\"Names\":[\"pub\"],\"State\":\"exited\",\"Labels\":null,\"Ports\":"
		"[{\"host_ip\":\"\",\"container_port\":9000,\"host_port\":9010,\"range\":2,\"protocol\":\"tcp,udp\"}]}]";
	_cleanup_container_list_ struct container_list l = {};

	(void)state;
	assert_true(podman_parse_list(text, strlen(text), &l));
	assert_int_equal(l.n, 1);
	assert_int_equal(l.items[0].state, CONTAINER_EXITED);
	assert_int_equal(l.items[0].n_ports, 4);
	assert_int_equal(l.items[0].ports[3].host_port, 9011);
	assert_int_equal(l.items[0].ports[3].container_port, 9001);
	assert_int_equal(l.items[0].ports[3].type, SOCK_DGRAM);
}

/* An image that compose has built gives its labels to what keeps it. */
static void what_keeps_an_image_is_not_listed(void **state)
{
	static const char text[] =
		"[{\"Id\":\"" ID
		"\",\"Names\":[\"sockwake-a-keep\"],\"State\":\"created\",\"Labels\":{\"sockwake.keeps\":"
		"\"a\",\"com.docker.compose.project\":\"p\"}},"
		"{\"Id\":\"" ID "\",\"Names\":[\"b\"],\"State\":\"exited\",\"Labels\":{\"sockwake.publish\":\"1:2\"}}]";
	_cleanup_container_list_ struct container_list l = {};

	(void)state;
	assert_true(podman_parse_list(text, strlen(text), &l));
	assert_int_equal(l.n, 1);
	assert_string_equal(l.items[0].name, "b");
}

static enum health podman_health(const char *text)
{
	enum health h = HEALTH_UNHEALTHY;

	assert_true(podman_parse_health(text, strlen(text), &h));
	return h;
}

static void the_last_run_of_podmans_health_check_counts(void **state)
{
	enum health h;

	(void)state;
	assert_int_equal(podman_health("{\"Status\":\"starting\",\"Log\":null}"), HEALTH_STARTING);
	assert_int_equal(podman_health("{\"Status\":\"starting\",\"Log\":[{\"ExitCode\":1},{\"ExitCode\":0}]}"),
			 HEALTH_HEALTHY);
	assert_int_equal(podman_health("{\"Status\":\"healthy\",\"Log\":[{\"ExitCode\":0},{\"ExitCode\":1}]}"),
			 HEALTH_STARTING);
	assert_int_equal(podman_health("{\"Status\":\"unhealthy\",\"Log\":[{\"ExitCode\":1}]}"), HEALTH_UNHEALTHY);
	assert_false(podman_parse_health(TEXT("{}"), &h));
	assert_false(podman_parse_health(TEXT("{\"Status\":\"healthy\",\"Log\":[{\"ExitCode\":\"0\"}]}"), &h));
	assert_true(podman_is_state_error(TEXT("{\"cause\":\"container state improper\"}")));
	assert_false(podman_is_state_error(TEXT("{\"cause\":\"no such container\"}")));
	assert_false(podman_is_state_error(TEXT("container state improper")));
}

static void a_health_check_becomes_a_process_in_docker(void **state)
{
	char *shell[] = {(char[]){"CMD-SHELL"}, (char[]){"test \"$X\" = 1"}, NULL}, **nothing = shell + 1;
	char *words[] = {(char[]){"CMD"}, (char[]){"/bin/true"}, (char[]){"a b"}, NULL};
	char *empty[] = {(char[]){"CMD-SHELL"}, NULL};
	_cleanup_free_ char *a = docker_format_exec(shell), *b = docker_format_exec(words);
	_cleanup_free_ char *c = docker_format_exec(empty);
	bool running;
	char id[65];
	int code;

	(void)state;
	assert_non_null(strstr(a, "\"Cmd\":[\"/bin/sh\",\"-c\",\"test \\\"$X\\\" = 1\"]"));
	assert_non_null(strstr(b, "\"Cmd\":[\"/bin/true\",\"a b\"]"));
	assert_non_null(c);
	assert_null(docker_format_exec(nothing));
	assert_true(docker_parse_exec_id(TEXT("{\"Id\":\"" ID "\"}"), id));
	assert_string_equal(id, ID);
	assert_false(docker_parse_exec_id(TEXT("{\"Id\":\"../x\"}"), id));
	assert_true(docker_parse_exec_state(TEXT("{\"Running\":false,\"ExitCode\":3}"), &running, &code));
	assert_false(running);
	assert_int_equal(code, 3);
	assert_true(docker_parse_exec_state(TEXT("{\"Running\":true,\"ExitCode\":null}"), &running, &code));
	assert_true(running);
	assert_false(docker_parse_exec_state(TEXT("{}"), &running, &code));
}

static void an_errors_text_is_one_printable_line(void **state)
{
	char s[32];

	(void)state;
	reply_message(TEXT("{\"message\":\"no such\\ncontainer\\u001b[31m\"}"), s, sizeof(s));
	assert_string_equal(s, "no such container [31m");
	reply_message(TEXT("plain text\n"), s, sizeof(s));
	assert_string_equal(s, "plain text");
	reply_message(TEXT(""), s, sizeof(s));
	assert_string_equal(s, "");
	reply_message(TEXT("{\"message\":\"0123456789012345678901234567\303\244\303\244\303\244\"}"), s, sizeof(s));
	assert_int_equal(strlen(s), 31);
	assert_null(strchr(s, '\303'));
	reply_message(TEXT("\377\376x"), s, sizeof(s));
	assert_string_equal(s, "??x");
	reply_message(TEXT("\200x"), s, sizeof(s));
	assert_string_equal(s, "?x");
	reply_message(TEXT("\001\037a\177b\177"), s, sizeof(s));
	assert_string_equal(s, "  a b");
}

static void an_errors_text_stays_within_its_bounds(void **state)
{
	struct {
		char before, s[8], after;
	} one = {.before = ' ', .after = 'x'};

	(void)state;
	reply_message(TEXT("{\"message\":\"1234567\"}"), one.s, sizeof(one.s));
	assert_string_equal(one.s, "1234567");
	reply_message(TEXT("{\"message\":\"123456789\"}"), one.s, sizeof(one.s));
	assert_string_equal(one.s, "1234567");
	reply_message(TEXT("{\"message\":\" \\n\"}"), one.s, sizeof(one.s));
	assert_string_equal(one.s, "");
	assert_int_equal(one.before, ' ');
	assert_int_equal(one.after, 'x');
}

static void service_containers(void **state)
{
	(void)state;
	assert_true(container_name_is_service("59ee4a1dc52c-service"));
	assert_false(container_name_is_service("59ee4a1dc52-service"));
	assert_false(container_name_is_service("59ee4a1dc52c-infra"));
	assert_false(container_name_is_service("59ee4a1dc52cd-service"));
	assert_false(container_name_is_service("web-service"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dockers_list_is_read),
		cmocka_unit_test(podmans_list_is_read),
		cmocka_unit_test(what_keeps_an_image_is_not_listed),
		cmocka_unit_test(one_bad_item_of_a_list),
		cmocka_unit_test(the_last_run_of_podmans_health_check_counts),
		cmocka_unit_test(a_health_check_becomes_a_process_in_docker),
		cmocka_unit_test(an_errors_text_is_one_printable_line),
		cmocka_unit_test(an_errors_text_stays_within_its_bounds),
		cmocka_unit_test(service_containers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
