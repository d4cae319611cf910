/* The proxy confines itself. To be called once, by a process with a single thread, after readiness and when everything
 * it will ever need is open, before it reads the first byte of a client.
 *
 * What remains afterwards:
 *
 *	descriptors	0, 1, 2 and those on the keep list
 *	file system	an empty, read-only root in a mount namespace of its own; Landlock denies everything as well.
 *			With a Unix socket as target, the working directory stays: the socket's, in the container.
 *	capabilities	none in any set (--transparent: CAP_NET_RAW alone)
 *	network		IPv4 and IPv6 sockets of the forwarded types, bound to `sources` or to nothing; none listens.
 *			TCP connects only to `ports`; a TCP socket from the host's network cannot be disconnected and
 *			connected again (disarm.c). A UDP socket of the host's network could still send anywhere: no
 *			kernel can limit that without privileges.
 *	processes	no new ones, no signals to others, not traceable by others of the same user
 *	system calls	those listed in seccomp.c. Others fail with EPERM; those that only an attacker makes
 *			(execve, ptrace, unshare, …) kill the process.
 *
 * After confine() the loop may use:
 *
 *	epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 poll ppoll select pselect6
 *	read pread64 write readv writev recvfrom recvmsg recvmmsg splice tee
 *	sendto without MSG_FASTOPEN; slower than write if there are TCP sockets, see seccomp.c
 *	sendmsg sendmmsg the same, only with udp, not on `reports`; with unix_clients only on descriptors below n_shared
 *	socket(AF_INET|AF_INET6, SOCK_STREAM|SOCK_DGRAM [|SOCK_NONBLOCK|SOCK_CLOEXEC], 0) of the forwarded types,
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
 * but not connect, shutdown, setsockopt, bind or fcntl(F_SETFL) on descriptors below n_shared.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct confinement {
	/* Descriptors that stay open besides 0, 1 and 2, in any order, repeated or not; -1 is skipped. */
	const int *keep;
	size_t n_keep;
	/* Other processes hold descriptors with lower numbers as well, and would be affected by changes to them: the
	 * standard streams and the listeners. */
	int n_shared;
	int reports; /* descriptor that sendmsg() may not use; 0 or -1 for none */
	/* TCP ports, in host byte order, to which the proxy may connect; none if no TCP port is forwarded to an
	 * address. */
	const uint16_t *ports;
	size_t n_ports;
	/* The socket addresses, with port 0, that bind(2) may use; NULL for none. They lie in one read-only page, the
	 * lowest of all mappings. */
	const void *sources[2];
	/* Some clients use Unix sockets: with udp, messages are only sent on the listeners, so no descriptor reaches
	 * them. */
	bool unix_clients;
	bool udp;	  /* may make UDP sockets (a UDP port is forwarded) */
	bool unix_target; /* may make Unix sockets; the working directory stays */
	bool transparent; /* keeps CAP_NET_RAW, and so the user namespace, and may bind to any address */
	bool threads;	  /* may start threads afterwards */
	bool has_keeper;  /* dies with its parent: before it accepts clients that would be cut off */
};

/* What this kernel or system cannot enforce; the rest is enforced. */
enum {
	/* User namespaces are forbidden: Landlock and seccomp deny the file system. */
	UNCONFINED_ROOT = 1 << 0,
	/* No Landlock (Linux < 5.13, or switched off). */
	UNCONFINED_LANDLOCK = 1 << 1,
	/* No Landlock ABI 4 (Linux < 6.7): the proxy can connect to other TCP ports of the namespace. */
	UNCONFINED_PORTS = 1 << 2,
	/* No filter on TCP sockets (disarm.c): one from the host's network can be connected again there, but, unless
	 * UNCONFINED_PORTS, only to `ports`. */
	UNCONFINED_SOCKETS = 1 << 3,
};

/* Sets UNCONFINED_* bits in *ret_missing. A missing step without a substitute is an error: seccomp, and the empty root
 * if a Unix socket is the target (an absolute symbolic link in its place would lead to the host's file system). */
int confine(const struct confinement *c, unsigned *ret_missing, struct error *err);

/* A sentence for the journal about *ret_missing, NULL if an administrator could change none of it. */
const char *confine_missing_text(unsigned missing);
