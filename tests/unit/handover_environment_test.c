/* What one program writes into the environment, the next one reads. */
#include "handover/environment.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/io.h"
#include "handover/accepted.h"
#include "handover/listen.h"
#include "handover/mark.h"
#include "handover/outside.h"
#include "handover/sources.h"

static void set_number(enum variable v, uint64_t value)
{
	struct error err;

	if (environment_set_number(v, value, &err) < 0)
		fail_msg("%s", err.text);
}

static int reset(void **state)
{
	(void)state;
	for (enum variable v = 0; v < VARIABLES; v++)
		environment_unset(v);
	return 0;
}

static void descriptors(void **state)
{
	static const enum variable all[] = {VARIABLE_KEEPER, VARIABLE_STATS, VARIABLE_HOLD,
					    VARIABLE_PIDFD,  VARIABLE_EXEC,  VARIABLE_ROOT};
	struct error err;

	(void)state;
	for (size_t k = 0; k < sizeof(all) / sizeof(*all); k++) {
		int given = open("/dev/null", O_RDONLY), fd = 0;

		assert_int_equal(environment_fd(all[k], &fd, &err), 0);
		assert_int_equal(fd, -1);
		assert_int_equal(environment_take_fd(all[k], &fd, &err), 0);
		assert_int_equal(fd, -1);
		set_number(all[k], (uint64_t)given);
		assert_int_equal(environment_fd(all[k], &fd, &err), 0);
		assert_int_equal(fd, given);
		assert_int_equal(fcntl(given, F_GETFD), 0); /* the next program may have it */
		assert_int_equal(environment_take_fd(all[k], &fd, &err), 0);
		assert_int_equal(fd, given);
		assert_int_equal(fcntl(given, F_GETFD), FD_CLOEXEC);
		close(given);
		assert_int_equal(environment_fd(all[k], &fd, &err), 0);
		assert_int_equal(environment_take_fd(all[k], &fd, &err), -1);
		assert_int_equal(err.code, EBADF);
		assert_int_equal(fd, -1);
		assert_non_null(strstr(err.text, environment_name(all[k])));
		set_number(all[k], (uint64_t)INT32_MAX + 1);
		assert_int_equal(environment_fd(all[k], &fd, &err), -1);
		assert_non_null(strstr(err.text, environment_name(all[k])));
	}
}

static void deadline(void **state)
{
	uint64_t t, before = now_usec();
	struct error err;

	(void)state;
	assert_int_equal(environment_deadline(5 * USEC_PER_SEC, &t, &err), 0);
	assert_in_range(t, before + 5 * USEC_PER_SEC, now_usec() + 5 * USEC_PER_SEC);
	assert_int_equal(environment_deadline(USEC_INFINITY, &t, &err), 0);
	assert_true(t == USEC_INFINITY);
	assert_int_equal(environment_deadline(USEC_INFINITY - 1, &t, &err), 0);
	assert_true(t == USEC_INFINITY);
	set_number(VARIABLE_DEADLINE, UINT64_MAX - 1);
	assert_int_equal(environment_deadline(0, &t, &err), 0);
	assert_true(t == UINT64_MAX - 1);
	assert_int_equal(environment_set_text(VARIABLE_DEADLINE, "soon", &err), 0);
	assert_int_equal(environment_deadline(0, &t, &err), -1);
	assert_non_null(strstr(err.text, "SOCKWAKE_DEADLINE"));
}

static void mark(void **state)
{
	struct error err;
	unsigned m;

	(void)state;
	assert_int_equal(environment_mark(&m, &err), 0);
	assert_int_equal(m, TRANSPARENT_MARK);
	set_number(VARIABLE_MARK, UINT32_MAX);
	assert_int_equal(environment_mark(&m, &err), 0);
	assert_true(m == UINT32_MAX);
	set_number(VARIABLE_MARK, 0);
	assert_int_equal(environment_mark(&m, &err), -1);
	set_number(VARIABLE_MARK, UINT32_MAX + 1ULL);
	assert_int_equal(environment_mark(&m, &err), -1);
}

