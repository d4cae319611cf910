/* Moves the bytes of connected streams.
 *
 * Theory of operation. Both sockets are watched edge-triggered from the start, and no epoll_ctl() follows but one for
 * each that was full once: an event only sets `readable` or `writable`, and what is known stays known until a call says
 * otherwise. Each turn of a connection pumps both directions:
 *
 * - Small traffic is received into the worker's one buffer and sent from there at once. A short read has drained the
 *   socket (epoll(7), question 9), so one message costs one recv() and one send(). (A Unix socket also stops short
 *   behind descriptors that were passed, and TCP at urgent data: these are read until nothing is left.)
 *   (read(2) and write(2), in fact: the system call filter looks at no argument of theirs.)
 * - What the other end does not take is buffered, and nothing more is read in this direction until it is taken: the
 *   sender's window closes. So a connection buffers at most one read in each direction.
 * - A socket that fills the buffer several times in a row sends bulk data, and is spliced from then on through a pipe
 *   that is lent for as long as data lies in it, until little comes at a time again.
 * - A turn moves a bounded amount; then the others have theirs.
 *
 * A FIN is passed on (shutdown(2)) when everything in front of it was, each direction for itself. A reset, or a peer
 * that is gone, is passed on as a reset, after what was received before it. Urgent data (tcp(7)) stays in its place and
 * urgent.
 */
#pragma once

#include "relay/worker.h"

/* What both sockets are watched for; EPOLLOUT is added when one is full for the first time. */
#define RELAY_EVENTS (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET)

/* The target has been connected: watches the client, too, and begins. `events` came with the connection: a server that
 * speaks first may already have spoken, and gone. */
void pump_start(struct worker *w, struct connection *c, uint32_t events);

/* The next turn of a connection. */
void pump_turn(struct worker *w, struct connection *c);

/* Sends these bytes to the target, in front of everything the client sends: right after connecting only, when there is
 * room for them. They are never kept for later, so that no shortage can lose them. False: they are not sent, and nothing
 * of the client's may be; the caller resets the connection. A target that is gone is not a failure here: it takes nothing
 * any more, but what it sent before must still be passed on. */
bool pump_begin_with(struct connection *c, const char *data, size_t len);

/* Before the process ends: passes on what the target sent and the client takes without waiting, then closes. */
void pump_finish(struct worker *w, struct connection *c);
