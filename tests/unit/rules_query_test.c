/* The values in the query of a request, and the names of what is made. */
#include "tests/unit/rules_fixture.h"

#include "rules/endpoint.h"
#include "rules/query.h"

#define HOST "Host: docker\r\n"

/* What a client writes into a query. */
static char *encode(const char *value)
{
	char *text = malloc(strlen(value) * 3 + 1), *end = text;

	assert_non_null(text);
	for (const char *p = value; *p; p++)
		end += sprintf(end, "%%%02X", (unsigned char)*p);
	*end = '\0';
	return text;
}

struct value {
	const char *request; /* without the value: "GET /containers/a/top?ps_args=" */
	const char *value;
	int status;
};

static void check_values(const char *rules, const struct play *plays, const struct value *values, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		_cleanup_free_ char *encoded = encode(values[k].value), *request = NULL;
		_cleanup_outcome_ struct outcome *o = NULL;

		assert_true(asprintf(&request, "%s%s HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", values[k].request,
				     encoded) > 0);
		o = ask(rules, plays, request);
		if (o->status != values[k].status)
			fail_msg("%s%s: %s", values[k].request, values[k].value, o->answer);
		request[strcspn(request, "?")] = '\0';
		assert_int_equal(strstr(o->fake.seen, request) != NULL, values[k].status == 200);
	}
}
#define CHECK(rules, plays, values) check_values(rules, plays, values, sizeof(values) / sizeof((values)[0]))

static void every_key_has_a_grammar(void **state)
{
	const struct endpoint *e;
	size_t keys = 0;

	(void)state;
	for (size_t k = 0; (e = endpoint_at(k)); k++) {
		_cleanup_free_ char *copy = strdup(e->query);
		char *rest = copy, *word;

		while ((word = strsep(&rest, " "))) {
			struct endpoint_key key;

			if (!*word)
				continue;
			assert_non_null(strchr(word, ':'));
			word[strcspn(word, ":")] = '\0';
			if (!endpoint_find_key(e, word, &key) || !query_has_grammar(key.grammar))
				fail_msg("%s: nobody knows what '%s' may be", e->action, word);
			keys++;
		}
	}
	assert_true(keys > 100);
	assert_false(query_has_grammar(""));
}

#define TOP "GET /containers/a/top?ps_args="

static void ps_shows_no_more_than_the_container(void **state)
{
	static const struct value values[] = {
		{TOP, "", 200},
		{TOP, "-ef", 200},
		{TOP, "aux", 200},
		{TOP, "-o pid,comm", 200},
		{TOP, "-eo user,pid,args", 200},
		{TOP, "-opid,ppid,cmd", 200},
		{TOP, "-o pid -o comm", 200},
		{TOP, "-ef  w", 200},
		/* A column with blanks before the PID tells of processes of the host. */
		{TOP, "e -C sleep --sort=-start_time -o args:600,nice,nice,nice,pid", 403},
		{TOP, "-o args,pid", 403},
		{TOP, "-o args -o pid", 403},
		{TOP, "-o comm,pid", 403},
		{TOP, "-o lstart,pid", 403},
		{TOP, "-o pid,args:600", 403},
		{TOP, "-o pid,environ", 403},
		{TOP, "-o user=PID,pid", 403},
		{TOP, "-o pid=X,comm", 403},
		{TOP, "-o label,pid", 403},
		{TOP, "-p 1", 403},
		{TOP, "-C sleep", 403},
		{TOP, "-o", 200}, /* ps says so */
		{TOP, "axe", 403},
		{TOP, "e", 403},
		{TOP, "-eLf", 403},
		{TOP, "-efwe", 403},
		{TOP, "--help", 403},
		{TOP, "hpid", 403},
	};
	static char longest[600];

	(void)state;
	CHECK("allow = containers.top", NULL, values);
	{
		const struct value too_long[] = {{TOP, longest, 403}};

		memset(longest, 'x', sizeof(longest) - 1);
		CHECK("allow = containers.top", NULL, too_long);
	}
}

#define COMMIT "POST /commit?container=a&changes="
#define IMPORT "POST /images/create?fromSrc=-&changes="

