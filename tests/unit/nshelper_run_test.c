/* nshelper/run.h: what the next program finds, how the end is told, and that nobody is left waiting. */
#include "tests/unit/nshelper_fixture.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "handover/channel.h"
#include "handover/exit.h"
#include "nshelper/unreachable.h"
#include "tests/unit/name_fixture.h"

static void exit_statuses_by_hand(void **state)
{
	_cleanup_container_ pid_t pid = container_start(0, CLONE_NEWNET);
	char n[16];
	struct outcome o;

	(void)state;
	number(n, pid);
	run_nshelper(0, &o, "--pid", n, "sh", "-c", "exit 42");
	assert_int_equal(o.status, 42);
	run_nshelper(0, &o, "--pid", n, "/no/such/program");
	assert_int_equal(o.status, EXIT_NOT_FOUND);
	expect_text(&o, "'/no/such/program'");
	run_nshelper(0, &o, "--pid", n, "/etc/passwd");
	assert_int_equal(o.status, EXIT_CANNOT_EXEC);
	run_nshelper(0, &o, "--pid", "2147483647", "true");
	assert_int_equal(o.status, EXIT_FAILURE);
	run_nshelper(0, &o, "--pid", n, "--user", "no-such-user", "true");
	assert_int_equal(o.status, EXIT_FAILURE);
	expect_text(&o, "systemd-sysusers");
	run_nshelper(0, &o, "--pid", "nonsense", "true");
	assert_int_equal(o.status, EXIT_USAGE);
}

/* Body of a child: as the unit's process, with things to inherit. */
static void run_with_inheritance(void *data)
{
	MUST(close_range(3, ~0U, 0) == 0); /* what the test was started with */
	MUST(dup2(open("/dev/zero", O_RDONLY | O_CLOEXEC), 100) == 100);
	setenv("LISTEN_FDNAMES", "a:b", 1);
	setenv("NOTIFY_SOCKET", "/run/nowhere", 1);
	setenv("SOCKWAKE_HOLD_FD", "100", 1);
	MUST(chdir("/usr") == 0);
	umask(0123);
	run_program(data);
}

static void what_the_command_inherits(void **state)
{
	static const char script[] =
		"test $LISTEN_FDNAMES = a:b && test $NOTIFY_SOCKET = /run/nowhere && test $SOCKWAKE_HOLD_FD = 100 &&"
		"test $(readlink /proc/$$/fd/100) = /dev/zero && test $PWD = /usr && test $(umask) = 0123 &&"
		"grep Pid: /proc/$$/fdinfo/$SOCKWAKE_PIDFD && test -d /proc/$$/fd/$SOCKWAKE_ROOT_FD/etc &&"
		"set -- /proc/$$/fd/* && echo $#";
	const uid_t users[] = {0, ORDINARY_UID};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		_cleanup_container_ pid_t pid = container_start(users[i], CLONE_NEWNET | (i ? CLONE_NEWUSER : 0));
		_cleanup_close_ int fd = -1;
		char n[16], expected[64];
		const char *words[] = {"nshelper", "--pid", number(n, pid), "--container-root", "--", "sh", "-c",
				       script,	   NULL};
		struct outcome o;
		pid_t child = start_child(users[i], run_with_inheritance, words, &fd);

		collect(child, fd, &o);
		/* 0, 1, 2, 100, the pidfd, the root, and the directory being listed: the namespaces' are gone. */
		snprintf(expected, sizeof(expected), "Pid:\t%d\n7\n", pid);
		assert_string_equal(o.text, expected);
		assert_int_equal(o.status, 0);
	}
}

/* Body of a child: the pidfd comes from the program before, as from the activator. */
static void run_with_pidfd(void *data)
{
	int fd = pidfd_open(*(pid_t *)data, 0);
	char n[16];
	const char *words[] = {"nshelper", "--", "sh", "-c", "readlink /proc/self/ns/net; echo $SOCKWAKE_PIDFD", NULL};

	MUST(fd >= 0 && fcntl(fd, F_SETFD, 0) == 0);
	setenv("SOCKWAKE_PIDFD", number(n, fd), 1);
	run_program(words);
}

