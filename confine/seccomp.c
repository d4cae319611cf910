/* The system call filter: an allow-list.
 *
 * A call that is not listed fails with EPERM, so that an unusual call of the C library does not end all connections. A
 * call that only an attacker would make kills the process; the journal then says so. No call here takes a path, except
 * connect(2) with an AF_UNIX address.
 *
 * The filter compares arguments only where that closes a hole. The kernel skips all filters for a call that each of
 * them allows with any arguments (since Linux 5.11). For other calls it runs all filters, ours and the dozen that
 * systemd installs for a unit, which takes most of a microsecond. So the calls that move every byte, read(2), write(2),
 * recvfrom(2) and splice(2), have no condition. sendto(2) has one if there are TCP sockets: MSG_FASTOPEN connects in
 * spite of Landlock's rule about ports (tried on Linux 6.18).
 *
 * systemd and the keeper also hold the listening sockets, which outlive the proxy with all changes made to them. The
 * filter knows them by their numbers: no call here can duplicate a descriptor, and calls that could send one are
 * allowed only for UDP, and not towards the keeper.
 *
 * A filter cannot compare what a pointer points to. So Landlock limits connect(2), and a socket of the host's network
 * is disarmed (disarm.c). The filter knows the few addresses allowed for bind(2) by their pointers, into a page that
 * cannot be made writable (mprotect), replaced (mmap, mremap) or emptied (munmap, madvise). As it is the lowest page of
 * all, no range that begins above it contains it.
 */
#include "confine/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "common/cleanup.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* What the sources say they call (confine/syscalls), unless it has a rule below. Beside that, from the C library:
 *	memory	#syscalls: brk futex mmap mprotect mremap munmap madvise */
/*	signals, abort(3), and what continues after a stop
 *		#syscalls: getpid gettid rt_sigaction rt_sigprocmask rt_sigreturn restart_syscall sigaltstack tgkill */
/*	the end	#syscalls: exit exit_group */
static const int allowed[] = {
#define SYSCALL(name) SCMP_SYS(name),
#include "confine/syscalls.h"
#undef SYSCALL
};
_Static_assert(COUNT(allowed) > 20, "the list that confine/syscalls makes has been cut short");

/* What pthread_create(3), and malloc(3) in a second thread, call besides clone(2). */
static const int allowed_threads[] = {SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_getaffinity)};

static const int deadly[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(bpf),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(keyctl),
	SCMP_SYS(add_key),
	SCMP_SYS(open_by_handle_at),
};

static const int fcntl_commands[] = {F_GETFD, F_SETFD, F_GETFL, F_GETPIPE_SZ, F_SETPIPE_SZ};
static const int ioctl_requests[] = {FIONREAD, SIOCOUTQ, SIOCATMARK};
static const int option_levels[] = {IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_UDP};
/* Without filter options, which would undo the disarming, and without binding to a device. */
static const int socket_options[] = {SO_LINGER,	  SO_KEEPALIVE, SO_MARK,      SO_SNDBUF,    SO_RCVBUF,
				     SO_RCVLOWAT, SO_PRIORITY,	SO_REUSEADDR, SO_OOBINLINE, SO_TIMESTAMP};

struct filter {
	scmp_filter_ctx ctx;
	int failed; /* the first error, a negative errno value */
};

static void cleanup_filter(struct filter *f)
{
	seccomp_release(f->ctx);
}

/* Callers add rules without checking for errors; this keeps the first one. */
static void rule(struct filter *f, uint32_t action, int call, unsigned n, const struct scmp_arg_cmp *args)
{
	int r = seccomp_rule_add_array(f->ctx, action, call, n, args);

	if (r < 0 && f->failed == 0)
		f->failed = r;
}

static void each(struct filter *f, uint32_t action, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rule(f, action, calls[i], 0, NULL);
}

static void allow_if(struct filter *f, int call, struct scmp_arg_cmp condition)
{
	rule(f, SCMP_ACT_ALLOW, call, 1, &condition);
}

/* A descriptor that no other process holds. */
static struct scmp_arg_cmp own_descriptor(const struct confinement *c)
{
	return SCMP_A0_32(SCMP_CMP_GE, (uint32_t)c->n_shared);
}

