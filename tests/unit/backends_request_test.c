/* Requests that both engines share: what they ask, what their answers mean, and logs. The engine is a fake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "backends/engine.h"
#include "backends/request.h"
#include "backends/silence.h"
#include "common/clock.h"
#include "tests/unit/engine_fixture.h"

#define ID64 "2949c6c31c30d3a08329b19441bcb2825a7366f146b46bce911f161ad49e165e"

#define BODY(status, json)  "HTTP/1.1 " status "\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" json
#define REPLY(status, json) SAY_THEN(BODY(status, json), CLOSE)
#define INSPECTION(name, tty)                                                                                          \
	REPLY("200 OK", "{\"Id\":\"" ID64 "\",\"Name\":\"/" name "\",\"State\":{\"Status\":\"running\",\"Pid\":77},"   \
			"\"HostConfig\":{},\"Config\":{\"Tty\":" tty "}}")

static void expect(const struct error *err, int code, const char *text)
{
	if (err->code != code || !strstr(err->text, text))
		fail_msg("%d: '%s' does not say '%s'", err->code, err->text, text);
}

static void time_limits(void **state)
{
	struct engine e = {.deadline = USEC_INFINITY};
	uint64_t now = now_usec(), until;

	(void)state;
	until = request_deadline(&e, 10 * USEC_PER_SEC);
	assert_true(until >= now + 10 * USEC_PER_SEC && until <= now_usec() + 10 * USEC_PER_SEC);
	assert_true(request_deadline(&e, USEC_INFINITY) == USEC_INFINITY);
	e.deadline = 5;
	assert_true(request_deadline(&e, 10 * USEC_PER_SEC) == 5);
	assert_true(request_deadline(&e, USEC_INFINITY) == 5);
}

static void a_hanging_engine_is_waited_for_once(void **state)
{
	FAKE_ENGINE(hangs, {.after = STALL});
	FAKE_ENGINE(other, REPLY("204 X", ""), REPLY("204 X", ""));
	_cleanup_engine_ struct engine *first = engine_opened(&hangs, BACKEND_DOCKER), *second = NULL;
	_cleanup_engine_ struct engine *third = engine_opened(&other, BACKEND_DOCKER);
	struct error err;

	(void)state;
	silence_ask_once(50 * USEC_PER_MSEC);
	/* one that had less time may answer the next time */
	first->deadline = now_usec() + 10 * USEC_PER_MSEC;
	assert_int_equal(container_pause(first, "x", &err), -1);
	expect(&err, ETIMEDOUT, "'systemctl status docker' may show");
	assert_null(strstr(err.text, "other instances"));
	first->deadline = now_usec() + 100 * USEC_PER_MSEC;
	assert_int_equal(container_pause(first, "x", &err), -1);
	expect(&err, ETIMEDOUT, "; it is not asked about other instances");
	second = engine_opened(&hangs, BACKEND_DOCKER);
	second->deadline = USEC_INFINITY;
	assert_int_equal(container_pause(second, "y", &err), -1);
	expect(&err, EALREADY, "Docker has not answered before on '");
	assert_int_equal(container_pause(third, "y", &err), 0);
	silence_ask_once(0);
	second->deadline = now_usec() + 100 * USEC_PER_MSEC;
	assert_int_equal(container_pause(second, "y", &err), -1);
	expect(&err, ETIMEDOUT, "Docker did not answer in time");
}