static void an_instruction_stays_one(void **state)
{
	static const struct value values[] = {
		{COMMIT, "CMD sh -c \"echo hi\"", 200},
		{COMMIT, "env a=\"b c\"", 200},
		{COMMIT, "LABEL a=b", 200},
		{IMPORT, "EXPOSE 80", 200},
		/* The next line, which is ours, would be a part of it. */
		{COMMIT, "CMD echo \\", 403},
		{COMMIT, "ENV x y \\  ", 403},
		{COMMIT, "CMD echo `", 403},
		{COMMIT, "# escape=`", 403},
		{COMMIT, "ONBUILD RUN <<'LABEL team='", 403},
		{COMMIT, "ONBUILD ENV a b", 403},
		{COMMIT, "CMD <<EOF", 403},
		{COMMIT, "RUN true", 403},
		{COMMIT, "FROM x", 403},
		{COMMIT, "CMD=sh", 403},
		{COMMIT, "CMD", 403},
		{COMMIT, "", 403},
		{COMMIT, "[\"CMD sh\"]", 403},
		{COMMIT, "\xef\xbb\xbf# escape=`", 403},
		{COMMIT, "CMD a\nLABEL b=c", 400},
		{IMPORT, "CMD echo \\", 403},
	};

	(void)state;
	CHECK("allow = images.commit images.import", NULL, values);
}

/* One value of each kind that clients send, and one that they do not. */
static void values_are_of_their_kind(void **state)
{
	static const struct value values[] = {
		{"GET /containers/json?all=", "True", 200},
		{"GET /containers/json?all=", "f", 403},
		{"GET /containers/json?limit=", "-1", 200},
		{"GET /containers/json?limit=", "1e3", 403},
		{"GET /containers/json?limit=", "-", 403},
		{"GET /containers/json?since=", "a", 200},
		{"GET /containers/json?since=", "../a", 403},
		{"GET /containers/a/logs?tail=", "all", 200},
		{"GET /containers/a/logs?tail=", "many", 403},
		{"GET /containers/a/logs?since=", "2026-01-31T10:00:00.5+01:00", 200},
		{"GET /containers/a/logs?since=", "1 day", 403},
		{"POST /containers/a/kill?signal=", "SIGRTMIN+3", 200},
		{"POST /containers/a/kill?signal=", "9", 200},
		{"POST /containers/a/kill?signal=", "-9", 403},
		{"POST /containers/a/kill?signal=", "TERM;x", 403},
		{"POST /containers/a/wait?condition=", "next-exit", 200},
		{"POST /containers/a/wait?condition=", "a b", 403},
		{"POST /containers/a/attach?detachKeys=", "ctrl-p,ctrl-q", 200},
		{"POST /containers/a/attach?detachKeys=", "!~", 200},
		{"POST /containers/a/attach?detachKeys=", "a b", 403},
		{"GET /containers/a/archive?path=", "/srv/a b", 200},
		{"GET /containers/a/archive?path=", "", 403},
		{"POST /images/create?fromImage=", "docker.io/library/a", 200},
		/* Podman: "dir:" with the tag behind it. */
		{"POST /images/create?tag=x&fromImage=", "dir", 403},
		{"POST /images/create?fromImage=a&tag=", "sha256:12", 200},
		{"POST /images/create?fromImage=a&tag=", "../x", 403},
		{"POST /images/create?fromImage=a&platform=", "linux/arm64/v8", 200},
		{"POST /images/create?fromImage=a&platform=", "{\"os\":\"linux\"}", 200},
		{"POST /images/create?fromImage=a&platform=", "linux;x", 403},
		{"POST /images/create?fromSrc=", "-", 200},
		{"POST /images/create?fromSrc=", "/etc/passwd", 403},
		{"POST /build?t=", "a/b:c", 200},
		{"POST /build?t=", "docker-archive:/etc/x", 403},
		{"POST /build?t=", "oci", 403},
		{"POST /build?dockerfile=", "a/My Dockerfile", 200},
		{"POST /build?dockerfile=", " /etc/passwd", 403},
		{"POST /build?dockerfile=", "{}", 403},
		{"POST /build?remote=", "https://github.com/a/b.git#main:c", 200},
		{"POST /build?remote=", "client-session", 200},
		{"POST /build?remote=", "file:///etc", 403},
		{"POST /build?remote=", "/etc", 403},
		{"POST /build?remote=", "git://a --upload-pack=x", 403},
		{"POST /build?buildargs=", "{\"a\":\"b\",\"c\":null}", 200},
		{"POST /build?buildargs=", "{\"a\":\"b\",\"a\":\"c\"}", 403},
		{"POST /build?buildargs=", "{\"a\":[1]}", 403},
		{"POST /build?cachefrom=", "[\"a\"]", 200},
		{"POST /build?cachefrom=", "a", 403},
		{"POST /build?cpusetcpus=", "0-3,5", 200},
		{"POST /build?cpusetcpus=", "/x", 403},
		{"POST /build?ulimits=", "[]", 200},
		{"POST /build?ulimits=", "[{\"Name\":\"nofile\",\"Soft\":1,\"Hard\":1}]", 403},
		{"POST /build?ulimits=", "[{\"Name\":{\"a\":1}}]", 403},
		{"POST /build?outputs=", "[]", 200},
		{"GET /images/json?filters=", "{\"dangling\":[\"true\"]}", 200},
		{"GET /images/json?filters=", "{\"label!\":[\"a\"]}", 200},
		{"GET /images/json?filters=", "{\"label=a\":[\"b\"]}", 400},
		{"GET /images/json?filters=", "{\"Label\":[\"b\"]}", 400},
		{"GET /images/json?filters=", "{\"\":[\"b\"]}", 400},
		{"GET /images/json?filters=", "{\"!\":[\"b\"]}", 400},
		{"GET /images/json?filters=", "{\"a\":{\"b\":false}}", 400},
		{"GET /images/a/json?manifests=", "1", 200},
		/* The path of an image, with a tag from the query. */
		{"POST /images/dir/push?tag=", "x", 403},
		{"POST /images/docker-archive:x/push?tag=", "x", 403},
		{"POST /images/a/push?tag=", "x", 200},
	};
	static const struct value granted[] = {
		{"POST /build?ulimits=", "[{\"Name\":\"nofile\",\"Soft\":1,\"Hard\":1}]", 200},
	};

	(void)state;
	CHECK("allow = containers.list containers.logs containers.kill containers.wait containers.attach "
	      "containers.copy-from images.pull images.import images.build images.list images.inspect images.push",
	      NULL, values);
	CHECK("allow = images.build\nulimits = yes", NULL, granted);
}

