/* proxy/confine.h, attacked from inside: every promise is tried in a confined child, as an unprivileged user of the host
 * (system scope), in a user namespace without capabilities (user scope), and where no further user namespace is
 * allowed. Needs root, to become those. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/confine.h"
#include "proxy/confine_steps.h"

#define NOBODY 65534

/* For the child, in which cmocka's assertions would return into the parent's test. Only write(2) works everywhere. */
static void fail_child(int line, const char *what)
{
	char text[256];
	int n = snprintf(text, sizeof(text), __FILE__ ":%d: not true: %s (errno %d)\n", line, what, errno);

	_exit(write(STDERR_FILENO, text, (size_t)n) == n ? 1 : 2);
}
#define CHECK(x)	     ((x) ? (void)0 : fail_child(__LINE__, #x))
#define CHECK_FAILS(code, x) CHECK((long)(x) == -1 && errno == (code))

enum mode {
	SYSTEM_SCOPE, /* an unprivileged user of the host */
	USER_SCOPE,   /* in a container's user and network namespace, without capabilities */
	NO_USERNS,    /* there, and no new user namespaces are allowed */
	MODES,
};

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(ioctl(fd, SIOCSIFFLAGS, &request) == 0);
	close(fd);
}

static void give_up_capabilities(uint32_t kept)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{.effective = kept, .permitted = kept}};

	CHECK(syscall(SYS_capset, &header, data) == 0);
}

static void become_nobody(void)
{
	CHECK(setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
	      setresuid(NOBODY, NOBODY, NOBODY) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0); /* as after an exec */
}

static void enter(enum mode mode)
{
	become_nobody();
	if (mode == SYSTEM_SCOPE)
		return;
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0);
	write_text("/proc/self/setgroups", "deny");
	write_text("/proc/self/uid_map", "0 65534 1");
	write_text("/proc/self/gid_map", "0 65534 1");
	loopback_up();
	if (mode == NO_USERNS)
		write_text("/proc/sys/user/max_user_namespaces", "0");
	give_up_capabilities(0);
}

static void confined(const struct confinement *c)
{
	struct error err;
	unsigned missing;

	if (confine(c, &missing, &err) < 0) {
		fail_child(__LINE__, err.text);
	}
}

/* Runs body in a child in each of the modes; it is to exit with 0, or to die of SIGSYS. */
static void in_modes(void (*body)(void), enum mode first, enum mode last, int expected_signal)
{
	for (enum mode mode = first; mode <= last; mode++) {
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (pid == 0) {
			enter(mode);
			body();
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (expected_signal)
			assert_true(WIFSIGNALED(status) && WTERMSIG(status) == expected_signal);
		else
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
}

static void survives(void (*body)(void))
{
	in_modes(body, SYSTEM_SCOPE, MODES - 1, 0);
}

static void is_killed(void (*body)(void))
{
	in_modes(body, SYSTEM_SCOPE, MODES - 1, SIGSYS);
}

/* A listener on the loopback; its port in host byte order. */
static int listener(uint16_t *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 8) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static int connect_to(int fd, uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port),
	};

	return connect(fd, (struct sockaddr *)&address, sizeof(address));
}

static int tcp_state(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	CHECK(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0);
	return info.tcpi_state;
}

/* --- descriptors --- */

static void closes_descriptors(void)
{
	int keep[] = {200, -1, 3, 150, 150};
	const struct confinement c = {.keep = keep, .n_keep = 5};

	for (int fd = 3; fd < 300; fd++)
		CHECK(dup2(STDERR_FILENO, fd) == fd);
	confined(&c);
	for (int fd = 0; fd < 400; fd++) {
		if (fd <= 3 || fd == 150 || fd == 200)
			CHECK(fcntl(fd, F_GETFD) >= 0);
		else
			CHECK_FAILS(EBADF, fcntl(fd, F_GETFD));
	}
}

static void test_descriptors(void **state)
{
	(void)state;
	survives(closes_descriptors);
}

/* --- file system --- */

