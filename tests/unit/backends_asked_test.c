/* backends/engine.c, exec.c, and what each engine does in its own way. The engine is a fake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "backends/backend.h"
#include "backends/engine.h"
#include "backends/make.h"
#include "backends/transport/transport.h"
#include "tests/unit/engine_fixture.h"

#define ID64 "2949c6c31c30d3a08329b19441bcb2825a7366f146b46bce911f161ad49e165e"

#define BODY(status, json)  "HTTP/1.1 " status "\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" json
#define REPLY(status, json) SAY_THEN(BODY(status, json), CLOSE)
#define GONE		    SAY_THEN(NULL, CLOSE)
#define FAILS		    REPLY("500 Error", "{\"message\":\"will not\"}")
#define OUR_POD		    REPLY("200 OK", "{\"Labels\":{\"sockwake.keeps\":\"x\"}}")
#define NOTHING		    SAY_THEN(NO_CONTENT, CLOSE)
#define BUSY		    REPLY("409 Conflict", "{\"message\":\"is busy\"}")
#define MISSING		    REPLY("404 Not Found", "{\"message\":\"no such container\"}")

static void clear_environment(void)
{
	unsetenv("DOCKER_HOST");
	unsetenv("CONTAINER_HOST");
	unsetenv("XDG_RUNTIME_DIR");
}

/* The longest path that the address of a socket can hold; one byte longer; and others that are none. */
static void paths_of_sockets(void **state)
{
	char path[ENGINE_SOCKET_MAX + 1], found[ENGINE_SOCKET_MAX];
	_cleanup_engine_ struct engine *e = NULL;
	struct error err;

	(void)state;
	clear_environment();
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[ENGINE_SOCKET_MAX - 1] = '\0';
	assert_int_equal(engine_find_socket(BACKEND_DOCKER, SCOPE_SYSTEM, path, found, &err), 0);
	assert_string_equal(found, path);
	path[ENGINE_SOCKET_MAX - 1] = 'x';
	path[ENGINE_SOCKET_MAX] = '\0';
	assert_int_equal(engine_find_socket(BACKEND_DOCKER, SCOPE_SYSTEM, path, found, &err), -1);
	assert_int_equal(err.code, EINVAL);
	assert_int_equal(engine_find_socket(BACKEND_DOCKER, SCOPE_SYSTEM, "run/x", found, &err), -1);
	assert_string_equal(err.text, "the engine's socket 'run/x' is not an absolute path of at most 107 bytes");
	assert_int_equal(engine_open(BACKEND_DOCKER, SCOPE_SYSTEM, "run/x", &e, &err), -1);
	assert_null(e);
}

static void where_sockets_are(void **state)
{
	static const struct {
		enum backend_kind kind;
		enum scope scope;
		const char *path, *host, *runtime, *expected;
	} cases[] = {
		{BACKEND_DOCKER, SCOPE_SYSTEM, NULL, NULL, NULL, "/run/docker.sock"},
		{BACKEND_PODMAN, SCOPE_SYSTEM, "", "", "/run/x", "/run/podman/podman.sock"},
		{BACKEND_DOCKER, SCOPE_USER, NULL, NULL, "/run/x", "/run/x/docker.sock"},
		{BACKEND_PODMAN, SCOPE_USER, NULL, NULL, "/run/x", "/run/x/podman/podman.sock"},
		{BACKEND_PODMAN, SCOPE_USER, NULL, "unix:///a/b", "/run/x", "/a/b"},
		{BACKEND_PODMAN, SCOPE_USER, "/c", "unix:///a/b", "/run/x", "/c"},
		{BACKEND_DOCKER, SCOPE_SYSTEM, NULL, "tcp://a:1", NULL, NULL},
		{BACKEND_DOCKER, SCOPE_SYSTEM, NULL, "unix://a", NULL, NULL},
		{BACKEND_DOCKER, SCOPE_USER, NULL, NULL, "run/x", NULL},
	};
	static const char *const says[] = {"DOCKER_HOST is 'tcp://a:1'", "'a' (from DOCKER_HOST)",
					   "'run/x/docker.sock' (from XDG_RUNTIME_DIR)"};
	char found[ENGINE_SOCKET_MAX], of_user[64];
	struct error err;

	(void)state;
	for (size_t k = 0, wrong = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		clear_environment();
		if (cases[k].host)
			setenv(cases[k].kind == BACKEND_DOCKER ? "DOCKER_HOST" : "CONTAINER_HOST", cases[k].host, 1);
		if (cases[k].runtime)
			setenv("XDG_RUNTIME_DIR", cases[k].runtime, 1);
		if (engine_find_socket(cases[k].kind, cases[k].scope, cases[k].path, found, &err) == 0)
			assert_string_equal(found, cases[k].expected);
		else if (cases[k].expected || !strstr(err.text, says[wrong++]))
			fail_msg("%zu: %s", k, err.text);
	}
	clear_environment();
	snprintf(of_user, sizeof(of_user), "/run/user/%u/docker.sock", geteuid());
	for (int k = 0; k < 2; k++) {
		assert_int_equal(engine_find_socket(BACKEND_DOCKER, SCOPE_USER, NULL, found, &err), 0);
		assert_string_equal(found, of_user);
		setenv("XDG_RUNTIME_DIR", "", 1);
	}
	unsetenv("XDG_RUNTIME_DIR");
}

