/* The proxy locks itself up. Called once, by a process with a single thread, after readiness and after everything it
 * will ever need is open, before the first byte of a client is read.
 *
 * What remains afterwards:
 *
 *	descriptors	0, 1, 2 and those on the keep list
 *	file system	an empty, read-only root in a mount namespace of its own; Landlock denies everything as well. Only
 *			with a Unix socket as target the working directory stays: the socket's, in the container.
 *	capabilities	none in any set (--transparent: CAP_NET_RAW alone)
 *	network		IPv4 and IPv6 sockets of the forwarded types, bound to `sources` or to nothing; none listens.
 *			TCP connects only to `ports`; a TCP socket that came from the host's network cannot be disconnected and connected again (disarm.c). A UDP socket
 *			of the host's network could still send anywhere: no kernel can limit that without privileges.
 *	processes	no new ones, no signals to others, not traceable by others of the same user
 *	system calls	those of the list in seccomp.c. Others fail with EPERM; those that only an attacker makes
 *			(execve, ptrace, unshare, …) kill the process.
 *
 * The loop may use, after confine():
 *
 *	epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 poll ppoll select pselect6
 *	read pread64 write readv writev recvfrom recvmsg recvmmsg splice tee
 *	sendto without MSG_FASTOPEN; dearer than write where there are TCP sockets, see seccomp.c
 *	sendmsg sendmmsg the same, with udp alone, and not on `reports`; with unix_clients on descriptors below n_shared only
 *	socket(AF_INET|AF_INET6, SOCK_STREAM|SOCK_DGRAM [|SOCK_NONBLOCK|SOCK_CLOEXEC], 0) for what is forwarded,
 *	socket(AF_UNIX, SOCK_STREAM|SOCK_SEQPACKET, 0) with unix_target
 *	bind to `sources`, by these very pointers; to everything with transparent
 *	accept4 accept connect shutdown close getsockname getpeername getsockopt
 *	setsockopt of IPPROTO_TCP, IPPROTO_UDP, IPPROTO_IP, IPPROTO_IPV6 and SOL_SOCKET's SO_LINGER, SO_KEEPALIVE, SO_MARK,
 *	SO_SNDBUF, SO_RCVBUF, SO_RCVLOWAT, SO_PRIORITY, SO_REUSEADDR, SO_OOBINLINE, SO_TIMESTAMP
 *	pipe2 fcntl(F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_SETPIPE_SZ, F_GETPIPE_SZ) ioctl(FIONREAD, SIOCOUTQ, SIOCATMARK)
 *	timerfd_create timerfd_settime timerfd_gettime signalfd4 clock_gettime clock_nanosleep nanosleep
 *	mmap, mprotect (never PROT_EXEC), munmap, mremap, madvise (not where `sources` lie), brk, getrandom, futex,
 *	sched_yield
 *	rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall getpid gettid exit exit_group
 *	pthread_create() with threads
 *
 * but on descriptors below n_shared neither connect, shutdown, setsockopt and bind nor fcntl(F_SETFL).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct confinement {
	/* Descriptors that stay open besides 0, 1 and 2; order and repetition do not matter, -1 is skipped. */
	const int *keep;
	size_t n_keep;
	/* Descriptors with lower numbers are held by others as well, who would live on with what was done to them: the
	 * standard streams and the listeners. */
	int n_shared;
	int reports; /* where sendmsg() is not allowed; 0 or -1 for none */
	/* TCP ports, host byte order, that may be connected to; none where no TCP port is forwarded to an address. */
	const uint16_t *ports;
	size_t n_ports;
	/* The socket addresses, with port 0, that bind(2) may be given; NULL for none. They lie in one page that cannot be
	 * written to and is the lowest one that is mapped. */
	const void *sources[2];
	/* Some clients come over Unix sockets: with udp, messages are sent on the listeners alone, no descriptor to these. */
	bool unix_clients;
	bool udp;	  /* may make UDP sockets (a UDP port is forwarded) */
	bool unix_target; /* may make Unix sockets; the working directory stays */
	bool transparent; /* keeps CAP_NET_RAW, and so the user namespace, and may bind to everything */
	bool threads;	  /* may start threads afterwards */
	bool has_keeper;  /* is killed with its parent, before it takes clients who would be cut off */
};

/* What this kernel or system could not give; the rest holds. */
enum {
	/* User namespaces are forbidden: the file system is denied by Landlock and seccomp. */
	UNCONFINED_ROOT = 1 << 0,
	/* No Landlock (Linux < 5.13, or switched off). */
	UNCONFINED_LANDLOCK = 1 << 1,
	/* No Landlock ABI 4 (Linux < 6.7): TCP connects to other ports of the namespace. */
	UNCONFINED_PORTS = 1 << 2,
	/* No filter on TCP sockets (disarm.c): one from the host's network can be connected again there, but, unless
	 * UNCONFINED_PORTS, to `ports` only. */
	UNCONFINED_SOCKETS = 1 << 3,
};

/* *ret_missing gets UNCONFINED_* bits. Whatever has no substitute is an error: seccomp, and the empty root when there
 * is a Unix socket as target (an absolute symbolic link in its place would lead to the host's file system). */
int confine(const struct confinement *c, unsigned *ret_missing, struct error *err);

/* A sentence for the journal about *ret_missing, NULL when nothing is missing that an administrator could change. */
const char *confine_missing_text(unsigned missing);