static void accepted_clients(void **state)
{
	enum { N = 3, LISTENERS = 2 };
	_cleanup_free_ struct accepted_client *list = NULL;
	struct accepted_client given[N];
	char text[ACCEPTED_TEXT_MAX(N)];
	struct error err;
	size_t n, len = 0;

	(void)state;
	for (int k = 0; k < N; k++) {
		int null = open("/dev/null", O_RDONLY);

		given[k] = (struct accepted_client){.fd = fcntl(null, F_DUPFD, 60), .listener = k % LISTENERS};
		close(null);
	}
	for (int k = 0; k < N; k++)
		len = accepted_append(text, sizeof(text), len, &given[k]);
	assert_int_equal(accepted_decode(text, LISTENERS, &list, &n, &err), 0);
	assert_int_equal(n, N);
	assert_memory_equal(list, given, sizeof(given));
	for (int k = 0; k < N; k++) {
		assert_int_equal(fcntl(given[k].fd, F_GETFD), FD_CLOEXEC);
		assert_true(fcntl(given[k].fd, F_GETFL) & O_NONBLOCK);
		close(given[k].fd);
	}
	free_ptr(&list);
	assert_int_equal(accepted_decode("", LISTENERS, &list, &n, &err), 0);
	assert_int_equal(n, 0);
	assert_null(list);
	assert_int_equal(accepted_decode(NULL, LISTENERS, &list, &n, &err), 0);
	assert_int_equal(n, 0);
	assert_null(list);
}

static void accepted_clients_that_are_wrong(void **state)
{
	static const char *const wrong[] = {"60", "60:2", "2:0", "60:0", ":", "x:0", "60:0,,", "99999999999:0"};
	struct accepted_client *list;
	struct error err;
	size_t n;

	(void)state;
	for (size_t k = 0; k < sizeof(wrong) / sizeof(*wrong); k++) {
		err.text[0] = '\0';
		assert_int_equal(accepted_decode(wrong[k], 2, &list, &n, &err), -1);
		assert_non_null(strstr(err.text, "SOCKWAKE_ACCEPTED"));
		assert_null(list);
		assert_int_equal(n, 0);
	}
}

static void too_many_clients(void **state)
{
	char *text = calloc(1, 100002);
	struct accepted_client *list;
	struct error err;
	size_t n;

	(void)state;
	memset(text, ',', 100000); /* between 100001 clients */
	assert_int_equal(accepted_decode(text, 2, &list, &n, &err), -1);
	assert_int_equal(err.code, E2BIG);
	text[99999] = '\0';
	assert_int_equal(accepted_decode(text, 2, &list, &n, &err), -1);
	assert_int_equal(err.code, 0); /* they are none, but not too many */
	free(text);
}

static void what_is_unset(void **state)
{
	uint64_t until;
	struct error err;

	(void)state;
	assert_int_equal(environment_set_text(VARIABLE_DEADLINE, "soon", &err), 0);
	assert_int_equal(environment_deadline(5, &until, &err), -1);
	environment_unset(VARIABLE_DEADLINE);
	assert_null(environment_text(VARIABLE_DEADLINE));
	assert_int_equal(environment_deadline(5, &until, &err), 0);
}

static void sources(void **state)
{
	char text[INET6_ADDRSTRLEN];
	struct sources s;
	struct error err;

	(void)state;
	assert_int_equal(sources_inherited(&s, &err), 0);
	assert_int_equal(sources_hand_on(true, false, &err), 0);
	assert_int_equal(sources_inherited(&s, &err), 1);
	assert_true(s.host);
	assert_int_equal(sources_hand_on(false, false, &err), 0);
	assert_int_equal(sources_inherited(&s, &err), 1);
	assert_false(s.host);
	assert_int_equal(s.ipv4.sin_family, AF_INET);
	assert_string_equal(inet_ntop(AF_INET, &s.ipv4.sin_addr, text, sizeof(text)), OUTSIDE_IPV4);
	assert_int_equal(s.ipv6.sin6_family, 0);
	assert_int_equal(sources_hand_on(false, true, &err), 0);
	assert_int_equal(sources_inherited(&s, &err), 1);
	assert_int_equal(s.ipv4.sin_family, AF_INET);
	assert_int_equal(s.ipv6.sin6_family, AF_INET6);
	assert_string_equal(inet_ntop(AF_INET6, &s.ipv6.sin6_addr, text, sizeof(text)), OUTSIDE_IPV6);
	assert_int_equal(environment_set_text(VARIABLE_SOURCES, "nobody", &err), 0);
	assert_int_equal(sources_inherited(&s, &err), -1);
	assert_non_null(strstr(err.text, "'nobody'"));
}

