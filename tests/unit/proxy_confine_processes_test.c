/* A confined proxy starts no processes, harms no others, and is not harmed by them. */
#include "tests/unit/confine_fixture.h"

#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kills),	cmocka_unit_test(test_signals), cmocka_unit_test(test_is_not_traceable),
		cmocka_unit_test(test_threads), cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests_name("proxy/confine: processes", tests, NULL, NULL);
}