static void the_activators_pidfd(void **state)
{
	_cleanup_container_ pid_t pid = container_start(ORDINARY_UID, CLONE_NEWNET | CLONE_NEWUSER);
	_cleanup_close_ int fd = -1;
	char path[64], link[64] = "";
	struct outcome o;
	pid_t child;

	(void)state;
	child = start_child(ORDINARY_UID, run_with_pidfd, &pid, &fd);
	collect(child, fd, &o);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	assert_true(readlink(path, link, sizeof(link) - 1) > 0);
	assert_int_equal(strncmp(o.text, link, strlen(link)), 0);
}

/* Body of a child: as under a keeper that has opened the program, which somebody has replaced meanwhile. */
static void run_with_program(void *data)
{
	const char *const *paths = data;
	int fd = 90;
	char n[16];
	const char *words[] = {"nshelper",
			       "--pid",
			       paths[2],
			       paths[1],
			       "-c",
			       "readlink /proc/$$/exe; set -- /proc/$$/fd/*; echo $#; "
			       "echo exec=$SOCKWAKE_EXEC_FD $GLIBC_TUNABLES",
			       NULL};

	MUST(dup2(open(paths[0], O_PATH | O_CLOEXEC), fd) == fd);
	MUST(close_range(3, (unsigned)fd - 1, 0) == 0 && close_range((unsigned)fd + 1, ~0U, 0) == 0);
	setenv("SOCKWAKE_EXEC_FD", number(n, fd), 1);
	run_program(words);
}

static void the_keepers_program(void **state)
{
	_cleanup_container_ pid_t pid = container_start(0, CLONE_NEWNET);
	char n[16], shell[PATH_MAX] = "", expected[PATH_MAX + 64];
	const char *paths[] = {"/bin/sh", "/no/such/program", number(n, pid)};
	_cleanup_close_ int fd = -1;
	struct outcome o;
	pid_t child;

	(void)state;
	assert_non_null(realpath("/bin/sh", shell));
	child = start_child(0, run_with_program, paths, &fd);
	collect(child, fd, &o);
	/* What it is called is not looked for; the descriptor is not handed on: 0, 1, 2, the pidfd, and the
	 * directory being listed. */
	snprintf(expected, sizeof(expected), "%s\n5\nexec= glibc.malloc.tcache_count=0\n", shell);
	assert_string_equal(o.text, expected);
	assert_int_equal(o.status, 0);
	/* One that cannot be executed. */
	paths[0] = "/etc/passwd";
	close_fd(&fd);
	child = start_child(0, run_with_program, paths, &fd);
	collect(child, fd, &o);
	assert_int_equal(o.status, EXIT_CANNOT_EXEC);
	expect_text(&o, "cannot execute '/no/such/program'");
}

/* A listening socket with a client in its queue, as systemd would hand it over. */
struct queue {
	int listener, client;
	const char **words;
	bool traced;
	int channel;
};

