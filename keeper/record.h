/* The statistics of the instance (handover/stats.h): memory that is shared with the activator and the proxy, and the file
 * that others read. What cannot be had is done without: statistics are no reason to refuse a client. */
#pragma once

#include "handover/stats.h"

struct record {
	struct stats own;     /* what is known, and written to the file */
	struct stats *shared; /* what activator and proxy see and count in; NULL: they do without */
	int memory;	      /* its descriptor for them; -1 */
	int file;	      /* NAME.stats, read and written; -1: there is none */
	int file_to_read;     /* the same for the proxy, which cannot write to it; -1: there is none */
};

/* The numbers that outlive a wake are those of the file. *ret_why says why there is no file, "" where there is one. */
void record_open(const char *name, struct record *ret, struct error *ret_why);

/* Has the child processes see what is known. */
void record_share(struct record *r);

/* Takes over what the activator, or the proxy, has counted, and nothing else: the proxy may have been taken over. */
void record_take_wake(struct record *r);
void record_take_traffic(struct record *r);

/* Has everybody see what is known. */
void record_write(const struct record *r);

/* `sockwake wake --for` holds the instance awake no longer. */
void record_end_hold(struct record *r);