#define STEPS_MAX 4

/* What an engine answers, what comes of it, and how many requests that takes. */
struct play {
	struct exchange script[STEPS_MAX];
	int code; /* 0: no error */
	int result;
	unsigned requests;
};

static char seen[sizeof(((struct seen *)0)->text)]; /* what it was asked */

/* All of these with one engine. */
static void play(enum backend_kind kind, const struct play *plays, size_t n,
		 int (*f)(struct engine *e, int *ret, struct error *err))
{
	struct exchange script[64] = {};
	struct fake_engine fake;
	unsigned requests = 0;

	for (size_t k = 0; k < n; k++) {
		assert_true(requests + plays[k].requests <= sizeof(script) / sizeof(*script));
		memcpy(script + requests, plays[k].script, plays[k].requests * sizeof(*script));
		requests += plays[k].requests;
	}
	fake_start(&fake, script, requests);
	requests = 0;
	for (size_t k = 0; k < n; k++) {
		_cleanup_engine_ struct engine *e = engine_opened(&fake, kind);
		struct error err = {};
		int result = -1, r = f(e, &result, &err);

		if ((r < 0) != (plays[k].code != 0) || err.code != plays[k].code)
			fail_msg("play %zu: %d, %d: %s", k, r, err.code, err.text);
		requests += plays[k].requests;
		assert_int_equal(fake.seen->requests, requests);
		if (r == 0)
			assert_int_equal(result, plays[k].result);
	}
	strcpy(seen, fake.seen->text);
	fake_stop(&fake);
}
#define PLAY(kind, plays, f) play(kind, plays, sizeof(plays) / sizeof(*(plays)), f)

#define EXEC_MADE	  REPLY("201 Created", "{\"Id\":\"" ID64 "\"}")
#define EXEC_RAN	  REPLY("200 OK", "output")
#define EXEC_STATE(state) REPLY("200 OK", "{" state "}")

static int try_health(struct engine *e, int *ret, struct error *err)
{
	char *test[] = {(char[]){"CMD"}, (char[]){"true"}, NULL};
	struct container c = {.name = "x", .id = ID64, .health_test = test};
	enum health health;
	int r = e->backend->try_health(e, &c, &health, err);

	*ret = health;
	return r;
}

