/* What a dry run of `sockwake adopt` would have changed so far. With it the dry run finds the conflicts that the real run
 * would find: `instances` are those that there would be by now, `freed` those that would be gone or replaced. */
#pragma once

#include "units/store.h"

/* The instance of that name would be gone; none is success. */
int adopt_plan_removal(struct stored_list *instances, struct stored_list *freed, const char *name, struct error *err);

/* The instance would be there, in place of one of its name. */
int adopt_plan_instance(struct stored_list *instances, struct stored_list *freed, const struct instance *i,
			struct error *err);

/* The one of that name that was freed last would be there again. */
void adopt_plan_return(struct stored_list *instances, struct stored_list *freed, const char *name);
