/* backends/make.c, against an engine that says what the test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#pragma GCC diagnostic ignored "-Wdiscarded-qualifiers" /* literals, where the program would own strings */

#include "backends/engine.h"
#include "backends/make.h"
#include "common/clock.h"
#include "tests/unit/engine_fixture.h"

#define ID64 "2949c6c31c30d3a08329b19441bcb2825a7366f146b46bce911f161ad49e165e"

#define BODY(status, json) "HTTP/1.1 " status "\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" json

#define THERE(name)                                                                                                    \
	BODY("200 OK", "{\"Id\":\"" ID64 "\",\"Name\":\"/" name "\",\"State\":{\"Status\":\"created\",\"Pid\":0},"     \
		       "\"HostConfig\":{\"NetworkMode\":\"none\"},\"Config\":{}}")
#define TAKEN	SAY_THEN(BODY("409 Conflict", "{\"message\":\"in use\"}"), CLOSE)
#define NOBODY	SAY_THEN(BODY("404 Not Found", "{\"message\":\"no such container\"}"), CLOSE)
#define CREATED SAY_THEN(BODY("201 Created", "{\"Id\":\"" ID64 "\"}"), CLOSE)

static bool parses(const char *json, struct image *i)
{
	*i = (struct image){};
	return image_parse(json, strlen(json), i);
}

static void images(void **state)
{
	static const char *const wrong[] = {
		"",
		"[]",
		"{}",
		"{\"Id\":\"x\"}",
		"{\"Id\":\"" ID64 "0\"}",
		"{\"Id\":\"" ID64 "\",\"Config\":{\"ExposedPorts\":[]}}",
		"{\"Id\":\"" ID64 "\",\"Config\":{\"ExposedPorts\":{\"http/tcp\":{}}}}",
		"{\"Id\":\"" ID64 "\",\"Config\":{\"Volumes\":[]}}",
		"{\"Id\":\"" ID64 "\",\"Config\":{\"Volumes\":{\"data\":{}}}}",
		"{\"Id\":\"" ID64 "\",\"Config\":{\"Volumes\":{\"/a/../b\":{}}}}",
		"{\"Id\":\"" ID64 "\",\"Config\":{\"Volumes\":{\"/a\\nb\":{}}}}",
	};
	struct image i;

	(void)state;
	assert_true(parses("{\"Id\":\"sha256:" ID64 "\",\"Config\":{\"Volumes\":{\"/b\":{},\"/a\":{}}}}", &i));
	assert_string_equal(i.id, "sha256:" ID64);
	assert_int_equal(i.n_volumes, 2);
	assert_string_equal(i.volumes[0], "/b");
	image_clear(&i);
	assert_true(parses("{\"Id\":\"" ID64 "\",\"Config\":{\"Volumes\":null}}", &i));
	assert_int_equal(i.n_volumes, 0);
	assert_int_equal(i.exposed_port, 0);
	image_clear(&i);
	assert_true(parses("{\"Id\":\"" ID64 "\",\"Config\":{\"ExposedPorts\":{\"8080/tcp\":{},\"443/tcp\":{}}}}", &i));
	assert_int_equal(i.exposed_port, 443);
	image_clear(&i);
	for (size_t k = 0; k < sizeof(wrong) / sizeof(*wrong); k++) {
		if (parses(wrong[k], &i))
			fail_msg("accepted: %s", wrong[k]);
		image_clear(&i);
	}
}

static void an_image_has_at_most_64_volumes(void **state)
{
	struct image i;

	(void)state;
	for (int n = 64; n <= 65; n++) {
		char text[2048] = "{\"Id\":\"" ID64 "\",\"Config\":{\"Volumes\":{\"/0\":{}";

		for (int k = 1; k < n; k++)
			sprintf(text + strlen(text), ",\"/%d\":{}", k);
		strcat(text, "}}}");
		assert_int_equal(parses(text, &i), n == 64);
		image_clear(&i);
	}
}