/* Each step of the check fails in turn. */
static void a_health_check_in_steps(void **state)
{
	static const struct play plays[] = {
		{{GONE}, ECONNRESET, 0, 1},
		{{FAILS}, EREMOTEIO, 0, 1},
		{{MISSING}, ENOENT, 0, 1},
		{{REPLY("201 Created", "{}")}, EPROTO, 0, 1},
		{{REPLY("200 OK", "{\"Id\":\"" ID64 "\"}")}, EREMOTEIO, 0, 1},
		{{EXEC_MADE, GONE}, ECONNRESET, 0, 2},
		{{EXEC_MADE, FAILS}, EREMOTEIO, 0, 2},
		{{EXEC_MADE, EXEC_RAN, GONE}, ECONNRESET, 0, 3},
		{{EXEC_MADE, EXEC_RAN, FAILS}, EPROTO, 0, 3},
		{{EXEC_MADE, EXEC_RAN, REPLY("200 OK", "nonsense")}, EPROTO, 0, 3},
		{{EXEC_MADE, EXEC_RAN, EXEC_STATE("\"ExitCode\":0")}, EPROTO, 0, 3},
		{{EXEC_MADE, EXEC_RAN, EXEC_STATE("\"Running\":false,\"ExitCode\":\"0\"")}, EPROTO, 0, 3},
		{{EXEC_MADE, EXEC_RAN, EXEC_STATE("\"Running\":true,\"ExitCode\":0")}, 0, HEALTH_STARTING, 3},
		{{EXEC_MADE, EXEC_RAN, EXEC_STATE("\"Running\":false,\"ExitCode\":1")}, 0, HEALTH_STARTING, 3},
		{{EXEC_MADE, EXEC_RAN, EXEC_STATE("\"Running\":false")}, 0, HEALTH_STARTING, 3},
		{{EXEC_MADE, EXEC_RAN, EXEC_STATE("\"Running\":false,\"ExitCode\":0")}, 0, HEALTH_HEALTHY, 3},
	};
	static const char *const prefixes[] = {[BACKEND_DOCKER] = "", [BACKEND_PODMAN] = "/v4.0.0/libpod"};
	char line[256];

	(void)state;
	for (enum backend_kind kind = BACKEND_DOCKER; kind <= BACKEND_PODMAN; kind++) {
		PLAY(kind, plays, try_health);
		snprintf(line, sizeof(line), "POST %s/containers/" ID64 "/exec HTTP", prefixes[kind]);
		assert_non_null(strstr(seen, line));
		snprintf(line, sizeof(line), "POST %s/exec/" ID64 "/start HTTP", prefixes[kind]);
		assert_non_null(strstr(seen, line));
		snprintf(line, sizeof(line), "GET %s/exec/" ID64 "/json HTTP", prefixes[kind]);
		assert_non_null(strstr(seen, line));
	}
}

static void health_checks_of_other_kinds(void **state)
{
	FAKE_ENGINE(f, REPLY("200 OK", "{\"Status\":\"healthy\",\"Log\":[{\"ExitCode\":0}]}"), FAILS,
		    REPLY("200 OK", "{}"), GONE);
	_cleanup_engine_ struct engine *docker = engine_opened(&f, BACKEND_DOCKER),
				       *podman = engine_opened(&f, BACKEND_PODMAN);
	char *test[] = {(char[]){"OF-THE-FUTURE"}, NULL};
	struct container none = {.name = "x", .id = ID64}, strange = {.name = "x", .id = ID64, .health_test = test};
	struct engine *both[] = {docker, podman};
	static const int codes[] = {EREMOTEIO, EPROTO, ECONNRESET};
	enum health health = HEALTH_HEALTHY;
	struct error err;

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		assert_int_equal(both[k]->backend->check_health(both[k], &none, &health, &err), 0);
		assert_int_equal(health, HEALTH_NONE);
		health = HEALTH_HEALTHY;
		assert_int_equal(both[k]->backend->try_health(both[k], &none, &health, &err), 0);
		assert_int_equal(health, HEALTH_NONE);
		assert_int_equal(both[k]->backend->try_health(both[k], &strange, &health, &err), -1);
		assert_int_equal(err.code, EINVAL);
		assert_non_null(strstr(err.text, "unknown kind ('OF-THE-FUTURE')"));
	}
	/* Podman runs the check itself. */
	assert_int_equal(f.seen->requests, 0);
	assert_int_equal(podman->backend->check_health(podman, &strange, &health, &err), 0);
	assert_int_equal(health, HEALTH_HEALTHY);
	for (size_t k = 0; k < sizeof(codes) / sizeof(*codes); k++) {
		assert_int_equal(podman->backend->check_health(podman, &strange, &health, &err), -1);
		assert_int_equal(err.code, codes[k]);
	}
	fake_stop(&f);
}

static int list(struct engine *e, int *ret, struct error *err)
{
	_cleanup_container_list_ struct container_list l = {};
	int r;

	l.items = calloc(1, sizeof(*l.items));
	l.n = 1; /* of an earlier call */
	r = e->backend->list(e, &l, err);
	*ret = (int)l.n;
	return r;
}

static void lists(void **state)
{
	static const struct play plays[] = {
		{{GONE}, ECONNRESET, 0, 1},
		{{FAILS}, EPROTO, 0, 1},
		{{REPLY("200 OK", "nonsense")}, EPROTO, 0, 1},
		{{REPLY("500 Error", "[]")}, EPROTO, 0, 1},
		{{REPLY("200 OK", "[]")}, 0, 0, 1},
		{{REPLY("200 OK", "[{\"Id\":\"" ID64 "\",\"Names\":[\"a\"]},{\"Id\":\"" ID64 "\",\"Names\":[\"b\"]}]")},
		 0,
		 2,
		 1},
	};
	(void)state;
	for (enum backend_kind kind = BACKEND_DOCKER; kind <= BACKEND_PODMAN; kind++)
		PLAY(kind, plays, list);
}

