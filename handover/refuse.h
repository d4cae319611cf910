/* How a program on the wake path fails before READY: it refuses the queue.
 *
 * Every client in the backlog gets an RST (SO_LINGER 0, close), and so learns at once that it is not served; datagrams
 * are read and dropped. If the queue were left as it is, systemd would start the service again at once, for ever. The
 * caller then exits with EXIT_REFUSED, which RestartPreventExitStatus= in the unit names.
 */
#pragma once

#include "common/error.h"

/* Reports err->text once (journal and the unit's status text), refuses everything queued on the sockets from systemd,
 * and returns EXIT_REFUSED for main() to return. Works without sockets too, in a program run by hand. A program that a
 * keeper has started only tells the keeper, which owns the queue (handover/channel.h). */
int refuse_queue(const struct error *err);

/* From here until the next exec, SIGTERM and SIGINT before READY refuse the queue and exit. The message names `who` (a
 * static string). Call it first in main(); refuse_on_signal(NULL) restores the defaults. */
void refuse_on_signal(const char *who);

/* Refuses everything queued on this many sockets from LISTEN_FDS_START on. */
void refuse_listeners(int count);

/* Accepts a client that is to be reset, as accept4(2), non-blocking: closing it resets the connection. A process that
 * has no free descriptor gives up its standard input, so that it can refuse its clients nevertheless. Close the client
 * with refuse_close(), which opens /dev/null as standard input instead. */
int refuse_accept(int listener);
void refuse_close(int fd);