static void versions(void **state)
{
	static const char *const new[] = {"4.4", "4.4.0", "4.10.1", "5.4.2", "5.0.0-rc1", "10.0"};
	static const char *const old[] = {"4.3.1", "3.4.4", "", "x", "4", "-5.4", "dev"};

	(void)state;
	for (size_t k = 0; k < sizeof(new) / sizeof(*new); k++)
		assert_true(version_has_quadlet(new[k]));
	for (size_t k = 0; k < sizeof(old) / sizeof(*old); k++)
		assert_false(version_has_quadlet(old[k]));
}

static void the_body(void **state)
{
	struct made_container o = {
		.image = "x",
		.environment = (char *[]){"A=\"b\"", NULL},
		.volumes = (char *[]){"v:/v", NULL},
		.network = "none",
		.command = (char *[]){"sh", NULL},
	};
	struct made_container small = {.image = "x"};
	_cleanup_free_ char *json = made_container_to_json(&o, "web", "x:1", "1"),
			    *least = made_container_to_json(&small, "web", "x", "2");

	(void)state;
	assert_string_equal(
		json,
		"{\"Labels\":{\"sockwake.made-for\":\"web\",\"sockwake.made-of\":\"1\",\"sockwake.made-as\":\"21540f54617362a9\"},\"HostConfig\":{\"Binds\":[\"v:/v\"],"
		"\"NetworkMode\":\"none\"},\"Image\":\"x:1\",\"StopTimeout\":10,\"Env\":[\"A=\\\"b\\\"\"],\"Cmd\":[\"sh\"]}");
	assert_string_equal(
		least,
		"{\"Labels\":{\"sockwake.made-for\":\"web\",\"sockwake.made-of\":\"2\",\"sockwake.made-as\":\"9deb0ebf8edfac47\"},\"HostConfig\":{},\"Image\":\"x\",\"StopTimeout\":10}");
}

static void docker_makes_and_removes(void **state)
{
	FAKE_ENGINE(f, SAY_THEN(BODY("200 OK", "{\"Id\":\"sha256:" ID64 "\"}"), CLOSE),
		    SAY_THEN(BODY("201 Created", "{\"Id\":\"" ID64 "\",\"Warnings\":[]}"), CLOSE), SAY(NO_CONTENT),
		    SAY(NO_CONTENT));
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_DOCKER);
	_cleanup_image_ struct image i = {};
	struct made_container o = {.image = "lib/x:1"};
	struct error err;
	bool quadlet = true;

	(void)state;
	assert_int_equal(engine_has_quadlet(e, &quadlet, &err), 0); /* without a request */
	assert_false(quadlet);
	assert_int_equal(engine_find_image(e, o.image, &i, &err), 0);
	assert_int_equal(engine_create_container(e, &o, "web", &i, &err), 0);
	assert_int_equal(engine_rename_container(e, "web", "old", &err), 0);
	assert_int_equal(engine_remove_container(e, "old", &err), 0);
	assert_non_null(strstr(f.seen->text, "GET /images/lib/x:1/json HTTP"));
	assert_non_null(strstr(f.seen->text, "POST /containers/create?name=web HTTP"));
	assert_non_null(strstr(f.seen->text, "\"Image\":\"lib/x:1\""));
	assert_non_null(strstr(f.seen->text, "POST /containers/web/rename?name=old HTTP"));
	assert_non_null(strstr(f.seen->text, "DELETE /containers/old?force=true&v=false HTTP"));
	fake_stop(&f);
}

static void podman_makes_by_identifier(void **state)
{
	FAKE_ENGINE(f, SAY_THEN(BODY("200 OK", "{\"Version\":\"4.3.1\"}"), CLOSE),
		    SAY_THEN(BODY("200 OK", "{\"Version\":\"5.4.2\"}"), CLOSE),
		    SAY_THEN(BODY("200 OK", "{\"Version\":5}"), CLOSE),
		    SAY_THEN(BODY("200 OK", "{\"Id\":\"" ID64 "\"}"), CLOSE),
		    SAY_THEN(BODY("201 Created", "{\"Id\":\"" ID64 "\"}"), CLOSE),
		    SAY_THEN(BODY("200 OK", "[{\"Id\":\"" ID64 "\"}]"), CLOSE));
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_PODMAN);
	_cleanup_image_ struct image i = {};
	struct made_container o = {.image = "x"};
	struct error err;
	bool quadlet = true;

	(void)state;
	assert_int_equal(engine_has_quadlet(e, &quadlet, &err), 0);
	assert_false(quadlet);
	assert_int_equal(engine_has_quadlet(e, &quadlet, &err), 0);
	assert_true(quadlet);
	assert_int_equal(engine_has_quadlet(e, &quadlet, &err), -1);
	assert_int_equal(err.code, EPROTO);
	assert_int_equal(engine_find_image(e, o.image, &i, &err), 0);
	assert_int_equal(engine_create_container(e, &o, "web", &i, &err), 0);
	assert_int_equal(engine_remove_container(e, "web", &err), 0);
	assert_non_null(strstr(f.seen->text, "GET /v4.0.0/libpod/images/x/json HTTP"));
	assert_non_null(strstr(f.seen->text, "\"Image\":\"" ID64 "\""));
	assert_non_null(strstr(f.seen->text, "DELETE /v4.0.0/libpod/containers/web?"));
	fake_stop(&f);
}