static void what_is_busy(void **state)
{
	static const struct {
		long status;
		const char *body;
		bool docker, podman;
	} cases[] = {
		{409, "", true, true},
		{410, "", false, false},
		{500, "", false, false},
		{500, "container x is not paused", true, false},
		{500, "container x is already paused", true, false},
		{501, "container x is not paused", false, false},
		{404, "container x is already paused", false, false},
		{500, "{\"cause\":\"container state improper\"}", false, true},
		{501, "{\"cause\":\"container state improper\"}", false, false},
		{404, "{\"cause\":\"container state improper\"}", false, false},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		size_t len = strlen(cases[k].body);

		assert_int_equal(docker_backend.is_busy(cases[k].status, cases[k].body, len), cases[k].docker);
		assert_int_equal(podman_backend.is_busy(cases[k].status, cases[k].body, len), cases[k].podman);
	}
}

/* What is in the way to a socket, and what to do about it. */
static void failures_to_connect(void **state)
{
	static const struct {
		int before;
		const char *group;
		bool explained;
		int code;
		const char *text;
	} cases[] = {
		{ENOENT, "docker", true, ENOTCONN,
		 "Docker does not answer: nothing listens on '/x'; start it with 'start it'"},
		{ECONNREFUSED, NULL, true, ENOTCONN, "Docker does not answer: nothing listens on '/x'"},
		{EACCES, "docker", true, EACCES,
		 "this user may not use Docker's socket '/x': run as root, or as a user whom its owner and group allow "
		 "it (the group 'docker')"},
		{EPERM, NULL, true, EACCES, "its owner and group allow it"},
		{EIO, NULL, false, EIO, "before"},
	};

	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	struct error err;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(unix_transport.check(path, &err), -1);
	assert_int_equal(err.code, ENAMETOOLONG);
	path[sizeof(path) - 2] = '\0';
	assert_int_equal(unix_transport.check(path, &err), 0);
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct transport_peer peer = {
			.title = "Docker", .address = "/x", .enable = "start it", .group = cases[k].group};

		error_set(&err, cases[k].before, "before");
		assert_int_equal(unix_transport.explain(&peer, &err), cases[k].explained);
		assert_int_equal(err.code, cases[k].code);
		if (!strstr(err.text, cases[k].text))
			fail_msg("%s", err.text);
	}
}

/* What an earlier inspection has found is gone, whatever comes of the next one. */
static int inspect_again(struct engine *e, int *ret, struct error *err)
{
	_cleanup_container_ struct container c = {};
	int r;

	c.n_ports = 1;
	c.ports = calloc(1, sizeof(*c.ports));
	r = e->backend->inspect(e, "cafe", &c, err);
	*ret = c.n_ports;
	if (r < 0)
		assert_true(c.n_ports == 0 && !c.ports && !c.name[0]);
	return r;
}

#define INSPECTION(name, id)                                                                                           \
	REPLY("200 OK", "{\"Id\":\"" id "\",\"Name\":\"" name                                                          \
			"\",\"State\":{\"Status\":\"running\",\"Pid\":7},\"HostConfig\":{},\"Config\":{}}")

static void inspections(void **state)
{
	static const struct play plays[] = {
		{{GONE}, ECONNRESET, 0, 1},
		{{FAILS}, EREMOTEIO, 0, 1},
		{{MISSING}, ENOENT, 0, 1},
		{{REPLY("200 OK", "{}")}, EPROTO, 0, 1},
		{{INSPECTION("cafe", ID64)}, 0, 0, 1},
		/* cafe is only the beginning of the identifier of x */
		{{INSPECTION("x", "cafec6c31c30d3a08329b19441bcb2825a7366f146b46bce911f161ad49e165e")}, ENOENT, 0, 1},
	};

	(void)state;
	for (enum backend_kind kind = BACKEND_DOCKER; kind <= BACKEND_PODMAN; kind++)
		PLAY(kind, plays, inspect_again);
}

static char longest[257];

static int let_go(struct engine *e, int *ret, struct error *err)
{
	*ret = 0;
	return e->backend->let_go(e, longest, err);
}