/* Only UDP needs messages. Over a Unix socket they can carry descriptors: to a client, or to the keeper, whose close(2)
 * of one could then block for hours (SO_LINGER). A descriptor below n_shared is not such a connection. */
static void allow_messages(struct filter *f, const struct confinement *c)
{
	const struct scmp_arg_cmp no_unix_peer = c->unix_clients ? SCMP_A0_32(SCMP_CMP_LT, (uint32_t)c->n_shared)
								 : SCMP_A0_32(SCMP_CMP_NE, (uint32_t)c->reports);
	const struct scmp_arg_cmp one[] = {
		no_unix_peer,
		SCMP_A2_32(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0),
	};
	const struct scmp_arg_cmp several[] = {
		no_unix_peer,
		SCMP_A3_32(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0),
	};

	rule(f, SCMP_ACT_ALLOW, SCMP_SYS(sendmsg), COUNT(one), one);
	rule(f, SCMP_ACT_ALLOW, SCMP_SYS(sendmmsg), COUNT(several), several);
}

static void allow_options(struct filter *f, const struct confinement *c)
{
	for (size_t i = 0; i < COUNT(option_levels); i++) {
		const struct scmp_arg_cmp args[] = {
			own_descriptor(c),
			SCMP_A1_32(SCMP_CMP_EQ, (uint32_t)option_levels[i]),
		};

		rule(f, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), COUNT(args), args);
	}
	for (size_t i = 0; i < COUNT(socket_options); i++) {
		const struct scmp_arg_cmp args[] = {
			own_descriptor(c),
			SCMP_A1_32(SCMP_CMP_EQ, SOL_SOCKET),
			SCMP_A2_32(SCMP_CMP_EQ, (uint32_t)socket_options[i]),
		};

		rule(f, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), COUNT(args), args);
	}
}

static void allow_sockets(struct filter *f, int family, int type)
{
	/* Protocol 0 only: another one (MPTCP, SCTP, SMC) would give a stream to which Landlock's ports do not
	 * apply. */
	const struct scmp_arg_cmp args[] = {
		SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)family),
		SCMP_A1_32(SCMP_CMP_MASKED_EQ, (uint32_t) ~(SOCK_NONBLOCK | SOCK_CLOEXEC), (uint32_t)type),
		SCMP_A2_32(SCMP_CMP_EQ, 0),
	};

	rule(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), COUNT(args), args);
}

/* The end of the page of c->sources: the mappings up to there must not change. 0 without sources. */
static uint64_t sources_end(const struct confinement *c)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t end = 0;

	for (size_t i = 0; i < COUNT(c->sources); i++) {
		uint64_t at = (uintptr_t)c->sources[i];

		if (at >= end && at > 0)
			end = at / page * page + page - 1;
	}
	return end;
}

static void allow_bind(struct filter *f, const struct confinement *c)
{
	if (c->transparent) {
		allow_if(f, SCMP_SYS(bind), own_descriptor(c));
		return;
	}
	for (size_t i = 0; i < COUNT(c->sources); i++) {
		const struct scmp_arg_cmp args[] = {
			own_descriptor(c),
			SCMP_A1_64(SCMP_CMP_EQ, (uintptr_t)c->sources[i]),
		};

		if (c->sources[i])
			rule(f, SCMP_ACT_ALLOW, SCMP_SYS(bind), COUNT(args), args);
	}
}

static void allow_network(struct filter *f, const struct confinement *c)
{
	if (c->n_ports > 0 || c->unix_target)
		allow_if(f, SCMP_SYS(sendto), SCMP_A3_32(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0));
	else
		rule(f, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 0, NULL);
	if (c->udp)
		allow_messages(f, c);
	allow_if(f, SCMP_SYS(connect), own_descriptor(c));
	allow_if(f, SCMP_SYS(shutdown), own_descriptor(c));
	if (c->n_ports > 0) {
		allow_sockets(f, AF_INET, SOCK_STREAM);
		allow_sockets(f, AF_INET6, SOCK_STREAM);
	}
	if (c->udp) {
		allow_sockets(f, AF_INET, SOCK_DGRAM);
		allow_sockets(f, AF_INET6, SOCK_DGRAM);
	}
	if (c->unix_target) {
		allow_sockets(f, AF_UNIX, SOCK_STREAM);
		allow_sockets(f, AF_UNIX, SOCK_SEQPACKET);
	}
	allow_bind(f, c);
	allow_options(f, c);
}