/* Docker names a network that is gone by its identifier only. */
static void a_lost_network(void **state)
{
#define NETWORK "031ac4655cca2df8430faacea1ee34f9094d53239db0fdc19fa711a77926faf7"
#define LOST	REPLY("404 X", "{\"message\":\"network " NETWORK " not found\"}")
#define OF(mode)                                                                                                       \
	REPLY("200 X", "{\"Id\":\"" NETWORK "\",\"Name\":\"/web\",\"State\":{\"Status\":\"created\"},"                 \
		       "\"HostConfig\":{\"NetworkMode\":\"" mode "\"},\"Config\":{}}")
	FAKE_ENGINE(f, LOST, OF("shopnet"), LOST, OF(NETWORK), LOST, REPLY("404 X", ""),
		    REPLY("404 X", "{\"message\":\"network 031ac4 not found\"}"),
		    REPLY("404 X", "{\"message\":\"network " NETWORK " is busy\"}"), OF("shopnet"));
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_DOCKER);
	enum start_result started;
	struct error err;

	(void)state;
	assert_int_equal(container_start(e, "web", &started, &err), -1);
	assert_int_equal(err.code, EREMOTEIO);
	assert_string_equal(err.text, "Docker cannot start the container 'web': its network 'shopnet' is gone: 'docker "
				      "network create shopnet' makes it again, then 'docker network disconnect -f "
				      "shopnet web' and 'docker network connect shopnet web' connect it");
	assert_int_equal(container_start(e, "web", &started, &err), -1);
	expect(&err, EREMOTEIO, "not found (status 404); 'docker network disconnect -f NETWORK web'");
	assert_int_equal(container_start(e, "web", &started, &err), -1);
	expect(&err, EREMOTEIO, "network " NETWORK " not found (status 404)");
	assert_null(strstr(err.text, "disconnect"));
	assert_int_equal(container_start(e, "web", &started, &err), -1);
	expect(&err, EREMOTEIO, "network 031ac4 not found (status 404)");
	assert_int_equal(container_start(e, "web", &started, &err), -1);
	expect(&err, EREMOTEIO, "network " NETWORK " is busy (status 404)");
	assert_null(strstr(err.text, "disconnect"));
	fake_stop(&f);
}

static void answers(void **state)
{
	FAKE_ENGINE(f, REPLY("204 No Content", ""), REPLY("304 Not Modified", ""), REPLY("200 OK", ""),
		    REPLY("204 No Content", ""), REPLY("304 Not Modified", ""), REPLY("200 OK", ""), REPLY("204 X", ""),
		    REPLY("304 X", ""), REPLY("204 X", ""), REPLY("409 X", "{\"message\":\"paused\"}"),
		    REPLY("404 X", "{\"message\":\"network web not found\"}"), REPLY("404 X", ""),
		    REPLY("404 X", "{\"message\":\"hm\"}"), REPLY("500 X", "{\"message\":\"No such container: x\"}"));
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_DOCKER);
	enum start_result started;
	enum stop_result stopped;
	struct error err;

	(void)state;
	assert_int_equal(container_start(e, "x", &started, &err), 0);
	assert_int_equal(started, START_STARTED);
	assert_int_equal(container_start(e, "x", &started, &err), 0);
	assert_int_equal(started, START_ALREADY_RUNNING);
	assert_int_equal(container_start(e, "x", &started, &err), -1);
	expect(&err, EREMOTEIO, "Docker cannot start the container 'x': it does not say why (status 200)");
	assert_int_equal(container_stop(e, "x", 7, &stopped, &err), 0);
	assert_int_equal(stopped, STOP_STOPPED);
	assert_non_null(strstr(f.seen->text, "POST /containers/x/stop?t=7&timeout=7 HTTP"));
	assert_int_equal(container_stop(e, "x", UINT64_MAX, &stopped, &err), 0);
	assert_int_equal(stopped, STOP_HAD_ENDED);
	assert_non_null(strstr(f.seen->text, "POST /containers/x/stop HTTP"));
	assert_int_equal(container_stop(e, "x", UINT32_MAX, &stopped, &err), -1);
	expect(&err, EREMOTEIO, "Docker cannot stop the container 'x'");
	assert_non_null(strstr(f.seen->text, "stop?t=4294967295&timeout=4294967295 "));
	assert_int_equal(container_pause(e, "x", &err), 0);
	assert_non_null(strstr(f.seen->text, "POST /containers/x/pause HTTP"));
	assert_int_equal(container_pause(e, "x", &err), -1);
	assert_int_equal(container_unpause(e, "x", &err), 0);
	assert_non_null(strstr(f.seen->text, "POST /containers/x/unpause HTTP"));
	assert_int_equal(container_unpause(e, "x", &err), -1);
	expect(&err, EBUSY, "Docker cannot unpause the container 'x': paused (status 409)");
	/* To a start, 404 is also about what the container needs. */
	assert_int_equal(container_start(e, "x", &started, &err), -1);
	expect(&err, EREMOTEIO, "network web not found (status 404)");
	assert_int_equal(container_start(e, "x", &started, &err), -1);
	expect(&err, ENOENT, "Docker has no container 'x': 'docker ps -a' lists those that it has");
	assert_int_equal(container_pause(e, "x", &err), -1);
	expect(&err, ENOENT, "has no container");
	assert_int_equal(container_start(e, "x", &started, &err), -1);
	expect(&err, ENOENT, "has no container");
	fake_stop(&f);
}

