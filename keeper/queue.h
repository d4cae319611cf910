/* Who waits to be served: the listeners' backlogs, and clients that the keeper has accepted to learn who or since when
 * they are. The keeper never reads what they send.
 *
 * Nobody waits longer than the start-up time-out, whatever the instance is doing: who does is reset; a datagram is
 * dropped. The queue knows a time before which none of the waiting clients can have come, and looks at each of them
 * when that is too long ago (backlog.h). They stay in the backlogs, for the next keeper if not for this one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cidr.h"
#include "common/error.h"
#include "handover/accepted.h"

/* As many connections as are accepted at most and handed down; later ones stay in the backlog. */
#define ACCEPTED_MAX  64
#define LISTENERS_MAX 256 /* more than an instance may have */

struct client {
	int fd;
	int listener;	  /* counted from 0 */
	uint64_t arrived; /* CLOCK_MONOTONIC microseconds */
};

struct queue {
	int n; /* listeners, from LISTEN_FDS_START on */
	bool stream[LISTENERS_MAX];
	struct client accepted[ACCEPTED_MAX];
	size_t n_accepted;
	uint64_t limit; /* microseconds; USEC_INFINITY: everybody may wait for ever */
	uint64_t
		since; /* CLOCK_MONOTONIC microseconds before which nobody here has come; USEC_INFINITY: nobody waits */
};

/* Takes over what systemd has handed to this process, as non-blocking and close-on-exec. */
int queue_open(struct queue *q, uint64_t limit, struct error *err);

/* Does anybody wait? */
bool queue_waits(const struct queue *q);

/* Resets whoever comes from these ranges and accepts the others, of which nobody has to be left: false. */
bool queue_admit(struct queue *q, const struct cidr *ranges, size_t n);

/* When queue_expire() has to be called next; USEC_INFINITY: not before somebody waits. */
uint64_t queue_deadline(const struct queue *q);

/* Resets everybody who has waited longer than the limit. Returns how many. */
size_t queue_expire(struct queue *q, uint64_t now);

/* Resets everybody. */
void queue_refuse(struct queue *q);

/* The accepted clients are another program's from now on; here they are only closed. */
void queue_forget_accepted(struct queue *q);

/* The accepted clients as VARIABLE_ACCEPTED has them (handover/accepted.h); "" for none. */
#define QUEUE_TEXT_MAX ACCEPTED_TEXT_MAX(ACCEPTED_MAX)
const char *queue_accepted_text(const struct queue *q, char ret[static QUEUE_TEXT_MAX]);
