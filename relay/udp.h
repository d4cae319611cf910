/* Forwards datagrams.
 *
 * Theory of operation. The worker receives a listener's datagrams in batches (recvmmsg(2)). The source and destination
 * address of each (IP_PKTINFO) determine its flow, and it leaves by the flow's socket, a run of one flow in one call
 * (sendmmsg(2)). Answers that the flow's socket receives go back through the listener, from the address to which the
 * client sent. Datagrams that the kernel has joined (UDP_GRO, udp(7)) are passed on together (UDP_SEGMENT).
 *
 * If a target refuses (an ICMP error, seen as ECONNREFUSED) before a flow's first answer, the flow sends its first
 * datagram to the next address, and to all of them again and again until the start-up deadline. So the datagram that
 * woke the container is delivered. Afterwards such errors are ignored, as on any network.
 *
 * Datagrams that cannot be sent at once are dropped and counted, never queued.
 */
#pragma once

#include "relay/flows.h"
#include "relay/worker.h"

struct udp;

/* Prepares the datagram listeners, if there are any; *ret is NULL otherwise. Allocates everything that forwarding
 * needs, except flows. */
int udp_open(struct worker *w, struct udp **ret, struct error *err);

/* Start and stop receiving from clients; flows go on. */
int udp_start(struct udp *u, struct error *err);
void udp_stop(struct udp *u);

/* Forwards the datagrams that clients have sent until now, without waiting. */
void udp_now(struct udp *u);