static void uses_paths(void)
{
	const struct confinement c = {0};
	struct stat st;

	confined(&c);
	CHECK_FAILS(EPERM, open("/", O_RDONLY));
	CHECK_FAILS(EPERM, open("/etc/passwd", O_RDONLY));
	CHECK_FAILS(EPERM, open("/x", O_WRONLY | O_CREAT, 0600));
	CHECK_FAILS(EPERM, stat("/", &st));
	CHECK_FAILS(EPERM, access("/etc/passwd", F_OK));
	CHECK_FAILS(EPERM, unlink("/etc/passwd"));
	CHECK_FAILS(EPERM, mkdir("/x", 0700));
	CHECK_FAILS(EPERM, rename("/etc/passwd", "/x"));
	CHECK_FAILS(EPERM, symlink("/etc/passwd", "/x"));
	CHECK_FAILS(EPERM, chmod("/", 0777));
	CHECK_FAILS(EPERM, chdir("/"));
	CHECK_FAILS(EPERM, syscall(SYS_openat2, AT_FDCWD, "/", NULL, 0));
	CHECK_FAILS(EPERM, syscall(SYS_truncate, "/etc/passwd", 0));
}

/* The layer below the system call filter. */
static void looks_for_the_old_root(void)
{
	struct error err;

	CHECK(empty_root(false, &err) == 0);
	CHECK(drop_capabilities(false, &err) == 0);
	CHECK_FAILS(ENOENT, open("/etc/passwd", O_RDONLY));
	CHECK_FAILS(ENOENT, open("../../../../../etc/passwd", O_RDONLY));
	CHECK_FAILS(ENOENT, open("/proc/self/root/etc/passwd", O_RDONLY));
	CHECK(mkdir("/x", 0700) == -1);
	CHECK(open("/x", O_WRONLY | O_CREAT, 0600) == -1);
	CHECK_FAILS(EPERM, umount2("/", MNT_DETACH));
	CHECK_FAILS(EPERM, chroot("/"));
}

/* As one that was root's when root started it. */
static void leaves_a_directory_it_may_not_enter(void)
{
	char directory[] = "/tmp/sockwake-confine-XXXXXX";
	struct error err;

	CHECK(mkdtemp(directory) && chdir(directory) == 0 && chmod(directory, 0) == 0 && rmdir(directory) == 0);
	CHECK_FAILS(EACCES, open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
	CHECK(empty_root(false, &err) == 0);
	CHECK(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC) >= 0);
}

static void opens_under_landlock(void)
{
	const struct confinement c = {0};
	unsigned missing = 0;
	struct error err;

	CHECK(drop_capabilities(false, &err) == 0);
	CHECK(landlock_restrict(&c, &missing, &err) == 0 && missing == 0);
	CHECK_FAILS(EACCES, open("/etc/passwd", O_RDONLY));
	CHECK_FAILS(EACCES, open("/", O_RDONLY | O_DIRECTORY));
	CHECK_FAILS(EACCES, execl("/bin/true", "true", NULL));
	CHECK_FAILS(EACCES, open("/tmp/sockwake-confine-test", O_WRONLY | O_CREAT, 0600));
}

static void test_file_system(void **state)
{
	(void)state;
	survives(uses_paths);
	in_modes(looks_for_the_old_root, SYSTEM_SCOPE, USER_SCOPE, 0);
	in_modes(leaves_a_directory_it_may_not_enter, SYSTEM_SCOPE, USER_SCOPE, 0);
	survives(opens_under_landlock);
}

static void reports_what_is_missing(void)
{
	const struct confinement c = {0};
	struct error err;
	unsigned missing;

	CHECK(confine(&c, &missing, &err) == 0);
	CHECK(missing == UNCONFINED_ROOT && confine_missing_text(missing));
}

static void reports_that_nothing_is_missing(void)
{
	const struct confinement c = {0};
	struct error err;
	unsigned missing;

	CHECK(confine(&c, &missing, &err) == 0);
	CHECK(missing == 0 && !confine_missing_text(missing));
}

static void test_reports_what_is_missing(void **state)
{
	(void)state;
	in_modes(reports_what_is_missing, NO_USERNS, NO_USERNS, 0);
	in_modes(reports_that_nothing_is_missing, SYSTEM_SCOPE, USER_SCOPE, 0);
}

