/* nshelper/enter.h: the right way into each kind of network namespace, and a sentence where there is none. */
#include "tests/unit/nshelper_fixture.h"

#include <sys/stat.h>

#include "nshelper/enter.h"
#include "nshelper/target.h"

/* Body of a child: enters the namespace of a process and prints which way it went. */
static void enter(void *data)
{
	struct entry entry;
	struct target target;
	struct error err;
	struct stat before, after;

	if (target_open(*(pid_t *)data, -1, false, &target, &err) < 0 || entry_plan(target.netns, &entry, &err) < 0 ||
	    fstat(target.netns, &before) < 0 || entry_enter(&entry, &err) < 0) {
		dprintf(STDOUT_FILENO, "error: %s", err.text);
		_exit(1);
	}
	if (entry.netns >= 0) {
		MUST(stat("/proc/self/ns/net", &after) == 0);
		MUST(before.st_ino == after.st_ino);
	}
	dprintf(STDOUT_FILENO, "%s", entry.netns < 0 ? "host" : entry.userns < 0 ? "netns" : "userns, netns");
	_exit(0);
}

static void expect_way(uid_t uid, pid_t container, const char *way)
{
	_cleanup_close_ int fd = -1;
	struct outcome o;
	pid_t pid = start_child(uid, enter, &container, &fd);

	collect(pid, fd, &o);
	assert_int_equal(strncmp(o.text, way, strlen(way)), 0);
}

static void root_and_its_own_container(void **state)
{
	_cleanup_container_ pid_t pid = container_start(0, CLONE_NEWNET);

	(void)state;
	expect_way(0, pid, "netns");
}

static void root_and_a_remapped_container(void **state)
{
	_cleanup_container_ pid_t pid = container_start(0, CLONE_NEWNET | CLONE_NEWUSER);

	(void)state;
	expect_way(0, pid, "netns");
}

static void rootless(void **state)
{
	_cleanup_container_ pid_t pid = container_start(ORDINARY_UID, CLONE_NEWNET | CLONE_NEWUSER);

	(void)state;
	expect_way(ORDINARY_UID, pid, "userns, netns");
	expect_way(0, pid, "netns");
}

static void hosts_network(void **state)
{
	_cleanup_container_ pid_t pid = container_start(ORDINARY_UID, CLONE_NEWUSER);

	(void)state;
	expect_way(ORDINARY_UID, pid, "host");
	expect_way(0, pid, "host");
}

/* Starts body(uid) like container_start(); body makes the namespaces. */
static pid_t start_custom(void (*body)(uid_t uid), uid_t uid)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		body(uid);
		MUST(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
		live_on(ready[1]);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

/* A named network: the engine's user namespace owns the network, the container has one more below
 * (--userns=keep-id). */
static void network_of_the_engine(uid_t uid)
{
	become_ordinary(uid);
	MUST(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0);
	map_root(uid);
	MUST(unshare(CLONE_NEWUSER) == 0);
}

/* --network=none with --userns=keep-id: the lowest user namespace owns it. */
static void network_of_the_container(uid_t uid)
{
	become_ordinary(uid);
	MUST(unshare(CLONE_NEWUSER) == 0);
	map_root(uid);
	MUST(unshare(CLONE_NEWUSER) == 0);
	MUST(unshare(CLONE_NEWNET) == 0);
}

static void nested_user_namespaces(void **state)
{
	_cleanup_container_ pid_t engines = start_custom(network_of_the_engine, ORDINARY_UID);
	_cleanup_container_ pid_t own = start_custom(network_of_the_container, ORDINARY_UID);

	(void)state;
	expect_way(ORDINARY_UID, engines, "userns, netns");
	expect_way(ORDINARY_UID, own, "userns, netns");
	expect_way(0, engines, "netns");
	expect_way(0, own, "netns");
}

static void network_of_root(uid_t uid)
{
	MUST(unshare(CLONE_NEWNET) == 0);
	become_ordinary(uid);
}

static void roots_network_for_an_ordinary_user(void **state)
{
	_cleanup_container_ pid_t pid = start_custom(network_of_root, ORDINARY_UID);

	(void)state;
	expect_way(ORDINARY_UID, pid, "error: it belongs to the host, which takes CAP_SYS_ADMIN");
}

static void network_of_root_seen_from_below(uid_t uid)
{
	(void)uid;
	MUST(unshare(CLONE_NEWNET) == 0);
	MUST(unshare(CLONE_NEWUSER) == 0);
	map_root(0);
}

/* Goes into the user namespace of the process, then tries to enter its network. */
static void enter_from_below(void *data)
{
	char path[64];
	int userns;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", *(pid_t *)data);
	userns = open(path, O_RDONLY | O_CLOEXEC);
	MUST(setns(userns, CLONE_NEWUSER) == 0);
	MUST(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
	enter(data);
}

static void owner_out_of_reach(void **state)
{
	_cleanup_container_ pid_t pid = start_custom(network_of_root_seen_from_below, 0);
	_cleanup_close_ int fd = -1;
	struct outcome o;
	pid_t child;

	(void)state;
	child = start_child(0, enter_from_below, &pid, &fd);
	collect(child, fd, &o);
	expect_text(&o, "error: its user namespace lies outside");
}

/* Body of a child of another user, who was given the descriptor of the network namespace. */
static void enter_inherited(void *data)
{
	struct entry entry;
	struct error err = {.text = "entered"};

	MUST(entry_plan(*(int *)data, &entry, &err) == 0);
	if (entry_enter(&entry, &err) < 0)
		dprintf(STDOUT_FILENO, "error: %s", err.text);
	_exit(0);
}

static void another_users_namespace(void **state)
{
	_cleanup_container_ pid_t pid = container_start(ORDINARY_UID, CLONE_NEWNET | CLONE_NEWUSER);
	_cleanup_close_ int fd = -1, netns = -1;
	struct target target;
	struct error err;
	struct outcome o;
	pid_t child;

	(void)state;
	assert_int_equal(target_open(pid, -1, false, &target, &err), 0);
	netns = target.netns;
	child = start_child(ORDINARY_UID + 1, enter_inherited, &netns, &fd);
	collect(child, fd, &o);
	expect_text(&o, "error: its user namespace was made by another user");
	close(target.pidfd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_and_its_own_container),
		cmocka_unit_test(root_and_a_remapped_container),
		cmocka_unit_test(rootless),
		cmocka_unit_test(hosts_network),
		cmocka_unit_test(nested_user_namespaces),
		cmocka_unit_test(roots_network_for_an_ordinary_user),
		cmocka_unit_test(owner_out_of_reach),
		cmocka_unit_test(another_users_namespace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
