/* The statistics of the instance (handover/stats.h): memory shared with the activator and the proxy, and the file that
 * others read. Both are optional: missing statistics are no reason to refuse a client. */
#pragma once

#include "handover/stats.h"

struct record {
	struct stats own;     /* the keeper's values, which it writes to the file */
	struct stats *shared; /* read and updated by activator and proxy; NULL: they do without */
	int memory;	      /* descriptor of `shared`; -1: none */
	int file;	      /* NAME.stats, read and written; -1: none */
	int file_to_read;     /* the same for the proxy, which cannot write to it; -1: none */
};

/* Reads from the file the values that outlive a wake. *ret_why says why there is no file; "" if there is one. */
void record_open(const char *name, struct record *ret, struct error *ret_why);

/* Shows `own` to the child processes. */
void record_share(struct record *r);

/* Shows who has begun the wake to the activator, which runs already. */
void record_share_client(struct record *r);

/* Takes over the values that the activator or the proxy may set, and no others: an attacker may control the proxy. */
void record_take_wake(struct record *r);
void record_take_traffic(struct record *r);

/* Writes `own` to the file, except the end of the hold. */
void record_write(const struct record *r);

/* Ends the hold of `sockwake wake --for`. */
void record_end_hold(struct record *r);
