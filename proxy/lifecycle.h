/* From READY to the end: the first worker watches over the process.
 *
 * It ends
 *	when nobody used it for --idle-timeout (or --warm-for) and nothing holds it awake, after a last look at the queues
 *	(with --hold data whoever came in the last second may still say something);
 *	when the container's first process has ended (its pidfd is readable): at once;
 *	on SIGTERM: what connects from then on stays queued for the next process, and who is connected has --drain-timeout.
 */
#pragma once

#include "proxy/listeners.h"
#include "proxy/report.h"
#include "relay/worker.h"

struct lifecycle {
	struct service *service;
	struct worker *first;
	struct report *report;
	int hold_fd;	      /* the statistics file, to read until when the instance is held awake; -1: they say so */
	struct watch signals; /* a signalfd */
	struct watch container; /* a pidfd, -1 for none */
	struct timer idle;
	struct timer drain;
	uint64_t patient_until; /* silent newcomers keep it from ending; 0: they do not */
	const char *reason;	/* why it ended: one sentence for the journal */
};

/* Blocks SIGTERM and SIGINT, which from here on are read by the loop. Before confinement. The descriptors remain the caller's. */
int lifecycle_open(struct lifecycle *l, struct report *report, int pidfd, int hold_fd, struct error *err);

/* Watches the listeners, starts the other workers and says READY=1. After confinement. */
int lifecycle_start(struct lifecycle *l, struct error *err);

/* Serves until the end; l->reason says which. */
int lifecycle_run(struct lifecycle *l, const struct accepted *accepted, size_t n_accepted, struct error *err);