static void make_queue(struct queue *q, const char **words)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	*q = (struct queue){.words = words};
	q->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	q->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(q->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(q->listener, 5), 0);
	assert_int_equal(getsockname(q->listener, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(connect(q->client, (struct sockaddr *)&at, sizeof(at)), 0);
}

static void expect_reset(struct queue *q)
{
	char byte;

	assert_int_equal(recv(q->client, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(poll(&(struct pollfd){.fd = q->listener, .events = POLLIN}, 1, 0), 0);
	close(q->client);
	close(q->listener);
}

static void run_activated(void *data)
{
	const struct queue *q = data;
	char n[16];

	MUST(dup2(q->listener, 3) == 3);
	setenv("LISTEN_PID", number(n, getpid()), 1);
	setenv("LISTEN_FDS", "1", 1);
	if (q->traced)
		be_traced();
	run_program(q->words);
}

static void expect_refusal(uid_t uid, int status, const char *text, const char **words)
{
	_cleanup_close_ int fd = -1;
	struct outcome o;
	struct queue q;
	pid_t child;

	make_queue(&q, words);
	child = start_child(uid, run_activated, &q, &fd);
	collect(child, fd, &o);
	assert_int_equal(o.status, status);
	expect_text(&o, text);
	assert_null(strchr(strchr(o.text, '\n') + 1, '\n')); /* one sentence, once */
	expect_reset(&q);
}

static void failures_refuse_the_queue(void **state)
{
	_cleanup_container_ pid_t own = container_start(0, CLONE_NEWNET);
	_cleanup_container_ pid_t rootless = container_start(ORDINARY_UID, CLONE_NEWNET | CLONE_NEWUSER);
	char n[16], m[16];

	(void)state;
	number(n, own);
	number(m, rootless);
	expect_refusal(0, EXIT_REFUSED, "no process 2147483647",
		       (const char *[]){"nshelper", "--pid", "2147483647", "true", NULL});
	expect_refusal(0, EXIT_REFUSED, "is not running", (const char *[]){"nshelper", "--pid", "0", "true", NULL});
	/* Inside the namespace, as nobody: the sockets still belong to us. */
	expect_refusal(0, EXIT_REFUSED, "'/no/such'",
		       (const char *[]){"nshelper", "--pid", n, "--user", "nobody", "/no/such", NULL});
	expect_refusal(ORDINARY_UID, EXIT_REFUSED, "'/etc/passwd'",
		       (const char *[]){"nshelper", "--pid", m, "/etc/passwd", NULL});
	expect_refusal(0, EXIT_USAGE, "command to run is missing",
		       (const char *[]){"nshelper", "--pid", n, "--", NULL});
}

/* Body of a child: it has a keeper, whose the queue is. */
static void run_kept(void *data)
{
	const struct queue *q = data;

	MUST(dup2(q->channel, 90) == 90);
	setenv("SOCKWAKE_KEEPER_FD", "90", 1);
	run_activated(data);
}

static void a_failure_is_told_to_the_keeper(void **state)
{
	static const char *words[] = {"nshelper", "--pid", "2147483647", "true", NULL};
	_cleanup_close_ int fd = -1;
	struct message m = {};
	char sentence[256];
	struct outcome o;
	struct queue q;
	struct error err;
	bool closed;
	pid_t child;
	int ends[2];

	(void)state;
	make_queue(&q, words);
	assert_int_equal(channel_open(ends, &err), 0);
	q.channel = ends[1];
	child = start_child(0, run_kept, &q, &fd);
	collect(child, fd, &o);
	assert_int_equal(o.status, EXIT_REFUSED);
	assert_string_equal(o.text, "");
	assert_true(channel_receive(ends[0], &m, &closed));
	assert_true(message_value(&m, "FAILED", sentence, sizeof(sentence)));
	assert_non_null(strstr(sentence, "no process 2147483647"));
	assert_int_equal(poll(&(struct pollfd){.fd = q.listener, .events = POLLIN}, 1, 0), 1);
	assert_int_equal(recv(q.client, sentence, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	close(ends[0]);
	close(ends[1]);
	close(q.client);
	close(q.listener);
}

static bool enters(pid_t pid, const struct __ptrace_syscall_info *call)
{
	(void)pid;
	return call->entry.nr == SYS_setns;
}

static bool executes(pid_t pid, const struct __ptrace_syscall_info *call)
{
	(void)pid;
	return call->entry.nr == SYS_execve;
}

/* SIGTERM comes when the program is about to make this system call. */
static void expect_refusal_on_signal(bool (*moment)(pid_t pid, const struct __ptrace_syscall_info *call))
{
	_cleanup_container_ pid_t pid = container_start(0, CLONE_NEWNET);
	_cleanup_close_ int fd = -1;
	char n[16];
	const char *words[] = {"nshelper", "--pid", number(n, pid), "--user", "nobody", "/no/such/program", NULL};
	struct outcome o;
	struct queue q;
	pid_t child;

	make_queue(&q, words);
	q.traced = true;
	child = start_child(0, run_activated, &q, &fd);
	assert_true(trace_until(child, moment));
	assert_int_equal(kill(child, SIGTERM), 0);
	assert_true(release_traced(child));
	collect(child, fd, &o);
	assert_int_equal(o.status, EXIT_REFUSED);
	expect_text(&o, "nshelper was told to stop");
	expect_reset(&q);
}

static void a_signal_refuses_the_queue(void **state)
{
	(void)state;
	expect_refusal_on_signal(enters);
	expect_refusal_on_signal(executes);
}

static void the_command_has_default_signals(void **state)
{
	_cleanup_container_ pid_t pid = container_start(0, CLONE_NEWNET);
	char n[16];
	struct outcome o;

	(void)state;
	run_nshelper(0, &o, "--pid", number(n, pid), "sh", "-c", "kill -TERM $$; echo survived");
	assert_string_equal(o.text, "");
	assert_int_equal(o.status, 0x100 + SIGTERM);
	run_nshelper(0, &o, "--pid", n, "sh", "-c", "grep SigBlk /proc/self/status");
	expect_text(&o, "SigBlk:\t0000000000000000\n");
}

static void the_hosts_network(void **state)
{
	_cleanup_container_ pid_t pid = container_start(ORDINARY_UID, CLONE_NEWUSER);
	char n[16], link[64] = "";
	struct outcome o;

	(void)state;
	assert_true(readlink("/proc/self/ns/net", link, sizeof(link) - 1) > 0);
	run_nshelper(ORDINARY_UID, &o, "--pid", number(n, pid), "readlink", "/proc/self/ns/net");
	assert_int_equal(strncmp(o.text, link, strlen(link)), 0);
	run_nshelper(0, &o, "--pid", n, "--user", "nobody", "readlink", "/proc/self/ns/net");
	assert_int_equal(strncmp(o.text, link, strlen(link)), 0);
}

/* A process that nobody may trace belongs to root in /proc (proc(5)). */
static bool is_traceable(pid_t pid)
{
	struct stat st;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	assert_int_equal(stat(path, &st), 0);
	return st.st_uid != 0;
}

static void run_traced(void *data)
{
	be_traced();
	run_program(data);
}

/* The container's root is the same user, and has all capabilities in the namespace. */
static void nobody_traces_what_has_entered(void **state)
{
	_cleanup_container_ pid_t pid = container_start(ORDINARY_UID, CLONE_NEWNET | CLONE_NEWUSER);
	bool (*const moments[])(pid_t pid, const struct __ptrace_syscall_info *call) = {enters, executes};
	char n[16];
	const char *words[] = {"nshelper", "--pid", number(n, pid), "/bin/true", NULL};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		_cleanup_close_ int fd = -1;
		pid_t child = start_child(ORDINARY_UID, run_traced, words, &fd);
		struct outcome o;

		assert_true(trace_until(child, moments[k]));
		assert_false(is_traceable(child));
		expect_name(child, "nshelper");
		assert_true(release_traced(child));
		collect(child, fd, &o);
		assert_int_equal(o.status, 0);
	}
}

static void copy_program(const char *path, uid_t owner, mode_t mode)
{
	char command[128];

	snprintf(command, sizeof(command), "install -o %u -m %o /bin/sleep '%s'", owner, mode, path);
	assert_int_equal(system(command), 0);
}

/* Body of a child: with this value of fs.suid_dumpable. */
static void check_with_dumpable(void *data)
{
	char path[] = "/tmp/sockwake-test-XXXXXX";
	struct error err;
	int fd = mkstemp(path);

	MUST(write(fd, data, strlen(data)) >= 0);
	MUST(unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	MUST(mount(path, "/proc/sys/fs/suid_dumpable", NULL, MS_BIND, NULL) == 0 && unlink(path) == 0);
	MUST(unreachable_check(-1, "/bin/sh", &err) < 0);
	dprintf(STDOUT_FILENO, "%s", err.text);
	_exit(0);
}

static void no_command_is_unreachable_if_all_are_dumpable(void **state)
{
	static const char *const values[] = {"0\n", "1\n", "2\n", "1", ""};

	(void)state;
	for (size_t k = 0; k < sizeof(values) / sizeof(*values); k++) {
		_cleanup_close_ int fd = -1;
		char value[4];
		struct outcome o;
		pid_t pid;

		strcpy(value, values[k]);
		pid = start_child(0, check_with_dumpable, value, &fd);
		collect(pid, fd, &o);
		assert_int_equal(o.status, 0);
		expect_text(&o, value[0] == '1' ? "with fs.suid_dumpable=1" : "'/bin/sh' is readable");
	}
}

static void an_unreachable_command(void **state)
{
	_cleanup_container_ pid_t pid = container_start(ORDINARY_UID, CLONE_NEWNET | CLONE_NEWUSER);
	static const struct {
		uid_t owner;
		mode_t mode;
		const char *text; /* NULL: it runs */
	} cases[] = {
		{0, 0755, "is readable"},
		{0, 0711, NULL},
		{ORDINARY_UID, 0755, "is readable"},
		{ORDINARY_UID, 0711, "is readable"},
		{ORDINARY_UID, 0111, NULL},
	};
	char directory[] = "/tmp/sockwake-test-XXXXXX", path[64], n[16], *end;
	struct outcome o;

	(void)state;
	assert_non_null(mkdtemp(directory));
	assert_int_equal(chmod(directory, 0755), 0);
	snprintf(path, sizeof(path), "%s/program", directory);
	number(n, pid);
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		copy_program(path, cases[k].owner, cases[k].mode);
		run_nshelper(ORDINARY_UID, &o, "--pid", n, "--unreachable", path, "0");
		if (cases[k].text)
			expect_text(&o, cases[k].text);
		assert_int_equal(o.status, cases[k].text ? EXIT_FAILURE : 0);
		run_nshelper(ORDINARY_UID, &o, "--pid", n, path, "0");
		assert_int_equal(o.status, 0);
	}

	/* Of the last one, which runs: */
	const char *words[] = {"nshelper", "--pid", n, "--unreachable", path, "1000", NULL};
	_cleanup_close_ int fd = -1;
	pid_t child = start_child(ORDINARY_UID, run_program, words, &fd);
	char link[64] = "", exe[32];

	snprintf(exe, sizeof(exe), "/proc/%d/exe", child);
	while (strcmp(link, path) != 0) {
		ssize_t len = readlink(exe, link, sizeof(link) - 1);

		link[len > 0 ? len : 0] = '\0';
		(void)poll(NULL, 0, 1);
	}
	assert_false(is_traceable(child));
	assert_int_equal(kill(child, SIGKILL), 0);
	collect(child, fd, &o);

	run_nshelper(ORDINARY_UID, &o, "--pid", n, "--unreachable", "sleep", "0");
	expect_text(&o, "takes a program with its path");
	end = strrchr(path, '/');
	assert_int_equal(unlink(path), 0);
	run_nshelper(ORDINARY_UID, &o, "--pid", n, "--unreachable", path, "0");
	assert_int_equal(o.status, EXIT_NOT_FOUND);
	*end = '\0';
	assert_int_equal(rmdir(path), 0);
}

/* The debug level tells where it has gone, and what it becomes. */
static void the_debug_level_tells_each_step(void **state)
{
	static const int flags[] = {CLONE_NEWNET, 0};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		_cleanup_container_ pid_t pid = container_start(0, flags[k]);
		char n[16];
		const char *words[] = {"nshelper", "--pid", number(n, pid), "/bin/true", NULL};
		_cleanup_close_ int fd = -1;
		struct outcome o;
		pid_t child;

		setenv("SOCKWAKE_LOG", "debug", 1);
		child = start_child(0, run_program, words, &fd);
		unsetenv("SOCKWAKE_LOG");
		collect(child, fd, &o);
		assert_int_equal(o.status, 0);
		expect_text(&o, "nshelper +");
		expect_text(&o, k == 0 ? "has entered the network namespace of process" : "there is nothing to enter");
		expect_text(&o, "has dropped all privileges; executes '/bin/true'");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_debug_level_tells_each_step),
		cmocka_unit_test(exit_statuses_by_hand),
		cmocka_unit_test(what_the_command_inherits),
		cmocka_unit_test(the_activators_pidfd),
		cmocka_unit_test(failures_refuse_the_queue),
		cmocka_unit_test(a_signal_refuses_the_queue),
		cmocka_unit_test(the_command_has_default_signals),
		cmocka_unit_test(the_hosts_network),
		cmocka_unit_test(the_keepers_program),
		cmocka_unit_test(a_failure_is_told_to_the_keeper),
		cmocka_unit_test(nobody_traces_what_has_entered),
		cmocka_unit_test(an_unreachable_command),
		cmocka_unit_test(no_command_is_unreachable_if_all_are_dumpable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