/* Memory must never be executable, and the page of c->sources must not change. */
static void allow_memory(struct filter *f, const struct confinement *c)
{
	const scmp_datum_t above = sources_end(c);
	const struct scmp_arg_cmp may_not_execute = SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp anywhere[] = {
		SCMP_A0_64(SCMP_CMP_EQ, 0),
		may_not_execute,
		SCMP_A3_32(SCMP_CMP_MASKED_EQ, MAP_FIXED, 0),
	};
	const struct scmp_arg_cmp there[] = {SCMP_A0_64(SCMP_CMP_GT, above), may_not_execute};
	const struct scmp_arg_cmp stays[] = {
		SCMP_A0_64(SCMP_CMP_GT, above),
		SCMP_A3_32(SCMP_CMP_MASKED_EQ, MREMAP_FIXED, 0),
	};

	rule(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), COUNT(anywhere), anywhere);
	rule(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), COUNT(there), there);
	rule(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), COUNT(there), there);
	rule(f, SCMP_ACT_ALLOW, SCMP_SYS(mremap), COUNT(stays), stays);
	allow_if(f, SCMP_SYS(munmap), there[0]);
	allow_if(f, SCMP_SYS(madvise), there[0]);
}

static void allow_descriptors_and_memory(struct filter *f, const struct confinement *c)
{
	const struct scmp_arg_cmp set_flags[] = {own_descriptor(c), SCMP_A1_32(SCMP_CMP_EQ, F_SETFL)};

	rule(f, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), COUNT(set_flags), set_flags);
	for (size_t i = 0; i < COUNT(fcntl_commands); i++)
		allow_if(f, SCMP_SYS(fcntl), SCMP_A1_32(SCMP_CMP_EQ, (uint32_t)fcntl_commands[i]));
	for (size_t i = 0; i < COUNT(ioctl_requests); i++)
		allow_if(f, SCMP_SYS(ioctl), SCMP_A1_32(SCMP_CMP_EQ, (uint32_t)ioctl_requests[i]));
	allow_memory(f, c);
	/* abort(3) */
	allow_if(f, SCMP_SYS(tgkill), SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)getpid()));
}

static void allow_threads(struct filter *f, bool threads)
{
	const uint32_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
				    CLONE_NEWPID | CLONE_NEWNET;

	if (!threads) {
		rule(f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 0, NULL);
		rule(f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone3), 0, NULL);
		return;
	}
	each(f, SCMP_ACT_ALLOW, allowed_threads, COUNT(allowed_threads));
	allow_if(f, SCMP_SYS(clone), SCMP_A0_32(SCMP_CMP_MASKED_EQ, CLONE_THREAD | namespaces, CLONE_THREAD));
	/* The filter cannot see the flags behind its pointer; the C library then uses clone(2). */
	rule(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
}

static void attribute(struct filter *f, enum scmp_filter_attr name, uint32_t value)
{
	int r = seccomp_attr_set(f->ctx, name, value);

	if (r < 0 && f->failed == 0)
		f->failed = r;
}

int seccomp_restrict(const struct confinement *c, struct error *err)
{
	_cleanup_(cleanup_filter) struct filter f = {.ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM))};

	if (!f.ctx)
		return error_errno(err, ENOMEM, "cannot make a system call filter");
	attribute(&f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* No mitigation of speculative store bypass, which older kernels tie to a filter and which costs throughput: we
	 * run no foreign code. */
	attribute(&f, SCMP_FLTATR_CTL_SSB, 1);
	each(&f, SCMP_ACT_ALLOW, allowed, COUNT(allowed));
	each(&f, SCMP_ACT_KILL_PROCESS, deadly, COUNT(deadly));
	allow_network(&f, c);
	allow_descriptors_and_memory(&f, c);
	allow_threads(&f, c->threads);
	if (f.failed == 0)
		f.failed = seccomp_load(f.ctx);
	if (f.failed < 0)
		return error_errno(err, -f.failed, "cannot install the system call filter");
	return 0;
}