/* Engines take a short name for the beginning of another one's identifier. */
static void beginnings_of_identifiers(void **state)
{
	FAKE_ENGINE(f, INSPECTION("pg", "false"),		     /* "2949": not its name */
		    INSPECTION("2949", "false"), REPLY("204 X", ""), /* its name */
		    INSPECTION("cafe", "false"), REPLY("204 X", ""), /* renamed just now */
		    REPLY("204 X", ""), REPLY("204 X", ""),	     /* long, or no hexadecimal: not asked */
		    REPLY("500 X", "{\"message\":\"hm\"}"), INSPECTION("pg", "false"), REPLY("200 OK", "nonsense"));
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_DOCKER);
	_cleanup_container_ struct container c = {};
	struct error err;

	(void)state;
	assert_int_equal(container_pause(e, "2949", &err), -1);
	expect(&err, ENOENT, "Docker has no container '2949', which is only the beginning of the identifier of 'pg'");
	assert_int_equal(f.seen->requests, 1);
	assert_int_equal(container_pause(e, "2949", &err), 0);
	assert_non_null(strstr(f.seen->text, "POST /containers/" ID64 "/pause "));
	assert_int_equal(container_pause(e, "beef", &err), 0);
	assert_int_equal(f.seen->requests, 5);
	assert_int_equal(container_pause(e, "2949c6c31c30", &err), 0);
	assert_non_null(strstr(f.seen->text, "POST /containers/2949c6c31c30/pause "));
	assert_int_equal(container_pause(e, "2949g", &err), 0);
	assert_int_equal(f.seen->requests, 7);
	assert_int_equal(container_pause(e, "2949c6c31c3", &err), -1);
	expect(&err, EREMOTEIO, "hm");
	assert_int_equal(container_inspect(e, "2949c6c31c30", &c, &err), 0);
	assert_string_equal(c.name, "pg");
	assert_int_equal(container_inspect(e, "x", &c, &err), -1);
	expect(&err, EPROTO, "is not what Docker's API promises: is it really its socket?");
	assert_int_equal(container_pause(e, "not a name", &err), -1);
	expect(&err, EINVAL, "'not a name' is not a container's name");
	assert_int_equal(f.seen->requests, 10);
	fake_stop(&f);
}

static void engines_that_fail(void **state)
{
	FAKE_ENGINE(f, SAY_THEN(NULL, CLOSE), SAY_THEN(NULL, STALL), SAY("nonsense\r\n\r\n"));
	struct fake_engine none = {.socket = "/tmp/none.sock"};
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_DOCKER),
				       *missing = engine_opened(&none, BACKEND_PODMAN);
	enum start_result started;
	struct error err;

	(void)state;
	assert_int_equal(container_start(e, "x", &started, &err), -1);
	expect(&err, ECONNRESET, "Docker went away before it had answered on '");
	e->deadline = now_usec() + 50 * USEC_PER_MSEC;
	assert_int_equal(container_start(e, "x", &started, &err), -1);
	expect(&err, ETIMEDOUT, "Docker did not answer in time on '");
	e->deadline = USEC_INFINITY;
	assert_int_equal(container_start(e, "x", &started, &err), -1);
	expect(&err, EPROTO, "Docker: ");
	assert_int_equal(container_start(missing, "x", &started, &err), -1);
	expect(&err, ENOTCONN,
	       "Podman does not answer: nothing listens on '/tmp/none.sock'; start it with 'systemctl enable --now "
	       "podman.socket'");
	fake_stop(&f);
}

/* --- logs */

struct output {
	char text[2][64];
	unsigned stop_after; /* pieces; 0: never */
	unsigned pieces;
};

static bool on_output(void *data, int stream, const char *text, size_t len)
{
	struct output *o = data;

	assert_in_range(stream, 1, 2);
	strncat(o->text[stream - 1], text, len);
	return ++o->pieces != o->stop_after;
}

static bool on_piece(void *data, int stream, const char *text, size_t len)
{
	struct output *o = data;

	(void)stream;
	(void)text;
	(void)len;
	return ++o->pieces != o->stop_after;
}

#define FRAMES                                                                                                         \
	"\1\0\0\0\0\0\0\5hello"                                                                                        \
	"\2\0\0\0\0\0\0\3bad"                                                                                          \
	"\1\0\0\0\0\0\0\0"                                                                                             \
	"\1\0\0\0\0\0\0\6 world"
