/* nshelper/transparent.h and nshelper/routes.h in real namespaces: installed once, however often asked for, and a
 * server that then sees a client's own address from a proxy with CAP_NET_RAW alone. */
#include "tests/unit/nshelper_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/mount.h>

#include "handover/mark.h"
#include "nshelper/enter.h"
#include "nshelper/privileges.h"
#include "nshelper/routes.h"
#include "nshelper/target.h"
#include "nshelper/transparent.h"

static int count(const char *text, const char *what)
{
	int n = 0;

	for (const char *p = strstr(text, what); p; p = strstr(p + 1, what))
		n++;
	return n;
}

#define SHOW                                                                                                           \
	"ip -4 rule; ip -6 rule; ip -4 route show table 5293287; ip -6 route show table 5293287;"                      \
	"echo accept $(cat /proc/sys/net/ipv4/tcp_fwmark_accept)"

/* What stands in the namespace of the process afterwards; `user` may enter it. */
static void show(uid_t user, pid_t pid, struct outcome *ret)
{
	char n[16];

	run_nshelper(user, ret, "--pid", number(n, pid), "--", "sh", "-c", SHOW);
	assert_int_equal(ret->status, 0);
}

static void expect_installed(uid_t user, pid_t pid, int rules, int routes)
{
	struct outcome o;

	show(user, pid, &o);
	assert_int_equal(count(o.text, "lookup 5293287"), rules);
	assert_int_equal(count(o.text, "local default dev lo"), routes);
	expect_text(&o, "accept 1");
}

static void install_as(uid_t user, pid_t pid)
{
	char n[16];
	struct outcome o;

	run_nshelper(user, &o, "--pid", number(n, pid), "--transparent", "--", "sh", "-c", "echo $SOCKWAKE_MARK");
	assert_string_equal(o.text, "5293287\n");
}

static void installed_once(void **state)
{
	const uid_t users[] = {0, ORDINARY_UID};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		_cleanup_container_ pid_t pid = container_start(users[i], CLONE_NEWNET | (i ? CLONE_NEWUSER : 0));
		struct outcome o;

		show(users[i], pid, &o);
		assert_int_equal(count(o.text, "5293287"), 0);
		expect_text(&o, "accept 0");
		for (int n = 0; n < 3; n++)
			install_as(users[i], pid);
		expect_installed(users[i], pid, 2, 2);
	}
}

static void other_rules_and_marks_stay(void **state)
{
	_cleanup_container_ pid_t pid = container_start(ORDINARY_UID, CLONE_NEWNET | CLONE_NEWUSER);
	char n[16];
	struct outcome o;

	(void)state;
	install_as(ORDINARY_UID, pid);
	run_nshelper(ORDINARY_UID, &o, "--pid", number(n, pid), "--transparent", "--mark", "77", "--", "printenv",
		     "SOCKWAKE_MARK");
	assert_string_equal(o.text, "77\n");
	install_as(ORDINARY_UID, pid);
	expect_installed(ORDINARY_UID, pid, 4, 2);
	show(ORDINARY_UID, pid, &o);
	assert_int_equal(count(o.text, "fwmark 0x4d lookup 5293287"), 2);
	assert_int_equal(count(o.text, "lookup main"), 2);
}

#define AT_ONCE 8

static void many_at_once(void **state)
{
	_cleanup_container_ pid_t pid = container_start(ORDINARY_UID, CLONE_NEWNET | CLONE_NEWUSER);
	pid_t children[AT_ONCE];
	int fds[AT_ONCE];
	char n[16];
	const char *words[] = {"nshelper", "--pid", number(n, pid), "--transparent", "true", NULL};

	(void)state;
	for (int i = 0; i < AT_ONCE; i++)
		children[i] = start_child(ORDINARY_UID, run_program, words, &fds[i]);
	for (int i = 0; i < AT_ONCE; i++) {
		struct outcome o;

		collect(children[i], fds[i], &o);
		assert_int_equal(o.status, 0);
		close(fds[i]);
	}
	expect_installed(ORDINARY_UID, pid, 2, 2);
}

/* Body of a child: goes into the namespaces of the process as nshelper does, with its privileges over them. */
static void enter(pid_t pid)
{
	struct target target;
	struct entry entry;
	struct error err = {.text = ""};

	must(target_open(pid, -1, false, &target, &err) == 0, err.text);
	must(entry_plan(target.netns, &entry, &err) == 0, err.text);
	must(entry_enter(&entry, &err) == 0, err.text);
}

