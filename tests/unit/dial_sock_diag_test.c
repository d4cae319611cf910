/* dial/sock_diag.c and common/netlink.h: who answers, and what the answer may be. As root: only that may write to other
 * processes' netlink sockets. */
#include "tests/unit/proxy_fixture.h"

#include <limits.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include "common/netlink.h"
#include "dial/sock_diag.h"
#include "tests/unit/refusal_fixture.h"

struct forged {
	struct nlmsghdr header;
	union {
		struct nlmsgerr error;
		struct inet_diag_msg found;
	} body;
};

static void forge(int diag, uint16_t type, int error)
{
	int liar = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct forged f = {.header = {.nlmsg_len = sizeof(f), .nlmsg_type = type}, .body.error.error = error};
	struct sockaddr_nl to = {};
	socklen_t len = sizeof(to);

	assert_int_equal(getsockname(diag, (struct sockaddr *)&to, &len), 0);
	assert_int_equal(sendto(liar, &f, sizeof(f), 0, (struct sockaddr *)&to, sizeof(to)), sizeof(f));
	close(liar);
}

static void only_the_kernel_answers(void **state)
{
	int listener = bound(SOCK_STREAM), closed = bound(SOCK_STREAM);
	struct target t = {.len = sizeof(struct sockaddr_in)};
	struct sockaddr_in *address = (struct sockaddr_in *)&t.addr;
	struct error err;
	int diag = sock_diag_open(SOCK_STREAM, &err);

	(void)state;
	assert_true(diag >= 0);
	*address = loopback(port_of(closed));
	close(closed);
	assert_int_equal(sock_diag_look(diag, SOCK_STREAM, &t), SOCKET_NONE);
	forge(diag, SOCK_DIAG_BY_FAMILY, 0);
	assert_int_equal(sock_diag_look(diag, SOCK_STREAM, &t), SOCKET_NONE);
	*address = loopback(port_of(listener));
	forge(diag, NLMSG_ERROR, -ENOENT);
	forge(diag, NLMSG_ERROR, INT_MIN);
	assert_int_equal(sock_diag_look(diag, SOCK_STREAM, &t), SOCKET_LISTENS);
	close(diag);
	close(listener);
}

static void what_listens(void **state)
{
	int listeners[3] = {bound(SOCK_STREAM), bound(SOCK_STREAM), bound(SOCK_DGRAM)};
	uint16_t ports[1024] = {}; /* others of the machine may be among them */
	size_t n = sock_diag_listening(ports, 1024);
	bool found[3] = {};

	(void)state;
	assert_in_range(n, 2, 1024);
	for (size_t k = 0; k < n; k++) {
		for (size_t l = 0; l < 3; l++)
			found[l] |= ports[k] == port_of(listeners[l]);
	}
	assert_true(found[0] && found[1] && !found[2]);
	assert_int_equal(sock_diag_listening(ports, 1), 1);
	for (size_t l = 0; l < 3; l++)
		close(listeners[l]);
}