static void listeners(void **state)
{
	int n, count = getpid() % 1000 + 1; /* not the number of the process, which is in the variable beside it */
	struct error err;

	(void)state;
	listen_hand_on(count);
	assert_int_equal(listen_fds(&n, &err), 0);
	assert_int_equal(n, count);
	environment_forget(false);
	assert_int_equal(listen_fds(&n, &err), 0);
	assert_int_equal(n, 0);
}

static bool contains(char *const *environment, const char *assignment)
{
	for (; *environment; environment++) {
		if (strcmp(*environment, assignment) == 0)
			return true;
	}
	return false;
}

static void set_private(void)
{
	static const char *const systemds[] = {"LISTEN_PID",	"LISTEN_FDS",	"LISTEN_FDNAMES",
					       "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"};

	setenv("A_BEGIN", "1", 1);
	for (size_t k = 0; k < sizeof(systemds) / sizeof(*systemds); k++)
		setenv(systemds[k], "1", 1);
	for (enum variable v = 0; v < VARIABLES; v++)
		set_number(v, 1);
	setenv("LISTENER", "1", 1);
	setenv("NOTIFY_SOCKETS", "1", 1);
}

static size_t count(char *const *environment)
{
	size_t n = 0;

	while (environment[n])
		n++;
	return n;
}

static void what_others_do_not_inherit(void **state)
{
	size_t before = count(environ);
	struct error err;
	char **copy;

	(void)state;
	set_private();
	copy = environment_for_others();
	assert_int_equal(count(copy), before + 3);
	assert_true(malloc_usable_size(copy) > count(environ) * sizeof(*copy)); /* it had room for all */
	assert_true(contains(copy, "A_BEGIN=1") && contains(copy, "LISTENER=1") && contains(copy, "NOTIFY_SOCKETS=1"));
	assert_true(contains(environ, "LISTEN_FDS=1")); /* here it stays */
	free(copy);
	environment_forget(true);
	assert_int_equal(count(environ), before + 4);
	assert_true(contains(environ, "LISTEN_FDNAMES=1"));
	environment_forget(false);
	assert_int_equal(count(environ), before + 3);
	assert_int_equal(environment_set_text(VARIABLE_HOLD, "9", &err), 0); /* it can go on */
	assert_string_equal(environment_text(VARIABLE_HOLD), "9");
}

/* docs/architecture.md tells each variable, and who reads it. */
static void they_are_documented(void **state)
{
	_cleanup_free_ char *page = NULL;
	struct error err;

	(void)state;
	if (file_read(AT_FDCWD, "docs/architecture.md", 1 << 20, &page, NULL, &err) < 0)
		fail_msg("%s", err.text);
	for (enum variable v = 0; v < VARIABLES; v++) {
		static const char *const names[] = {"activator", "nshelper", "proxy"};
		unsigned readers = environment_readers(v);
		char line[128];
		int n = snprintf(line, sizeof(line), "\n| `%s` | ", environment_name(v));

		if (readers == READ_BY_ALL)
			n += snprintf(line + n, sizeof(line) - (size_t)n, "all children");
		for (unsigned k = 0; readers != READ_BY_ALL && k < 3; k++) {
			if (readers & 1U << k)
				n += snprintf(line + n, sizeof(line) - (size_t)n, "%s%s",
					      readers & ((1U << k) - 1) ? ", " : "", names[k]);
		}
		(void)snprintf(line + n, sizeof(line) - (size_t)n, " | ");
		if (!strstr(page, line))
			fail_msg("docs/architecture.md lacks '%s'", line + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(descriptors, reset),
		cmocka_unit_test_setup(deadline, reset),
		cmocka_unit_test_setup(mark, reset),
		cmocka_unit_test_setup(accepted_clients, reset),
		cmocka_unit_test_setup(accepted_clients_that_are_wrong, reset),
		cmocka_unit_test_setup(too_many_clients, reset),
		cmocka_unit_test_setup(what_is_unset, reset),
		cmocka_unit_test_setup(sources, reset),
		cmocka_unit_test_setup(listeners, reset),
		cmocka_unit_test_setup(what_others_do_not_inherit, reset),
		cmocka_unit_test_setup(they_are_documented, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