static void disable_ipv6(void *data)
{
	enter(*(pid_t *)data);
	write_text("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
	_exit(0);
}

static void without_ipv6(void **state)
{
	_cleanup_container_ pid_t pid = container_start(0, CLONE_NEWNET);
	_cleanup_close_ int fd = -1;
	struct outcome o;
	pid_t child;

	(void)state;
	child = start_child(0, disable_ipv6, &pid, &fd);
	collect(child, fd, &o);
	assert_string_equal(o.text, "");
	install_as(0, pid);
	expect_installed(0, pid, 1, 1);
}

static void protect_kernel_tunables(void)
{
	MUST(unshare(CLONE_NEWNS) == 0);
	MUST(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	MUST(mount("/proc/sys", "/proc/sys", NULL, MS_BIND, NULL) == 0);
	MUST(mount("none", "/proc/sys", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
}

static void run_protected(void *data)
{
	protect_kernel_tunables();
	run_program(data);
}

static void run_protected_as_ordinary(void *data)
{
	protect_kernel_tunables();
	become_ordinary(ORDINARY_UID);
	run_program(data);
}

static void read_only_sysctl(void **state)
{
	_cleanup_container_ pid_t own = container_start(0, CLONE_NEWNET);
	_cleanup_container_ pid_t rootless = container_start(ORDINARY_UID, CLONE_NEWNET | CLONE_NEWUSER);
	_cleanup_close_ int first = -1, second = -1;
	char n[16], m[16];
	const char *own_words[] = {"nshelper", "--pid", number(n, own), "--transparent", "true", NULL};
	const char *rootless_words[] = {"nshelper", "--pid", number(m, rootless), "--transparent", "true", NULL};
	struct outcome o;
	pid_t child;

	(void)state;
	child = start_child(0, run_protected, own_words, &first);
	collect(child, first, &o);
	assert_string_equal(o.text, "");
	assert_int_equal(o.status, 0);
	expect_installed(0, own, 2, 2);
	child = start_child(0, run_protected_as_ordinary, rootless_words, &second);
	collect(child, second, &o);
	expect_text(&o, "ProtectKernelTunables=");
	assert_int_equal(o.status, 1);
	/* Set by somebody else, it is fine as it is. */
	install_as(ORDINARY_UID, rootless);
	close(second);
	child = start_child(0, run_protected_as_ordinary, rootless_words, &second);
	collect(child, second, &o);
	assert_string_equal(o.text, "");
}

static void hosts_network_is_left_alone(void **state)
{
	_cleanup_container_ pid_t pid = container_start(0, 0);
	char n[16];
	struct outcome o;

	(void)state;
	run_nshelper(0, &o, "--pid", number(n, pid), "--transparent", "true");
	assert_int_equal(o.status, 1);
	expect_text(&o, "routes of the host");
	run_nshelper(0, &o, "--pid", number(n, pid), "ip", "rule");
	assert_int_equal(count(o.text, "5293287"), 0);
}

static void take_loopback_down(void *data)
{
	enter(*(pid_t *)data);
	_exit(system("ip link set lo down"));
}

static void loopback_that_is_down(void **state)
{
	_cleanup_container_ pid_t pid = container_start(0, CLONE_NEWNET);
	_cleanup_close_ int fd = -1;
	char n[16];
	struct outcome o;
	pid_t child;

	(void)state;
	child = start_child(0, take_loopback_down, &pid, &fd);
	collect(child, fd, &o);
	assert_int_equal(o.status, 0);
	run_nshelper(0, &o, "--pid", number(n, pid), "--transparent", "true");
	assert_int_equal(o.status, 1);
	expect_text(&o, "bring lo up");
}

static void install_without_right(void *data)
{
	struct error err = {.text = "installed"};

	(void)data;
	MUST(routes_install(1, TRANSPARENT_TABLE, &err) < 0);
	dprintf(STDOUT_FILENO, "%s", err.text);
	_exit(0);
}

static void failure_is_an_error(void **state)
{
	_cleanup_close_ int fd = -1;
	struct outcome o;
	pid_t child;

	(void)state;
	child = start_child(ORDINARY_UID, install_without_right, NULL, &fd);
	collect(child, fd, &o);
	expect_text(&o, "cannot add the IPv4 route");
	expect_text(&o, "Operation not permitted");
}

/* A server's address, and the client's, which is nowhere near the namespace. */
struct conversation {
	pid_t container;
	int family;
	const char *server, *client;
	in_port_t port; /* another for each: no connection meets the TIME-WAIT of the one before */
};

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t make_address(int family, const char *text, in_port_t port, union address *ret)
{
	*ret = (union address){.any.sa_family = (sa_family_t)family};
	if (family == AF_INET) {
		ret->in.sin_port = htons(port);
		MUST(inet_pton(family, text, &ret->in.sin_addr) == 1);
		return sizeof(ret->in);
	}
	ret->in6.sin6_port = htons(port);
	MUST(inet_pton(family, text, &ret->in6.sin6_addr) == 1);
	return sizeof(ret->in6);
}

/* Bound to the client's address. */
static int marked_socket(const struct conversation *c, socklen_t len)
{
	int fd = socket(c->family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	unsigned mark = TRANSPARENT_MARK;
	struct timeval patience = {.tv_sec = 5};
	union address from;

	MUST(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) == 0);
	MUST(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0);
	if (c->family == AF_INET)
		MUST(setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on)) == 0);
	else
		MUST(setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof(on)) == 0);
	(void)make_address(c->family, c->client, 54321, &from);
	MUST(bind(fd, &from.any, len) == 0);
	return fd;
}

/* Body of a child: server and transparent proxy in one, after all that nshelper does. */
static void converse(void *data)
{
	const struct conversation *c = data;
	const struct privileges keep = {.keep_net_raw = true};
	int listener, accepted, client;
	union address at, peer;
	socklen_t len, peer_len = sizeof(peer);
	char text[INET6_ADDRSTRLEN], byte;
	struct error err = {.text = ""};

	enter(c->container);
	must(transparent_install(TRANSPARENT_MARK, &err) == 0, err.text);
	must(privileges_drop(&keep, &err) == 0, err.text);
	len = make_address(c->family, c->server, c->port, &at);
	/* Where nobody listens it is refused, as it is without a mark. */
	client = marked_socket(c, len);
	MUST(connect(client, &at.any, len) < 0 && errno == ECONNREFUSED && close(client) == 0);
	listener = socket(c->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	MUST(bind(listener, &at.any, len) == 0 && listen(listener, 1) == 0);
	client = marked_socket(c, len);
	MUST(connect(client, &at.any, len) == 0);
	accepted = accept4(listener, &peer.any, &peer_len, SOCK_CLOEXEC);
	MUST(accepted >= 0);
	MUST(write(accepted, "x", 1) == 1 && read(client, &byte, 1) == 1);
	MUST(write(client, "y", 1) == 1 && read(accepted, &byte, 1) == 1);
	MUST(inet_ntop(c->family, c->family == AF_INET ? (void *)&peer.in.sin_addr : (void *)&peer.in6.sin6_addr, text,
		       sizeof(text)));
	dprintf(STDOUT_FILENO, "%s %d", text, ntohs(c->family == AF_INET ? peer.in.sin_port : peer.in6.sin6_port));
	_exit(0);
}

static void add_addresses(void *data)
{
	enter(*(pid_t *)data);
	/* The strictest check of source addresses, as hosts pass it on to their containers. */
	write_text("/proc/sys/net/ipv4/conf/all/rp_filter", "1");
	_exit(system("ip addr add 10.9.8.7/24 dev lo && ip addr add fd00::7/64 dev lo nodad"));
}

static void the_server_sees_the_client(void **state)
{
	static const struct conversation conversations[] = {
		{.family = AF_INET, .server = "127.0.0.1", .client = "203.0.113.9"},
		{.family = AF_INET, .server = "10.9.8.7", .client = "203.0.113.9"},
		{.family = AF_INET, .server = "127.0.0.1", .client = "127.0.0.1"},
		{.family = AF_INET6, .server = "::1", .client = "2001:db8::9"},
		{.family = AF_INET6, .server = "fd00::7", .client = "2001:db8::9"},
	};
	_cleanup_container_ pid_t own = container_start(0, CLONE_NEWNET);
	_cleanup_container_ pid_t rootless = container_start(ORDINARY_UID, CLONE_NEWNET | CLONE_NEWUSER);

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(conversations) / sizeof(*conversations); i++) {
		struct conversation c = conversations[i / 2];
		_cleanup_close_ int fd = -1, unused = -1;
		char expected[64];
		struct outcome o;
		pid_t child;

		c.container = i % 2 ? rootless : own;
		c.port = (in_port_t)(8080 + i);
		if (i < 2) {
			child = start_child(i % 2 ? ORDINARY_UID : 0, add_addresses, &c.container, &unused);
			collect(child, unused, &o);
			assert_int_equal(o.status, 0);
		}
		child = start_child(i % 2 ? ORDINARY_UID : 0, converse, &c, &fd);
		collect(child, fd, &o);
		snprintf(expected, sizeof(expected), "%s 54321", c.client);
		assert_string_equal(o.text, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(installed_once),
		cmocka_unit_test(other_rules_and_marks_stay),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(without_ipv6),
		cmocka_unit_test(read_only_sysctl),
		cmocka_unit_test(hosts_network_is_left_alone),
		cmocka_unit_test(loopback_that_is_down),
		cmocka_unit_test(failure_is_an_error),
		cmocka_unit_test(the_server_sees_the_client),
	};

	/* What is the host's network here is one to throw away: a failing test leaves the machine's alone. */
	MUST(unshare(CLONE_NEWNET) == 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
