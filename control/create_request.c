#include "control/create_request.h"

#include <stdlib.h>

#include "common/cleanup.h"

void create_request_clear(struct create_request *r)
{
	instance_clear(&r->instance);
	order_clear(&r->order);
	for (char **p = r->with; p && *p; p++)
		free(*p);
	free_ptr(&r->with);
}

void subject_clear(struct subject *s)
{
	container_clear(&s->container);
	runner_clear(&s->runner);
}