/* The longest value of each grammar. */
static void values_have_limits(void **state)
{
	static const struct {
		const char *grammar, *begins;
		char filler;
		size_t max;
	} cases[] = {
		{"number", "", '1', 19},      {"number", "-", '1', 20},	  {"count", "", '1', 19},
		{"time", "", '1', 64},	      {"word", "", 'a', 128},	  {"text", "", 'a', 4096},
		{"path", "/", 'a', 4095},     {"keys", "", '~', 64},	  {"tag", "", 'a', 255},
		{"processors", "", '1', 255}, {"platform", "", 'a', 128}, {"address", "git@", 'a', 4095},
		{"file", "", 'a', 1024},      {"filters", "", 'a', 4096}, {"instruction", "CMD ", 'a', 4096},
	};
	static const struct rules_caller caller = {.owner = "uid-1000"};
	_cleanup_rules_ struct rules *r = rules_of("[rules]\n");
	const struct verdict v = {.rules = r, .caller = &caller, .action = "x"};
	static char value[8192];
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		for (size_t len = cases[k].max; len <= cases[k].max + 1; len++) {
			memset(value, cases[k].filler, len);
			memcpy(value, cases[k].begins, strlen(cases[k].begins));
			value[len] = '\0';
			if (query_check(&v, cases[k].grammar, "key", value, &err) != (len <= cases[k].max ? 0 : -1))
				fail_msg("%s: %zu characters", cases[k].grammar, len);
		}
	}
}

static const struct play engine[] = {
	{"GET /containers/db/json", "404 Not Found\n{}", false},
	{"GET /containers/11/json", "200 OK\n{\"Id\":\"" ID_OURS "\"}", false},
	{"GET /containers/22/json", "500 Internal Server Error\n{\"message\":\"multiple IDs\"}", false},
	{"GET /containers/bad/json", "200 OK\n{\"Id\":\"" ID_OURS "\"}", false}, /* its name: the engine says so */
	{"GET /networks/11", "200 OK\n{\"Id\":\"" ID_OURS "\"}", false},
	{"GET /networks/", "404 Not Found\n{}", false},
	{NULL, NULL, false},
};

struct name {
	const char *path, *json;
	int status;
};

