/* nshelper/privileges.h: nothing is left, nothing comes back, and what does not go is noticed. */
#include "tests/unit/nshelper_fixture.h"

#include <grp.h>
#include <linux/securebits.h>
#include <seccomp.h>
#include <sys/capability.h>
#include <sys/stat.h>

#include "common/io.h"
#include "nshelper/privileges.h"

#define NO_CAPS	     "0000000000000000"
#define ONLY_NET_RAW "0000000000002000"

static void expect_line(const struct outcome *o, const char *key, const char *value)
{
	char line[64];

	snprintf(line, sizeof(line), "\n%s:\t%s\n", key, value);
	expect_text(o, line);
}

/* The five sets as the executed program finds them in /proc/self/status. */
static void expect_sets(const struct outcome *o, const char *value)
{
	assert_int_equal(o->status, 0);
	expect_line(o, "CapInh", value);
	expect_line(o, "CapPrm", value);
	expect_line(o, "CapEff", value);
	expect_line(o, "CapBnd", value);
	expect_line(o, "CapAmb", value);
	expect_line(o, "NoNewPrivs", "1");
}

static void as_root(void **state)
{
	_cleanup_container_ pid_t pid = container_start(0, CLONE_NEWNET);
	char n[16];
	struct outcome o;

	(void)state;
	run_nshelper(0, &o, "--pid", number(n, pid), "--", "cat", "/proc/self/status");
	expect_sets(&o, NO_CAPS);
	expect_line(&o, "Uid", "0\t0\t0\t0");
}

static void as_a_system_user(void **state)
{
	_cleanup_container_ pid_t pid = container_start(0, CLONE_NEWNET);
	_cleanup_container_ pid_t remapped = container_start(0, CLONE_NEWNET | CLONE_NEWUSER);
	char n[16];
	struct outcome o;

	(void)state;
	assert_int_equal(setgroups(2, (gid_t[]){4, 24}), 0);
	run_nshelper(0, &o, "--pid", number(n, pid), "--user", "nobody", "--", "cat", "/proc/self/status");
	expect_sets(&o, NO_CAPS);
	expect_line(&o, "Uid", "65534\t65534\t65534\t65534");
	expect_line(&o, "Gid", "65534\t65534\t65534\t65534");
	expect_line(&o, "Groups", " ");
	run_nshelper(0, &o, "--pid", number(n, remapped), "--user", "nobody", "--", "cat", "/proc/self/status");
	expect_sets(&o, NO_CAPS);
	expect_line(&o, "Uid", "65534\t65534\t65534\t65534");
	assert_int_equal(setgroups(0, NULL), 0);
}

static void as_an_ordinary_user(void **state)
{
	_cleanup_container_ pid_t pid = container_start(ORDINARY_UID, CLONE_NEWNET | CLONE_NEWUSER);
	char n[16];
	struct outcome o;

	(void)state;
	run_nshelper(ORDINARY_UID, &o, "--pid", number(n, pid), "--", "cat", "/proc/self/status");
	expect_sets(&o, NO_CAPS);
	expect_line(&o, "Uid", "0\t0\t0\t0"); /* in the container's user namespace */
}

static void in_the_hosts_network(void **state)
{
	_cleanup_container_ pid_t pid = container_start(ORDINARY_UID, CLONE_NEWUSER);
	char n[16];
	struct outcome o;

	(void)state;
	run_nshelper(0, &o, "--pid", number(n, pid), "--user", "nobody", "--", "cat", "/proc/self/status");
	expect_sets(&o, NO_CAPS);
	/* An ordinary user cannot drop the bounding set: the one exception. */
	run_nshelper(ORDINARY_UID, &o, "--pid", number(n, pid), "--", "cat", "/proc/self/status");
	assert_int_equal(o.status, 0);
	expect_line(&o, "CapInh", NO_CAPS);
	expect_line(&o, "CapPrm", NO_CAPS);
	expect_line(&o, "CapEff", NO_CAPS);
	expect_line(&o, "CapAmb", NO_CAPS);
	expect_line(&o, "NoNewPrivs", "1");
	assert_null(strstr(o.text, "CapBnd:\t" NO_CAPS));
}

static void transparent_keeps_one(void **state)
{
	_cleanup_container_ pid_t own = container_start(0, CLONE_NEWNET);
	_cleanup_container_ pid_t rootless = container_start(ORDINARY_UID, CLONE_NEWNET | CLONE_NEWUSER);
	char n[16];
	struct outcome o;

	(void)state;
	run_nshelper(0, &o, "--pid", number(n, own), "--user", "nobody", "--transparent", "cat", "/proc/self/status");
	expect_sets(&o, ONLY_NET_RAW);
	run_nshelper(0, &o, "--pid", number(n, own), "--transparent", "cat", "/proc/self/status");
	expect_sets(&o, ONLY_NET_RAW);
	run_nshelper(ORDINARY_UID, &o, "--pid", number(n, rootless), "--transparent", "cat", "/proc/self/status");
	expect_sets(&o, ONLY_NET_RAW);
}

