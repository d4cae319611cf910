/* The unit that runs the container of a new instance. */
#pragma once

#include "control/create_request.h"

/* Finds container and unit, one through the other, and so the names that were not given. The caller clears *s, also
 * after an error. */
int subject_find(struct create_request *r, struct manager *m, struct engine *engine, struct subject *s,
		 struct error *err);

/* The same as container_check_fit() for the unit. *ret_drop_in is the text of the drop-in it needs, or NULL. `old` is the instance that makes
 * place, or NULL: what its drop-in did, the new one's does. */
int create_unit_fit(struct create_request *r, const struct instance *old, const struct container_unit *run_by,
		    char **ret_drop_in, struct error *err);

/* Writes i->drop_in, has the manager read it and looks whether it works; what was there before is for create_unit_revert_drop_in(),
 * or NULL. Nothing where text is NULL. */
int create_unit_apply_drop_in(struct manager *m, const struct instance *i, const char *text, char **ret_before,
			      struct error *err);
void create_unit_revert_drop_in(struct manager *m, const struct instance *i, const char *before);