/* --- capabilities --- */

/* A line of /proc/self/status, whose descriptor was opened before. */
static unsigned long long status_field(int fd, const char *name)
{
	char text[4096];
	ssize_t n = read(fd, text, sizeof(text) - 1);
	const char *line;

	CHECK(n > 0);
	text[n] = '\0';
	line = strstr(text, name);
	CHECK(line);
	return strtoull(line + strlen(name), NULL, 16);
}

static const char *const capability_sets[] = {"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"};

static void has_no_privileges(void)
{
	int keep[7];
	const struct confinement c = {.keep = keep, .n_keep = 7};

	for (int i = 0; i < 7; i++)
		keep[i] = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	confined(&c);
	for (int i = 0; i < 5; i++) {
		/* Without capabilities before, and without a new namespace, the bounding set cannot be emptied. */
		if (i != 3)
			CHECK(status_field(keep[i], capability_sets[i]) == 0);
	}
	CHECK(status_field(keep[5], "NoNewPrivs:") == 1);
	CHECK(status_field(keep[6], "\nSeccomp:") == 2);
}

static void has_an_empty_bounding_set(void)
{
	int keep[] = {open("/proc/self/status", O_RDONLY | O_CLOEXEC)};
	const struct confinement c = {.keep = keep, .n_keep = 1};

	confined(&c);
	CHECK(status_field(keep[0], "CapBnd:") == 0);
}

static void test_privileges(void **state)
{
	(void)state;
	survives(has_no_privileges);
	in_modes(has_an_empty_bounding_set, SYSTEM_SCOPE, USER_SCOPE, 0);
}

/* Needs to begin with the capability, so it does not run in the modes. */
static void test_transparent_keeps_net_raw_alone(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct sockaddr_in foreign = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xcb007101)};
		uint16_t ports[] = {80};
		int keep[3], on = 1, fd;
		const struct confinement c = {
			.keep = keep, .n_keep = 3, .ports = ports, .n_ports = 1, .transparent = true};
		struct error err;
		unsigned missing;

		CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0);
		become_nobody();
		give_up_capabilities(CAP_TO_MASK(CAP_NET_RAW));
		for (int i = 0; i < 3; i++)
			keep[i] = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
		CHECK(confine(&c, &missing, &err) == 0 && missing == 0);
		CHECK(status_field(keep[0], "CapEff:") == CAP_TO_MASK(CAP_NET_RAW));
		CHECK(status_field(keep[1], "CapPrm:") == CAP_TO_MASK(CAP_NET_RAW));
		CHECK(status_field(keep[2], "CapInh:") == 0);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		CHECK(setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &on, sizeof(on)) == 0);
		CHECK(bind(fd, (struct sockaddr *)&foreign, sizeof(foreign)) == 0);
		CHECK_FAILS(EPERM, socket(AF_INET, SOCK_RAW, IPPROTO_TCP));
		CHECK_FAILS(EPERM, socket(AF_PACKET, SOCK_RAW, 0));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* --- network --- */

static void makes_other_sockets(void)
{
	uint16_t ports[] = {80};
	const struct confinement c = {.ports = ports, .n_ports = 1};
	int pair[2];

	confined(&c);
	CHECK_FAILS(EPERM, socket(AF_UNIX, SOCK_STREAM, 0));
	CHECK_FAILS(EPERM, socket(AF_UNIX, SOCK_DGRAM, 0));
	CHECK_FAILS(EPERM, socket(AF_NETLINK, SOCK_RAW, 0));
	CHECK_FAILS(EPERM, socket(AF_PACKET, SOCK_RAW, 0));
	CHECK_FAILS(EPERM, socket(AF_VSOCK, SOCK_STREAM, 0));
	CHECK_FAILS(EPERM, socket(AF_INET, SOCK_RAW, IPPROTO_TCP));
	CHECK_FAILS(EPERM, socket(AF_INET, SOCK_DGRAM, 0));
	CHECK_FAILS(EPERM, socket(AF_INET, SOCK_STREAM, 262 /* MPTCP */));
	CHECK_FAILS(EPERM, socket(AF_INET6, SOCK_STREAM, IPPROTO_SCTP));
	CHECK_FAILS(EPERM, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	CHECK(socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) >= 0);
}

