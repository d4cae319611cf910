/* Between the dispatcher and a worker: one SOCK_SEQPACKET socket for each worker. The dispatcher believes what a worker
 * says of that worker's own connections only: the user of an identity worker controls it. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"

enum message_kind {
	/* To a worker. */
	MESSAGE_SERVE,	 /* with the client's socket; `number` names the connection from now on */
	MESSAGE_REFUSE,	 /* with the client's socket: answer it with `status` and `text` */
	MESSAGE_MANAGER, /* the user's manager runs, or `text` says why not */
	MESSAGE_DRAIN,	 /* close what is idle, and end */
	MESSAGE_COUNT,	 /* tell the bytes of each connection */
	MESSAGE_ENGINES, /* `text`: the order of the engines, from now on */

	/* To the dispatcher. */
	MESSAGE_BEGAN,	 /* `request`: the first that is not a ping; `engine`: what serves it */
	MESSAGE_ENDED,	 /* `bytes` each way; `text`: how, if not as usual */
	MESSAGE_NEED,	 /* the user's manager has to be started */
	MESSAGE_BYTES,	 /* `bytes` each way until now */
	MESSAGE_STARTED, /* `engine`: which of the user's was started */
	MESSAGE_IDLE,	 /* has no connection: closing the socket ends the worker */
};

#define MESSAGE_TEXT_MAX    512
#define MESSAGE_REQUEST_MAX 256

struct message {
	uint32_t kind;
	uint32_t number;
	uint32_t status;
	uint32_t contained; /* the caller is in a container, which must be of the worker's user */
	uint64_t bytes[2];  /* from the client, from the engine */
	char engine[16];
	char request[MESSAGE_REQUEST_MAX];
	char text[MESSAGE_TEXT_MAX];
};

/* fd: passed along, unless -1; the caller keeps its own. 0, or -1 with errno: never blocks. For the dispatcher, which waits for
 * nobody. */
int message_send(int channel, const struct message *m, int fd);

/* For a worker: waits until there is room, as the dispatcher must hear of every end. -1 with errno: the dispatcher has gone. */
int message_tell(int channel, const struct message *m);

/* 1: received, *ret_fd belongs to the caller or is -1; 0: the other end has gone; -1 with errno (EAGAIN: none now;
 * EBADMSG: not one of ours). Texts end with a NUL. ret_fd: NULL for the dispatcher, to which nobody has a descriptor to
 * pass: the kernel closes it. */
int message_receive(int channel, struct message *ret, int *ret_fd);

/* Whoever passes a descriptor to this end fails, from Linux 6.16 on: its end may take long (SO_LINGER), and who receives it
 * has to wait for that. */
void message_refuse_descriptors(int channel);
