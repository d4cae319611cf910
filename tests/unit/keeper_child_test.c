/* Programs that a keeper starts: found once, given what is theirs, and never outliving it. */
#include "keeper/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "handover/listen.h"

#define PATIENCE_MSEC 20000

/* What `sh -c SCRIPT` writes on its standard output, which is the pipe. */
struct run {
	struct child child;
	int output;
	char text[4096];
};

static struct program shell(void)
{
	struct program p;
	struct error err;

	if (program_open("/bin/sh", &p, &err) < 0)
		fail_msg("%s", err.text);
	return p;
}

static void run_start(struct run *r, const char *script, const struct inheritance *i)
{
	char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)script, NULL};
	int out[2], saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 100);
	struct program p = shell();
	struct error err;

	*r = (struct run){.child = NO_CHILD("the shell")};
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	(void)fflush(stdout);
	assert_int_equal(dup2(out[1], STDOUT_FILENO), STDOUT_FILENO);
	close(out[1]);
	if (child_start(&r->child, &p, argv, i, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
	close(saved);
	close(p.fd);
	r->output = out[0];
}

static void run_finish(struct run *r)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(r->output, r->text + len, sizeof(r->text) - 1 - len)) > 0)
		len += (size_t)n;
	r->text[len] = '\0';
	close(r->output);
	for (int k = 0; !child_reap(&r->child) && k < PATIENCE_MSEC; k++)
		usleep(1000);
	assert_int_equal(r->child.pid, 0);
	close_fd(&r->child.channel);
}

static const char *run(struct run *r, const char *script, const struct inheritance *i)
{
	run_start(r, script, i);
	run_finish(r);
	return r->text;
}

static void a_program_is_looked_for_once(void **state)
{
	char directory[] = "/tmp/sockwake-child-XXXXXX", path[64], command[160];
	struct child c = NO_CHILD("it");
	char *argv[] = {path, (char[]){"-c"}, (char[]){"exit 42"}, NULL};
	struct inheritance none = {};
	struct program p;
	struct error err;
	char how[64];

	(void)state;
	assert_int_equal(program_open("/nonexistent/program", &p, &err), -1);
	assert_int_equal(err.code, ENOENT);
	assert_non_null(strstr(err.text, "cannot run '/nonexistent/program' (No such file or directory)"));
	assert_non_null(strstr(err.text, "'sockwake refresh --all'"));
	assert_int_equal(program_open("/etc/passwd", &p, &err), -1);
	assert_int_equal(err.code, EACCES);
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/sh", directory);
	snprintf(command, sizeof(command), "cp /bin/sh %s", path);
	assert_int_equal(system(command), 0);
	assert_int_equal(program_open(path, &p, &err), 0);
	assert_int_equal(fcntl(p.fd, F_GETFD), FD_CLOEXEC);
	/* Another version takes its place. */
	assert_int_equal(unlink(path), 0);
	snprintf(command, sizeof(command), "cp /bin/false %s", path);
	assert_int_equal(system(command), 0);
	assert_int_equal(child_start(&c, &p, argv, &none, &err), 0);
	assert_int_equal(waitid(P_PID, (id_t)c.pid, &(siginfo_t){}, WEXITED | WNOWAIT), 0);
	assert_true(child_reap(&c));
	assert_int_equal(child_result(&c, how, sizeof(how)), -1);
	assert_string_equal(how, "ended with status 42");
	close_fd(&c.channel);
	close(p.fd);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	assert_int_equal(system(command), 0);
}

