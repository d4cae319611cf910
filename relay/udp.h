/* Forwards datagrams.
 *
 * Theory of operation. A listener's datagrams are received in batches (recvmmsg(2)); each finds its flow by where it
 * came from and which address it was sent to (IP_PKTINFO), and leaves by the flow's socket, a run of one flow in one
 * call (sendmmsg(2)). What the flow's socket receives goes back through the listener, from the address that was asked.
 * Datagrams that the kernel has put together (UDP_GRO, udp(7)) are passed on together (UDP_SEGMENT).
 *
 * A target that refuses (an ICMP error, seen as ECONNREFUSED) before a flow's first answer makes the flow try the next
 * address with its first datagram again, and all of them again and again until the start-up deadline. So the datagram
 * that woke the container is delivered. Afterwards such errors mean nothing, as on any network.
 *
 * What cannot be sent at once is dropped and counted: datagrams are never queued here.
 */
#pragma once

#include "relay/flows.h"
#include "relay/worker.h"

struct udp;

/* Prepares the datagram listeners, if there are any: *ret is NULL otherwise. Allocates everything that forwarding needs
 * but flows. */
int udp_open(struct worker *w, struct udp **ret, struct error *err);

/* Starts and stops receiving from clients; flows go on. */
int udp_start(struct udp *u, struct error *err);
void udp_stop(struct udp *u);

/* Forwards what clients have sent until now, without waiting. */
void udp_now(struct udp *u);
