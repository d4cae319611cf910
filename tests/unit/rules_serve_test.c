/* Whole connections: what is refused, what is passed on, and how. */
#include "tests/unit/rules_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>

#include "common/clock.h"

#define HOST	   "Host: docker\r\n"
#define GET(path)  "GET " path " HTTP/1.1\r\n" HOST "\r\n"
#define POST(path) "POST " path " HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"
#define UPGRADE	   "Connection: Upgrade\r\nUpgrade: tcp\r\n"

static void what_no_rule_names_is_refused(void **state)
{
	static const struct {
		const char *request;
		int status;
	} cases[] = {
		{GET("/_ping"), 200},
		{"HEAD /_ping HTTP/1.1\r\n" HOST "\r\n", 200},
		{GET("/v1.41/_ping"), 200},
		{GET("/containers/json"), 200},
		{GET("/v1.41/containers/json?all=1&limit=5&filters=%7B%22status%22%3A%5B%22running%22%5D%7D"), 200},
		{GET("/containers/a/json"), 200},
		{GET("/version"), 403},
		{GET("/info"), 403},
		/* A proxy that matches prefixes lets these through with the list of containers. */
		{GET("/containers/a/archive?path=/etc/shadow"), 403},
		{GET("/containers/a/export"), 403},
		{GET("/containers/a/logs?stdout=1"), 403},
		{GET("/containers/a/top"), 403},
		{GET("/containers/a/attach/ws"), 403},
		{GET("/containers/json/../a/export"), 400},
		{GET("/containers/json%2f..%2fa/export"), 400},
		{GET("/containers/json/export"), 403},
		{GET("/containers/a%2Fexport"), 400},
		{GET("/containers/a/export?x=/json"), 403},
		{GET("/containers/a/export/json"), 403},
		{GET("//containers/json"), 400},
		{GET("/Containers/json"), 403},
		{GET("http://docker/containers/json"), 400},
		{GET("/v1.41/v1.41/containers/json"), 403},
		{GET("/v1.23/containers/json"), 400},
		{POST("/containers/json"), 403},
		{"PUT /containers/json HTTP/1.1\r\n" HOST "\r\n", 403},
		{"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 400},
		{"CONNECT docker:80 HTTP/1.1\r\n" HOST "\r\n", 400},
		{POST("/containers/a/start"), 403},
		{POST("/containers/a/exec"), 403},
		{POST("/exec/" ID_EXEC "/start"), 403},
		{POST("/session"), 400},
		{"POST /grpc HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 403},
		{POST("/swarm/init"), 403},
		{GET("/plugins"), 403},
		{GET("/plugins/a/json"), 404},
		{GET("/secrets"), 403},
		{GET("/v4.0.0/libpod/info"), 400},
		{GET("/libpod/containers/json"), 403},
		/* the query */
		{GET("/containers/json?all=1&all=0"), 400},
		{GET("/containers/json?external=1"), 400},
		{GET("/containers/json?ALL=1"), 400},
		/* the head */
		{"GET /_ping HTTP/1.1\r\n\r\n", 400},
		{"GET /_ping HTTP/1.1\r\n" HOST HOST "\r\n", 400},
		{"GET /_ping HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
		{"GET /_ping HTTP/1.0\r\n" HOST "\r\n", 400},
		{"GET /_ping HTTP/1.1\n" HOST "\n", 400},
		{"GET /_ping HTTP/1.1\r\n" HOST "Expect: 200-ok\r\n\r\n", 400},
		{"GET /_ping HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", 400},
		{"GET /_ping HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		 400},
		{"GET /_ping HTTP/1.1\r\n" HOST UPGRADE "\r\n", 400},
		{"GET /_ping HTTP/1.1\r\n" HOST "Upgrade: h2c\r\n\r\n", 400},
		{"GET /_ping HTTP/1.1\r\n" HOST "Connection: Upgrade\r\n\r\n", 400},
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
		{"\x16\x03\x01", 400},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		_cleanup_outcome_ struct outcome *o =
			ask("allow = containers.list containers.inspect", NULL, cases[k].request);

		if (o->status != cases[k].status)
			fail_msg("%s%d: %s", cases[k].request, o->status, o->answer);
		/* Nothing of what is refused reaches the engine. */
		assert_int_equal(o->fake.seen_len > 0, cases[k].status == 200);
		assert_int_equal(o->report.refused, cases[k].status != 200);
	}
}

static void a_refusal_says_what_to_do(void **state)
{
	_cleanup_outcome_ struct outcome *o =
		ask("allow = containers.list", NULL, POST("/v1.41/containers/a/start?x") GET("/_ping"));

	(void)state;
	assert_non_null(
		strstr(o->answer, "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: "));
	assert_non_null(strstr(o->answer, "{\"message\":\"containers.start is not allowed here; to allow it, write "
					  "'allow = containers.start' in the section [rules] of /tmp/rules-"));
	/* The connection goes on. */
	assert_non_null(strstr(o->answer, "HTTP/1.1 200 OK\r\n"));
	assert_int_equal(o->report.requests, 2);
	assert_int_equal(o->report.refused, 1);
	assert_string_equal(o->report.first, "POST /v1.41/containers/a/start");
	assert_int_equal(o->report.n, 1);
	assert_memory_equal(o->report.refusal, "containers.start is not allowed here", 36);
}

static void a_refusal_of_head_has_no_body(void **state)
{
	_cleanup_outcome_ struct outcome *o =
		ask("label = a=b", NULL, "HEAD /containers/a/archive?path=/ HTTP/1.1\r\n" HOST "\r\n");

	(void)state;
	assert_int_equal(o->status, 403);
	assert_string_equal(strstr(o->answer, "\r\n\r\n"), "\r\n\r\n");
}

static void a_refused_body_is_read_to_its_end(void **state)
{
	static char request[128 * 1024];
	const struct rules_caller caller = {.owner = "me"};
	_cleanup_outcome_ struct outcome *o = NULL;
	int n = snprintf(request, sizeof(request),
			 "POST /images/load HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n\r\n");

	(void)state;
	memset(request + n, 'x', 100000);
	o = ask_as("allow = images.list", &caller, NULL, request, (size_t)n + 100000);
	assert_int_equal(o->status, 403);
	assert_non_null(strstr(o->answer, "Connection: close\r\n"));
}

static void a_kept_alive_connection_serves_many(void **state)
{
	static const struct play plays[] = {
		{"GET /containers/json",
		 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n",
		 false},
		{"GET /info", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
		 false},
		{"HEAD /_ping", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nApi-Version: 1.41\r\n\r\n", false},
		{"POST /containers/a/start", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", false},
		{NULL, NULL, false},
	};
	_cleanup_outcome_ struct outcome *o =
		ask("allow = containers.list containers.start system.info", plays,
		    GET("/containers/json") GET("/info") "HEAD /_ping HTTP/1.1\r\n" HOST
							 "\r\n" POST("/containers/a/start"));

	(void)state;
	assert_string_equal(
		o->answer,
		"HTTP/1.1 200 OK\r\nx: y\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"
		"HTTP/1.1 200 OK\r\napi-version: 1.41\r\nContent-Length: 2\r\n\r\n"
		"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(o->fake.connections, 1);
	assert_int_equal(o->report.requests, 4);
	assert_int_equal(o->report.to_client, strlen(o->answer));
	assert_int_equal(o->report.to_engine, o->fake.seen_len - 4 * 6);
}

static void the_client_may_end_the_connection(void **state)
{
	_cleanup_outcome_ struct outcome *o =
		ask("", NULL, "GET /_ping HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n" GET("/_ping"));

	(void)state;
	assert_int_equal(o->report.requests, 1);
	assert_non_null(strstr(o->answer, "Connection: close\r\n"));
}

static void an_engine_that_closes_is_connected_anew(void **state)
{
	static const struct play plays[] = {
		{"GET /_ping", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nOK", false},
		{"GET /version", "HTTP/1.1 200 OK\r\n\r\nuntil the end", false},
		{NULL, NULL, false},
	};
	_cleanup_outcome_ struct outcome *o =
		ask("allow = system.version", plays, GET("/_ping") GET("/version") GET("/_ping"));

	(void)state;
	assert_int_equal(o->fake.connections, 2);
	/* The end of such an answer is the end of the connection. */
	assert_string_equal(o->answer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"
				       "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end");
}

static void only_known_fields_are_passed_on(void **state)
{
	_cleanup_outcome_ struct outcome *o = ask(
		"allow = images.pull", NULL,
		"POST /images/create?fromImage=x&tag=latest HTTP/1.1\r\nHost: a.b:1\r\nUser-Agent: docker\r\nX-Registry-Auth: abc\r\n"
		"Connection: keep-alive, X-Registry-Auth\r\nX-Forwarded-For: y\r\nCookie: a\r\nX-HTTP-Method-Override: DELETE\r\n"
		"Content-Length: 0\r\n\r\n");

	(void)state;
	assert_string_equal(o->fake.seen,
			    "POST /images/create?fromImage=x&tag=latest HTTP/1.1\r\nHost: docker\r\n"
			    "user-agent: docker\r\nx-registry-auth: abc\r\nContent-Length: 0\r\n\r\n\n====\n");
}

/* A body that is written anew has one type: ours. */
static void the_type_of_a_body_is_passed_on_once(void **state)
{
	static const char parsed[] = "POST /containers/create HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
				     "User-Agent: x\r\nContent-Length: 2\r\n\r\n{}";
	static const char streamed[] = "POST /images/load HTTP/1.1\r\n" HOST "Content-Type: application/x-tar\r\n"
				       "User-Agent: x\r\nContent-Length: 2\r\n\r\n{}";
	_cleanup_outcome_ struct outcome *one = ask("allow = containers.create", NULL, parsed);
	_cleanup_outcome_ struct outcome *other = ask("allow = images.load", NULL, streamed);

	(void)state;
	assert_string_equal(one->fake.seen, "POST /containers/create HTTP/1.1\r\n" HOST "user-agent: x\r\n"
					    "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}\n====\n");
	assert_string_equal(other->fake.seen,
			    "POST /images/load HTTP/1.1\r\n" HOST
			    "content-type: application/x-tar\r\nuser-agent: x\r\nContent-Length: 2\r\n\r\n{}\n====\n");
}

static void bodies_are_streamed(void **state)
{
	_cleanup_outcome_ struct outcome *plain =
		ask("allow = images.load", NULL,
		    "POST /images/load HTTP/1.1\r\n" HOST
		    "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nabcde" GET("/_ping"));
	_cleanup_outcome_ struct outcome *chunked = ask("allow = containers.copy-to", NULL,
							"PUT /containers/a/archive?path=/ HTTP/1.1\r\n" HOST
							"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
							"01\r\nd\r\n0\r\n\r\n" GET("/_ping"));
	_cleanup_outcome_ struct outcome *invalid =
		ask("allow = images.load", NULL,
		    "POST /images/load HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\n\r\n");

	(void)state;
	assert_memory_equal(plain->answer, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", 42);
	assert_non_null(strstr(plain->fake.seen, "Content-Length: 5\r\n\r\nabcde\n===="));
	assert_null(strstr(plain->fake.seen, "xpect"));
	assert_int_equal(plain->report.requests, 2);
	assert_non_null(strstr(chunked->fake.seen,
			       "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n\n====\nGET "));
	assert_int_equal(chunked->report.requests, 2);
	assert_int_equal(invalid->status, 400);
}

/* An engine may have seen enough. */
static void an_answer_may_come_before_the_body(void **state)
{
	static const struct play plays[] = {
		{"POST /images/load", "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", false},
		{NULL, NULL, false},
	};
	static char request[160 * 1024];
	const struct rules_caller caller = {.owner = "me"};
	_cleanup_outcome_ struct outcome *o = NULL;
	int n = snprintf(request, sizeof(request),
			 "POST /images/load HTTP/1.1\r\n" HOST "Content-Length: 150000\r\n\r\n");

	(void)state;
	memset(request + n, 'x', 150000);
	o = ask_as("allow = images.load", &caller, plays, request, (size_t)n + 150000);
	assert_int_equal(o->status, 413);
}

static void half_a_body_is_refused(void **state)
{
	static const char *const requests[] = {
		"POST /images/load HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nabc",
		"POST /images/load HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n",
		"POST /images/load HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
		"POST /images/load HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0",
		"POST /containers/create HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n{}",
	};

	(void)state;
	for (size_t k = 0; k < sizeof(requests) / sizeof(requests[0]); k++) {
		_cleanup_outcome_ struct outcome *o = ask("allow = images.load containers.create", NULL, requests[k]);

		assert_int_equal(o->status, 400);
	}
}

/* What a build and a pull may name in the query. */
static void the_host_is_not_reached_by_a_query(void **state)
{
	static const struct {
		const char *request;
		int status;
	} cases[] = {
		{POST("/build?t=a&t=b&dockerfile=Dockerfile&networkmode=default&outputs=%5B%5D&cgroupparent="), 200},
		{POST("/build?networkmode=host"), 403},
		{POST("/build?networkmode=container:a"), 403},
		{POST("/build?networkmode=prod"), 403},
		{POST("/build?networkmode=ok"), 200},
		{POST("/build?cgroupparent=/x"), 403},
		{POST("/build?securityopt=seccomp=unconfined"), 403},
		{POST("/build?outputs=type=local,dest=/"), 403},
		{POST("/build?dockerfile=/etc/passwd"), 403},
		{POST("/build?dockerfile=../x"), 403},
		{POST("/build?dockerfile=%5B%22/etc/passwd%22%5D"), 403},
		{POST("/build?volume=/:/h"), 400},
		{POST("/build?remote=a&remote=b"), 400},
		{POST("/images/create?fromImage=a/b&tag=c"), 200},
		{POST("/images/create?fromImage=docker-archive:/etc/x"), 403},
		{POST("/images/create?fromImage=dir:x"), 403},
		{POST("/images/create?fromSrc=http://x/y"), 403},
		{POST("/images/create?fromSrc=-"), 200},
		{POST("/containers/a/start?checkpoint=x&checkpoint-dir=/"), 400},
	};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		_cleanup_outcome_ struct outcome *o =
			ask("allow = images.build images.pull images.import containers.start\nnetwork = ok", NULL,
			    cases[k].request);

		if (o->status != cases[k].status)
			fail_msg("%s%d: %s", cases[k].request, o->status, o->answer);
	}
}

static void whoever_asks_is_told_to_continue(void **state)
{
	_cleanup_outcome_ struct outcome *o =
		ask("allow = containers.create", NULL,
		    "POST /containers/create HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
		    "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}");

	(void)state;
	assert_memory_equal(o->answer, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", 42);
}

static void nobody_is_told_to_continue_in_vain(void **state)
{
	_cleanup_outcome_ struct outcome *o = ask(
		"", NULL, "POST /images/load HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");

	(void)state;
	assert_int_equal(o->status, 403);
}

static void an_engine_that_is_down_is_503(void **state)
{
	static const struct play plays[] = {
		{"GET /info", "HTTP/1.1 ", false},
		{"GET /version", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: tcp\r\n\r\n", false},
		{"GET /containers/json", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc", false},
		{NULL, NULL, false},
	};
	static const char rules[] = "allow = system.info system.version containers.list";
	_cleanup_outcome_ struct outcome *silent = ask(rules, plays, GET("/info"));
	_cleanup_outcome_ struct outcome *odd = ask(rules, plays, GET("/version"));
	_cleanup_outcome_ struct outcome *half = ask(rules, plays, GET("/containers/json") GET("/_ping"));

	(void)state;
	assert_int_equal(silent->status, 503);
	assert_int_equal(silent->report.refused, 0);
	assert_int_equal(odd->status, 503);
	/* The client sees that it is not complete: nothing may follow. */
	assert_string_equal(half->answer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
}

static void each_request_is_framed_anew(void **state)
{
	_cleanup_outcome_ struct outcome *get = ask("allow = system.info", NULL, GET("/info"));
	_cleanup_outcome_ struct outcome *put =
		ask("allow = containers.copy-to", NULL,
		    "PUT /containers/a/archive?path=/x HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");

	(void)state;
	assert_string_equal(get->fake.seen, "GET /info HTTP/1.1\r\n" HOST "\r\n\n====\n");
	assert_non_null(strstr(put->fake.seen, "PUT /containers/a/archive?path=/x HTTP/1.1\r\n" HOST
					       "Content-Length: 0\r\n\r\n\n====\n"));
}

static void a_rule_for_all_directories(void **state)
{
	_cleanup_free_ char *request = post("/containers/create", "{\"HostConfig\":{\"Binds\":[\"/srv:/x\"]}}");
	_cleanup_outcome_ struct outcome *o = ask("allow = containers.create\nbind = /*", NULL, request);

	(void)state;
	assert_int_equal(o->status, 200);
}

static void an_answer_that_makes_no_sense(void **state)
{
	static const struct play plays[] = {
		{"GET /info", "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", false},
		{"GET /version", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", false},
		{"GET /containers/json", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nazz", false},
		{NULL, NULL, false},
	};
	static const char rules[] = "allow = system.info system.version containers.list";
	_cleanup_outcome_ struct outcome *crooked = ask(rules, plays, GET("/info"));
	_cleanup_outcome_ struct outcome *bare = ask(rules, plays, GET("/version"));
	_cleanup_outcome_ struct outcome *longer = ask(rules, plays, GET("/containers/json") GET("/_ping"));

	(void)state;
	assert_int_equal(crooked->status, 503);
	assert_int_equal(bare->status, 503);
	assert_string_equal(longer->answer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
}

static void what_follows_an_ungranted_upgrade_is_never_executed(void **state)
{
	static const struct play plays[] = {
		{"POST /containers/a/attach", "404 Not Found\n{\"message\":\"no\"}", false},
		{NULL, NULL, false},
	};
	static const char behind[] = GET("/info") "POST /containers/create HTTP/1.1\r\n\r\n";
	_cleanup_free_ char *upgrade = NULL, *plain = NULL;
	_cleanup_outcome_ struct outcome *o = NULL, *p = NULL;

	(void)state;
	assert_true(asprintf(&upgrade, "POST /containers/a/attach?stream=1 HTTP/1.1\r\n" HOST UPGRADE "\r\n%s",
			     behind) > 0);
	assert_true(asprintf(&plain, "POST /containers/a/attach?stream=1 HTTP/1.1\r\n" HOST "\r\n%s", behind) > 0);
	o = ask("allow = containers.attach system.info", plays, upgrade);
	p = ask("allow = containers.attach system.info", plays, plain);
	assert_int_equal(o->status, 404);
	assert_null(strstr(o->fake.seen, "/info"));
	assert_int_equal(o->report.requests, 1);
	assert_int_equal(p->status, 404);
	assert_null(strstr(p->fake.seen, "/info"));
}

static void nor_what_follows_a_refused_one(void **state)
{
	_cleanup_outcome_ struct outcome *o =
		ask("", NULL, "POST /containers/a/attach HTTP/1.1\r\n" HOST UPGRADE "\r\n" GET("/_ping"));

	(void)state;
	assert_int_equal(o->status, 403);
	assert_int_equal(o->report.requests, 1);
	assert_int_equal(o->fake.seen_len, 0);
}

static void a_stream_has_two_ends(void **state)
{
	static const struct play plays[] = {
		{"POST /containers/a/attach",
		 "HTTP/1.1 101 UPGRADED\r\nContent-Type: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n", true},
		{"POST /containers/b/attach", "HTTP/1.1 200 OK\r\nContent-Type: x\r\n\r\n", true},
		{NULL, NULL, false},
	};
	static const char body[] = GET("/info") "\n\0\xff";
	const struct rules_caller caller = {.owner = "me"};

	(void)state;
	for (unsigned old = 0; old < 2; old++) {
		char request[512];
		int n = snprintf(request, sizeof(request),
				 "POST /containers/%c/attach?stream=1 HTTP/1.1\r\n" HOST "%s\r\n", old ? 'b' : 'a',
				 old ? "" : UPGRADE);
		_cleanup_outcome_ struct outcome *o = NULL;
		const char *end;

		memcpy(request + n, body, sizeof(body));
		o = ask_as("allow = containers.attach", &caller, plays, request, (size_t)n + sizeof(body));
		assert_int_equal(o->status, old ? 200 : 101);
		assert_string_equal(o->report.first, old ? "POST /containers/b/attach" : "POST /containers/a/attach");
		assert_int_equal(strstr(o->answer, "\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n") != NULL, !old);
		end = strstr(o->answer, "\r\n\r\n") + 4;
		/* All of it has come back, and then what the engine says after our end. */
		assert_memory_equal(end, body, sizeof(body));
		assert_memory_equal(end + sizeof(body), "END", 3);
		assert_int_equal(o->report.to_client, end - o->answer + (ssize_t)sizeof(body) + 3);
	}
}

struct served {
	struct rules *rules;
	struct fake fake;
	struct rules_report report;
	int fd;
	uint64_t ended;
};

static void *serve(void *data)
{
	static const struct rules_caller caller = {.owner = "me"};
	struct served *s = data;
	struct error err = {};

	if (rules_serve(s->rules, &caller, s->fd, fake_open, &s->fake, &s->report, &err) < 0)
		fail_msg("%s", err.text);
	s->ended = now_usec();
	close(s->fd);
	return NULL;
}

static void *write_much(void *data)
{
	char *text = calloc(1, 64 * 1024);

	for (unsigned k = 0; k < 48; k++)
		fake_send(*(int *)data, text, 64 * 1024);
	shutdown(*(int *)data, SHUT_WR);
	free(text);
	return NULL;
}

static void megabytes_go_both_ways_at_once(void **state)
{
	static const struct play plays[] = {
		{"POST /containers/a/attach", "HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n", true},
		{NULL, NULL, false},
	};
	static struct served s;
	pthread_t server, writer;
	size_t total = 0;
	char buffer[4096];
	int pair[2];
	ssize_t n;

	(void)state;
	s.rules = rules_of("[rules]\nallow = containers.attach\n");
	s.fake.plays = plays;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	s.fd = pair[1];
	pthread_create(&server, NULL, serve, &s);
	fake_send(pair[0], "POST /containers/a/attach HTTP/1.1\r\n" HOST UPGRADE "\r\n", 88);
	pthread_create(&writer, NULL, write_much, &pair[0]);
	while ((n = recv(pair[0], buffer, sizeof(buffer), 0)) > 0)
		total += (size_t)n;
	pthread_join(writer, NULL);
	pthread_join(server, NULL);
	pthread_join(s.fake.threads[0], NULL);
	assert_true(total > 48UL * 64 * 1024 + 3);
	assert_int_equal(total, s.report.to_client);
	assert_true(s.report.to_engine >= 48UL * 64 * 1024);
	close(pair[0]);
	rules_report_clear(&s.report);
	rules_free(&s.rules);
}

/* The longest body that is parsed, whose content is refused, and one that is longer. */
static void a_parsed_body_is_limited(void **state)
{
	static const char before[] = "{\"HostConfig\":{\"Privileged\":true},\"Image\":\"", after[] = "\"}";
	static char request[1024 * 1024 + 512];

	(void)state;
	for (size_t len = 1024 * 1024; len <= 1024 * 1024 + 1; len++) {
		static struct served s;
		_cleanup_free_ char *text = NULL;
		size_t n = (size_t)sprintf(request,
					   "POST /containers/create HTTP/1.1\r\n" HOST "Connection: close\r\n"
					   "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
					   len, before);
		size_t filler = len - (sizeof(before) - 1) - (sizeof(after) - 1);
		pthread_t server;
		int pair[2];

		memset(request + n, 'a', filler);
		strcpy(request + n + filler, after);
		s = (struct served){.rules = rules_of("[rules]\nallow = containers.create\n")};
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		s.fd = pair[1];
		pthread_create(&server, NULL, serve, &s);
		fake_send(pair[0], request, strlen(request));
		shutdown(pair[0], SHUT_WR);
		text = read_all(pair[0]);
		pthread_join(server, NULL);
		close(pair[0]);
		rules_report_clear(&s.report);
		rules_free(&s.rules);
		assert_memory_equal(text, len <= 1024 * 1024 ? "HTTP/1.1 403 " : "HTTP/1.1 400 ", 13);
	}
}

/* It gets all of a long answer, in its own time. */
static void a_client_may_read_slowly(void **state)
{
	static char answer[512 * 1024] = "200 OK\n";
	const struct play plays[] = {{"GET /containers/a/json", answer, false}, {NULL, NULL, false}};
	static const char request[] = "GET /containers/a/json HTTP/1.1\r\n" HOST "\r\n";
	static struct served s;
	_cleanup_free_ char *text = NULL;
	pthread_t server;
	int pair[2], least = 0;

	(void)state;
	memset(answer + 7, 'x', sizeof(answer) - 8);
	s.rules = rules_of("[rules]\nallow = containers.inspect\n");
	s.fake.plays = plays;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &least, sizeof(least)), 0);
	s.fd = pair[1];
	pthread_create(&server, NULL, serve, &s);
	fake_send(pair[0], request, sizeof(request) - 1);
	shutdown(pair[0], SHUT_WR);
	text = read_all(pair[0]);
	pthread_join(server, NULL);
	pthread_join(s.fake.threads[0], NULL);
	assert_non_null(strstr(text, "\r\n\r\nx"));
	assert_string_equal(strstr(text, "\r\n\r\n") + 4, answer + 7);
	close(pair[0]);
	rules_report_clear(&s.report);
	rules_free(&s.rules);
}

static void a_client_that_goes_ends_the_engines_side(void **state)
{
	static const struct play plays[] = {
		/* An answer without end, and a stream whose engine waits. */
		{"GET /events", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", true},
		{"POST /containers/a/attach", "HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\nabc", true},
		{NULL, NULL, false},
	};
	static const char *const requests[] = {GET("/events"),
					       "POST /containers/a/attach HTTP/1.1\r\n" HOST UPGRADE "\r\n"};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		static struct served s;
		pthread_t server;
		uint64_t before;
		char buffer[512] = "";
		int pair[2];

		s = (struct served){.fake.plays = plays};
		s.rules = rules_of("[rules]\nallow = containers.attach system.events\n");
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		s.fd = pair[1];
		pthread_create(&server, NULL, serve, &s);
		fake_send(pair[0], requests[k], strlen(requests[k]));
		for (size_t len = 0; !strstr(buffer, "abc");)
			len += (size_t)recv(pair[0], buffer + len, sizeof(buffer) - len - 1, 0);
		before = now_usec();
		close(pair[0]);
		pthread_join(server, NULL);
		pthread_join(s.fake.threads[0], NULL);
		assert_true(s.ended - before < USEC_PER_SEC);
		rules_report_clear(&s.report);
		rules_free(&s.rules);
	}
}

/* The Python SDK reads the answer only when it has sent all. */
static void a_client_can_send_all_before_it_reads_the_refusal(void **state)
{
	static const char request[] = "POST /images/load HTTP/1.1\r\n" HOST "Content-Length: 3145728\r\n\r\n";
	static char much[64 * 1024];
	static struct served s;
	_cleanup_free_ char *answer = NULL;
	pthread_t server;
	int pair[2];

	(void)state;
	s.rules = rules_of("[rules]\nallow = images.list\n");
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	s.fd = pair[1];
	pthread_create(&server, NULL, serve, &s);
	assert_int_equal(send(pair[0], request, strlen(request), MSG_NOSIGNAL), strlen(request));
	for (unsigned k = 0; k < 48; k++)
		assert_int_equal(send(pair[0], much, sizeof(much), MSG_NOSIGNAL), sizeof(much));
	shutdown(pair[0], SHUT_WR);
	answer = read_all(pair[0]);
	assert_non_null(strstr(answer, "HTTP/1.1 403 "));
	pthread_join(server, NULL);
	close(pair[0]);
	rules_report_clear(&s.report);
	rules_free(&s.rules);
}

static void a_frozen_engine_does_not_hold_what_a_client_left(void **state)
{
	static const struct play plays[] = {
		{"POST /containers/a/attach", "HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n" FREEZES, false},
		{NULL, NULL, false},
	};
	static const char request[] = "POST /containers/a/attach HTTP/1.1\r\n" HOST UPGRADE "\r\n";
	static char much[64 * 1024];
	static struct served s;
	pthread_t server;
	uint64_t before;
	int pair[2];

	(void)state;
	s.fake.plays = plays;
	s.rules = rules_of("[rules]\nallow = containers.attach\n");
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	s.fd = pair[1];
	pthread_create(&server, NULL, serve, &s);
	fake_send(pair[0], request, strlen(request));
	/* Until no buffer takes any more. */
	while (poll(&(struct pollfd){.fd = pair[0], .events = POLLOUT}, 1, 300) == 1)
		(void)send(pair[0], much, sizeof(much), MSG_DONTWAIT | MSG_NOSIGNAL);
	before = now_usec();
	close(pair[0]);
	pthread_join(server, NULL);
	assert_true(s.ended - before > USEC_PER_SEC / 2 && s.ended - before < 3 * USEC_PER_SEC);
	pthread_join(s.fake.threads[0], NULL);
	rules_report_clear(&s.report);
	rules_free(&s.rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_no_rule_names_is_refused),
		cmocka_unit_test(a_refusal_says_what_to_do),
		cmocka_unit_test(a_refusal_of_head_has_no_body),
		cmocka_unit_test(a_refused_body_is_read_to_its_end),
		cmocka_unit_test(a_kept_alive_connection_serves_many),
		cmocka_unit_test(the_client_may_end_the_connection),
		cmocka_unit_test(an_engine_that_closes_is_connected_anew),
		cmocka_unit_test(only_known_fields_are_passed_on),
		cmocka_unit_test(the_type_of_a_body_is_passed_on_once),
		cmocka_unit_test(bodies_are_streamed),
		cmocka_unit_test(an_answer_may_come_before_the_body),
		cmocka_unit_test(half_a_body_is_refused),
		cmocka_unit_test(the_host_is_not_reached_by_a_query),
		cmocka_unit_test(whoever_asks_is_told_to_continue),
		cmocka_unit_test(nobody_is_told_to_continue_in_vain),
		cmocka_unit_test(an_engine_that_is_down_is_503),
		cmocka_unit_test(each_request_is_framed_anew),
		cmocka_unit_test(a_rule_for_all_directories),
		cmocka_unit_test(an_answer_that_makes_no_sense),
		cmocka_unit_test(what_follows_an_ungranted_upgrade_is_never_executed),
		cmocka_unit_test(nor_what_follows_a_refused_one),
		cmocka_unit_test(a_stream_has_two_ends),
		cmocka_unit_test(megabytes_go_both_ways_at_once),
		cmocka_unit_test(a_parsed_body_is_limited),
		cmocka_unit_test(a_client_may_read_slowly),
		cmocka_unit_test(a_client_that_goes_ends_the_engines_side),
		cmocka_unit_test(a_client_can_send_all_before_it_reads_the_refusal),
		cmocka_unit_test(a_frozen_engine_does_not_hold_what_a_client_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
