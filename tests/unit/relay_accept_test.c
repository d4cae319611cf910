/* Whom the proxy cannot serve. */
#include "tests/unit/proxy_fixture.h"

#include "relay/accept.h"

/* Without descriptors for both ends a client that somebody else has accepted is reset, and its descriptor is closed. */
static void an_adopted_client_without_descriptors_is_reset(void **state)
{
	static struct service service = {.n_workers = 1};
	static struct worker worker = {.service = &service};
	struct forward forward = {.family = AF_INET};

	(void)state;
	for (int left = 0; left <= 1; left++) {
		int listener = bound(SOCK_STREAM), client = connect_to(SOCK_STREAM, port_of(listener)),
		    fd = accept_from(listener);

		service.descriptors.free = left;
		accept_adopt(&worker, &forward, fd);
		assert_int_equal(fcntl(fd, F_GETFD), -1);
		assert_int_equal(next_end(client), ECONNRESET);
		assert_int_equal(service.descriptors.free, left);
		close(client);
		close(listener);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_adopted_client_without_descriptors_is_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