/* Docker gives a name away before it shows the container, and keeps it until that is removed. */
static void a_name_that_nobody_has_yet(void **state)
{
	FAKE_ENGINE(f, TAKEN, NOBODY, TAKEN, NOBODY, SAY_THEN(NO_CONTENT, CLOSE), TAKEN, NOBODY, CREATED, TAKEN,
		    SAY_THEN(THERE("web"), CLOSE));
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_DOCKER);
	_cleanup_image_ struct image i = {};
	struct made_container o = {.image = "x"};
	struct error err;

	(void)state;
	assert_int_equal(engine_rename_container(e, "old", "web", &err), 0);
	assert_int_equal(engine_create_container(e, &o, "web", &i, &err), 0);
	assert_int_equal(engine_rename_container(e, "old", "web", &err), -1);
	assert_int_equal(err.code, EEXIST);
	fake_stop(&f);
}

/* A start fails for want of the container, or of something that it needs. */
static void what_is_missing_at_a_start(void **state)
{
	FAKE_ENGINE(f, SAY_THEN(BODY("404 Not Found", "{\"message\":\"network shopnet not found\"}"), CLOSE),
		    SAY_THEN(BODY("404 Not Found", "{\"message\":\"No such container: web\"}"), CLOSE),
		    SAY_THEN(BODY("500 Internal",
				  "{\"message\":\"no container with ID 1 in database: no such container\"}"),
			     CLOSE));
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_DOCKER);
	enum start_result result;
	struct error err;

	(void)state;
	assert_int_equal(e->backend->start(e, "web", &result, &err), -1);
	assert_int_equal(err.code, EREMOTEIO);
	assert_non_null(strstr(err.text, "cannot start the container 'web': network shopnet not found"));
	for (int k = 0; k < 2; k++) {
		assert_int_equal(e->backend->start(e, "web", &result, &err), -1);
		assert_int_equal(err.code, ENOENT);
	}
	fake_stop(&f);
}

static void refusals(void **state)
{
	FAKE_ENGINE(f, SAY_THEN(BODY("404 Not Found", "{\"message\":\"no such image\"}"), CLOSE),
		    SAY_THEN(BODY("200 OK", "{\"Id\":1}"), CLOSE), TAKEN, SAY_THEN(THERE("web"), CLOSE),
		    SAY_THEN(BODY("404 Not Found", "{\"message\":\"no such network\"}"), CLOSE),
		    SAY_THEN(BODY("404 Not Found", "{\"message\":\"no such container\"}"), CLOSE),
		    SAY_THEN(BODY("500 Internal", "{\"message\":\"is stuck\"}"), CLOSE));
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_DOCKER);
	_cleanup_image_ struct image i = {}, none = {};
	struct made_container o = {.image = "x"};
	struct error err;

	(void)state;
	assert_int_equal(engine_find_image(e, "x", &i, &err), -1);
	assert_int_equal(err.code, ENOENT);
	assert_non_null(strstr(err.text, "docker pull x"));
	assert_int_equal(engine_find_image(e, "x", &i, &err), -1);
	assert_int_equal(err.code, EPROTO);
	assert_int_equal(engine_create_container(e, &o, "web", &none, &err), -1);
	assert_int_equal(err.code, EEXIST);
	assert_int_equal(engine_create_container(e, &o, "web", &none, &err), -1);
	assert_int_equal(err.code, EREMOTEIO);
	assert_non_null(strstr(err.text, "no such network"));
	assert_int_equal(engine_remove_container(e, "web", &err), 0);
	assert_int_equal(engine_remove_container(e, "web", &err), -1);
	assert_non_null(strstr(err.text, "is stuck"));
	fake_stop(&f);
}

