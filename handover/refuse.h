/* What a program on the wake path does when it fails before READY: it refuses the queue.
 *
 * Every client that waits in the backlog gets an RST (SO_LINGER 0, close) and so learns at once that it is not served;
 * datagrams are read and dropped. Were the queue left as it is, systemd would start the service again at once, for
 * ever. The caller then exits with EXIT_REFUSED, which RestartPreventExitStatus= in the unit knows.
 */
#pragma once

#include "common/error.h"

/* Says err->text once (journal and the unit's status text), refuses everything queued on the sockets that systemd
 * handed over, and returns EXIT_REFUSED for main() to return. Also right for a program run by hand, without sockets.
 * A program that a keeper has started only tells the keeper, which owns the queue (handover/channel.h). */
int refuse_queue(const struct error *err);

/* From here until the next exec, SIGTERM and SIGINT before READY refuse the queue and exit. `who` (a static string) is
 * named in the one sentence. To be called first thing in main(); refuse_on_signal(NULL) restores the defaults. */
void refuse_on_signal(const char *who);

/* Refuses everything queued on so many sockets from LISTEN_FDS_START on. */
void refuse_listeners(int count);