static void nothing_gets_a_name_like_an_id(void **state)
{
	static const struct name names[] = {
		{"/containers/create?name=web", "{}", 200},
		{"/containers/create?name=0a1b2c3d4e5f_web", "{}", 200},
		{"/containers/create?name=db", "{}", 200},
		{"/containers/create?name=bad", "{}", 200},
		{"/containers/create?name=", "{}", 200},
		{"/containers/create?name=0a1b2c3d4e5f", "{}", 403},
		{"/containers/create?name=cafe", "{}", 403},
		{"/containers/create?name=11", "{}", 403},
		{"/containers/create?name=22", "{}", 403},
		{"/containers/create?name=/web", "{}", 403},
		/* what sockwake calls containers */
		{"/containers/create?name=web.replaced", "{}", 403},
		{"/containers/create?name=web.replaced2", "{}", 200},
		{"/containers/create?name=sockwake-web-keep", "{}", 403},
		{"/containers/create?name=sockwake-web", "{}", 200},
		{"/containers/a/rename?name=web.discarded", "", 403},
		{"/containers/a/rename?name=web", "", 200},
		{"/containers/a/rename?name=0a1b2c3d4e5f", "", 403},
		{"/networks/create", "{\"Name\":\"web\"}", 200},
		{"/networks/create", "{\"Name\":\"0a1b2c3d4e5f\"}", 403},
		{"/networks/create", "{\"Name\":\"11\"}", 403},
		{"/networks/create", "{\"Name\":\"db\"}", 200},
		{"/networks/create", "{\"Name\":\"a:b\"}", 403},
		{"/networks/create", "{}", 403},
		{"/volumes/create", "{\"Name\":\"web\"}", 200},
		{"/volumes/create", "{\"Name\":\"db\"}", 200},
		{"/volumes/create", "{\"Name\":\"" ID_OURS "\"}", 403},
		{"/images/a/tag?repo=web&tag=0a1b2c3d4e5f", "", 200},
		{"/images/a/tag?repo=example.org/0a1b2c3d4e5f", "", 200},
		{"/images/a/tag?repo=0a1b2c3d4e5f", "", 403},
		{"/images/a/tag?repo=docker.io/library/0a1b2c3d4e5f", "", 403},
		{"/commit?container=a&repo=0a1b2c3d4e5f", "", 403},
		{"/commit?container=a&repo=0a1b2c3d4e5f:latest", "", 403},
		{"/images/create?fromSrc=-&repo=0a1b2c3d4e5f", "", 403},
		{"/build?t=web&t=0a1b2c3d4e5f:1", "", 403},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		_cleanup_free_ char *request = post(names[k].path, names[k].json);
		_cleanup_outcome_ struct outcome *o =
			ask("allow = containers.create containers.rename networks.create volumes.create images.tag "
			    "images.commit images.import images.build",
			    engine, request);

		if (o->status != names[k].status)
			fail_msg("%s %s: %s", names[k].path, names[k].json, o->answer);
		assert_int_equal(strstr(o->fake.seen, "POST") != NULL, names[k].status == 200);
	}
}

/* To Docker it is a network's name. */
static void a_network_called_private_is_one(void **state)
{
	static const char json[] = "{\"HostConfig\":{\"NetworkMode\":\"private\"}}";
	static const struct play plays[] = {
		{"GET /networks/private",
		 "200 OK\n{\"Id\":\"" ID_OTHERS "\",\"Name\":\"private\",\"Labels\":{\"team\":\"x\"}}", false},
		{NULL, NULL, false},
	};
	_cleanup_free_ char *request = post("/containers/create", json);
	_cleanup_outcome_ struct outcome *plain = ask("allow = containers.create", plays, request);
	_cleanup_outcome_ struct outcome *labelled = ask("label = team=ci\nallow = containers.create", plays, request);
	_cleanup_outcome_ struct outcome *named = ask("allow = containers.create\nnetwork = private", plays, request);

	(void)state;
	assert_int_equal(plain->status, 403);
	assert_int_equal(labelled->status, 403);
	assert_int_equal(named->status, 200);
}