#define STUCK SAY_THEN(BODY("500 Internal", "{\"message\":\"is stuck\"}"), CLOSE)
#define BUSY  SAY_THEN(BODY("409 Conflict", "{\"message\":\"is not paused\"}"), CLOSE)
#define DONE  SAY_THEN(NO_CONTENT, CLOSE)

/* The last parts of the paths that were asked for: "unpause stop". */
static const char *actions(const struct fake_engine *f)
{
	static char text[256];

	text[0] = '\0';
	for (const char *p = f->seen->text; (p = strstr(p, " HTTP/1.1\r\n")); p++) {
		const char *action = p;
		size_t len = strlen(text);

		while (action[-1] != '/')
			action--;
		snprintf(text + len, sizeof(text) - len, "%s%.*s", len ? " " : "", (int)strcspn(action, "? "), action);
	}
	return text;
}

static void whatever_its_state_it_ends(void **state)
{
	static const struct {
		enum container_state state;
		struct exchange answers[2];
		const char *actions;
		int result;
	} cases[] = {
		{CONTAINER_CREATED, {STUCK, STUCK}, "", 0},
		{CONTAINER_EXITED, {STUCK, STUCK}, "", 0},
		{CONTAINER_RUNNING, {DONE, STUCK}, "stop", 0},
		{CONTAINER_RESTARTING, {DONE, STUCK}, "stop", 0},
		{CONTAINER_RUNNING, {NOBODY, STUCK}, "stop", 0}, /* somebody has removed it */
		{CONTAINER_RUNNING, {STUCK, STUCK}, "stop", -1},
		{CONTAINER_PAUSED, {DONE, DONE}, "unpause stop", 0},
		{CONTAINER_PAUSED, {BUSY, DONE}, "unpause stop", 0}, /* somebody has unpaused it */
		{CONTAINER_PAUSED, {NOBODY, STUCK}, "unpause", 0},
		{CONTAINER_PAUSED, {STUCK, STUCK}, "unpause", -1},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct container c = {.state = cases[k].state, .id = ID64, .name = "web", .stop_timeout = 1};
		_cleanup_engine_ struct engine *e = NULL;
		struct fake_engine f;
		struct error err;

		fake_start(&f, cases[k].answers, 2);
		e = engine_opened(&f, BACKEND_DOCKER);
		e->deadline = k % 2 ? now_usec() : USEC_INFINITY; /* does not count */
		assert_int_equal(engine_end_container(e, &c, &err), cases[k].result);
		assert_string_equal(actions(&f), cases[k].actions);
		/* Whatever the caller asks for next has time again. */
		if (k % 2)
			assert_in_range(e->deadline - now_usec(), 20 * USEC_PER_SEC, 30 * USEC_PER_SEC);
		else
			assert_true(e->deadline == USEC_INFINITY);
		fake_stop(&f);
	}
}

static void networks(void **state)
{
	FAKE_ENGINE(f, SAY_THEN(BODY("200 OK", "{}"), CLOSE),
		    SAY_THEN(BODY("404 Not Found", "{\"message\":\"no such network\"}"), CLOSE), STUCK);
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_DOCKER);
	struct error err;

	(void)state;
	assert_int_equal(engine_find_network(e, "none", &err), 0);
	assert_int_equal(engine_find_network(e, "pasta:--mtu,1500", &err), 0);
	assert_int_equal(engine_find_network(e, "container:x", &err), 0);
	assert_int_equal(f.seen->requests, 0);
	assert_int_equal(engine_find_network(e, "shopnet:alias=db", &err), 0);
	assert_non_null(strstr(f.seen->text, "GET /networks/shopnet HTTP"));
	assert_int_equal(engine_find_network(e, "hosts,x", &err), -1); /* begins as a mode does */
	assert_int_equal(err.code, ENOENT);
	assert_non_null(strstr(err.text, "Docker has no network 'hosts': 'docker network create hosts' makes it"));
	assert_int_equal(engine_find_network(e, "hos", &err), 0); /* whoever creates the container will see */
	assert_int_equal(engine_find_network(e, "shopnet", &err), -1);
	fake_stop(&f);
}