static void makes_udp_sockets(void)
{
	const struct confinement c = {.udp = true};
	int fd;

	confined(&c);
	CHECK(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0);
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	CHECK(fd >= 0);
	CHECK_FAILS(EDESTADDRREQ, sendto(fd, "x", 1, MSG_DONTWAIT, NULL, 0));
	CHECK_FAILS(EBADF, sendmmsg(-1, NULL, 0, 0));
	CHECK_FAILS(EPERM, socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
	CHECK_FAILS(EPERM, socket(AF_INET, SOCK_STREAM, 0));
}

static void connects_elsewhere(void)
{
	uint16_t port, other_port;
	int target = listener(&port), other = listener(&other_port), fd, keep[] = {target, other};
	const struct confinement c = {.keep = keep, .n_keep = 2, .ports = &port, .n_ports = 1};
	struct sockaddr_in any = {.sin_family = AF_INET};

	confined(&c);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(fd >= 0);
	CHECK_FAILS(EACCES, connect_to(fd, other_port));
	CHECK_FAILS(EPERM, bind(fd, (struct sockaddr *)&any, sizeof(any)));
	CHECK_FAILS(EPERM, listen(fd, 1));
	CHECK(connect_to(fd, port) == 0);
}

/* TCP Fast Open connects inside sendto(2), where Landlock did not look. */
static void connects_by_sending(void)
{
	uint16_t port, other_port;
	int target = listener(&port), other = listener(&other_port), fd, keep[] = {target, other};
	const struct confinement c = {.keep = keep, .n_keep = 2, .ports = &port, .n_ports = 1};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct iovec data = {.iov_base = (char[]){"x"}, .iov_len = 1};
	struct mmsghdr message = {
		.msg_hdr = {.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &data, .msg_iovlen = 1}};

	confined(&c);
	to.sin_port = htons(other_port);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_FAILS(EPERM, sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof(to)));
	CHECK_FAILS(EPERM, sendmsg(fd, &message.msg_hdr, MSG_FASTOPEN | MSG_NOSIGNAL));
	CHECK_FAILS(EPERM, sendmmsg(fd, &message, 1, MSG_FASTOPEN));
}

static void test_sockets(void **state)
{
	(void)state;
	survives(makes_other_sockets);
	survives(makes_udp_sockets);
	survives(connects_elsewhere);
	survives(connects_by_sending);
}

struct pair {
	int listener, client, accepted;
	uint16_t port;
};

static struct pair accepted_connection(void)
{
	struct pair p = {.listener = listener(&p.port)};

	p.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(connect_to(p.client, p.port) == 0);
	p.accepted = accept(p.listener, NULL, NULL);
	CHECK(p.accepted >= 0);
	return p;
}

/* Disconnects fd and connects it to the port, without waiting; whether it was connected after a while. */
static int reconnects(int fd, uint16_t port)
{
	struct sockaddr unspec = {.sa_family = AF_UNSPEC};
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	CHECK(connect(fd, &unspec, sizeof(unspec)) == 0);
	CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	if (connect_to(fd, port) < 0 && errno != EINPROGRESS)
		return -1;
	/* A connection over the loopback needs microseconds. */
	(void)poll(&p, 1, 200);
	return tcp_state(fd) == TCP_ESTABLISHED;
}

/* The attack works on a process that is not confined. Were this not so, the next test would show nothing. */
static void accepted_socket_connects_again(void)
{
	struct pair p = accepted_connection();
	uint16_t port;
	int secret = listener(&port);

	CHECK(reconnects(p.accepted, port) == 1);
	CHECK(accept(secret, NULL, NULL) >= 0);
}

/* Landlock: not to another port, whatever the socket was. */
static void confined_socket_stays_on_its_port(void)
{
	struct pair p = accepted_connection();
	int keep[] = {p.listener, p.accepted, p.client};
	uint16_t target = 1;
	const struct confinement c = {.keep = keep, .n_keep = 3, .ports = &target, .n_ports = 1};

	confined(&c);
	CHECK_FAILS(EACCES, reconnects(p.accepted, p.port));
	CHECK_FAILS(EACCES, reconnects(p.listener, p.port));
}

