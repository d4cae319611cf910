/* The last part of `sockwake create`, and of what changes an instance: everything is checked, and is written now. */
#pragma once

#include "backends/backend.h"
#include "control/create_request.h"

enum outcome { OUTCOME_CREATED, OUTCOME_REPLACED, OUTCOME_REFRESHED, OUTCOME_UNCHANGED };

/* Compares with the existing instance (NULL: none), if this request need not do anything for the same one. */
int create_write_compare(const struct create_request *r, const char *directory, const struct stored *old,
			 enum outcome *ret, struct error *err);

/* A unit that came later than the instance, of which install_check_name() does not know: ours hides it. */
void create_write_note_hidden(struct manager *m, const char *directory, const struct instance *i);

/* Writes the units, and the drop-in first: then the manager loads it together with the units, and its effect can be checked.
 * An instance that was changed, of the same container and sockets, goes on serving its clients. drop_in: the text of a new
 * drop-in; NULL: none. */
int create_write(struct manager *m, const char *directory, const struct create_request *r, const struct instance *old,
		 const char *drop_in, struct error *err);

/* Within its schedule the instance wakes at once, not only in the timer's next minute. A running container gets its idle
 * timeout; otherwise it would never sleep. Does not wait: status shows the result. limit: microseconds for the engine, whose
 * failure does no harm. ran: the container ran before. */
void create_write_warm_up(struct manager *m, const struct instance *i, struct engine *engine, uint64_t limit, bool ran);