static void what_is_no_name_is_not_asked_for(void **state)
{
	FAKE_ENGINE(f, NOBODY);
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_DOCKER);
	struct made_container o = {.image = "x"};
	struct image i = {};
	struct error err;

	(void)state;
	assert_int_equal(engine_create_container(e, &o, "a/b", &i, &err), -1);
	assert_int_equal(err.code, EINVAL);
	assert_int_equal(engine_rename_container(e, "a/b", "web", &err), -1);
	assert_int_equal(err.code, EINVAL);
	assert_int_equal(engine_rename_container(e, "web", "a/b", &err), -1);
	assert_int_equal(err.code, EINVAL);
	assert_int_equal(engine_remove_container(e, "a/b", &err), -1);
	assert_int_equal(err.code, EINVAL);
	assert_int_equal(f.seen->requests, 0);
	fake_stop(&f);
}

/* A name that could be the beginning of an identifier is looked up first. */
static void no_other_container_is_meant(void **state)
{
	FAKE_ENGINE(f, NOBODY, NOBODY, STUCK, STUCK, SAY_THEN(THERE("abc"), CLOSE), DONE, SAY_THEN(THERE("abc"), CLOSE),
		    DONE);
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_DOCKER);
	struct error err;

	(void)state;
	assert_int_equal(engine_rename_container(e, "abc", "web", &err), -1);
	assert_int_equal(err.code, ENOENT);
	assert_int_equal(engine_remove_container(e, "abc", &err), 0); /* nobody is left to be removed */
	assert_int_equal(engine_rename_container(e, "abc", "web", &err), -1);
	assert_int_equal(err.code, EREMOTEIO);
	assert_int_equal(engine_remove_container(e, "abc", &err), -1);
	assert_int_equal(err.code, EREMOTEIO);
	assert_string_equal(actions(&f), "json json json json");
	assert_int_equal(engine_rename_container(e, "abc", "web", &err), 0);
	assert_int_equal(engine_remove_container(e, "abc", &err), 0);
	assert_non_null(strstr(f.seen->text, "POST /containers/" ID64 "/rename?name=web HTTP"));
	assert_non_null(strstr(f.seen->text, "DELETE /containers/" ID64 "?force=true"));
	fake_stop(&f);
}

static void answers_to_a_removal(void **state)
{
	static const struct {
		const char *answer;
		int result;
	} cases[] = {
		{BODY("200 OK", "[]"), 0},
		{NO_CONTENT, 0},
		{BODY("404 Not Found", "{\"message\":\"no such container\"}"), 0},
		{BODY("409 Conflict", "{\"message\":\"removal of container web is already in progress\"}"), 0},
		{BODY("409 Conflict", "{\"message\":\"is needed\"}"), -1},
		{BODY("500 Internal", "{\"message\":\"a checkpoint is in progress\"}"), -1},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		const struct exchange answer = SAY_THEN(cases[k].answer, CLOSE);
		_cleanup_engine_ struct engine *e = NULL;
		struct fake_engine f;
		struct error err;

		fake_start(&f, &answer, 1);
		e = engine_opened(&f, BACKEND_DOCKER);
		assert_int_equal(engine_remove_container(e, "web", &err), cases[k].result);
		fake_stop(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(images),
		cmocka_unit_test(an_image_has_at_most_64_volumes),
		cmocka_unit_test(versions),
		cmocka_unit_test(the_body),
		cmocka_unit_test(docker_makes_and_removes),
		cmocka_unit_test(podman_makes_by_identifier),
		cmocka_unit_test(a_name_that_nobody_has_yet),
		cmocka_unit_test(what_is_missing_at_a_start),
		cmocka_unit_test(refusals),
		cmocka_unit_test(whatever_its_state_it_ends),
		cmocka_unit_test(networks),
		cmocka_unit_test(what_is_no_name_is_not_asked_for),
		cmocka_unit_test(no_other_container_is_meant),
		cmocka_unit_test(answers_to_a_removal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
