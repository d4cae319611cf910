/* Which socket is for which --forward, and which connections were accepted before. */
#include "tests/unit/proxy_fixture.h"

#include "proxy/listeners.h"

#define FIRST_ACCEPTED 100

static struct publish publish[2];
static const struct relay_config config = {.forwards = publish, .n_forwards = 2};

static void hand_over(int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", getpid());
	setenv("LISTEN_PID", text, 1);
	snprintf(text, sizeof(text), "%d", n);
	setenv("LISTEN_FDS", text, 1);
}

static void put(int fd, int number)
{
	assert_int_equal(dup2(fd, number), number);
	if (fd != number)
		close(fd);
}

/* Descriptors 3 and 4 listen, in another order than the forwards' when they are `crossed`. */
static void begin(bool crossed)
{
	int low[2];

	for (int k = 0; k < 2; k++) {
		int fd = bound(SOCK_STREAM);

		low[k] = fcntl(fd, F_DUPFD, 200);
		close(fd);
		publish[crossed ? 1 - k : k] =
			(struct publish){.type = SOCK_STREAM, .address = "127.0.0.1", .port = port_of(low[k])};
	}
	for (int k = 0; k < 2; k++)
		put(low[k], LISTEN_FDS_START + k);
	hand_over(2);
}

static void end(struct forward *forwards)
{
	free(forwards);
	for (int k = 0; k < 2; k++)
		(void)close(LISTEN_FDS_START + k);
}

static void sockets_are_matched_by_their_address(void **state)
{
	(void)state;
	for (int crossed = 0; crossed <= 1; crossed++) {
		struct forward *f;
		struct error err;

		begin(crossed);
		assert_int_equal(listeners_match(&config, &f, &err), 0);
		for (int k = 0; k < 2; k++) {
			assert_int_equal(f[k].fd, LISTEN_FDS_START + (crossed ? 1 - k : k));
			assert_int_equal(f[k].family, AF_INET);
			assert_ptr_equal(f[k].publish, &publish[k]);
			assert_true(fcntl(f[k].fd, F_GETFL) & O_NONBLOCK);
			assert_int_equal(fcntl(f[k].fd, F_GETFD), FD_CLOEXEC);
		}
		end(f);
	}
}

static const char *why_not(void)
{
	static struct error err;
	struct forward *f;

	assert_int_equal(listeners_match(&config, &f, &err), -1);
	end(NULL);
	return err.text;
}

static void what_does_not_belong_together_is_an_error(void **state)
{
	(void)state;
	begin(false);
	publish[1].port++;
	assert_non_null(strstr(why_not(), "socket 2 of the socket unit has no --forward"));
	begin(false);
	publish[1] = publish[0]; /* one socket is for one of them */
	assert_non_null(strstr(why_not(), "socket 2 of the socket unit has no --forward"));
	begin(false);
	hand_over(1);
	assert_non_null(strstr(why_not(), "no socket was handed over for --forward"));
	begin(false);
	put(open("/dev/null", O_RDONLY | O_CLOEXEC), LISTEN_FDS_START);
	assert_non_null(strstr(why_not(), "descriptor 3, which systemd handed over, is no usable socket"));
	begin(false);
	setenv("LISTEN_FDS", "many", 1);
	(void)why_not();
}

static struct forward forwards[2] = {{.fd = LISTEN_FDS_START + 1}, {.fd = LISTEN_FDS_START}};

static int parse(const char *text, struct accepted **ret, size_t *ret_n, struct error *err)
{
	int first = open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (int k = 0; k < 2; k++)
		assert_int_equal(dup2(first, FIRST_ACCEPTED + k), FIRST_ACCEPTED + k); /* as after an execve() */
	close(first);
	return accepted_parse(text, forwards, 2, ret, ret_n, err);
}

static void accepted_ones_are_read(void **state)
{
	struct accepted *list;
	struct error err;
	size_t n;

	(void)state;
	assert_int_equal(parse(NULL, &list, &n, &err), 0);
	assert_int_equal(n, 0);
	assert_int_equal(parse("", &list, &n, &err), 0);
	assert_int_equal(n, 0);
	assert_null(list);
	assert_int_equal(parse("101:0,100:1", &list, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_int_equal(list[0].fd, 101);
	assert_ptr_equal(list[0].forward, &forwards[1]);
	assert_int_equal(list[1].fd, 100);
	assert_ptr_equal(list[1].forward, &forwards[0]);
	assert_true(fcntl(100, F_GETFL) & O_NONBLOCK);
	assert_int_equal(fcntl(100, F_GETFD), FD_CLOEXEC);
	free(list);
}

static void what_is_no_list_is_an_error(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{"100", "'100' where FD:LISTENER is expected"},
		{"100:0,", "'' where FD:LISTENER is expected"},
		{"x:0", "the descriptor in SOCKWAKE_ACCEPTED"},
		{"4:0", "the descriptor in SOCKWAKE_ACCEPTED"}, /* is a listener */
		{"100:2", "the listener in SOCKWAKE_ACCEPTED"},
		{"100:x", "the listener in SOCKWAKE_ACCEPTED"},
		{"100:0,100:0", "names descriptor 100 twice"},
		{"99:0", "descriptor 99 in SOCKWAKE_ACCEPTED is not open"},
	};
	struct accepted *list;
	struct error err;
	size_t n;

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		assert_int_equal(parse(cases[k].text, &list, &n, &err), -1);
		if (!strstr(err.text, cases[k].says))
			fail_msg("'%s' does not say '%s'", err.text, cases[k].says);
		assert_int_equal(n, 0);
	}
	forwards[1].fd = -1;
	assert_int_equal(parse("100:0", &list, &n, &err), -1);
	assert_non_null(strstr(err.text, "names a listener that is not there"));
	forwards[1].fd = LISTEN_FDS_START;
}

/* So many of them as nobody has. */
static void lists_have_bounds(void **state)
{
	static char text[2 * 100000 + 2];
	struct accepted *list;
	struct error err;
	size_t n;

	(void)state;
	for (size_t k = 0; k < 100000; k++)
		memcpy(text + 2 * k, "x,", 2);
	text[2 * 99999 + 1] = '\0'; /* 100000 */
	assert_int_equal(parse(text, &list, &n, &err), -1);
	assert_non_null(strstr(err.text, "'x' where FD:LISTENER is expected"));
	text[2 * 99999 + 1] = ',';
	assert_int_equal(parse(text, &list, &n, &err), -1);
	assert_int_equal(err.code, E2BIG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sockets_are_matched_by_their_address),
		cmocka_unit_test(what_does_not_belong_together_is_an_error),
		cmocka_unit_test(accepted_ones_are_read),
		cmocka_unit_test(what_is_no_list_is_an_error),
		cmocka_unit_test(lists_have_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
