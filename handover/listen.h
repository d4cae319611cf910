/* The sockets and the notification socket that systemd hands to a service (sd_listen_fds(3), sd_notify(3)).
 *
 * Written out here because nshelper and the proxy do not link libsystemd: it costs load time and private memory on the
 * path of every wake, and its sd_notify() stops working when the proxy has given up the file system.
 */
#pragma once

#include "common/error.h"

#define LISTEN_FDS_START 3

/* How many sockets were handed to this process, 0 for none. The variables stay set: the PID does not change over
 * exec, so they stay valid for the next program. */
int listen_fds(int *ret_count, struct error *err);

/* Tells the next program, which has to be this process, that so many sockets are handed to it. */
void listen_hand_on(int count);

/* A socket that was handed over becomes non-blocking and close-on-exec. -1: errno says why not. */
int listen_make_private(int fd);

/* A datagram socket connected to $NOTIFY_SOCKET, close-on-exec; *ret_fd is -1 when the variable is not set. It goes on
 * working after a pivot into another root. */
int notify_connect(int *ret_fd, struct error *err);

/* Sends one message, for example "READY=1\nSTATUS=…". fd -1 does nothing. Failure is ignored: the service manager may
 * be restarting, and nobody could be told. */
void notify_send(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