/* The socket filter: not at all. It is attached with CAP_NET_ADMIN, which some kernels ask for; the confined process
 * finds it locked, as a later wake does. */
static void disarmed_sockets(void)
{
	struct pair before;
	int keep[4], after, client, nothing = 0;
	uint16_t port;
	unsigned missing = 0;
	const struct confinement c = {.keep = keep, .n_keep = 4, .ports = &port, .n_ports = 1};
	struct error err;

	CHECK(unshare(CLONE_NEWNET) == 0);
	loopback_up();
	before = accepted_connection();
	keep[0] = before.listener;
	keep[1] = before.accepted;
	keep[2] = listener(&port);
	keep[3] = -1;
	CHECK(disarm_sockets(&c, &missing, &err) == 0 && missing == 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect_to(client, before.port) == 0);
	keep[3] = client;
	become_nobody();

	/* Below the system call filter. */
	CHECK_FAILS(EPERM, setsockopt(before.listener, SOL_SOCKET, SO_DETACH_FILTER, &nothing, sizeof(nothing)));
	CHECK_FAILS(EPERM, setsockopt(before.listener, SOL_SOCKET, SO_LOCK_FILTER, &nothing, sizeof(nothing)));
	CHECK(confine(&c, &missing, &err) == 0); /* the client itself is not disarmed where that needs privileges */
	after = accept(before.listener, NULL, NULL);
	CHECK(after >= 0);
	CHECK(send(client, "x", 1, 0) == 1 && read(after, &nothing, 1) == 1);
	CHECK_FAILS(EPERM, setsockopt(after, SOL_SOCKET, SO_DETACH_FILTER, &nothing, sizeof(nothing)));
	CHECK(reconnects(before.accepted, port) == 0);
	CHECK(reconnects(after, port) == 0);
	CHECK(reconnects(before.listener, port) == 0);
}

