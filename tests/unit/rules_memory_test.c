/* Memory runs out while a request is decided about: it is refused, never passed on. */
#include "tests/unit/memory_fixture.h"

#include <sys/socket.h>

#include "common/cleanup.h"
#include "rules/decide.h"

static struct rules *rules;

/* The far end of the connection to the engine. */
static int engine_end = -1;

static void end_engine(void)
{
	if (engine_end >= 0)
		close(engine_end);
	engine_end = -1;
}

/* An engine that knows nothing, and has answered already. */
static int open_engine(void *data, struct error *err)
{
	static const char answer[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}";
	int pair[2];

	(void)data;
	(void)err;
	end_engine();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(write(pair[1], answer, sizeof(answer) - 1), sizeof(answer) - 1);
	engine_end = pair[1];
	return pair[0];
}

/* Decides about a request; *ret is what would be sent. */
static bool decide(const char *request, const char *json, bool learn, char **ret)
{
	static struct head h;
	struct rules_caller caller = {.owner = "me", .learn = learn};
	_cleanup_report_ struct rules_report report = {};
	struct verdict v = {.rules = rules, .caller = &caller, .report = &report, .engine = {open_engine, NULL}};
	_cleanup_decision_ struct decision d = {};
	struct frame body;
	struct error err = {};

	assert_int_equal(head_parse_request(request, strlen(request), &h, &err), 0);
	assert_int_equal(frame_of_request(&h, &body, &err), 0);
	if (decide_by_head(&v, &h, &body, &d, &err) < 0 ||
	    (json && decide_by_body(&v, &d, json, strlen(json), &err) < 0) || uri_write(&d.uri, ret, &err) < 0) {
		assert_true(err.text[0] != '\0');
		return false;
	}
	return true;
}

static bool create_container(void)
{
	static const char request[] =
		"POST /containers/create?name=a HTTP/1.1\r\nHost: docker\r\nContent-Length: 10\r\n\r\n";
	static const char json[] =
		"{\"Image\":\"x\",\"Cmd\":[\"a\",\"b\"],\"Labels\":null,\"HostConfig\":{\"ContainerIDFile\":"
		"\"y\",\"Privileged\":true,\"Memory\":1}}";
	_cleanup_free_ char *sent = NULL;

	return decide(request, json, true, &sent);
}

static bool list_containers(void)
{
	static const char request[] =
		"GET /containers/json?filters=%7B%22label%22:%5B%22a%22%5D%7D HTTP/1.1\r\nHost: docker\r\n\r\n";
	_cleanup_free_ char *sent = NULL;

	return decide(request, NULL, false, &sent) && strstr(sent, "team%3Dci");
}

static bool read_rules(void)
{
	static const char text[] = "[rules]\nallow = containers.list\nlabel = a=b\nbind = /srv /data/*\n";
	char path[] = "/tmp/rules-XXXXXX";
	_cleanup_rules_ struct rules *r = NULL;
	_cleanup_close_ int fd = mkstemp(path);
	struct error err;
	int done;

	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	done = rules_read(path, &r, &err);
	unlink(path);
	return done == 0;
}

static void nothing_is_decided_without_memory(void **state)
{
	(void)state;
	memory_each(create_container, 20);
	memory_each(list_containers, 10);
}

static void no_rule_is_forgotten_without_memory(void **state)
{
	(void)state;
	memory_each(read_rules, 8);
}

static int set_up(void **state)
{
	static const char text[] = "[rules]\nallow = containers.list\nlabel = team=ci\n";
	char path[] = "/tmp/rules-XXXXXX";
	_cleanup_close_ int fd = mkstemp(path);
	struct error err;

	(void)state;
	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	assert_int_equal(rules_read(path, &rules, &err), 0);
	return unlink(path);
}

static int tear_down(void **state)
{
	(void)state;
	rules_free(&rules);
	end_engine();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_decided_without_memory),
		cmocka_unit_test(no_rule_is_forgotten_without_memory),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