static void it_gets_what_it_is_given_and_no_more(void **state)
{
	struct inheritance i = {};
	char expected[128];
	struct run r;
	int given = open("/dev/zero", O_RDONLY | O_CLOEXEC), kept = open("/dev/full", O_RDONLY | O_CLOEXEC);

	(void)state;
	setenv("LISTEN_PID", "1", 1);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", "a:b", 1);
	setenv("NOTIFY_SOCKET", "/run/x", 1);
	setenv("WATCHDOG_USEC", "1", 1);
	setenv("WATCHDOG_PID", "1", 1);
	inherit_fd(&i, VARIABLE_HOLD, given);
	inherit_fd(&i, VARIABLE_STATS, -1);
	inherit_deadline(&i, UINT64_MAX - 1);
	run(&r,
	    "echo $LISTEN_PID,$LISTEN_FDS,$LISTEN_FDNAMES,$NOTIFY_SOCKET,$WATCHDOG_USEC,$WATCHDOG_PID,$SOCKWAKE_ACCEPTED;"
	    "echo $SOCKWAKE_HOLD_FD $(readlink /proc/$$/fd/$SOCKWAKE_HOLD_FD) $SOCKWAKE_STATS_FD; echo $SOCKWAKE_DEADLINE;"
	    "ls -l /proc/$$/fd | grep -c -e zero -e full; ls -l /proc/$$/fd | grep -c socket:; ulimit -f;"
	    "exec grep SigBlk /proc/self/status",
	    &i);
	snprintf(expected, sizeof(expected),
		 ",,,,,,\n%d /dev/zero\n18446744073709551614\n1\n1\nunlimited\nSigBlk:\t0000000000000000\n", given);
	assert_string_equal(r.text, expected);
	assert_int_equal(r.child.status, 0);
	/* Here they are as before. */
	assert_string_equal(getenv("NOTIFY_SOCKET"), "/run/x");
	assert_int_equal(fcntl(given, F_GETFD), FD_CLOEXEC);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	close(given);
	close(kept);
}

static void listeners_are_handed_on_as_by_systemd(void **state)
{
	struct inheritance i = {.listeners = 2, .no_files = true, .accepted = "9:0,10:1"};
	struct run r;
	int fds[2];

	(void)state;
	for (int k = 0; k < 2; k++) {
		int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

		fds[k] = fcntl(LISTEN_FDS_START + k, F_DUPFD_CLOEXEC, 200); /* what is there, if anything */
		assert_int_equal(dup3(fcntl(fd, F_DUPFD_CLOEXEC, 220), LISTEN_FDS_START + k, O_CLOEXEC),
				 LISTEN_FDS_START + k);
		if (fd > LISTEN_FDS_START + 1)
			close(fd);
	}
	setenv("LISTEN_FDNAMES", "a:b", 1);
	run(&r,
	    "test $LISTEN_PID = $$ && echo $LISTEN_FDS,$LISTEN_FDNAMES,$SOCKWAKE_ACCEPTED; readlink /proc/$$/fd/3;"
	    "readlink /proc/$$/fd/4; ulimit -f",
	    &i);
	assert_string_equal(r.text, "2,a:b,9:0,10:1\n/dev/zero\n/dev/zero\n0\n");
	unsetenv("LISTEN_FDNAMES");
	for (int k = 0; k < 2; k++) {
		close(LISTEN_FDS_START + k);
		if (fds[k] >= 0)
			dup2(fds[k], LISTEN_FDS_START + k);
		close_fd(&fds[k]);
	}
}

static void its_end_is_told(void **state)
{
	static const struct {
		const char *script, *how;
		int result;
	} cases[] = {{"exit 0", "ended with status 0", 0},
		     {"exit 3", "ended with status 3", -1},
		     {"kill -9 $$", "was killed by signal 9", -1}};
	struct inheritance none = {};

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(*cases); k++) {
		struct run r;
		char how[64];

		run(&r, cases[k].script, &none);
		assert_int_equal(child_result(&r.child, how, sizeof(how)), cases[k].result);
		assert_string_equal(how, cases[k].how);
		assert_false(child_reap(&r.child)); /* once */
		child_signal(&r.child, SIGKILL);    /* nobody */
	}
}