static void test_accepted_socket(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	survives(accepted_socket_connects_again);
	survives(confined_socket_stays_on_its_port);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		disarmed_sockets();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* --- processes --- */

static void executes(void)
{
	const struct confinement c = {0};

	confined(&c);
	execl("/bin/true", "true", NULL);
}

static void forks(void)
{
	const struct confinement c = {0};

	confined(&c);
	(void)fork();
}

static void forks_by_clone3(void)
{
	const struct confinement c = {0};

	confined(&c);
	(void)syscall(SYS_clone3, NULL, 0);
}

static void makes_a_user_namespace(void)
{
	const struct confinement c = {0};

	confined(&c);
	(void)unshare(CLONE_NEWUSER);
}

static void traces(void)
{
	const struct confinement c = {0};

	confined(&c);
	(void)ptrace(PTRACE_SEIZE, getppid(), NULL, NULL);
}

static void reads_foreign_memory(void)
{
	const struct confinement c = {0};

	confined(&c);
	(void)syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}

static void sets_up_io_uring(void)
{
	const struct confinement c = {0};

	confined(&c);
	(void)syscall(SYS_io_uring_setup, 1, NULL);
}

static void loads_bpf(void)
{
	const struct confinement c = {0};

	confined(&c);
	(void)syscall(SYS_bpf, 0, NULL, 0);
}

/* The 32-bit system calls have other numbers. */
#ifdef __x86_64__
static void calls_in_32_bits(void)
{
	const struct confinement c = {0};

	confined(&c);
	__asm__ volatile("int $0x80" : : "a"(20) : "memory", "cc", "r8", "r9", "r10", "r11");
}
#endif

static void test_kills(void **state)
{
	(void)state;
	is_killed(executes);
	is_killed(forks);
	is_killed(forks_by_clone3);
	is_killed(makes_a_user_namespace);
	is_killed(traces);
	is_killed(reads_foreign_memory);
	is_killed(sets_up_io_uring);
	is_killed(loads_bpf);
#ifdef __x86_64__
	is_killed(calls_in_32_bits);
#endif
}

static void signals_others(void)
{
	const struct confinement c = {0};
	pid_t parent = getpid(), sibling = fork();

	CHECK(sibling >= 0);
	if (sibling == 0) {
		/* Not PR_SET_PDEATHSIG: a confined parent cannot even signal its end. */
		while (getppid() == parent)
			(void)poll(NULL, 0, 100);
		_exit(0);
	}
	CHECK(kill(sibling, 0) == 0 && syscall(SYS_tgkill, sibling, sibling, 0) == 0);
	confined(&c);
	CHECK_FAILS(EPERM, kill(sibling, 0));
	CHECK_FAILS(EPERM, kill(-1, SIGTERM));
	CHECK_FAILS(EPERM, syscall(SYS_tgkill, sibling, sibling, 0));
	CHECK_FAILS(EPERM, syscall(SYS_tkill, sibling, 0));
	CHECK_FAILS(EPERM, prctl(PR_SET_DUMPABLE, 1));
}

static void aborts(void)
{
	const struct confinement c = {0};

	confined(&c);
	abort();
}

static void test_signals(void **state)
{
	(void)state;
	survives(signals_others);
	in_modes(aborts, SYSTEM_SCOPE, MODES - 1, SIGABRT);
}

/* A process of the same user, who would be allowed to trace its child. */
static void traces_a_confined_child(void)
{
	int ready[2], hold[2], keep[3];
	const struct confinement c = {.keep = keep, .n_keep = 3};
	char path[64], byte = 0;
	struct iovec local = {.iov_base = &byte, .iov_len = 1}, remote = {.iov_base = &byte, .iov_len = 1};
	pid_t pid;

	CHECK(pipe(ready) == 0 && pipe(hold) == 0);
	keep[0] = ready[0];
	keep[1] = ready[1];
	keep[2] = hold[0];
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(write(ready[1], "1", 1) == 1 && read(hold[0], &byte, 1) == 1);
		confined(&c);
		CHECK(write(ready[1], "2", 1) == 1 && read(hold[0], &byte, 1) == 1);
		_exit(0);
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	CHECK(process_vm_readv(pid, &local, 1, &remote, 1, 0) == 1);
	CHECK(write(hold[1], "1", 1) == 1 && read(ready[0], &byte, 1) == 1 && byte == '2');
	CHECK_FAILS(EPERM, process_vm_readv(pid, &local, 1, &remote, 1, 0));
	CHECK_FAILS(EPERM, ptrace(PTRACE_SEIZE, pid, NULL, NULL));
	CHECK_FAILS(EPERM, ptrace(PTRACE_ATTACH, pid, NULL, NULL));
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	CHECK_FAILS(EACCES, open(path, O_RDWR));
	snprintf(path, sizeof(path), "/proc/%d/fd/3", pid);
	CHECK_FAILS(EACCES, open(path, O_RDWR));
	CHECK_FAILS(EPERM, syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, pid, 0), 1, 0));
	CHECK(write(hold[1], "1", 1) == 1);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

static void test_is_not_traceable(void **state)
{
	(void)state;
	survives(traces_a_confined_child);
}

static void *nothing(void *arg)
{
	return malloc(100) ? arg : NULL;
}

