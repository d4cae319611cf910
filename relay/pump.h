/* Moves the bytes of connected streams.
 *
 * Theory of operation. Both sockets are watched edge-triggered from the start. Only a socket that was full once costs
 * one more epoll_ctl(). An event only sets `readable` or `writable`, which stay set until a call shows otherwise. Each
 * turn of a connection pumps both directions:
 *
 * - Small traffic goes through the worker's one buffer and is sent at once. A short read has drained the
 * socket (epoll(7), question 9), so one message costs one recv() and one send(). (A Unix socket also stops short  
 * after passed descriptors, and TCP at urgent data: these are read until nothing is left.)   (In fact read(2) and
 * write(2): the system call filter checks no argument of theirs.)
 * - Bytes that the other end does not take are buffered, and this direction is not read until it takes them: the
 * sender's window closes. So a connection buffers at most one read in each direction.
 * - A socket that fills the buffer several times in a row sends bulk data. It is then spliced through a pipe, lent
 *   as long as there is data in it, until only little arrives at a time again.
 * - A turn moves a bounded amount; then other connections have theirs.
 *
 * Each direction passes on its FIN (shutdown(2)) after all data before it. A reset, or the loss of a peer, is passed on
 * as a reset, after the data received before it. Urgent data (tcp(7)) stays urgent and in its place.
 */
#pragma once

#include "relay/worker.h"

/* The events watched on both sockets; EPOLLOUT is added when one is full for the first time. */
#define RELAY_EVENTS (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET)

/* The target is connected: watches the client, too, and begins. `events` came with the connection: a server that speaks
 * first may have spoken, and gone, already. */
void pump_start(struct worker *w, struct connection *c, uint32_t events);

/* The next turn of a connection. */
void pump_turn(struct worker *w, struct connection *c);

/* Sends these bytes to the target before everything from the client: only right after connecting, when there is room
 * for them. They are never buffered, so no shortage can lose them. False: they were not sent, so nothing of the
 * client's may be sent; the caller resets the connection. A target that is gone is not a failure here: it takes no more
 * data, but the data that it sent before must still be passed on. */
bool pump_begin_with(struct connection *c, const char *data, size_t len);

/* Before the process ends: passes on the target's data as far as the client takes it without waiting, then closes. */
void pump_finish(struct worker *w, struct connection *c);