/* The longest name of a container fits into each path. */
static void what_is_let_go(void **state)
{
	static const struct play plays[] = {
		{{MISSING}, 0, 0, 1},
		{{REPLY("200 OK", "{\"Labels\":{\"sockwake.keeps\":\"x\"}}")}, 0, 0, 1}, /* of somebody else */
		{{REPLY("200 OK", "{\"Labels\":{}}")}, 0, 0, 1},
		{{REPLY("200 OK", "nonsense")}, EPROTO, 0, 1},
		{{FAILS}, EREMOTEIO, 0, 1},
		{{GONE}, ECONNRESET, 0, 1},
	};
	static const struct play ours[] = {{{OUR_POD, REPLY("200 OK", "{}")}, 0, 0, 2},
					   {{OUR_POD, MISSING}, 0, 0, 2},
					   {{OUR_POD, REPLY("405 X", "{}")}, EREMOTEIO, 0, 2},
					   {{OUR_POD, GONE}, ECONNRESET, 0, 2}};
	static const struct play refused[] = {{{MISSING}, EINVAL, 0, 0}};
	char line[400];

	(void)state;
	memset(longest, 'n', 255);
	PLAY(BACKEND_PODMAN, plays, let_go);
	snprintf(line, sizeof(line), "GET /v4.0.0/libpod/pods/sockwake-%s-keep-pod/json HTTP", longest);
	assert_non_null(strstr(seen, line));
	memset(longest, 0, sizeof(longest));
	strcpy(longest, "x");
	PLAY(BACKEND_PODMAN, ours, let_go);
	assert_non_null(strstr(seen, "DELETE /v4.0.0/libpod/pods/sockwake-x-keep-pod?force=true HTTP"));
	memset(longest, 'n', 256);
	PLAY(BACKEND_PODMAN, refused, let_go);
}

static enum container_state state_before;
static bool has_deadline;

/* Does the deadline afterwards leave time for what comes next? */
static int end(struct engine *e, int *ret, struct error *err)
{
	struct container c = {.name = "x", .id = ID64, .state = state_before, .stop_timeout = 3};
	int r;

	e->deadline = has_deadline ? now_usec() + 5 * USEC_PER_SEC : USEC_INFINITY;
	r = engine_end_container(e, &c, err);
	*ret = has_deadline ? e->deadline > now_usec() + 5 * USEC_PER_SEC && e->deadline < USEC_INFINITY
			    : e->deadline == USEC_INFINITY;
	return r;
}

static void the_end_of_a_container(void **state)
{
	static const enum container_state without_a_process[] = {CONTAINER_CREATED, CONTAINER_EXITED},
					  with_one[] = {CONTAINER_RUNNING, CONTAINER_RESTARTING, CONTAINER_DEAD};
	static const struct play nothing[] = {{{GONE}, 0, 1, 0}},
				 stops[] = {{{NOTHING}, 0, 1, 1},
					    {{MISSING}, 0, 1, 1},
					    {{FAILS}, EREMOTEIO, 0, 1},
					    {{GONE}, ECONNRESET, 0, 1}},
				 unpauses[] = {{{NOTHING, NOTHING}, 0, 1, 2},
					       {{BUSY, NOTHING}, 0, 1, 2}, /* it runs again by now */
					       {{FAILS}, EREMOTEIO, 0, 1},
					       {{MISSING}, 0, 1, 1},
					       {{NOTHING, FAILS}, EREMOTEIO, 0, 2}};
	(void)state;
	for (int k = 0; k < 2; k++) {
		has_deadline = k;
		for (size_t m = 0; m < sizeof(without_a_process) / sizeof(*without_a_process); m++) {
			state_before = without_a_process[m];
			PLAY(BACKEND_DOCKER, nothing, end);
		}
		for (size_t m = 0; m < sizeof(with_one) / sizeof(*with_one); m++) {
			state_before = with_one[m];
			PLAY(BACKEND_DOCKER, stops, end);
		}
		state_before = CONTAINER_PAUSED;
		PLAY(BACKEND_DOCKER, unpauses, end);
	}
}

static const char *network;

static int find_network(struct engine *e, int *ret, struct error *err)
{
	*ret = 0;
	return engine_find_network(e, network, err);
}

