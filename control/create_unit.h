/* The unit that runs the container of a new instance. */
#pragma once

#include "control/create_request.h"

/* Finds container and unit, one from the other, and fills in the names that were not given. The caller clears *s, also
 * after an error. */
int subject_find(struct create_request *r, struct manager *m, struct engine *engine, struct subject *s,
		 struct error *err);

/* For a dry run: fills in the names that are known without the engine. Without a manager it knows none. */
int create_unit_preview(struct create_request *r, struct error *err);

/* Like container_check_fit(), for the unit, without a note. *ret_drop_in is the text of the drop-in it needs, or NULL. `old` is the
 * instance to be replaced, or NULL: the new drop-in repeats the effects of the old one. */
int create_unit_fit(struct create_request *r, const struct instance *old, const struct container_unit *run_by,
		    char **ret_drop_in, struct error *err);

/* Notes what may surprise about the unit of an instance that is there, or that create would make. */
void create_unit_note(const struct create_request *r, const struct container_unit *run_by);

/* Writes i->drop_in, reloads the manager and checks the effect. *ret_before is the previous text for
 * create_unit_revert_drop_in(), or NULL. Does nothing if text is NULL. */
int create_unit_apply_drop_in(struct manager *m, const struct instance *i, const char *text, char **ret_before,
			      struct error *err);
void create_unit_revert_drop_in(struct manager *m, const struct instance *i, const char *before);