#define LOG_HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
#define LOGS(text)                                                                                                     \
	{                                                                                                              \
		.reply = LOG_HEAD text, .len = sizeof(LOG_HEAD text) - 1, .after = CLOSE                               \
	}

static void logs(void **state)
{
	FAKE_ENGINE(f, INSPECTION("x", "false"), LOGS(FRAMES), INSPECTION("x", "true"), LOGS("plain"),
		    INSPECTION("x", "false"), LOGS(FRAMES), INSPECTION("x", "false"),
		    REPLY("500 X", "{\"message\":\"no driver\"}"), REPLY("404 X", ""), INSPECTION("x", "true"),
		    LOGS("plain"), INSPECTION("x", "false"), SAY_THEN(LOG_HEAD, STALL));
	struct log_options all = {}, some = {.follow = true, .times = true, .tail = 3};
	_cleanup_engine_ struct engine *e = engine_opened(&f, BACKEND_DOCKER),
				       *podman = engine_opened(&f, BACKEND_PODMAN);
	struct output o = {};
	struct error err;

	(void)state;
	assert_int_equal(container_logs(e, "x", &all, on_output, &o, &err), 0);
	assert_string_equal(o.text[0], "hello world");
	assert_string_equal(o.text[1], "bad");
	assert_non_null(strstr(f.seen->text, "GET /containers/" ID64
					     "/logs?stdout=true&stderr=true&follow=false&timestamps=false&tail=all "));
	/* A terminal's output comes without frames. */
	o = (struct output){};
	assert_int_equal(container_logs(e, "x", &some, on_output, &o, &err), 0);
	assert_string_equal(o.text[0], "plain");
	assert_non_null(strstr(f.seen->text, "follow=true&timestamps=true&tail=3 "));
	o = (struct output){.stop_after = 1};
	assert_int_equal(container_logs(e, "x", &all, on_output, &o, &err), 0);
	assert_string_equal(o.text[0], "hello");
	assert_string_equal(o.text[1], "");
	assert_int_equal(container_logs(e, "x", &all, on_output, &o, &err), -1);
	expect(&err, EREMOTEIO, "Docker cannot read the log of the container 'x': no driver");
	assert_int_equal(container_logs(e, "x", &all, on_output, &o, &err), -1);
	expect(&err, ENOENT, "has no container 'x'");
	/* but Podman's in frames: what is none is waited for */
	o = (struct output){};
	assert_int_equal(container_logs(podman, "x", &all, on_output, &o, &err), 0);
	assert_string_equal(o.text[0], "");
	e->deadline = now_usec() + 300 * USEC_PER_MSEC;
	assert_int_equal(container_logs(e, "x", &some, on_output, &o, &err), -1);
	expect(&err, ETIMEDOUT, "in time");
	fake_stop(&f);
}

/* Who has enough of it gets no more, however much there is. */
static void a_long_log_that_is_given_up(void **state)
{
	static const unsigned char header[8] = {1, 0, 0, 0, 0, 0, 3, 232};
	static char text[200000] = LOG_HEAD;
	struct exchange script[] = {INSPECTION("x", "false"), {.reply = text, .after = CLOSE}};
	struct output o = {.stop_after = 1};
	_cleanup_engine_ struct engine *e = NULL;
	struct fake_engine f;
	struct error err;

	(void)state;
	script[1].len = strlen(LOG_HEAD);
	for (; script[1].len + 1008 < sizeof(text); script[1].len += 1008) {
		memset(text + script[1].len, 'x', 1008);
		memcpy(text + script[1].len, header, sizeof(header));
	}
	fake_start(&f, script, 2);
	e = engine_opened(&f, BACKEND_DOCKER);
	assert_int_equal(container_logs(e, "x", &(struct log_options){}, on_piece, &o, &err), 0);
	assert_int_equal(o.pieces, 1);
	fake_stop(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_log_that_is_given_up),
		cmocka_unit_test(time_limits),
		cmocka_unit_test(a_hanging_engine_is_waited_for_once),
		cmocka_unit_test(answers),
		cmocka_unit_test(beginnings_of_identifiers),
		cmocka_unit_test(engines_that_fail),
		cmocka_unit_test(logs),
		cmocka_unit_test(a_lost_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
