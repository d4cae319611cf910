/* The messages of a keeper's programs to the keeper, over a SOCK_SEQPACKET socket that VARIABLE_KEEPER names (environment.h).
 *
 * A message is text, lines of NAME=VALUE as in sd_notify(3), and may carry descriptors:
 *
 *	WOKEN=1			the container runs; the descriptors are its pidfd and the locks that keep it awake
 *	STARTING=1		a start is under way: the container may come up from now on
 *	AWAITED=CLAUSE		what the start waits for, as in "nothing listens on port 80"
 *	HINT=CLAUSE		with AWAITED=, what may help
 *	FUTILE=1		with AWAITED=, waiting longer does not help
 *	ENDED=SENTENCE		the message if the container ends before it is ready
 *	VAIN=1			the start of the last STARTING=1 did not take place
 *	STOP=1			somebody stops the service; systemd sends no signal if it is stopping already
 *	FAILED=SENTENCE		the program ends without having done its task
 *	READY=1			the proxy accepts
 *	COUNTED=1		the proxy has updated its traffic figures
 *	NOTE=SENTENCE		a feature that the system cannot give the proxy
 *	ANONYMOUS=1		the proxy cannot show a client's address to a server
 *	UNREACHABLE=ERRNO	a client was reset because no server accepted it; 0: not in time
 *	PORT=NUMBER		with UNREACHABLE=, the port of the container; 0: a Unix socket
 *	STOPPING=1		the proxy no longer accepts
 *
 * A message after the first READY=1 may come from a proxy that was taken over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* The message for ANONYMOUS=1. */
#define CHANNEL_ANONYMOUS                                                                                              \
	"the server in the container cannot be shown the address of every client: an address was in use there, or is " \
	"of another family than the server's"

/* The message for UNREACHABLE= and PORT=. listening: the ports that have a listener, up to max, or up to a 0. */
#define CHANNEL_UNREACHABLE_MAX 320
const char *channel_unreachable(uint16_t port, int error, const uint16_t *listening, size_t max,
				char ret[static CHANNEL_UNREACHABLE_MAX]);

/* "nothing listens on port 81 in the container; it does …" */
#define CHANNEL_REFUSED_MAX 224
const char *channel_refused(uint16_t port, const uint16_t *listening, size_t max, char ret[static CHANNEL_REFUSED_MAX]);

/* "it does listen on port 80, 81"; "" if there are none. */
#define CHANNEL_LISTENING_MAX 128
const char *channel_listening(const uint16_t *listening, size_t max, char ret[static CHANNEL_LISTENING_MAX]);

/* Begins the status text of a service that wakes its container: what it waits for follows. */
#define STATUS_WAITS "waking: "

/* Begins the status text of a service that may still become ready, but that clients no longer wait for. */
#define STATUS_STILL_STARTING "still starting "

/* Begins the status text of a service that wakes nothing: so far, only clients have connected that may not. */
#define STATUS_NOBODY "Nobody who may wake the container has connected"

/* Begins the status text of a service that is being put to sleep, so far without success. */
#define STATUS_NOT_ASLEEP "not asleep yet: "
#define STATUS_STAYS	  "the container may still run: "

/* Begins a line that `proxy --await`, which has no keeper, writes to standard error: what the start waits for follows. */
#define AWAIT_TELLS "waits: "

#define CHANNEL_TEXT_MAX 1536
#define CHANNEL_FDS_MAX	 40
#define CHANNEL_LOCKS	 2 /* for each container */

/* Two connected ends, close-on-exec. Both belong to the caller. */
int channel_open(int ret[static 2], struct error *err);

/* The end that the keeper has handed down, made close-on-exec; -1 if there is none, as in a program run by hand. */
int channel_inherited(void);

/* Sends one message with descriptors, which stay the caller's; blocks until the keeper can take it. notify_send()
 * (handover/listen.h) sends messages without descriptors. */
int channel_send_fds(int fd, const char *text, const int *fds, size_t n, struct error *err);

struct message {
	char text[CHANNEL_TEXT_MAX]; /* "" if there is none (any more) */
	int fds[CHANNEL_FDS_MAX];    /* close-on-exec, the caller's */
	size_t n_fds;
};

/* Takes one message without waiting. False: there is none. *ret_closed: there will be no more. */
bool channel_receive(int fd, struct message *ret, bool *ret_closed);
void message_clear(struct message *m);

/* The value of a line of the message, cut to size; '?' replaces each byte that is not part of printable UTF-8. */
bool message_value(const struct message *m, const char *name, char *ret, size_t size);