static void users_that_are_refused(void **state)
{
	struct identity i;
	struct error err;

	(void)state;
	assert_int_equal(identity_find("no-such-user", &i, &err), -1);
	assert_non_null(strstr(err.text, "systemd-sysusers"));
	assert_int_equal(identity_find("root", &i, &err), -1);
	assert_int_equal(identity_find("nobody", &i, &err), 0);
	assert_int_equal(i.uid, 65534);
}

static void users_by_number(void **state)
{
	static const char *const wrong[] = {"0:5",  "00:5",	    "5",	   "5:", ":5", "5:x",
					    "-1:5", "5:4294967295", "4294967296:1"};
	struct identity i;
	struct error err;

	(void)state;
	assert_int_equal(identity_find("61234:61235", &i, &err), 0);
	assert_int_equal(i.uid, 61234);
	assert_int_equal(i.gid, 61235);
	for (size_t k = 0; k < sizeof(wrong) / sizeof(*wrong); k++)
		assert_int_equal(identity_find(wrong[k], &i, &err), -1);
}

/* What nsswitch.conf(5) names, if only to find that there is no such user, would run as root. */
static void no_plugin_is_loaded(void **state)
{
	_cleanup_free_ char *maps = NULL;
	struct identity i;
	struct error err;

	(void)state;
	assert_int_equal(identity_find("no-such-user", &i, &err), -1);
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/maps", 1 << 20, &maps, NULL, &err), 0);
	assert_null(strstr(maps, "libnss"));
}

/* Body of a child: drops everything, then tries to get something back. */
static void try_to_regain(void *data)
{
	const struct privileges *p = data;
	cap_value_t raw = CAP_NET_RAW, admin = CAP_SYS_ADMIN;
	cap_t caps;
	struct error err;

	must(privileges_drop(p, &err) == 0, err.text);
	caps = cap_get_proc();
	MUST(cap_set_flag(caps, CAP_PERMITTED, 1, &admin, CAP_SET) == 0);
	MUST(cap_set_proc(caps) < 0 && errno == EPERM);
	MUST(cap_set_ambient(admin, CAP_SET) < 0 && errno == EPERM);
	/* Not even what is still permitted goes back there once it was taken out. */
	MUST(cap_reset_ambient() == 0);
	MUST(cap_set_ambient(raw, CAP_SET) < 0 && errno == EPERM);
	MUST(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 && errno == EPERM);
	MUST(cap_set_secbits(0) < 0 && errno == EPERM);
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) < 0);
	MUST(setgroups(0, NULL) < 0 && errno == EPERM);
	if (p->identity) {
		MUST(setuid(0) < 0 && errno == EPERM);
		MUST(setgid(0) < 0 && errno == EPERM);
	}
	_exit(0);
}

static void nothing_comes_back(void **state)
{
	static const struct identity nobody = {.uid = 65534, .gid = 65534};
	static const struct privileges kinds[] = {
		{.identity = NULL},
		{.identity = &nobody},
		{.identity = &nobody, .keep_net_raw = true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		_cleanup_close_ int fd = -1;
		struct privileges p = kinds[i];
		struct outcome o;
		pid_t pid = start_child(0, try_to_regain, &p, &fd);

		collect(pid, fd, &o);
		assert_string_equal(o.text, "");
		assert_int_equal(o.status, 0);
	}
}

/* An executable copy of a program that no directory ever lists, so that it cannot stay, whatever ends the test. Its
 * descriptor is inherited. */
static int copy_without_a_name(const char *from, const char *directory, mode_t mode)
{
	_cleanup_close_ int in = open(from, O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int out = open(directory, O_RDWR | O_TMPFILE | O_CLOEXEC, 0700);
	char buffer[65536], path[32];
	ssize_t n;
	int fd;

	while ((n = read(in, buffer, sizeof(buffer))) > 0)
		assert_int_equal(write(out, buffer, (size_t)n), n);
	assert_int_equal(n, 0);
	assert_int_equal(fchmod(out, mode), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", out);
	fd = open(path, O_RDONLY); /* what is open for writing cannot be executed */
	assert_true(fd >= 0);
	return fd;
}

static void execute(void *data)
{
	char *argv[WORDS_MAX];

	copy_words(data, argv);
	execv(argv[0], argv);
	MUST(!"execv");
}

static void setuid_files_give_nothing(void **state)
{
	_cleanup_container_ pid_t pid = container_start(ORDINARY_UID, CLONE_NEWNET | CLONE_NEWUSER);
	_cleanup_container_ pid_t host = container_start(ORDINARY_UID, CLONE_NEWUSER);
	_cleanup_close_ int copy = copy_without_a_name("/bin/cat", "/var/tmp", 04755), fd = -1;
	char program[64], n[16];
	const char *words[] = {program, "/proc/self/status", NULL};
	struct outcome o;
	pid_t child;

	(void)state;
	snprintf(program, sizeof(program), "/proc/self/fd/%d", copy);
	/* It works without us, or this would prove nothing. */
	child = start_child(ORDINARY_UID, execute, words, &fd);
	collect(child, fd, &o);
	expect_line(&o, "Uid", "61234\t0\t0\t0");
	run_nshelper(ORDINARY_UID, &o, "--pid", number(n, host), "--", program, "/proc/self/status");
	expect_line(&o, "Uid", "61234\t61234\t61234\t61234");
	expect_line(&o, "CapEff", NO_CAPS);
	run_nshelper(ORDINARY_UID, &o, "--pid", number(n, pid), "--", program, "/proc/self/status");
	expect_sets(&o, NO_CAPS);
	run_nshelper(0, &o, "--pid", number(n, pid), "--user", "nobody", "--", program, "/proc/self/status");
	expect_sets(&o, NO_CAPS);
	expect_line(&o, "Uid", "65534\t65534\t65534\t65534");
}

/* A system call that says it worked and did nothing. */
struct lie {
	int call;
	int argument; /* the first argument, -1 for any */
	const char *noticed;
};

static void drop_with_a_lie(void *data)
{
	static const struct identity nobody = {.uid = 65534, .gid = 65534};
	const struct privileges p = {.identity = &nobody};
	const struct lie *lie = data;
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	struct error err = {.text = "nothing was noticed"};

	MUST(setgroups(1, (gid_t[]){4}) == 0);
	MUST(seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0) == 0);
	if (lie->argument < 0)
		MUST(seccomp_rule_add(filter, SCMP_ACT_ERRNO(0), lie->call, 0) == 0);
	else
		MUST(seccomp_rule_add(filter, SCMP_ACT_ERRNO(0), lie->call, 1,
				      SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)lie->argument)) == 0);
	MUST(seccomp_load(filter) == 0);
	(void)privileges_drop(&p, &err);
	dprintf(STDOUT_FILENO, "%s", err.text);
	_exit(0);
}