static void networks(void **state)
{
	static const char *const modes[] = {"none",	 "host",	  "bridge",	 "default",
					    "private",	 "pasta",	  "ns",		 "slirp4netns",
					    "container", "pasta:-t,auto", "bridge:ip=1", "ns:/run/x"};
	static const char *const names[] = {"non", "nonex", "web", "hosts", ""};
	static const struct play none[] = {{{FAILS}, 0, 0, 0}}, one[] = {{{REPLY("200 OK", "{}")}, 0, 0, 1}},
				 asked[] = {{{REPLY("200 OK", "{}")}, 0, 0, 1},
					    {{MISSING}, ENOENT, 0, 1},
					    {{GONE}, ECONNRESET, 0, 1}};
	(void)state;
	for (size_t k = 0; k < sizeof(modes) / sizeof(*modes); k++) {
		network = modes[k];
		PLAY(BACKEND_PODMAN, none, find_network);
	}
	for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
		network = names[k];
		PLAY(BACKEND_PODMAN, asked, find_network);
	}
	network = "web:ip=10.0.0.1,other";
	PLAY(BACKEND_PODMAN, one, find_network);
	assert_non_null(strstr(seen, "GET /v4.0.0/libpod/networks/web/json HTTP"));
	PLAY(BACKEND_DOCKER, one, find_network);
	assert_non_null(strstr(seen, "GET /networks/web HTTP"));
}

static const char *names_of[2];

static int rename_it(struct engine *e, int *ret, struct error *err)
{
	*ret = 0;
	return engine_rename_container(e, names_of[0], names_of[1], err);
}

static int remove_it(struct engine *e, int *ret, struct error *err)
{
	*ret = 0;
	return engine_remove_container(e, names_of[0], err);
}

static void names_that_are_none(void **state)
{
	static const struct play refused[] = {{{NOTHING}, EINVAL, 0, 0}};
	(void)state;
	names_of[0] = "old";
	names_of[1] = "a b";
	PLAY(BACKEND_DOCKER, refused, rename_it);
	names_of[0] = "a b";
	names_of[1] = "new";
	PLAY(BACKEND_DOCKER, refused, rename_it);
	PLAY(BACKEND_DOCKER, refused, remove_it);
}

static void what_a_rename_and_a_removal_are_told(void **state)
{
	static const struct play renames[] = {{{NOTHING}, 0, 0, 1},
					      {{FAILS}, EREMOTEIO, 0, 1},
					      {{MISSING}, ENOENT, 0, 1},
					      {{GONE}, ECONNRESET, 0, 1}};
	static const struct play removals[] = {
		{{NOTHING}, 0, 0, 1},
		{{REPLY("200 OK", "[]")}, 0, 0, 1},
		{{MISSING}, 0, 0, 1},
		{{REPLY("409 Conflict", "{\"message\":\"removal of container x is already in progress\"}")}, 0, 0, 1},
		{{BUSY}, EBUSY, 0, 1},
		{{REPLY("500 Error", "{\"message\":\"in progress\"}")}, EREMOTEIO, 0, 1},
		{{REPLY("201 Created", "")}, EREMOTEIO, 0, 1},
		{{FAILS}, EREMOTEIO, 0, 1},
		{{GONE}, ECONNRESET, 0, 1},
	};
	(void)state;
	names_of[0] = "old";
	names_of[1] = "new";
	PLAY(BACKEND_DOCKER, renames, rename_it);
	PLAY(BACKEND_PODMAN, removals, remove_it);
}

/* A name that could begin an identifier is looked up first. */
static void what_a_short_name_is(void **state)
{
	static const struct play removals[] = {
		{{MISSING}, 0, 0, 1}, {{FAILS}, EREMOTEIO, 0, 1}, {{GONE}, ECONNRESET, 0, 1}};
	static const struct play renames[] = {{{MISSING}, ENOENT, 0, 1}, {{GONE}, ECONNRESET, 0, 1}};
	(void)state;
	names_of[0] = "cafe";
	names_of[1] = "new";
	PLAY(BACKEND_DOCKER, removals, remove_it);
	PLAY(BACKEND_DOCKER, renames, rename_it);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_of_sockets),
		cmocka_unit_test(where_sockets_are),
		cmocka_unit_test(a_health_check_in_steps),
		cmocka_unit_test(health_checks_of_other_kinds),
		cmocka_unit_test(lists),
		cmocka_unit_test(what_is_busy),
		cmocka_unit_test(failures_to_connect),
		cmocka_unit_test(inspections),
		cmocka_unit_test(what_is_let_go),
		cmocka_unit_test(the_end_of_a_container),
		cmocka_unit_test(networks),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(what_a_rename_and_a_removal_are_told),
		cmocka_unit_test(what_a_short_name_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