/* Both families, each port once, whatever lay in the room for them before. */
static void each_port_is_told_once(void **state)
{
	int first = bound(SOCK_STREAM), second = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	int third = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in6 a = {
		.sin6_family = AF_INET6, .sin6_port = htons(port_of(first)), .sin6_addr = in6addr_loopback};
	struct sockaddr_in6 b = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	socklen_t len = sizeof(b);
	uint16_t ports[1024];
	unsigned times, others;
	size_t n;

	(void)state;
	setsockopt(second, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	assert_int_equal(bind(second, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(bind(third, (struct sockaddr *)&b, sizeof(b)), 0);
	assert_int_equal(listen(second, 1), 0);
	assert_int_equal(listen(third, 1), 0);
	assert_int_equal(getsockname(third, (struct sockaddr *)&b, &len), 0);
	for (unsigned before = 0; before < 2; before++) {
		for (size_t k = 0; k < 1024; k++)
			ports[k] = before ? port_of(first) : ntohs(b.sin6_port);
		n = sock_diag_listening(ports, 1024);
		times = others = 0;
		for (size_t k = 0; k < n; k++) {
			times += ports[k] == port_of(first);
			others += ports[k] == ntohs(b.sin6_port);
		}
		assert_int_equal(times, 1);
		assert_int_equal(others, 1);
	}
	close(first);
	close(second);
	close(third);
}

/* Who listens on an address of the loopback alone cannot be reached from elsewhere. */
static void what_listens_on_the_loopback(void **state)
{
	static const struct {
		const char *address;
		bool loopback;
	} cases[] = {
		{"127.0.0.1", true}, {"127.9.9.9", true}, {"0.0.0.0", false},
		{"::1", true},	     {"::", false},	  {"::ffff:127.0.0.1", true},
	};
	struct error err;
	int diag = sock_diag_open(SOCK_STREAM, &err);

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct target t = {.len = sizeof(t.addr)};
		struct sockaddr_in *v4 = (struct sockaddr_in *)&t.addr;
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&t.addr;
		struct listener found = {.loopback = !cases[k].loopback};
		int fd;

		if (inet_pton(AF_INET, cases[k].address, &v4->sin_addr) == 1)
			v4->sin_family = AF_INET;
		else if (inet_pton(AF_INET6, cases[k].address, &v6->sin6_addr) == 1)
			v6->sin6_family = AF_INET6;
		fd = socket(t.addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(bind(fd, (struct sockaddr *)&t.addr, sizeof(*v6)), 0);
		assert_int_equal(listen(fd, 1), 0);
		assert_int_equal(getsockname(fd, (struct sockaddr *)&t.addr, &t.len), 0);
		assert_int_equal(sock_diag_find(diag, SOCK_STREAM, &t, &found), SOCKET_LISTENS);
		assert_int_equal(found.loopback, cases[k].loopback);
		close(fd);
	}
	close(diag);
}

static bool is_refused(void)
{
	struct error err = {};

	refuse_call(SYS_sendto, EIO);
	return sock_diag_open(SOCK_STREAM, &err) == -1 && err.code == EIO &&
	       strstr(err.text, "this kernel does not tell");
}

static bool has_no_socket(void)
{
	struct error err = {};
	uint16_t ports[4];

	refuse_call(SYS_socket, EACCES);
	return sock_diag_open(SOCK_STREAM, &err) == -1 && err.code == EACCES &&
	       strstr(err.text, "cannot ask the kernel") && sock_diag_listening(ports, 4) == 0;
}

/* Nor does it wait for an answer that does not come. */
static bool hears_nothing(void)
{
	struct error err = {};
	uint16_t ports[4];

	refuse_call(SYS_recvfrom, EINTR);
	if (sock_diag_open(SOCK_STREAM, &err) != -1 || err.code != ENOBUFS)
		return false;
	return sock_diag_listening(ports, 4) == 0;
}

static void refusals(void **state)
{
	(void)state;
	assert_true(child_says(is_refused));
	assert_true(child_says(has_no_socket));
	assert_true(child_says(hears_nothing));
}

static void errors_of_the_kernel(void **state)
{
	static const struct {
		int error, code;
	} cases[] = {{0, 0}, {-ENOENT, ENOENT}, {1, EPROTO}, {INT_MAX, EPROTO}, {INT_MIN, EPROTO}};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct nlmsgerr e = {.error = cases[k].error};

		assert_int_equal(netlink_errno(&e), cases[k].code);
	}
}

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
		cmocka_unit_test(only_the_kernel_answers),
		cmocka_unit_test(answers),
		cmocka_unit_test(errors_out_of_range),
		cmocka_unit_test(lengths),
		cmocka_unit_test(what_listens),
		cmocka_unit_test(each_port_is_told_once),
		cmocka_unit_test(what_listens_on_the_loopback),
		cmocka_unit_test(refusals),
		cmocka_unit_test(errors_of_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
