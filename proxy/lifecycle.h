/* From READY to the end: the first worker supervises the process.
 *
 * The process ends
 *	when nobody used it for --idle-timeout (or --warm-for) and nothing holds it awake, after a last queue check
 *	(with --hold data, clients that arrived in the last second may still send data);
 *	at once when the container's first process has ended (its pidfd is readable);
 *	on SIGTERM: new connections stay queued for the next process, open ones may go on for --drain-timeout.
 */
#pragma once

#include "proxy/listeners.h"
#include "proxy/report.h"
#include "relay/worker.h"

struct lifecycle {
	struct service *service;
	struct worker *first;
	struct report *report;
	int hold_fd;		/* the statistics file, which tells how long the hold lasts; -1: the shared ones tell */
	struct watch signals;	/* a signalfd */
	struct watch container; /* a pidfd, -1 for none */
	struct timer idle;
	struct timer drain;
	uint64_t patient_until; /* until when silent newcomers keep it from ending; 0: there are none */
	const char *reason;	/* why it ended: one sentence for the journal */
};

/* Blocks SIGTERM and SIGINT, which the loop reads from now on. To be called before confinement. The caller keeps the
 * descriptors. */
int lifecycle_open(struct lifecycle *l, struct report *report, int pidfd, int hold_fd, struct error *err);

/* Watches the listeners, starts the other workers and sends READY=1. To be called after confinement. */
int lifecycle_start(struct lifecycle *l, struct error *err);

/* Serves until the end; l->reason tells why. */
int lifecycle_run(struct lifecycle *l, const struct accepted *accepted, size_t n_accepted, struct error *err);
