#include "control/create_request.h"

#include <stdlib.h>

#include "common/cleanup.h"

void create_request_clear(struct create_request *r)
{
	instance_clear(&r->instance);
	made_container_clear(&r->to_make);
	for (char **p = r->dependencies; p && *p; p++)
		free(*p);
	free_ptr(&r->dependencies);
}

void subject_clear(struct subject *s)
{
	container_clear(&s->container);
	container_unit_clear(&s->run_by);
}