/* Its keeper learns of its end as of that of its socket. */
static void they_are_connected(void **state)
{
	struct inheritance none = {};
	struct message m;
	bool closed;
	struct run r;

	(void)state;
	run_start(&r, "test -S /proc/$$/fd/$SOCKWAKE_KEEPER_FD && echo yes; exec sleep 1000", &none);
	assert_false(channel_receive(r.child.channel, &m, &closed));
	assert_false(closed);
	assert_false(child_reap(&r.child));
	assert_int_equal(fcntl(r.child.channel, F_GETFD), FD_CLOEXEC);
	assert_int_equal(poll(&(struct pollfd){.fd = r.output, .events = POLLIN}, 1, PATIENCE_MSEC), 1);
	child_signal(&r.child, SIGKILL);
	assert_int_equal(poll(&(struct pollfd){.fd = r.child.channel, .events = POLLIN}, 1, PATIENCE_MSEC), 1);
	assert_false(channel_receive(r.child.channel, &m, &closed));
	assert_true(closed);
	run_finish(&r);
	assert_string_equal(r.text, "yes\n");
}

static void it_does_not_outlive_its_keeper(void **state)
{
	int fds[2], pidfd;
	pid_t keeper, child;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	keeper = fork();
	if (keeper == 0) {
		struct child c = NO_CHILD("the shell");
		struct inheritance none = {};
		struct program p = shell();
		char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char[]){"trap '' TERM HUP INT; exec sleep 1000"},
				NULL};
		struct error err;

		if (child_start(&c, &p, argv, &none, &err) < 0 || write(fds[1], &c.pid, sizeof(c.pid)) != sizeof(c.pid))
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(fds[0], &child, sizeof(child)), sizeof(child));
	pidfd = pidfd_open(child, 0);
	assert_true(pidfd >= 0);
	kill(keeper, SIGKILL);
	assert_int_equal(waitpid(keeper, NULL, 0), keeper);
	assert_int_equal(poll(&(struct pollfd){.fd = pidfd, .events = POLLIN}, 1, PATIENCE_MSEC), 1);
	close(pidfd);
	close(fds[0]);
	close(fds[1]);
}

static void what_cannot_be_started_leaves_nothing(void **state)
{
	struct rlimit before, none;
	struct child c = NO_CHILD("the shell");
	struct inheritance nothing = {};
	struct program p = shell();
	char *argv[] = {(char[]){"sh"}, NULL};
	struct error err;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(child_start(&c, &p, argv, &nothing, &err), -1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(c.pid, 0);
	assert_int_equal(c.channel, -1);
	assert_non_null(strstr(err.text, "Too many open files"));
	close(p.fd);
}

static void what_cannot_be_executed_says_so(void **state)
{
	struct child c = NO_CHILD("it");
	struct program p = {.path = "/etc", .fd = open("/etc", O_PATH | O_CLOEXEC)};
	char *argv[] = {(char[]){"it"}, NULL};
	struct inheritance none = {};
	struct error err;
	char how[64];

	(void)state;
	assert_int_equal(child_start(&c, &p, argv, &none, &err), 0);
	assert_int_equal(waitid(P_PID, (id_t)c.pid, &(siginfo_t){}, WEXITED | WNOWAIT), 0);
	assert_true(child_reap(&c));
	assert_int_equal(child_result(&c, how, sizeof(how)), -1);
	assert_string_equal(how, "ended with status 126");
	close_fd(&c.channel);
	close(p.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_is_looked_for_once),
		cmocka_unit_test(it_gets_what_it_is_given_and_no_more),
		cmocka_unit_test(listeners_are_handed_on_as_by_systemd),
		cmocka_unit_test(its_end_is_told),
		cmocka_unit_test(they_are_connected),
		cmocka_unit_test(it_does_not_outlive_its_keeper),
		cmocka_unit_test(what_cannot_be_started_leaves_nothing),
		cmocka_unit_test(what_cannot_be_executed_says_so),
	};

	(void)close_range(LISTEN_FDS_START, ~0U, 0); /* what make and others have left open */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
