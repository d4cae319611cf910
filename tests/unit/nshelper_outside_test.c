/* nshelper/outside.h in real namespaces: installed once, however often asked for, and nothing else is touched. */
#include "tests/unit/nshelper_fixture.h"

#include "handover/outside.h"
#include "nshelper/enter.h"
#include "nshelper/outside.h"
#include "nshelper/target.h"

static const char show[] = "ip -4 route show table local; ip -6 route show table local; echo sources=$SOCKWAKE_SOURCES";

#define ROUTE_IPV4 "local " OUTSIDE_IPV4 " dev lo proto static scope host src 127.0.0.1"
#define ROUTE_IPV6 "local " OUTSIDE_IPV6 " dev lo proto static src ::1"

static int count(const char *text, const char *what)
{
	int n = 0;

	for (const char *p = strstr(text, what); p; p = strstr(p + 1, what))
		n++;
	return n;
}

/* The local routes of the namespace, after nshelper went in with or without the option. */
static void look(uid_t user, pid_t pid, bool install, struct outcome *ret)
{
	char n[16];

	number(n, pid);
	if (install)
		run_nshelper(user, ret, "--pid", n, "--outside-source", "--", "sh", "-c", show);
	else
		run_nshelper(user, ret, "--pid", n, "--", "sh", "-c", show);
	assert_int_equal(ret->status, 0);
}

static int lines(const char *text)
{
	return count(text, "\n");
}

/* Body of a child: runs a command with the privileges that nshelper has over the namespaces of the process. */
struct command {
	pid_t pid;
	const char *text;
};

static void run_inside(void *data)
{
	const struct command *c = data;
	struct target target;
	struct entry entry;
	struct error err = {.text = ""};

	must(target_open(c->pid, -1, false, &target, &err) == 0, err.text);
	must(entry_plan(target.netns, &entry, &err) == 0, err.text);
	must(entry_enter(&entry, &err) == 0, err.text);
	_exit(system(c->text) == 0 ? 0 : 1);
}

static void inside(uid_t user, pid_t pid, const char *text)
{
	struct command c = {pid, text};
	_cleanup_close_ int fd = -1;
	struct outcome o;
	pid_t child = start_child(user, run_inside, &c, &fd);

	collect(child, fd, &o);
	if (o.status != 0)
		fail_msg("%s: %s", text, o.text);
}

static void installed_once(void **state)
{
	const uid_t users[] = {0, ORDINARY_UID};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		_cleanup_container_ pid_t pid = container_start(users[i], CLONE_NEWNET | (i ? CLONE_NEWUSER : 0));
		struct outcome before, o;

		look(users[i], pid, false, &before);
		assert_non_null(strstr(before.text, "sources=\n"));
		for (int n = 0; n < 3; n++) {
			look(users[i], pid, true, &o);
			assert_int_equal(count(o.text, ROUTE_IPV4), 1);
			assert_int_equal(count(o.text, ROUTE_IPV6), 1);
			expect_text(&o, "sources=" OUTSIDE_IPV4 "," OUTSIDE_IPV6 "\n");
			assert_int_equal(lines(o.text), lines(before.text) + 2);
		}
	}
}

#define AT_ONCE 8

static void many_at_once(void **state)
{
	_cleanup_container_ pid_t pid = container_start(ORDINARY_UID, CLONE_NEWNET | CLONE_NEWUSER);
	pid_t children[AT_ONCE];
	int fds[AT_ONCE];
	char n[16];
	const char *words[] = {"nshelper", "--pid", number(n, pid), "--outside-source", "true", NULL};
	struct outcome o;

	(void)state;
	for (int i = 0; i < AT_ONCE; i++)
		children[i] = start_child(ORDINARY_UID, run_program, words, &fds[i]);
	for (int i = 0; i < AT_ONCE; i++) {
		collect(children[i], fds[i], &o);
		assert_string_equal(o.text, "");
		assert_int_equal(o.status, 0);
		close(fds[i]);
	}
	look(ORDINARY_UID, pid, true, &o);
	assert_int_equal(count(o.text, OUTSIDE_IPV4 " dev"), 1);
	assert_int_equal(count(o.text, OUTSIDE_IPV6 " dev"), 1);
}

/* Switched off for all interfaces, or for lo alone, before it was up or after. */
static void without_ipv6(void **state)
{
	static const char *const off[] = {
		"echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6",
		"echo 1 >/proc/sys/net/ipv6/conf/lo/disable_ipv6",
		"ip addr del ::1/128 dev lo",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(off) / sizeof(*off); i++) {
		_cleanup_container_ pid_t pid = container_start(0, CLONE_NEWNET);
		struct outcome o;

		inside(0, pid, off[i]);
		look(0, pid, true, &o);
		assert_int_equal(count(o.text, ROUTE_IPV4), 1);
		assert_int_equal(count(o.text, OUTSIDE_IPV6), 0);
		expect_text(&o, "sources=" OUTSIDE_IPV4 "\n");
	}
}

static void refused(pid_t pid, const char *why)
{
	char n[16];
	struct outcome o;

	run_nshelper(0, &o, "--pid", number(n, pid), "--outside-source", "true");
	assert_int_equal(o.status, 1);
	expect_text(&o, why);
}

/* Its own, or one of its networks: whom PostgreSQL's samehost and samenet contain. */
static void an_address_of_the_container(void **state)
{
	static const char *const addresses[] = {OUTSIDE_IPV4 "/32", OUTSIDE_IPV6 "/128", "192.0.0.77/24",
						"100:0:0:1::77/64"};
	char command[64];

	(void)state;
	for (size_t k = 0; k < sizeof(addresses) / sizeof(*addresses); k++) {
		_cleanup_container_ pid_t pid = container_start(0, CLONE_NEWNET);

		snprintf(command, sizeof(command), "ip addr add %s dev lo", addresses[k]);
		inside(0, pid, command);
		refused(pid, "--target 127.0.0.1");
	}
}

static void loopback_that_is_down(void **state)
{
	_cleanup_container_ pid_t pid = container_start(0, CLONE_NEWNET);

	(void)state;
	inside(0, pid, "ip link set lo down");
	refused(pid, "bring lo up");
}

static void hosts_network_is_left_alone(void **state)
{
	_cleanup_container_ pid_t pid = container_start(0, 0);
	struct outcome o;

	(void)state;
	look(0, pid, true, &o);
	assert_int_equal(count(o.text, OUTSIDE_IPV4), 0);
	expect_text(&o, "sources=host\n");
}

static void install_without_right(void *data)
{
	struct error err = {.text = "installed"};
	bool ipv6;

	(void)data;
	MUST(outside_install(&ipv6, &err) < 0);
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
	expect_text(&o, "CAP_NET_ADMIN");
	expect_text(&o, "Operation not permitted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(installed_once),	 cmocka_unit_test(many_at_once),
		cmocka_unit_test(without_ipv6),		 cmocka_unit_test(an_address_of_the_container),
		cmocka_unit_test(loopback_that_is_down), cmocka_unit_test(hosts_network_is_left_alone),
		cmocka_unit_test(failure_is_an_error),
	};

	/* What is the host's network here is one to throw away: a failing test leaves the machine's alone. */
	MUST(unshare(CLONE_NEWNET) == 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
