/* The sockets and the notification socket that systemd passes to a service (sd_listen_fds(3), sd_notify(3)).
 *
 * nshelper and the proxy do not link libsystemd: it costs load time and private memory on the path of every wake, and
 * its sd_notify() stops working once the proxy has given up the file system.
 */
#pragma once

#include "common/error.h"

#define LISTEN_FDS_START 3

/* How many sockets this process was given; 0 for none. The variables stay set and, since exec keeps the PID, valid for
 * the next program. */
int listen_fds(int *ret_count, struct error *err);

/* The socket with this FileDescriptorName= (systemd.socket(5)); -1: this process was given none. */
int listen_fd_named(const char *name);

/* Passes this many sockets to the next program, which must run in this process. */
void listen_hand_on(int count);

/* Makes a socket from systemd non-blocking and close-on-exec. -1: errno says why not. */
int listen_make_private(int fd);

/* A datagram socket connected to $NOTIFY_SOCKET, close-on-exec; *ret_fd is -1 if the variable is not set. It still
 * works after a pivot into another root. */
int notify_connect(int *ret_fd, struct error *err);

/* Sends one message, for example "READY=1\nSTATUS=…". fd -1 does nothing. Ignores failures: the service manager may be
 * restarting, and nobody could be told. */
void notify_send(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