/* The engine would say whether there is such a container. */
static void a_list_names_own_containers_only(void **state)
{
	static const struct play plays[] = {
		{"GET /containers/ours/json", LABELLED(ID_OURS), false},
		{"GET /containers/others/json", UNLABELLED(ID_OTHERS), false},
		{NULL, NULL, false},
	};
	static const struct {
		const char *query;
		const char *sent; /* NULL: there is no such container */
	} cases[] = {
		{"since=ours", "since=" ID_OURS},
		{"before=others", NULL},
		{"filters=%7B%22before%22:%5B%22ours%22%5D%7D", "%22before%22:%7B%22" ID_OURS "%22:true%7D"},
		{"filters=%7B%22since%22:%5B%22others%22%5D%7D", NULL},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		_cleanup_free_ char *request = NULL;
		_cleanup_outcome_ struct outcome *o = NULL;

		assert_true(asprintf(&request, "GET /containers/json?%s HTTP/1.1\r\n" HOST "\r\n", cases[k].query) > 0);
		o = ask("label = team=ci\nallow = containers.list", plays, request);
		assert_int_equal(o->status, cases[k].sent ? 200 : 404);
		if (cases[k].sent && !strstr(o->fake.seen, cases[k].sent))
			fail_msg("'%s' is not in %s", cases[k].sent, o->fake.seen);
	}
}

/* "FROM dir:/root", or a Dockerfile that is a link. */
static void podman_builds_nothing(void **state)
{
	static const struct play plays[] = {
		{"GET /_ping", "HTTP/1.1 200 OK\r\nLibpod-Api-Version: 5.4.2\r\nContent-Length: 2\r\n\r\nOK", false},
		{NULL, NULL, false},
	};
	static const char request[] = "POST /build?t=a HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx";
	_cleanup_outcome_ struct outcome *podman = ask("allow = images.build", plays, request);
	_cleanup_outcome_ struct outcome *docker = ask("allow = images.build", NULL, request);

	(void)state;
	assert_int_equal(podman->status, 403);
	assert_null(strstr(podman->fake.seen, "POST"));
	assert_int_equal(docker->status, 200);
}

/* Two requests to remove the same volume come at once: the second one would remove another's. */
static void podman_removes_no_volume_of_a_longer_name(void **state)
{
#define VOLUMES(name, head, list)                                                                                      \
	static const struct play name[] = {                                                                            \
		{"GET /volumes/", "200 OK\n{\"Name\":\"a_b\",\"Labels\":{\"team\":\"ci\"}}", false},                   \
		{"GET /volumes ", "HTTP/1.1 200 OK\r\n" head "\r\n" list, false},                                      \
		{NULL, NULL, false},                                                                                   \
	}
#define PODMAN "Libpod-Api-Version: 5.4.2\r\n"
	VOLUMES(docker, "", "{\"Volumes\":[{\"Name\":\"a_b\"},{\"Name\":\"a_bc\"}]}");
	VOLUMES(podman, PODMAN, "{\"Volumes\":[{\"Name\":\"a_b\"},{\"Name\":\"a_\"},{\"Name\":\"xa_b\"}]}");
	VOLUMES(longer, PODMAN, "{\"Volumes\":[{\"Name\":\"a_b\"},{\"Name\":\"a_bc\"}]}");
	VOLUMES(like, PODMAN, "{\"Volumes\":[{\"Name\":\"A-b\"},{\"Name\":\"a_b\"}]}");
	VOLUMES(none, PODMAN, "{\"Volumes\":null}");
	VOLUMES(odd, PODMAN, "no");
	static const struct {
		const struct play *plays;
		int status;
	} cases[] = {{docker, 200}, {podman, 200}, {longer, 403}, {like, 403}, {none, 200}, {odd, 503}};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		_cleanup_outcome_ struct outcome *o = ask("label = team=ci\nallow = volumes.remove", cases[k].plays,
							  "DELETE /volumes/a_b HTTP/1.1\r\n" HOST "\r\n");

		assert_int_equal(o->status, cases[k].status);
		assert_int_equal(strstr(o->fake.seen, "DELETE") != NULL, cases[k].status == 200);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_has_a_grammar),
		cmocka_unit_test(ps_shows_no_more_than_the_container),
		cmocka_unit_test(an_instruction_stays_one),
		cmocka_unit_test(values_are_of_their_kind),
		cmocka_unit_test(values_have_limits),
		cmocka_unit_test(nothing_gets_a_name_like_an_id),
		cmocka_unit_test(a_network_called_private_is_one),
		cmocka_unit_test(a_list_names_own_containers_only),
		cmocka_unit_test(podman_builds_nothing),
		cmocka_unit_test(podman_removes_no_volume_of_a_longer_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