static void starts_threads(void)
{
	const struct confinement c = {.threads = true};
	pthread_t thread;
	void *result = NULL;

	confined(&c);
	CHECK(pthread_create(&thread, NULL, nothing, &result) == 0);
	CHECK(pthread_join(thread, &result) == 0 && result == &result);
	CHECK_FAILS(EPERM, syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
	CHECK_FAILS(EPERM, syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
}

static void test_threads(void **state)
{
	(void)state;
	survives(starts_threads);
}

static void maps_code(void)
{
	const struct confinement c = {0};
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p;

	confined(&c);
	CHECK_FAILS(EPERM, mmap(NULL, page, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	CHECK_FAILS(EPERM, mprotect(p, page, PROT_READ | PROT_EXEC));
}

static void test_memory(void **state)
{
	(void)state;
	survives(maps_code);
}

/* --- what must go on working --- */

static void serves(void)
{
	uint16_t port, target_port;
	int keep[] = {listener(&port), listener(&target_port), 0}, pipes[2], epoll, client, from, to, on = 1;
	const struct confinement c = {.keep = keep, .n_keep = 3, .ports = &target_port, .n_ports = 1};
	struct epoll_event event = {.events = EPOLLIN};
	char byte;

	client = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect_to(client, port) == 0 && send(client, "x", 1, 0) == 1);
	keep[2] = client;
	confined(&c);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, keep[0], &event) == 0 && epoll_wait(epoll, &event, 1, 1000) == 1);
	from = accept4(keep[0], NULL, NULL, SOCK_CLOEXEC);
	to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(setsockopt(to, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
	CHECK(setsockopt(to, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == 0);
	CHECK(setsockopt(to, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)) == 0);
	CHECK(ioctl(from, SIOCATMARK, &on) == 0);
	CHECK(connect_to(to, target_port) == 0);
	CHECK(pipe2(pipes, O_NONBLOCK | O_CLOEXEC) == 0 && fcntl(pipes[0], F_SETPIPE_SZ, 65536) >= 65536);
	CHECK(splice(from, NULL, pipes[1], NULL, 65536, 0) == 1 && splice(pipes[0], NULL, to, NULL, 1, 0) == 1);
	CHECK(shutdown(to, SHUT_WR) == 0);
	to = accept4(keep[1], NULL, NULL, SOCK_CLOEXEC);
	CHECK(recv(to, &byte, 1, MSG_DONTWAIT) == 1 && byte == 'x');
	CHECK(write(from, "y", 1) == 1 && recv(client, &byte, 1, 0) == 1 && byte == 'y');
	CHECK(send(from, "z", 1, MSG_OOB) == 1);
}

static void test_serves(void **state)
{
	(void)state;
	survives(serves);
}

/* --- a Unix socket as target --- */

static char unix_directory[] = "/tmp/sockwake-confine-XXXXXX";

static struct sockaddr_un unix_address(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return a;
}

static int unix_connect(const char *path)
{
	struct sockaddr_un a = unix_address(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	return connect(fd, (struct sockaddr *)&a, sizeof(a));
}

static void connects_to_unix_target(void)
{
	const struct confinement c = {.unix_target = true};

	CHECK(chdir(unix_directory) == 0);
	confined(&c);
	CHECK(unix_connect("socket") == 0);
	CHECK_FAILS(ENOENT, unix_connect("/tmp/../socket"));
	CHECK_FAILS(ENOENT, unix_connect("absolute"));
	CHECK_FAILS(EPERM, open("socket", O_PATH));
	CHECK_FAILS(EPERM, socket(AF_UNIX, SOCK_DGRAM, 0));
}

static void unix_target_without_userns(void)
{
	const struct confinement c = {.unix_target = true};
	struct error err;
	unsigned missing;

	CHECK(confine(&c, &missing, &err) == -1 && strstr(err.text, "user namespaces"));
}

static void test_unix_target(void **state)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a;
	char path[sizeof(a.sun_path)], link[sizeof(a.sun_path)];

	(void)state;
	assert_non_null(mkdtemp(unix_directory));
	assert_int_equal(chmod(unix_directory, 0755), 0);
	snprintf(path, sizeof(path), "%s/socket", unix_directory);
	snprintf(link, sizeof(link), "%s/absolute", unix_directory);
	a = unix_address(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(symlink(path, link), 0);
	in_modes(connects_to_unix_target, SYSTEM_SCOPE, USER_SCOPE, 0);
	in_modes(unix_target_without_userns, NO_USERNS, NO_USERNS, 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(rmdir(unix_directory), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_file_system),
		cmocka_unit_test(test_reports_what_is_missing),
		cmocka_unit_test(test_privileges),
		cmocka_unit_test(test_transparent_keeps_net_raw_alone),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_accepted_socket),
		cmocka_unit_test(test_kills),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_is_not_traceable),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_serves),
		cmocka_unit_test(test_unix_target),
	};

	return cmocka_run_group_tests_name("proxy/confine", tests, NULL, NULL);
}
