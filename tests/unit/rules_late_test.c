/* What does not come in time. */
#include "tests/unit/rules_fixture.h"

/* Waiting for the engine alone fails: for its answer to a question of ours. */
static bool inquiries_fail;

/* In place of the C library's: whoever waits for a while waits for a moment. */
int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	const struct timespec moment = {.tv_nsec = timeout > 0 ? 20000000 : 0};

	if (inquiries_fail && fds[0].fd < 0) {
		errno = ENOMEM;
		return -1;
	}

	return ppoll(fds, n, timeout < 0 ? NULL : &moment, NULL);
}

static const struct play engine[] = {
	{"GET /containers/silent/json", "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" FREEZES, false},
	{NULL, NULL, false},
};

static void whoever_hangs_is_given_up(void **state)
{
	static const struct {
		const char *request;
		int status; /* 0: none is answered */
		const char *says;
	} cases[] = {
		{"GET /containers/js", 0, ""},
		{"POST /containers/create HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\n"
		 "Content-Length: 5\r\n\r\n{",
		 400, "the body of the request takes too long"},
		{"POST /containers/silent/start HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\r\n", 503,
		 "the engine does not answer"},
	};

	(void)state;
	client_stays = true;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		_cleanup_outcome_ struct outcome *o =
			ask("label = team=ci\nallow = containers.create containers.start", engine, cases[k].request);

		if (o->status != cases[k].status || !strstr(o->answer, cases[k].says))
			fail_msg("%s: %s", cases[k].request, o->answer);
		assert_null(strstr(o->fake.seen, "POST"));
	}
}

static void a_wait_that_fails_is_an_error(void **state)
{
	_cleanup_outcome_ struct outcome *o = NULL;

	(void)state;
	inquiries_fail = true;
	o = ask("label = team=ci\nallow = containers.start", engine,
		"POST /containers/silent/start HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\n\r\n");
	inquiries_fail = false;
	assert_non_null(strstr(o->answer, "cannot wait for the client and the engine"));
	assert_null(strstr(o->fake.seen, "POST"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_hangs_is_given_up),
		cmocka_unit_test(a_wait_that_fails_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