static void what_does_not_go_is_noticed(void **state)
{
	static const struct lie lies[] = {
		{SCMP_SYS(capset), -1, "capabilities are left"},
		{SCMP_SYS(prctl), PR_CAPBSET_DROP, "the bounding set"},
		{SCMP_SYS(prctl), PR_SET_SECUREBITS, "the securebits are not locked"},
		{SCMP_SYS(prctl), PR_SET_NO_NEW_PRIVS, "no-new-privileges"},
		{SCMP_SYS(setresuid), -1, "did not become user"},
		{SCMP_SYS(setresgid), -1, "did not become user"},
		{SCMP_SYS(setgroups), -1, "supplementary groups are left"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		_cleanup_close_ int fd = -1;
		struct lie lie = lies[i];
		struct outcome o;
		pid_t pid = start_child(0, drop_with_a_lie, &lie, &fd);

		collect(pid, fd, &o);
		expect_text(&o, lie.noticed);
	}
}

static void lose(cap_value_t cap)
{
	cap_t caps = cap_get_proc();

	MUST(cap_set_flag(caps, CAP_EFFECTIVE, 1, &cap, CAP_CLEAR) == 0);
	MUST(cap_set_flag(caps, CAP_PERMITTED, 1, &cap, CAP_CLEAR) == 0 && cap_set_proc(caps) == 0);
}

static void drop_one(void *data)
{
	const struct privileges p = {.identity = NULL};
	struct error err = {.text = "nothing was missed"};

	lose(*(int *)data);
	(void)privileges_drop(&p, &err);
	dprintf(STDOUT_FILENO, "%s", err.text);
	_exit(0);
}

static void a_missing_capability_is_named(void **state)
{
	_cleanup_close_ int fd = -1;
	int cap = CAP_SETPCAP;
	struct outcome o;
	pid_t pid;

	(void)state;
	pid = start_child(0, drop_one, &cap, &fd);
	collect(pid, fd, &o);
	expect_text(&o, "CAP_SETPCAP");
}

static void run_without_setpcap(void *data)
{
	lose(CAP_SETPCAP);
	run_program(data);
}

/* In the host's network, too: root's bounding set would stay, with which a setuid program regains all. */
static void root_needs_it_in_the_hosts_network(void **state)
{
	_cleanup_container_ pid_t host = container_start(0, 0);
	_cleanup_close_ int fd = -1;
	char n[16];
	const char *words[] = {"nshelper", "--pid", number(n, host), "--", "true", NULL};
	struct outcome o;
	pid_t pid;

	(void)state;
	pid = start_child(0, run_without_setpcap, words, &fd);
	collect(pid, fd, &o);
	assert_int_equal(o.status, EXIT_FAILURE);
	expect_text(&o, "that takes CAP_SETPCAP");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_root),
		cmocka_unit_test(as_a_system_user),
		cmocka_unit_test(as_an_ordinary_user),
		cmocka_unit_test(in_the_hosts_network),
		cmocka_unit_test(transparent_keeps_one),
		cmocka_unit_test(users_that_are_refused),
		cmocka_unit_test(users_by_number),
		cmocka_unit_test(no_plugin_is_loaded),
		cmocka_unit_test(nothing_comes_back),
		cmocka_unit_test(setuid_files_give_nothing),
		cmocka_unit_test(what_does_not_go_is_noticed),
		cmocka_unit_test(a_missing_capability_is_named),
		cmocka_unit_test(root_needs_it_in_the_hosts_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
