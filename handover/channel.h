/* What the programs that a keeper starts tell it, over a SOCK_SEQPACKET socket that VARIABLE_KEEPER names (environment.h).
 *
 * A message is text, lines of NAME=VALUE as in sd_notify(3), and may carry descriptors:
 *
 *	WOKEN=1			the container runs; the descriptors are its pidfd and the locks that keep it awake
 *	STARTING=1		something is being started, and may come up from now on
 *	AWAITED=CLAUSE		what is waited for, as in "nothing listens on port 80"
 *	HINT=CLAUSE		with AWAITED=, what may help
 *	FUTILE=1		with AWAITED=, no time brings it about
 *	ENDED=SENTENCE		what to say should the container end before it is ready
 *	VAIN=1			what the last STARTING=1 was about has not been started
 *	STOP=1			somebody stops the service; systemd sends no signal when it is stopping already
 *	FAILED=SENTENCE		the program ends and its task is not done
 *	READY=1			the proxy accepts
 *	COUNTED=1		the proxy has counted something
 *	NOTE=SENTENCE		what the system cannot give the proxy
 *	ANONYMOUS=1		a server cannot be shown the address of a client
 *	UNREACHABLE=ERRNO	a client was reset because its server could not be connected to; 0: not in time
 *	STOPPING=1		the proxy accepts nobody any more
 *
 * A message after the first READY=1 may come from a proxy that was taken over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

/* What is said about ANONYMOUS=1. */
#define CHANNEL_ANONYMOUS                                                                                              \
	"the server in the container cannot be shown the address of every client: an address was in use there, or is " \
	"of another family than the server's"

/* What is said about UNREACHABLE=, and the words for its value in brackets behind that. */
#define CHANNEL_UNREACHABLE "a client was reset, as others may be: its server cannot be connected to"
const char *channel_unreachable_reason(int error);

/* How the status text of a service begins that clients do not wait for any longer, and that may still become ready. */
#define STATUS_STILL_STARTING "still starting "

/* How the status text of a service begins that is being put to sleep, so far in vain. */
#define STATUS_NOT_ASLEEP "not asleep yet: "
#define STATUS_STAYS	  "the container may still run: "

#define CHANNEL_TEXT_MAX 1536
#define CHANNEL_FDS_MAX	 40
#define CHANNEL_LOCKS	 2 /* of each container */

/* Two connected ends, close-on-exec. Both belong to the caller. */
int channel_open(int ret[static 2], struct error *err);

/* The end that a keeper has handed down, made close-on-exec; -1 when there is none, as in a program run by hand. */
int channel_inherited(void);

/* Sends one message with descriptors, which stay the caller's; the keeper is waited for. Messages without are sent by
 * notify_send() (handover/listen.h). */
int channel_send_fds(int fd, const char *text, const int *fds, size_t n, struct error *err);

struct message {
	char text[CHANNEL_TEXT_MAX]; /* "" when there is none (any more) */
	int fds[CHANNEL_FDS_MAX];    /* close-on-exec, the caller's */
	size_t n_fds;
};

/* Takes one message without waiting. False: there is none. *ret_closed: and there never will be. */
bool channel_receive(int fd, struct message *ret, bool *ret_closed);
void message_clear(struct message *m);

/* The value of a line of the message, cut to size; every byte that is not of printable UTF-8 is replaced by '?'. */
bool message_value(const struct message *m, const char *name, char *ret, size_t size);
