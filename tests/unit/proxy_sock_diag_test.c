/* proxy/sock_diag.c: what the kernel may answer. That it does, tests of readiness show. */
#include <errno.h>
#include <limits.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proxy/sock_diag.h"

struct answer {
	struct nlmsghdr header;
	union {
		struct inet_diag_msg socket;
		struct nlmsgerr error;
	};
};

static int answered(uint16_t type, size_t len, int error, const struct inet_diag_msg **ret)
{
	static struct answer a;

	a = (struct answer){.header = {.nlmsg_len = (uint32_t)len, .nlmsg_type = type}, .error.error = error};
	return sock_diag_read(&a, sizeof(a), ret);
}

static void answers(void **state)
{
	const size_t found = NLMSG_LENGTH(sizeof(struct inet_diag_msg)), error = NLMSG_LENGTH(sizeof(struct nlmsgerr));
	const struct inet_diag_msg *m;

	(void)state;
	assert_int_equal(answered(SOCK_DIAG_BY_FAMILY, found, 0, &m), 0);
	assert_non_null(m);
	assert_int_equal(answered(SOCK_DIAG_BY_FAMILY, found - 1, 0, &m), EPROTO);
	assert_int_equal(answered(NLMSG_DONE, NLMSG_HDRLEN, 0, &m), 0);
	assert_null(m);
	assert_int_equal(answered(NLMSG_ERROR, error, -ENOENT, &m), ENOENT);
	assert_int_equal(answered(NLMSG_ERROR, error, 0, &m), 0);
	assert_null(m);
	assert_int_equal(answered(NLMSG_ERROR, error - 1, -ENOENT, &m), EPROTO);
	assert_int_equal(answered(NLMSG_NOOP, found, 0, &m), EPROTO);
}

/* No errno value: nothing of it may be taken for one, or for success. */
static void errors_out_of_range(void **state)
{
	static const int errors[] = {INT_MIN, INT_MIN + 1, -4096, 1, ENOENT, INT_MAX};
	const struct inet_diag_msg *m;

	(void)state;
	for (size_t k = 0; k < sizeof(errors) / sizeof(*errors); k++)
		assert_int_equal(answered(NLMSG_ERROR, NLMSG_LENGTH(sizeof(struct nlmsgerr)), errors[k], &m), EPROTO);
}

static void lengths(void **state)
{
	struct answer a = {.header = {.nlmsg_len = sizeof(a) + 1, .nlmsg_type = SOCK_DIAG_BY_FAMILY}};
	const struct inet_diag_msg *m;

	(void)state;
	assert_int_equal(sock_diag_read(&a, sizeof(a), &m), EPROTO);
	assert_int_equal(sock_diag_read(&a, 0, &m), EPROTO);
	a.header.nlmsg_len = NLMSG_HDRLEN - 1;
	assert_int_equal(sock_diag_read(&a, sizeof(a), &m), EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(errors_out_of_range),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
